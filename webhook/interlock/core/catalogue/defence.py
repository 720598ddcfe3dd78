"""Family `defence`: leaving what a policy protects; the rest of the family is in `guards` and `safetynets`.

`leave-protection` is made by `interlock.core.policies.leaving`, which knows the policies: it needs the reviews that the
policy's own match needs, as UPDATE. It stands here so that policies, documentation and `interlock catalogue` know its
name.
"""

from interlock.core.catalogue.entry import Entry
from interlock.core.types import Severity

DEFENCE = (
    Entry(
        id="leave-protection",
        family="defence",
        title="Change an object so that a policy no longer protects it",
        severity=Severity.HIGH,
        raised="Graded by the severity of the policy that would be left.",
        rules=(),
        misses="What is left by other means than an update: a copy under another name, a change of the policy itself.",
        example="kubectl label namespace shop env- # where a policy selects namespaces by env=prod",
        references=("T1562.001",),
    ),
)
