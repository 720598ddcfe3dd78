"""Answers of the API as values: documents, and failures as Status objects."""

from http import HTTPStatus

import orjson

from interlock.core.types import JsonObject
from interlock.serve.messages import Answer, Headers

RETRY = (("Retry-After", "1"),)


class Refused(Exception):
    """Carries a failure to where it is answered."""

    def __init__(self, status: JsonObject, headers: Headers = ()) -> None:
        super().__init__(status["message"])
        self.status = status
        self.headers = headers


def ok(body: bytes, headers: Headers = ()) -> Answer:
    """A document."""
    return Answer(status=HTTPStatus.OK, body=body, headers=headers)


def failed(status: JsonObject, headers: Headers = ()) -> Answer:
    """A failure."""
    return Answer(status=HTTPStatus(status["code"]), body=orjson.dumps(status), headers=headers)
