"""APIs for tests, whose guards end with them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.ledger.guards import Ledger, body, settled
from tests.serve.auditapi.apis import Api, Start


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start an API."""
    apis: list[Api] = []

    async def started(*names: str, **kwargs: Any) -> Api:
        api = Api(Ledger(), **kwargs)
        apis.append(api)
        await api.ledger.lane.start()
        await settled()
        for name in names:
            await api.ledger.lane.append(body(api.ledger.clock, name=name)).stored(seconds=5)
        await api.begin()
        return api

    yield started
    for api in apis:
        await api.ledger.lane.close(seconds=5)
