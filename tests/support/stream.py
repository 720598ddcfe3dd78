"""A stream of real requests to the API server, whose answers are counted."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Self

from tests.support.api import Api

JOIN_SECONDS = 35.0  # longer than one call may take

Judge = Callable[[int, dict[str, Any]], str]


class Stream(threading.Thread):
    """Sends one request over and over, one at a time, over one connection.

    Attributes:
        answers: how often each answer came, by what `judge` calls it.
        seconds: how long each call took.
    """

    def __init__(self, kubeconfig: str, method: str, path: str, judge: Judge) -> None:
        """Prepare; nothing is sent yet.

        Args:
            kubeconfig: whose requests they are.
            method: HTTP method.
            path: of the request.
            judge: names an answer, from status code and body.
        """
        super().__init__(daemon=True)
        self._api = Api(kubeconfig)
        self._request = (method, path)
        self._judge = judge
        self._over = threading.Event()
        self.answers: Counter[str] = Counter()
        self.seconds: list[float] = []

    def run(self) -> None:
        """Send until told to stop."""
        with self._api:
            while not self._over.is_set():
                begun = time.monotonic()
                answer = self._api.call(*self._request)
                self.seconds.append(time.monotonic() - begun)
                self.answers[self._judge(*answer)] += 1

    def __enter__(self) -> Self:
        """Begin sending."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait for the last answer."""
        self._over.set()
        self.join(timeout=JOIN_SECONDS)


def denied_by(policy: str) -> Judge:
    """Calls a denial by this policy ``denied``, anything else by code and message."""

    def judge(code: int, body: dict[str, Any]) -> str:
        message = body.get("message", "")
        return "denied" if code == 403 and policy in message else f"{code}: {message}"

    return judge
