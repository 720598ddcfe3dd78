"""Probes: defaults, addresses, and thresholds as a kubelet counts them."""

from functools import reduce

import pytest

from devtools.cluster.probes import Probe, Streak

CONTAINER = {"ports": [{"name": "health", "containerPort": 9080}]}


def a_probe(success: int, failure: int) -> Probe:
    """A probe of which only the thresholds matter."""
    return Probe(url="", headers={}, delay=0, period=1, timeout=1, success=success, failure=failure)


def test_probe_is_read_with_the_defaults_of_the_api() -> None:
    """A probe that names only its target has the periods and thresholds of the API reference."""
    found = Probe.parse(
        {"httpGet": {"path": "/readyz", "port": "health", "scheme": "HTTPS"}}, CONTAINER, "127.64.200.1"
    )

    assert found == Probe(
        url="https://127.64.200.1:9080/readyz", headers={}, delay=0, period=10, timeout=1, success=1, failure=3
    )


def test_probe_is_read_with_what_it_says() -> None:
    """Every field that the pod gives is taken."""
    spec = {
        "httpGet": {"path": "/x?y=1", "port": 80, "host": "h", "httpHeaders": [{"name": "A", "value": "b"}]},
        "initialDelaySeconds": 1,
        "periodSeconds": 2,
        "timeoutSeconds": 3,
        "successThreshold": 4,
        "failureThreshold": 5,
    }

    assert Probe.parse(spec, CONTAINER, "127.64.200.1") == Probe(
        url="http://h:80/x?y=1", headers={"A": "b"}, delay=1, period=2, timeout=3, success=4, failure=5
    )


@pytest.mark.parametrize(
    ("answers", "success", "failure", "verdict"),
    [
        pytest.param("", 1, 3, (True, False), id="nothing asked, nothing changed"),
        pytest.param("--", 1, 3, (True, False), id="one failure short of the threshold"),
        pytest.param("---", 1, 3, (False, True), id="the threshold reached"),
        pytest.param("--+--", 1, 3, (True, False), id="a success starts the count again"),
        pytest.param("---+", 1, 3, (True, False), id="one success is enough to be back"),
        pytest.param("---+", 2, 3, (False, False), id="one of two successes is not"),
        pytest.param("---++", 2, 3, (True, False), id="two of two are"),
        pytest.param("----", 1, 3, (False, True), id="failing on stays failed"),
    ],
)
def test_verdict_changes_only_at_its_threshold(
    answers: str, success: int, failure: int, verdict: tuple[bool, bool]
) -> None:
    """Healthy or not, failed or not: only an unbroken row of the threshold's length changes the verdict."""
    probe = a_probe(success, failure)
    streak = reduce(lambda so_far, answer: so_far.then(answer == "+", probe), answers, Streak(healthy=True))

    assert (streak.healthy, streak.failed(probe)) == verdict
