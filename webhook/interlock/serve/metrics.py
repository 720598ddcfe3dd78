"""What a process counts and measures, for Prometheus.

Every series has its unit in its name. Labels take few values, all of them ours: never a name, a path or a user. Numbers
that some other part already keeps (the ledger's state, the snapshot's age) are read at scrape time instead of copied.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

# A review without a record takes well under a millisecond; the webhook's timeout is 5 s.
REVIEW_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
# One write to etcd takes some milliseconds; after 2 s a review no longer waits for it.
COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One number that another part keeps.

    Attributes:
        name: of the series, without its `_total` if it is a counter.
        read: its value now.
        counter: whether it only grows.
    """

    name: str
    text: str
    read: Callable[[], float]
    counter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts that another part keeps, one for each value of a label.

    Attributes:
        name: of the series, without its `_total`.
        label: what the counts are told apart by.
        read: the counts now.
    """

    name: str
    text: str
    label: str
    read: Callable[[], Mapping[str, float]]


Shown = Reading | Tally


class Metrics:
    """The series of one process, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()

    def show(self, readings: Iterable[Shown]) -> None:
        """Show numbers that other parts keep."""
        self._registry.register(_Readings(tuple(readings)))

    def exposition(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self._registry)

    def families(self) -> Iterable[Metric]:
        """Every metric with its samples, for diagnostics and the documentation."""
        return self._registry.collect()

    def values(self) -> Mapping[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every sample by name and labels, for tests and diagnostics."""
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in self._registry.collect()
            for sample in family.samples
        }


class GuardMetrics(Metrics):
    """What a guard counts besides."""

    def __init__(self) -> None:
        super().__init__()
        self._reviews = Counter(
            "interlock_reviews",
            "Reviews answered with a decision, by verdict and operation.",
            ("verdict", "operation"),
            registry=self._registry,
        )
        self._unanswerable = Counter(
            "interlock_reviews_refused",
            "Reviews refused without a decision: malformed, or met an error of ours.",
            ("reason",),
            registry=self._registry,
        )
        self._sink_faults = Counter(
            "interlock_sink_faults",
            "Decisions answered without a stored record, by the durability that was asked.",
            ("durability",),
            registry=self._registry,
        )
        self._review_seconds = Histogram(
            "interlock_review_seconds",
            "From the last byte of a review to its answer, waiting for the record included.",
            registry=self._registry,
            buckets=REVIEW_BUCKETS,
        )
        self._commit_seconds = Histogram(
            "interlock_commit_seconds",
            "What a review waited for its record to be stored.",
            registry=self._registry,
            buckets=COMMIT_BUCKETS,
        )
        self._in_flight = Gauge(
            "interlock_reviews_in_flight", "Reviews being decided or recorded now.", registry=self._registry
        )

    def began(self) -> None:
        """A review is complete and being worked on."""
        self._in_flight.inc()

    def ended(self, seconds: float) -> None:
        """It is answered, whatever the answer."""
        self._in_flight.dec()
        self._review_seconds.observe(seconds)

    def decided(self, *, verdict: str, operation: str) -> None:
        """It is answered with a decision."""
        self._reviews.labels(verdict, operation).inc()

    def refused(self, reason: str) -> None:
        """It is refused without a decision."""
        self._unanswerable.labels(reason).inc()

    def waited_for_record(self, seconds: float) -> None:
        """It waited for its record, in vain or not."""
        self._commit_seconds.observe(seconds)

    def sink_fault(self, durability: str) -> None:
        """It is answered without a stored record."""
        self._sink_faults.labels(durability).inc()


class _Readings(Collector):
    """Reads numbers when it is asked."""

    def __init__(self, readings: tuple[Shown, ...]) -> None:
        self._readings = readings

    def collect(self) -> Iterable[Metric]:
        """One family per number."""
        return map(_family, self._readings)


def _family(shown: Shown) -> Metric:
    if isinstance(shown, Reading):
        family = CounterMetricFamily if shown.counter else GaugeMetricFamily
        return family(shown.name, shown.text, value=shown.read())
    counts = CounterMetricFamily(shown.name, shown.text, labels=(shown.label,))
    for value, count in sorted(shown.read().items()):
        counts.add_metric((value,), count)
    return counts
