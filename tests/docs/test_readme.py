"""README: what it shows is what the program takes."""

import re

import pytest
import yaml

from devtools.venv import ROOT
from interlock.core.policies import policy
from interlock.core.types import JsonObject, Mode

README = (ROOT / "README.md").read_text()


def _policies() -> list[JsonObject]:
    blocks = re.findall(r"^```yaml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    return [yaml.safe_load(block) for block in blocks]


def test_the_policy_shown_is_a_policy() -> None:
    """Whoever copies README's example has a policy that compiles and enforces."""
    # What the API server adds when it stores an object.
    stored = [shown | {"metadata": shown["metadata"] | {"uid": "1", "generation": 1}} for shown in _policies()]

    assert [policy.parse(each).mode for each in stored] == [Mode.ENFORCE]


@pytest.mark.parametrize("command", sorted(set(re.findall(r"hack/\w+", README))))
def test_command_shown_exists(command: str) -> None:
    """Every executable that README names is there."""
    assert (ROOT / command).stat().st_mode & 0o111
