"""One rule about docstrings that no linter has: a public function that raises says so in a `Raises:` section.

Only `raise` statements of the function itself count; what its callees raise is for its author to pass on or not. A bare
`raise` in an except clause passes on what was caught, and does not count either.
"""

import ast
from collections.abc import Iterator

from devtools.venv import ROOT

CHECKED = (ROOT / "webhook" / "interlock", ROOT / "hack" / "devtools")

_EXIT = "typer.Exit("  # how a command ends; its docstring is its help, which tells exit codes in words of its own

_OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def violations() -> Iterator[str]:
    """Find them in the package and in the tooling, as `path:line: message`."""
    for directory in CHECKED:
        for path in sorted(directory.rglob("*.py")):
            yield from (f"{path.relative_to(ROOT)}:{complaint}" for complaint in _complaints(path.read_text()))


def silent_raisers(source: str) -> list[tuple[int, str]]:
    """List line and name of each public function that raises without saying so.

    Raises:
        SyntaxError: the source is no Python of this interpreter's version.
    """
    return [
        (function.lineno, function.name)
        for function in _functions(ast.parse(source))
        if not function.name.startswith("_")
        and any(_raises(statement) for statement in function.body)
        and "Raises:" not in (ast.get_docstring(function) or "")
    ]


def _functions(scope: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions and methods that others can name; not what is defined inside a function."""
    for node in scope.body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _complaints(source: str) -> Iterator[str]:
    try:
        for line, name in silent_raisers(source):
            yield f"{line}: {name} raises, but its docstring has no `Raises:` section"
    except SyntaxError as error:
        yield f"{error.lineno}: {error.msg}"


def _raises(node: ast.AST) -> bool:
    """Tell whether the node holds a `raise` of its own, outside functions and classes nested in it."""
    if isinstance(node, ast.Raise):
        return node.exc is not None and not ast.unparse(node.exc).startswith(_EXIT)
    return not isinstance(node, _OWN_SCOPE) and any(map(_raises, ast.iter_child_nodes(node)))
