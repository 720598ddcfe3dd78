"""Long-running processes of the control plane: started, waited for, started again when they end by themselves.

Each is bound to the supervisor's life by the kernel, and recorded before it runs (module `launch`).
"""

import asyncio
from collections.abc import Awaitable, Callable

from devtools.cluster import processes
from devtools.cluster.state import State
from devtools.errors import ToolError

POLL_SECONDS = 0.05
FIRST_PAUSE_SECONDS = 1.0  # before a process that ended is started again; doubles up to the longest
LONGEST_PAUSE_SECONDS = 10.0
HEALTHY_SECONDS = 60.0  # a run this long makes the next pause the first again
LOG_TAIL_BYTES = 1500  # of a process that failed: enough for the reason, which comes last


class Daemon:
    """One process under a name."""

    def __init__(self, state: State, name: str, command: list[str]) -> None:
        """Prepare; nothing runs yet.

        Args:
            state: the cluster's directory.
            name: of the record and the log.
            command: program and arguments.
        """
        self.name = name
        self._state = state
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the process, with an environment of its own and nothing of the user's home."""
        home = {"HOME": str(self._state.pods)}
        with self._state.log(self.name).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *processes.command(self._state, self.name, self._command),
                env=processes.environment(self._state, **home),
                cwd=self._state.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    async def wait_until(self, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Wait until it answers.

        Raises:
            ToolError: it ended, or the time is over; with the end of its log.
        """
        try:
            async with asyncio.timeout(seconds):
                while not await ready():
                    if self._process and self._process.returncode is not None:
                        raise ToolError(f"{self.name} ended with code {self._process.returncode}: {self._log_tail()}")
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            raise ToolError(f"{self.name} is not ready after {seconds:.0f} s: {self._log_tail()}") from error

    async def keep_running(self) -> None:
        """Start it again whenever it ends, for ever."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE_SECONDS
        while self._process:
            watched_since = loop.time()
            code = await self._process.wait()
            if loop.time() - watched_since > HEALTHY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            with self._state.log(self.name).open("a") as log:
                log.write(f"--- ended with code {code}; starting again in {pause:.0f} s\n")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            await self.start()

    def _log_tail(self) -> str:
        path = self._state.log(self.name)
        return f"{path} ends with\n{path.read_bytes()[-LOG_TAIL_BYTES:].decode(errors='replace')}"
