"""Records in the words of others: what stands where, and that nothing is made up."""

import pytest

from interlock.core.audit import exporting
from interlock.core.types import JsonObject
from tests.ledger.guards import HandClock, body
from tests.support.auditrecords import changed

PLACE = {"id": "01a2", "lane": "a" * 16, "sequence": 7, "previous": "c" * 64}


@pytest.fixture
def decided() -> JsonObject:
    """A denied deletion of a namespace."""
    return body(HandClock()) | PLACE


def test_ocsf(decided: JsonObject) -> None:
    """Who did what to what, what became of it, and which record proves it."""
    found = exporting.ocsf(decided)

    assert found | {"metadata": {}, "time": 0} == {
        "class_uid": 6003,
        "category_uid": 6,
        "activity_id": 4,
        "activity_name": "DELETE",
        "type_uid": 600304,
        "time": 0,
        "severity_id": 5,
        "action_id": 2,
        "disposition_id": 2,
        "status_detail": decided["message"],
        "metadata": {},
        "actor": {"user": {"name": "ada", "uid": "", "groups": [{"name": "dev"}, {"name": "system:authenticated"}]}},
        "api": {
            "operation": "DELETE",
            "request": {"uid": decided["requestUID"]},
            "service": {"name": "kubernetes", "uid": decided["cluster"]},
        },
        "resources": [
            {
                "type": "namespaces",
                "namespace": "shop",
                "name": "shop",
                "uid": "8f0e6d1a-0000-4000-8000-000000000007",
            }
        ],
        "src_endpoint": {"svc_name": "kube-apiserver"},
        "policy": {"name": "protect-production", "uid": "11111111-0000-4000-8000-000000000001"},
        "unmapped": {"lane": "a" * 16, "previous": "c" * 64, "kind": "Decision"},
    }
    assert (found["metadata"]["uid"], found["metadata"]["original_time"]) == ("01a2", decided["time"])
    assert found["time"] == 1795255200001


def test_ocsf_of_a_policy_change() -> None:
    """It was let through, and that is seen, not judged."""
    found = exporting.ocsf(changed(loosens=True))

    assert (found["activity_id"], found["action_id"], found["disposition_id"]) == (3, 3, 17)
    assert "policy" not in found


def test_ocsf_has_no_word_for_the_ledger_itself() -> None:
    """A lane is nobody's activity."""
    with pytest.raises(ValueError, match="a LaneOpen record is nobody's activity"):
        exporting.ocsf({"kind": "LaneOpen"})


def test_cloudevent(decided: JsonObject) -> None:
    """The whole record, and what a bus needs to order it."""
    found = exporting.cloudevent(decided)

    assert found == {
        "specversion": "1.0",
        "id": "01a2",
        "source": f"/interlock/{decided['cluster']}",
        "type": "dev.interlock.audit.Decision",
        "subject": f"{'a' * 16}/7",
        "time": decided["time"],
        "datacontenttype": "application/json",
        "sequence": "0000000007",
        "partitionkey": "a" * 16,
        "data": decided,
    }
