"""The fakes keep the contracts that they stand in for."""

import pytest

from interlock.core.ports import LaneStore
from tests.fakes.lane_store import FakeLaneStore
from tests.ledger.lane_store_contract import LaneStoreContract


class TestFakeLaneStore(LaneStoreContract):
    """The store in memory."""

    @pytest.fixture
    def store(self) -> LaneStore:
        """An empty one."""
        return FakeLaneStore()
