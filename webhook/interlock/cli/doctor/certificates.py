"""How long the guards' certificate and the authorities behind it last.

Controllers replace both when two thirds of their life are over. What is in its last quarter has waited for a controller
for weeks, and once it has expired, every request under an enforcing policy is refused.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from interlock.cli.doctor.finding import Finding, bad, good, unknown
from interlock.cli.installation import CONTROLLERS
from interlock.core import unstructured
from interlock.core.types import JsonObject

OVERDUE = 3 / 4
"""Share of a life after which somebody should look; controllers act after two thirds."""


def certificates(configuration: JsonObject | None, serving: str, now: datetime, namespace: str) -> Finding:
    """API servers trust the guards' certificate, and neither it nor what they trust is about to expire.

    Args:
        configuration: the webhook configuration, whose entries say what API servers trust.
        serving: the guards' certificate, base64 of PEM.
        now: the time.
        namespace: Interlock's.
    """
    trusted = [each for bundle in _bundles(configuration) for each in _read(bundle)]
    served = _read(serving)
    if not trusted or not served:
        return unknown("there is no certificate to look at")
    faults = list(_faults(trusted, served[0], now))
    if faults:
        remedy = f"controllers renew it: kubectl -n {namespace} rollout restart deployment/{CONTROLLERS}"
        return bad("certificates need a controller", details=faults, remedy=remedy)
    days = (served[0].not_valid_after_utc - now).days
    authority = max((each.not_valid_after_utc - now).days for each in trusted)
    return good(f"the guards' certificate lasts {days} days more, its authority {authority}")


def _faults(trusted: Sequence[x509.Certificate], served: x509.Certificate, now: datetime) -> list[str]:
    signers = [authority for authority in trusted if _signed(served, authority)]
    if not signers:
        return ["API servers do not trust the guards' certificate: its authority is not in the webhook configuration"]
    named = [("the guards' certificate", served), ("the authority that signed it", signers[0])]
    return [f"{name} expires {each.not_valid_after_utc:%Y-%m-%d}" for name, each in named if _overdue(each, now)]


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _overdue(certificate: x509.Certificate, now: datetime) -> bool:
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return now > certificate.not_valid_before_utc + OVERDUE * life


def _bundles(configuration: JsonObject | None) -> set[str]:
    entries = unstructured.items(configuration, "webhooks")
    return {unstructured.text(entry, "clientConfig", "caBundle") for entry in entries}


def _read(bundle: str) -> list[x509.Certificate]:
    """Certificates of a base64 of PEM; none of what is no such thing."""
    try:
        return x509.load_pem_x509_certificates(base64.b64decode(bundle, validate=True))
    except (ValueError, binascii.Error):
        return []
