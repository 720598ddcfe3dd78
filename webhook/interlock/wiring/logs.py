"""Logs of a process: one JSON object a line on standard output, ours and those of the libraries alike.

Everything beyond printable ASCII is escaped: names, commands and messages come from strangers, and neither a newline,
nor an escape sequence of a terminal, nor a character that turns the direction of text may leave its string.
"""

import logging
import sys
from typing import Any

import structlog

from interlock.errors import UsageError

LEVELS = ("debug", "info", "warning", "error")

# Libraries that tell much: kopf logs every request that it repeats and every handler it calls.
_QUIET = ("kopf", "asyncio", "aiohttp")


def configure(level: str) -> None:
    """Set up logging of this process.

    Raises:
        UsageError: no such level.
    """
    if level not in LEVELS:
        raise UsageError(f"log level: got {level!r}, expected one of {', '.join(LEVELS)}")
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=()), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(sort_keys=True),  # json.dumps, which escapes all but ASCII
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(number)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
