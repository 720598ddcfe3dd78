"""Hypothesis strategies for whatever a record may have to describe, however odd or large."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from interlock.core.types import (
    CREDENTIAL_ID,
    Decision,
    Durability,
    Finding,
    Mode,
    Operation,
    PolicyOutcome,
    Reach,
    Request,
    Severity,
    User,
    Verdict,
    WindowState,
)

letters = st.characters(exclude_categories=["Cs"])
texts = st.text(letters, max_size=20) | st.text(letters, min_size=1, max_size=3).map(lambda text: text * 700)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
objects = st.none() | st.dictionaries(texts, json_values, max_size=6)
instants = st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds, tz=UTC))
severities = st.sampled_from(Severity)
verdicts = st.sampled_from(Verdict)


def many(values: st.SearchStrategy[str], most: int = 200) -> st.SearchStrategy[tuple[str, ...]]:
    """Few texts or very many."""
    few = st.lists(values, max_size=4)
    return (few | st.tuples(few, st.integers(1, most)).map(lambda pair: pair[0] * pair[1])).map(tuple)


users = st.builds(
    User,
    name=texts,
    uid=texts,
    groups=many(texts),
    extra=st.dictionaries(texts | st.just(CREDENTIAL_ID), many(texts), max_size=3),
)

options = st.fixed_dictionaries(
    {},
    optional={
        "command": st.lists(texts, max_size=5) | texts,
        "container": texts | st.integers(0, 9),
        "stdin": st.booleans(),
        "tty": json_values,
        "ports": st.lists(st.integers(0, 2**64 - 1) | texts, max_size=100),
        "propagationPolicy": texts,
        "gracePeriodSeconds": st.integers(-(2**63), 2**64 - 1) | st.none(),
    },
)

requests = st.builds(
    Request,
    uid=texts,
    operation=st.sampled_from(Operation),
    group=texts,
    version=texts,
    resource=texts,
    subresource=texts,
    kind=texts,
    name=texts,
    namespace=texts,
    user=users,
    in_collection=st.booleans(),
    object=objects | options,
    old_object=st.none() | st.fixed_dictionaries({"metadata": st.fixed_dictionaries({"uid": texts})}),
    options=objects | options,
)

reaches = st.just(Reach.everywhere()) | st.just(Reach.nowhere()) | many(texts).map(lambda names: Reach.of(*names))
findings = st.builds(Finding, action=texts, family=texts, severity=severities, evidence=texts, reach=reaches)
windows = st.builds(
    WindowState,
    open=st.booleans(),
    active=many(texts),
    next_transition=st.none() | instants,
    next_open=st.none() | instants,
    time_zone=texts,
)
outcomes = st.builds(
    PolicyOutcome,
    policy=texts,
    uid=texts,
    generation=st.integers(1, 2**40),
    digest=st.just("cd" * 32),
    mode=st.sampled_from([Mode.ENFORCE, Mode.OBSERVE]),
    severity=severities,
    finding=texts,
    yields=verdicts,
    window=st.none() | windows,
    excluded_by=texts,
    error=texts,
)


def _repeated(values: st.SearchStrategy[tuple[object, ...]]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.tuples(values, st.sampled_from([1, 1, 40])).map(lambda pair: pair[0] * pair[1])


decisions = st.builds(
    Decision,
    verdict=verdicts,
    severity=severities,
    findings=_repeated(st.lists(findings, min_size=1, max_size=3).map(tuple)),
    outcomes=_repeated(st.lists(outcomes, max_size=3).map(tuple)),
    recorded=st.booleans(),
    durability=st.sampled_from(Durability),
    would_have=verdicts,
    continuation=texts,
)
