"""Logs: one JSON object a line, nothing of a stranger's text outside its string."""

import logging
import subprocess
import sys

import orjson
import pytest

from interlock.errors import UsageError
from interlock.wiring import logs

PROGRAM = r"""
import logging, structlog
from interlock.wiring import logs
logs.configure("info")
structlog.get_logger("ours").info("named", name="a\nb\x1b[31m\u202ec")
structlog.get_logger("ours").debug("not shown")
logging.getLogger("theirs").warning("from a %s\r\n", "library")
logging.getLogger("kopf.objects").info("not shown")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("ours").exception("failed")
"""


def test_one_json_object_a_line() -> None:
    """Ours and the libraries' messages are JSON objects with time and level; control characters are escaped."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    lines = done.stdout.splitlines()
    entries = [orjson.loads(line) for line in lines]

    assert done.stderr == b""
    assert [(entry["level"], entry["logger"], entry["message"]) for entry in entries] == [
        ("info", "ours", "named"), ("warning", "theirs", "from a library\r\n"), ("error", "ours", "failed")
    ]  # fmt: skip
    assert entries[0]["name"] == "a\nb\x1b[31m\u202ec"
    assert "ZeroDivisionError" in entries[2]["exception"]
    assert all(32 <= byte < 127 for line in lines for byte in line)
    assert all(entry["time"].endswith("Z") for entry in entries)


def test_no_such_level() -> None:
    """An unknown level is refused before anything is changed."""
    before = logging.getLogger().handlers

    with pytest.raises(UsageError, match="debug, info, warning, error"):
        logs.configure("loud")
    assert logging.getLogger().handlers is before
