"""Validation of Interlock's own kinds, on kopf's `validate` handlers.

The CRD's schema refuses what a schema can. Here the policy is compiled as it will be for decisions, so that whatever
is stored also works, and doubts come back as warnings. An UPDATE that leaves the spec alone is not judged: a policy
that an older version accepted must not become undeletable or unlabelable.
"""

from http import HTTPStatus
from typing import Any

import kopf

from interlock import settings
from interlock.core.policies import policy
from interlock.core.policies.doubts import doubts
from interlock.core.ports import Clock
from interlock.errors import BadPolicy


def register_validation(registry: kopf.OperatorRegistry, *, clock: Clock) -> None:
    """Have kopf validate policies.

    Args:
        registry: where kopf finds the handler.
        clock: the present, for doubts about windows.
    """

    @kopf.on.validate(
        settings.GROUP,
        settings.VERSION,
        settings.POLICIES,
        registry=registry,
        id="validate-policy",
        operations=["CREATE", "UPDATE"],
    )
    async def validate(body: kopf.Body, warnings: list[str], **given: Any) -> None:
        old = given["old"]
        if old is not None and old.get("spec") == body.get("spec"):
            return
        try:
            compiled = policy.parse(dict(body))
        except BadPolicy as error:
            raise kopf.AdmissionError(error.diagnostics(), code=HTTPStatus.BAD_REQUEST) from error
        warnings += doubts(compiled, clock())
