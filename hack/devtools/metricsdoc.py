"""webhook/docs/metrics.md, made from the metrics that the processes themselves define.

Every metric is used once, so that its labels show; what other parts keep is described without being read.
"""

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from interlock.serve.metrics import GuardMetrics, Reading, Shown, Tally
from interlock.wiring import readings

HEADER = """\
# Metrics

<!-- Made from the code by `hack/update generated`; do not edit. -->

All processes answer `GET /metrics` on port 9080 (`health`), plain HTTP, in Prometheus's text format. Units are in the
names; counters end in `_total`. No label holds a name, a path or a user. Beside it `/healthz` says that the
process lives, and `/readyz` lists what a ready one has, one check a line.

What to alert on: `interlock_armed` of the leader at 0; `interlock_api_servers_asking` below `interlock_api_servers`;
growth of `interlock_sink_faults_total` or of `interlock_http_answers_total{status="503"}`; growth of
`interlock_http_answers_total{status="401"}`, which is somebody forging reviews; `interlock_snapshot_age_seconds` above
a minute; `interlock_lane_certified` at 0 for more than a minute; of the leader, `interlock_log_checkpoint_age_seconds`
above two minutes, `interlock_shipping_lag_seconds` above three where there is a store, `interlock_log_broken_lanes`
above 0, which is tampering or a lost part of etcd; growth of `interlock_auditrecords_unreadable_total`, likewise.
"""

_NOTHING: Any = None  # described, not read
_UNREAD: Any = SimpleNamespace(trail=SimpleNamespace(window=None))


def markdown() -> str:
    """The whole page."""
    guard = _Page("Guard", [*_counted(), *_shown(readings.of_guard(feed=_NOTHING, lane=_NOTHING, http=_NOTHING))])
    kept = (*readings.of_controller(_NOTHING, _NOTHING, _NOTHING), *readings.of_log(_NOTHING, _NOTHING))
    controller = _Page("Controller", _shown(kept))
    served = readings.of_records(_UNREAD, _NOTHING, _NOTHING)
    return "\n".join([HEADER, *guard.lines(), *controller.lines(), *_Page("Records", _shown(served)).lines()])


class _Page:
    def __init__(self, title: str, rows: Iterable[tuple[str, str, str, str]]) -> None:
        self._title = title
        self._rows = sorted(rows)

    def lines(self) -> Iterator[str]:
        yield f"## {self._title}"
        yield ""
        yield "| metric | type | labels | what it says |"
        yield "|---|---|---|---|"
        for name, kind, labels, text in self._rows:
            yield f"| `{name}` | {kind} | {labels} | {text} |"
        yield ""


def _counted() -> Iterator[tuple[str, str, str, str]]:
    """What a guard counts itself."""
    metrics = GuardMetrics()
    _use(metrics)
    for family in metrics.families():
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield name, family.type, ", ".join(f"`{label}`" for label in sorted(labels)), family.documentation


def _use(metrics: GuardMetrics) -> None:
    metrics.decided(verdict="Deny", operation="DELETE")
    metrics.refused("malformed")
    metrics.sink_fault("Blocking")


def _shown(shown: Iterable[Shown]) -> Iterator[tuple[str, str, str, str]]:
    """What other parts keep."""
    for one in shown:
        match one:
            case Tally():
                yield f"{one.name}_total", "counter", f"`{one.label}`", one.text
            case Reading(counter=True):
                yield f"{one.name}_total", "counter", "", one.text
            case Reading():
                yield one.name, "gauge", "", one.text
