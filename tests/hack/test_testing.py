"""`hack/test`: which suites run, and what the closing lines and the exit code say."""

import re
from collections.abc import Sequence

import pytest

from devtools import testing
from devtools.errors import ToolError
from devtools.suites import Suite


def _passes(_: Sequence[str]) -> None:
    """A suite in which nothing is wrong."""


def _fails(_: Sequence[str]) -> None:
    raise ToolError("exit code 1 from: pytest")


def _is_interrupted(_: Sequence[str]) -> None:
    raise KeyboardInterrupt


GOOD = Suite(name="good", run=_passes)
BAD = Suite(name="bad", run=_fails)
STOPPED = Suite(name="stopped", run=_is_interrupted)
DEMO = Suite(name="demo", run=_passes, own_cluster=True)


def _closing_lines(printed: str) -> list[str]:
    lines = [line for line in printed.splitlines() if line.startswith("suite ")]
    return [re.sub(r" +", " ", re.sub(r"\d+\.\d s", "T", line)) for line in lines]


@pytest.mark.parametrize("asked", [[], ["all"], ["bad", "good"]], ids=["nothing asked", "all", "both by name"])
def test_every_suite_runs_in_the_table_s_order_also_after_a_failure(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One closing line a suite, and an exit code that says whether all passed."""
    code = testing.main(asked, [BAD, GOOD])

    assert _closing_lines(capsys.readouterr().out) == [
        "suite bad failed T exit code 1 from: pytest",
        "suite good passed T",
    ]
    assert code == 1


@pytest.mark.parametrize(("asked", "runs"), [(["all"], ["good"]), (["long"], ["long"])], ids=["all", "by name"])
def test_long_suite_runs_only_by_name(asked: list[str], runs: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """`all` is what fits into a coffee break; the long ones are asked for."""
    testing.main(asked, [GOOD, Suite(name="long", run=_passes, long=True)])

    assert _closing_lines(capsys.readouterr().out) == [f"suite {name} passed T" for name in runs]


def test_named_suite_runs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    """What was not asked for does not run."""
    code = testing.main(["good"], [BAD, GOOD])

    assert _closing_lines(capsys.readouterr().out) == ["suite good passed T"]
    assert code == 0


def test_suite_with_its_own_cluster_is_left_out_where_one_is_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A given cluster is used as it is; what cannot use it is named, and is no failure."""
    monkeypatch.setenv("INTERLOCK_KUBECONFIG", "/somewhere/kubeconfig")

    code = testing.main([], [GOOD, DEMO])

    assert _closing_lines(capsys.readouterr().out) == [
        "suite good passed T",
        "suite demo left out T needs its own cluster; INTERLOCK_KUBECONFIG gives another",
    ]
    assert code == 0


def test_unknown_suite_is_refused_with_the_names_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """A typo runs nothing."""
    with pytest.raises(SystemExit, match="2"):
        testing.main(["godo"], [GOOD])

    assert "got godo, expected any of good, all" in capsys.readouterr().err


def test_interrupt_ends_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    """After an interrupt no further suite starts, and the exit code is the shell's for it."""
    code = testing.main([], [STOPPED, GOOD])

    assert (code, _closing_lines(capsys.readouterr().out)) == (130, [])


def test_arguments_after_two_dashes_reach_pytest() -> None:
    """`hack/test unit -- -k windows` narrows the suite down."""
    seen: list[Sequence[str]] = []

    testing.main(["unit", "--", "-k", "windows"], [Suite(name="unit", run=seen.append)])

    assert seen == [["-k", "windows"]]
