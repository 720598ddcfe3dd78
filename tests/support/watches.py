"""Watches of the API server as a client sees them: line by line, with the connection to be dropped at will."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from tests.support.api import Api

JSON = "application/json"


class Lines:
    """The lines of one watch."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self._answer = answer

    def next(self) -> Any:
        """The next line; None if the watch has ended."""
        line = self._answer.readline()
        return orjson.loads(line) if line.strip() else None

    def rest(self) -> list[Any]:
        """Every line until the watch ends."""
        return [orjson.loads(line) for line in self._answer.read().splitlines() if line.strip()]


@contextmanager
def watch(kubeconfig: str, path: str, *, accept: str = JSON) -> Iterator[Lines]:
    """A watch over a connection of its own, which is dropped at the end of the block."""
    with Api(kubeconfig) as api:
        yield Lines(api.stream(path, accept=accept))
