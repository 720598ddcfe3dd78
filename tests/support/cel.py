"""A tiny evaluator of the CEL that webhook conditions use, written from the language definition and not from our code.

It knows strings, integers, booleans, lists, maps, indexes, `?:`, `||`, `&&`, `!`, `==`, `!=`, `>=`, `in`, `+`,
selection, `has`, `size`, `exists` and the string functions startsWith, endsWith, matches. An absent key is an error,
and `||` and `&&` absorb an error where the other side decides, as in CEL. Anything else raises SyntaxError: the
evaluator must not guess.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

Scope = dict[str, Any]
Thunk = Callable[[Scope], Any]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>\d+)|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<symbol>\|\||&&|==|!=|>=|[()\[\].,?:+!]))"""
)


class EvaluationError(Exception):
    """What CEL calls an error: an absent key, or an operand of a wrong type."""


def evaluate(expression: str, **scope: Any) -> bool:
    """The value of a condition; raises EvaluationError where the API server would see an error."""
    value = _parsed(expression)(scope)
    if not isinstance(value, bool):
        raise EvaluationError(f"not a boolean: {value!r}")
    return value


@lru_cache(maxsize=64)
def _parsed(expression: str) -> Thunk:
    """The same conditions are asked about many requests."""
    return _Parser(expression).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def whole(self) -> Thunk:
        thunk = self._ternary()
        if self._at != len(self._tokens):
            raise SyntaxError(f"unexpected {self._tokens[self._at :][:3]}")
        return thunk

    def _ternary(self) -> Thunk:
        condition = self._or()
        if not self._take("?"):
            return condition
        yes = self._ternary()
        self._must(":")
        no = self._ternary()
        return lambda scope: yes(scope) if _boolean(condition(scope)) else no(scope)

    def _or(self) -> Thunk:
        return self._logical("||", self._and, decides=True)

    def _and(self) -> Thunk:
        return self._logical("&&", self._comparison, decides=False)

    def _logical(self, symbol: str, operand: Callable[[], Thunk], *, decides: bool) -> Thunk:
        parts = [operand()]
        while self._take(symbol):
            parts.append(operand())
        return parts[0] if len(parts) == 1 else lambda scope: _absorbing(parts, scope, decides=decides)

    def _comparison(self) -> Thunk:
        left = self._sum()
        for symbol, compare in _COMPARISONS.items():
            if self._take(symbol):
                right = self._sum()
                return lambda scope: compare(left(scope), right(scope))
        return left

    def _sum(self) -> Thunk:
        parts = [self._unary()]
        while self._take("+"):
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else lambda scope: "".join(part(scope) for part in parts)

    def _unary(self) -> Thunk:
        if self._take("!"):
            operand = self._unary()
            return lambda scope: not _boolean(operand(scope))
        return self._postfix(self._primary())

    def _postfix(self, subject: Thunk) -> Thunk:
        while True:
            if self._take("."):
                name = self._next()
                subject = self._call(subject, name) if self._take("(") else _selected(subject, name)
            elif self._take("["):
                subject = _indexed(subject, self._ternary())
                self._must("]")
            else:
                return subject

    def _call(self, subject: Thunk, name: str) -> Thunk:
        if name == "exists":
            variable = self._next()
            self._must(",")
            body = self._ternary()
            self._must(")")
            return lambda scope: _absorbing(
                [_bound(body, scope | {variable: item}) for item in subject(scope)], scope, decides=True
            )
        function = _METHODS[name]
        argument = self._ternary()
        self._must(")")
        return lambda scope: function(subject(scope), argument(scope))

    def _primary(self) -> Thunk:
        token = self._next()
        if token == "(":
            inside = self._ternary()
            self._must(")")
            return inside
        if token == "[":
            return self._list()
        if token in {"has", "size"}:
            return self._function(token)
        return _literal(token)

    def _list(self) -> Thunk:
        items: list[Thunk] = []
        while not self._take("]"):
            items.append(self._ternary())
            self._take(",")
        return lambda scope: [item(scope) for item in items]

    def _function(self, name: str) -> Thunk:
        self._must("(")
        argument = self._ternary()
        self._must(")")
        return (lambda scope: _has(argument, scope)) if name == "has" else lambda scope: len(argument(scope))

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, symbol: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == symbol
        self._at += found
        return found

    def _must(self, symbol: str) -> None:
        if not self._take(symbol):
            raise SyntaxError(f"expected {symbol} before {self._tokens[self._at :][:3]}")


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise SyntaxError(f"unknown: {text[at:][:20]!r}")
        at = found.end()
        yield found[0].strip()


def _literal(token: str) -> Thunk:
    if token[0] in "\"'":
        text = re.sub(r"\\(.)", r"\1", token[1:-1])
        return lambda _: text
    if token.isdigit():
        return lambda _: int(token)
    if token in {"true", "false"}:
        return lambda _: token == "true"
    return lambda scope: scope[token]


def _selected(subject: Thunk, name: str) -> Thunk:
    def select(scope: Scope) -> Any:
        found = subject(scope)
        if name not in found:
            raise EvaluationError(f"no such key: {name}")
        return found[name]

    return select


def _indexed(subject: Thunk, key: Thunk) -> Thunk:
    def select(scope: Scope) -> Any:
        found = subject(scope)
        if key(scope) not in found:
            raise EvaluationError(f"no such key: {key(scope)}")
        return found[key(scope)]

    return select


def _has(argument: Thunk, scope: Scope) -> bool:
    try:
        argument(scope)
    except EvaluationError:
        return False
    return True


def _bound(body: Thunk, inner: Scope) -> Thunk:
    """The body of a macro with its variable bound."""
    return lambda _: body(inner)


def _absorbing(parts: list[Thunk], scope: Scope, *, decides: bool) -> bool:
    error: EvaluationError | None = None
    for part in parts:
        try:
            if _boolean(part(scope)) is decides:
                return decides
        except EvaluationError as caught:
            error = caught
    if error is not None:
        raise error
    return not decides


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise EvaluationError(f"not a boolean: {value!r}")
    return value


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">=": lambda left, right: left >= right,
    "in": lambda left, right: left in right,
}
_METHODS: dict[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "matches": lambda text, pattern: re.search(pattern, text) is not None,
}
