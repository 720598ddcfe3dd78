"""The ledger's figures as lines for people, with what is wanted of them, and as JSON for programs."""

import json
from dataclasses import asdict

from devtools.bench.ledger import FLOOD, RATE, Result
from devtools.bench.report import machine

WANTED_RATIO = 3.0  # p99 of a durable record to that of a bare write
WANTED_BYTES = 2_048  # of etcd for each record
WANTED_HASHES = 30_000  # a second and core
WANTED_SIGNATURES = 3_000  # likewise


def table(result: Result) -> str:
    """For people."""
    grows = f"by {result.bytes_per_record:,.0f} bytes a record, wanted at most {WANTED_BYTES:,}"
    flood = f"{result.flood_per_second:,.0f} stored a second, memory grows by {result.flood_growth_mib:.0f} MiB"
    return "\n".join(
        [
            machine(),
            "",
            f"at {RATE}/s, etcd syncing                p50 ms   p99 ms",
            f"  bare CREATE of a ConfigMap       {result.bare_p50_millis:8.1f} {result.bare_p99_millis:8.1f}",
            f"  decision to durable receipt      {result.record_p50_millis:8.1f} {result.record_p99_millis:8.1f}",
            f"  p99 is {result.p99_ratio:.2f} times that of a bare write, wanted at most {WANTED_RATIO:.0f}",
            f"  etcd grows {grows}; by {result.bytes_per_lone_record:,.0f} for a lone one",
            f"at {FLOOD:,}/s: {flood}",
            "verification, on one core, records a second:",
            f"  hashes and tree  {result.hashes_per_second:10,.0f}   wanted {WANTED_HASHES:,}",
            f"  signatures       {result.signatures_per_second:10,.0f}   wanted {WANTED_SIGNATURES:,}",
            f"  all rules        {result.verified_per_second:10,.0f}",
        ]
    )


def as_json(result: Result) -> str:
    """For programs: units are in the names."""
    rounded = {name: round(value, 2) for name, value in asdict(result).items()}
    return json.dumps({"machine": machine(), "result": rounded}, indent=2)
