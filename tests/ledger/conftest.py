"""A real S3 server for the tests that are marked `object_store`: the one that the suite names."""

import os
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from devtools import objectstore
from devtools.objectstore import Server
from devtools.s3programs import PROGRAMS, Program
from interlock.ledger.stores import s3
from interlock.ledger.stores.address import Address


@pytest.fixture(scope="module")
def program() -> Program:
    """The server that the suite names."""
    return PROGRAMS[os.environ["INTERLOCK_TEST_STORES"]]


@pytest.fixture(scope="module")
def server(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It runs, with its root's credentials in the environment."""
    place = tmp_path_factory.mktemp(program.tool)
    with objectstore.running(place, program=program) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture
async def locked(server: Server) -> AsyncIterator[tuple[Any, Address]]:
    """A client, and a new bucket with object lock."""
    address = Address(bucket=f"records-{secrets.token_hex(4)}", prefix="here", endpoint=server.endpoint, style="path")
    async with s3.client(address) as client:
        made: Any = client
        await made.create_bucket(Bucket=address.bucket, ObjectLockEnabledForBucket=True)
        yield made, address
