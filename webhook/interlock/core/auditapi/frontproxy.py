"""Who asks, by the API server's word: the front proxy's certificate and the headers that it sets.

What the API server tells those who extend it stands in ConfigMap `extension-apiserver-authentication` of namespace
kube-system: the authority that signs the front proxy's client certificate, which names that may have, and in which
headers it says who the user is (apiserver, `authentication/request/headerrequest`). Whoever shows no such certificate
is nobody here, whatever its headers say.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import msgspec

from interlock.core.types import User
from interlock.errors import BadInput

_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontProxy:
    """How the front proxy proves itself, and how it names users.

    Attributes:
        authority: PEM that signs its certificate.
        names: common names that its certificate may have; empty for any.
        users: headers that may hold the user's name, the first that does counts; lower case, as all of these.
        uids: likewise for the user's uid.
        groups: headers that hold groups.
        extras: what headers begin with that hold more.
    """

    authority: str
    names: tuple[str, ...]
    users: tuple[str, ...]
    uids: tuple[str, ...]
    groups: tuple[str, ...]
    extras: tuple[str, ...]

    @classmethod
    def read(cls, data: Mapping[str, str]) -> Self:
        """Read the ConfigMap's data.

        Raises:
            BadInput: there is no front proxy, or what is said of it makes no sense.
        """
        found = cls(
            authority=data.get("requestheader-client-ca-file", ""),
            names=_list(data, "allowed-names"),
            users=_lower(_list(data, "username-headers")),
            uids=_lower(_list(data, "uid-headers")),
            groups=_lower(_list(data, "group-headers")),
            extras=_lower(_list(data, "extra-headers-prefix")),
        )
        if not found.authority or not found.users:
            raise BadInput(
                field="extension-apiserver-authentication",
                got="no authority, or no header for users",
                expected="both, as the API server's --requestheader flags set them",
            )
        return found

    def user(self, headers: Iterable[tuple[str, str]], *, certified: bool, common_name: str) -> User | None:
        """The user whom the front proxy names; None if it is not the front proxy, or names nobody.

        Args:
            headers: of the request, names in lower case.
            certified: whether TLS has verified a client certificate that `authority` signed.
            common_name: of that.
        """
        if not certified or (self.names and common_name not in self.names):
            return None
        sent = [(key, _text(value)) for key, value in headers]
        name = _first(sent, self.users)
        if not name:
            return None
        return User(
            name=name,
            uid=_first(sent, self.uids),
            groups=tuple(value for header in self.groups for key, value in sent if key == header),
            extra=self._extra(sent),
        )

    def _extra(self, sent: list[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for prefix in self.extras:
            for key, value in sent:
                if key.startswith(prefix):
                    name = _ESCAPED.sub(lambda code: chr(int(code[1], 16)), key.removeprefix(prefix))
                    found[name] = (*found.get(name, ()), value)
        return found


def _text(value: str) -> str:
    """A header's value, whose bytes are UTF-8."""
    return value.encode("latin-1").decode(errors="replace")


def _first(sent: list[tuple[str, str]], names: tuple[str, ...]) -> str:
    return next((value for name in names for key, value in sent if key == name and value), "")


def _lower(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _list(data: Mapping[str, str], name: str) -> tuple[str, ...]:
    """A list, as JSON in a string.

    Raises:
        BadInput: it is none.
    """
    text = data.get(f"requestheader-{name}", "")
    try:
        return msgspec.json.decode(text, type=tuple[str, ...]) if text else ()
    except msgspec.MsgspecError as error:
        raise BadInput(field=f"requestheader-{name}", got=repr(text[:80]), expected="a list of strings") from error
