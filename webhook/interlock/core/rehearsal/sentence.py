"""One line that says who does what, as people would type it: ``delete deployments.apps/web -n shop as alice``.

    VERB RESOURCE/NAME [-n NAMESPACE] [flags of kubectl's command] [-- COMMAND...] as USER [--group GROUP]...

Verbs and flags are kubectl's wherever it has them. `as USER` ends the line, after a command too; a user is in
system:authenticated, and a ServiceAccount in its groups, without being told so.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from interlock.core.access.book import GROUP, USER, Principal, members
from interlock.core.text import printable
from interlock.core.types import User
from interlock.errors import BadInput

MAX_LINE_CHARACTERS = 4096
"""Of one line; a patch or a shell command fits, a manifest belongs into a file."""

MAX_NUMBER = 2**31 - 1

FIELD = "request"
FORM = "VERB RESOURCE/NAME [-n NAMESPACE] [flags] [-- COMMAND...] as USER [--group GROUP]..."

_ALIASES = {
    "-n": "--namespace",
    "-c": "--container",
    "-i": "--stdin",
    "-t": "--tty",
    "-p": "--patch",
    "-f": "--filename",
}
_COMBINED = {"-it": ("--stdin", "--tty"), "-ti": ("--stdin", "--tty")}
_SWITCHES = frozenset({"--stdin", "--tty", "--force", "--dry-run"})
_COMMON = frozenset({"--namespace", "--dry-run"})

VERBS: Mapping[str, frozenset[str]] = {
    "delete": frozenset({"--force", "--grace-period", "--cascade"}),
    "deletecollection": frozenset({"--grace-period", "--cascade"}),
    "exec": frozenset({"--container", "--stdin", "--tty"}),
    "attach": frozenset({"--container", "--stdin", "--tty"}),
    "port-forward": frozenset(),
    "proxy": frozenset(),
    "debug": frozenset({"--image", "--container", "--target"}),
    "evict": frozenset({"--grace-period"}),
    "scale": frozenset({"--replicas"}),
    "label": frozenset(),
    "annotate": frozenset(),
    "patch": frozenset({"--patch", "--subresource"}),
    "apply": frozenset({"--filename"}),
}
"""What can be said, with the flags that it takes beside those of every verb."""

_WITH_WORDS = frozenset({"port-forward", "label", "annotate"})  # take more after the target


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A line, taken apart.

    Attributes:
        resource: as written, such as ``deployments.apps``; empty for a verb that names a file.
        flags: by their long name, a switch with an empty value.
        words: what stands after the target: ports, labels.
        command: what stands after ``--``.
        user: who does it.
    """

    verb: str
    resource: str = ""
    name: str = ""
    flags: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: User

    @property
    def namespace(self) -> str:
        """Where; empty if it was not said."""
        return self.flags.get("--namespace", "")

    def number(self, flag: str) -> int | None:
        """The value of a flag that is a number; None if it was not said.

        Raises:
            BadInput: it is no number.
        """
        value = self.flags.get(flag)
        if value is None:
            return None
        return number(value, flag)


def read(line: str) -> Sentence:
    """Take a line apart.

    Raises:
        BadInput: it cannot be read; says what is wrong and what was expected.
    """
    if len(line) > MAX_LINE_CHARACTERS:
        raise BadInput(field=FIELD, got=f"{len(line)} characters", expected=f"at most {MAX_LINE_CHARACTERS}")
    try:
        parts = shlex.split(line)
    except ValueError as error:
        raise BadInput(field=FIELD, got=f"{error}", expected="quotes that are closed") from error
    parts, who = _who(parts)
    before, command = _split(parts)
    verb = before[0] if before else ""
    if verb not in VERBS:
        raise BadInput(field=FIELD, got=f"verb {printable(verb) or 'nothing'}", expected=f"one of {', '.join(VERBS)}")
    flags, words = _flags(verb, before[1:])
    if command and verb != "exec":
        raise BadInput(field=FIELD, got=f"a command after {verb}", expected="-- COMMAND only after exec")
    if verb == "apply":
        return _of_file(flags, words, who)
    resource, name = _target(words)
    if len(words) > 1 and verb not in _WITH_WORDS:
        raise BadInput(field=FIELD, got=printable(words[1]), expected=FORM)
    return Sentence(
        verb=verb, resource=resource, name=name, flags=flags, words=tuple(words[1:]), command=command, user=who
    )


def number(text: str, what: str) -> int:
    """Read a number as Kubernetes has them, of 32 bits.

    Raises:
        BadInput: it is none.
    """
    if not re.fullmatch("[0-9]{1,10}", text) or int(text) > MAX_NUMBER:
        raise BadInput(field=FIELD, got=f"{what} {printable(text)}", expected=f"{what} from 0 to {MAX_NUMBER}")
    return int(text)


def user(name: str, groups: tuple[str, ...] = ()) -> User:
    """A user in the groups that the API server itself puts everybody in, after those that are given."""
    own = (who.name for who in members(Principal(USER, name)) if who.kind == GROUP)
    return User(name=name, groups=tuple(dict.fromkeys((*groups, *own))))


def _who(parts: list[str]) -> tuple[list[str], User]:
    """The user at the end of a line, and what stands before."""
    end, groups = len(parts), list[str]()
    while end > 1 and parts[end - 2] == "--group":
        groups.insert(0, parts[end - 1])
        end -= 2
    if end < len(("as", "alice")) or parts[end - 2] != "as":
        raise BadInput(field=FIELD, got="nobody who does it", expected="as USER [--group GROUP]... at the end")
    return parts[: end - 2], user(parts[end - 1], tuple(groups))


def _split(parts: list[str]) -> tuple[list[str], tuple[str, ...]]:
    if "--" not in parts:
        return parts, ()
    place = parts.index("--")
    return parts[:place], tuple(parts[place + 1 :])


def _flags(verb: str, parts: list[str]) -> tuple[dict[str, str], list[str]]:
    """Flags by their long name, and the other words."""
    flags, words = dict[str, str](), list[str]()
    waiting = [each for part in parts for each in _COMBINED.get(part, (part,))]
    while waiting:
        word = waiting.pop(0)
        if not word.startswith("-") or word == "-":
            words.append(word)
            continue
        name, equals, value = word.partition("=")
        name = _ALIASES.get(name, name)
        if name not in VERBS[verb] | _COMMON:
            known = ", ".join(sorted(VERBS[verb] | _COMMON))
            raise BadInput(field=FIELD, got=f"flag {printable(word)}", expected=f"one of {known} with {verb}")
        if name in _SWITCHES:
            flags[name] = ""
        elif equals or waiting:
            flags[name] = value if equals else waiting.pop(0)
        else:
            raise BadInput(field=FIELD, got=f"{name} and nothing after it", expected=f"a value for {name}")
    return flags, words


def _target(words: list[str]) -> tuple[str, str]:
    resource, slash, name = words[0].partition("/") if words else ("", "", "")
    if not (resource and slash and name) or "/" in name:
        got = printable(words[0]) if words else "nothing"
        raise BadInput(field=FIELD, got=got, expected="RESOURCE/NAME, such as deployments.apps/web")
    return resource, name


def _of_file(flags: dict[str, str], words: list[str], who: User) -> Sentence:
    if words or "--filename" not in flags:
        raise BadInput(field=FIELD, got=printable(" ".join(words)) or "no file", expected="apply -f FILE as USER")
    return Sentence(verb="apply", flags=flags, user=who)
