"""What the tooling says when it cannot go on: one exception, one sentence, no traceback.

Executables under hack/ print the message and exit 1; everything else that is raised is a bug and keeps its traceback.
"""


class ToolError(Exception):
    """Something the user can act on; the message says what was found, what was wanted and what to do."""
