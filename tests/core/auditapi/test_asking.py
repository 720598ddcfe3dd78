"""What a request says of itself: who asks, and in which form the answer is wanted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.core.auditapi import media
from interlock.core.auditapi.frontproxy import FrontProxy
from interlock.core.auditapi.media import Form
from interlock.core.types import User
from interlock.errors import BadInput

DATA = {
    "requestheader-client-ca-file": "PEM",
    "requestheader-allowed-names": '["front-proxy-client", "other"]',
    "requestheader-username-headers": '["X-Remote-User", "X-Old-User"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    "client-ca-file": "another PEM",
}
EVERYTHING = (Form.OBJECT, Form.TABLE, Form.METADATA_LIST)


def _user(*headers: tuple[str, str], certified: bool = True, name: str = "other") -> User | None:
    return FrontProxy.read(DATA).user(headers, certified=certified, common_name=name)


def test_user() -> None:
    """Name, groups and extras are as the API server has authenticated them, in whatever letters."""
    ada = "\u00e5da".encode().decode("latin-1")

    assert _user(
        ("x-remote-user", ada),
        ("x-remote-group", "dev"),
        ("x-remote-group", "system:authenticated"),
        ("x-remote-extra-scopes", "a"),
        ("x-remote-extra-scopes", "b"),
        ("x-remote-extra-example.com%2fid", "7"),
        ("x-other", "z"),
    ) == User(
        name="\u00e5da",
        groups=("dev", "system:authenticated"),
        extra={"scopes": ("a", "b"), "example.com/id": ("7",)},
    )


def test_nobody() -> None:
    """Without certificate, under another name, or without a user, nobody asks."""
    header = ("x-remote-user", "ada")

    assert _user(header) is not None
    assert _user(header, certified=False) is None
    assert _user(header, name="kubelet") is None
    assert _user(("x-remote-group", "system:masters")) is None


def test_further_headers() -> None:
    """The first header that names a user counts; without allowed names any certificate of the authority does."""
    any_name = FrontProxy.read(DATA | {"requestheader-allowed-names": "[]"})

    assert _user(("x-old-user", "bob")) == User(name="bob")
    assert any_name.user([("x-remote-user", "ada")], certified=True, common_name="x") == User(name="ada")


@pytest.mark.parametrize("name", ["client-ca-file", "username-headers"])
def test_no_front_proxy(name: str) -> None:
    """A cluster without front proxy has none; nothing is made up."""
    with pytest.raises(BadInput):
        FrontProxy.read(DATA | {f"requestheader-{name}": ""})
    with pytest.raises(BadInput):
        FrontProxy.read(DATA | {"requestheader-group-headers": "no list"})


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", Form.OBJECT),
        ("*/*", Form.OBJECT),
        ("application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
         Form.TABLE),
        ("application/json, application/json;as=Table;v=v1;g=meta.k8s.io", Form.OBJECT),
        ("application/json;q=0.1, application/json;as=Table;v=v1;g=meta.k8s.io;q=0.5", Form.TABLE),
        ("application/vnd.kubernetes.protobuf,application/json", Form.OBJECT),
        ("application/cbor, application/json;q=0.9", Form.OBJECT),
        ("application/json;stream=watch", Form.OBJECT),
        ("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json", Form.METADATA_LIST),
        ("application/json;as=Table;g=other;v=v1", None),
        ("application/vnd.kubernetes.protobuf", None),
        ("text/html;q=x", None),
    ],
)  # fmt: skip
def test_form(accept: str, form: Form | None) -> None:
    """The form that is liked best of those that there are."""
    assert media.chosen(accept, EVERYTHING) is form


@given(st.text())
def test_any_header(accept: str) -> None:
    """Whatever stands there, it is a form or none."""
    assert media.chosen(accept, EVERYTHING) in {*EVERYTHING, None}
