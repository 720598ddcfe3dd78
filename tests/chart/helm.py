"""The real helm, as a user runs it on the chart, against the cluster that the suite was given."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

CHART = Path(__file__).parents[2] / "charts" / "interlock"
COMMAND_SECONDS = 60.0  # a helm call that takes longer is hung


@dataclass(frozen=True, slots=True, kw_only=True)
class Helm:
    """Runs helm on the chart, without any configuration of the user's."""

    environment: dict[str, str]

    def __call__(self, *arguments: str) -> str:
        """Run it and return what it printed; only success makes sense."""
        command = ["helm", *arguments]
        done = subprocess.run(
            command, env=self.environment, check=False, text=True, capture_output=True, timeout=COMMAND_SECONDS
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def template(self, *arguments: str, namespace: str) -> str:
        """Render the chart for a namespace."""
        return self("template", "interlock", str(CHART), "--namespace", namespace, *arguments)
