"""Progress on a terminal or in a log: what is being done, how long it took, how long it should take.

Everything goes to standard error, so that standard output carries results only (`eval "$(hack/cluster up)"`).
Plain lines, no colours, no cursor movement: the same text is readable in a terminal and in a CI log.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

BEAT_SECONDS = 5.0  # how often a step that is still running says so; short enough that nobody takes it for dead


def say(text: str) -> None:
    """Print one line at once, whatever the stream buffers."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(title: str, estimate: float | None = None) -> Iterator[None]:
    """Announce a step, report while it runs, and close with the time it took.

    Args:
        title: what is being done, as a short phrase.
        estimate: how many seconds it usually takes, for steps that are worth waiting for.
    """
    started = time.monotonic()
    usual = f" (about {_human(estimate)})" if estimate else ""
    say(f"==> {title}{usual}")
    finished = threading.Event()
    threading.Thread(target=_beat, args=(title, started, finished, usual), daemon=True).start()
    try:
        yield
    except BaseException:
        say(f"    failed after {_human(time.monotonic() - started)}: {title}")
        raise
    else:
        say(f"    done in {_human(time.monotonic() - started)}")
    finally:
        finished.set()


def _beat(title: str, started: float, finished: threading.Event, usual: str) -> None:
    while not finished.wait(BEAT_SECONDS):
        say(f"    {_human(time.monotonic() - started)}: still at it{usual}: {title}")


def _human(seconds: float) -> str:
    """Write a length of time as a person would: ``3.2 s``, ``48 s``, ``3 min 20 s``."""
    if seconds < 10:  # noqa: PLR2004 - below ten seconds a tenth is worth reading
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
