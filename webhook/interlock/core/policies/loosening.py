"""Whether a change of a policy may let through what was stopped before, and what it changes.

`loosens` is False only where it is certain that no request gets a weaker verdict and no record becomes less durable.
Whatever cannot be told loosens: it is better to look at one harmless change than to overlook the other. (The verdict on
leaving protection stands aside: where a wider match still speaks of an object, its new labels have not left it.)

What is certain to be as strict or stricter, field by field:

    mode                 Disabled to Observe to Enforce, never back
    verdict, outside     a stricter one
    severity             a higher one (it decides the default durability, and who reads the message how)
    match                alternatives added, constraints dropped; minSeverity lowered
    exclude              entries dropped
    windows              allow entries dropped, not the last; freeze entries added; where closed is at least as strict;
                         neither where a window gives a grace: what ends an opening decides how long it lasts
    leaveProtection      switched on
    audit.durability     a stricter one
    description, message anything
"""

from collections.abc import Iterator, Mapping
from typing import Any

from interlock.core import jsonbytes
from interlock.core.policies import policy
from interlock.core.policies.policy import Policy
from interlock.core.types import JsonObject, Mode
from interlock.errors import BadPolicy

Spec = Mapping[str, Any]

MODES = (Mode.DISABLED, Mode.OBSERVE, Mode.ENFORCE)

_ALTERNATIVES = ("actions", "operations", "resources")
_CONSTRAINTS = ("namespaces", "objects")
_WHEN = ("timeZone", "allow", "freeze")
_SUBJECTS = ("users", "groups", "serviceAccounts")


def loosens(old: JsonObject | None, new: JsonObject | None) -> bool:
    """Whether replacing one DangerPolicy by another may weaken anything.

    Args:
        old: the stored object, None for a new policy.
        new: the object to store, None for a deletion.
    """
    if old is None:
        return False  # one more policy never weakens a verdict: the strictest wins
    before = _compiled(old)
    if before is None:
        return True  # it fails closed for what it covers; anything else covers less
    if new is None:
        return before.mode is not Mode.DISABLED
    after = _compiled(new)
    return after is None or not _as_strict(before, after, old["spec"], new["spec"])


def differences(old: Any, new: Any, path: str = "spec") -> Iterator[tuple[str, str, str]]:  # noqa: ANN401  any JSON
    """What differs between two specs: path, before and after as canonical JSON, empty where there is nothing.

    Maps are compared key by key; anything else as a whole.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}")
    elif old != new:
        yield path, _written(old), _written(new)


def _written(value: object) -> str:
    return "" if value is None else jsonbytes.canonical(value).decode()


def _compiled(obj: JsonObject) -> Policy | None:
    try:
        return policy.parse(obj)
    except BadPolicy:
        return None


def _as_strict(before: Policy, after: Policy, old: Spec, new: Spec) -> bool:
    return (
        MODES.index(after.mode) >= MODES.index(before.mode)
        and after.severity >= before.severity
        and after.leave_protection >= before.leave_protection
        and after.durability.strictness >= before.durability.strictness
        and _verdicts_as_strict(before, after, old.get("windows"), new.get("windows"))
        and _match_as_wide(old["match"], new["match"])
        and _every(new.get("exclude"), old.get("exclude"))
    )


def _verdicts_as_strict(before: Policy, after: Policy, old: Spec | None, new: Spec | None) -> bool:
    """Whether at every instant the yield is at least as strict as before."""
    if after.verdict < before.verdict:
        return False
    if after.windows is None:
        return after.verdict >= before.strictest
    if before.windows is None or old is None or new is None:
        return after.windows.outside >= before.verdict
    if all(old.get(name) == new.get(name) for name in _WHEN):
        return after.windows.outside >= before.windows.outside
    return after.windows.outside >= before.strictest and _open_as_seldom(old, new)


def _open_as_seldom(old: Spec, new: Spec) -> bool:
    return bool(
        old["timeZone"] == new["timeZone"]
        and bool(old.get("allow")) == bool(new.get("allow"))
        and _every(new.get("allow"), old.get("allow"))
        and _every(old.get("freeze"), new.get("freeze"))
        and not any("overrun" in entry for entry in new.get("allow") or [])
    )


def _match_as_wide(old: Spec, new: Spec) -> bool:
    return (
        all(_every(old.get(name), new.get(name)) for name in _ALTERNATIVES)
        and _rank(new.get("minSeverity")) <= _rank(old.get("minSeverity"))
        and all(_constrains_as_little(old.get(name), new.get(name)) for name in _CONSTRAINTS)
        and _subjects_as_many(old.get("subjects"), new.get("subjects"))
    )


def _constrains_as_little(old: Spec | None, new: Spec | None) -> bool:
    """Whether names and selector mean at least what they meant; two different selectors are not compared."""
    if new is None or old is None:
        return new is None
    names = "names" not in new or ("names" in old and _every(old["names"], new["names"]))
    return names and ("selector" not in new or new["selector"] == old.get("selector"))


def _subjects_as_many(old: Spec | None, new: Spec | None) -> bool:
    if new is None or old is None:
        return new is None
    return all(_every(old.get(name), new.get(name)) for name in _SUBJECTS)


def _every(part: list[Any] | None, whole: list[Any] | None) -> bool:
    """Whether every entry of one list stands in the other."""
    known = [jsonbytes.canonical(entry) for entry in whole or []]
    return all(jsonbytes.canonical(entry) in known for entry in part or [])


def _rank(severity: str | None) -> int:
    return ("Low", "Medium", "High", "Critical").index(severity) if severity else 0
