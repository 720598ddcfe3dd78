"""Kubernetes itself as a user: who is a system identity, what it ordinarily does, which deletions only follow others.

Four questions, asked of every request by whoever decides:

- `identity_of`: does the request come under a name of Kubernetes itself? Such requests go to a webhook entry of their
  own, which lets them pass while no guard answers.
- `ordinary_work`: does it look like what that identity does day by day? Policies may exclude that.
- `adopted`, with `is_staying`: does a controller take an object in, as it ordinarily does?
- `continuation`, with `needs_parent` and `is_going`: does it only complete a deletion that was judged at its first
  step?
"""

from interlock.core.systems.identity import SystemIdentity
from interlock.core.systems.parents import Parent, Reference, adopted, continuation, is_going, is_staying, needs_parent
from interlock.core.systems.table import IDENTITIES, identity_of, ordinary_work
from interlock.core.systems.work import Work, going

__all__ = [
    "IDENTITIES",
    "Parent",
    "Reference",
    "SystemIdentity",
    "Work",
    "adopted",
    "continuation",
    "going",
    "identity_of",
    "is_going",
    "is_staying",
    "needs_parent",
    "ordinary_work",
]
