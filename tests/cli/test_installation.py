"""Names that commands know, against the chart that gives them."""

import re
from pathlib import Path

from interlock.cli.installation import CONFIGURATION, DEPLOYMENTS, FENCES, KEYS

TEMPLATES = Path("charts/interlock/templates")


def _named(pattern: str, files: str) -> set[str]:
    """What the pattern's group finds in the chart's templates of these names."""
    return {name for path in TEMPLATES.glob(files) for name in re.findall(pattern, path.read_text())}


def test_fences_are_the_charts_admission_policies() -> None:
    """Every admission policy of the chart is looked at by the doctor, and no other."""
    assert set(FENCES) == _named(r"kind: ValidatingAdmissionPolicy\nmetadata:\n  name: (\S+)", "admission-*.yaml")


def test_keys_are_those_that_the_chart_guards() -> None:
    """The chart's list of Secrets with keys is the one that is purged and looked after here."""
    [listed] = _named(r'define "interlock.keys" -\}\}\n\[(.*)\]', "_admission.tpl")

    assert {name.strip(' "') for name in listed.split(",")} == set(KEYS)


def test_accounts_are_those_that_the_chart_guards() -> None:
    """Deployments and their accounts have the same names, and there is the prover of the store."""
    [listed] = _named(r'define "interlock.accounts" -\}\}\n\[(.*)\]', "_admission.tpl")

    assert {name.strip(' "') for name in listed.split(",")} == {*DEPLOYMENTS, "interlock-prover"}


def test_configuration_is_the_charts() -> None:
    """What disarming deletes is what the chart makes."""
    assert _named(r"kind: ValidatingWebhookConfiguration\nmetadata:\n  name: (\S+)", "webhook*.yaml") == {CONFIGURATION}
