"""Reading the arguments of processes."""

import pytest

from interlock.errors import UsageError
from interlock.settings import Listen, api_server


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("10.0.0.7:9443", "10.0.0.7", 9443), ("[fd00::7]:0", "fd00::7", 0), ("a.b:65535", "a.b", 65535)],
)
def test_listen(text: str, host: str, port: int) -> None:
    """An address is read and written alike."""
    assert Listen.parse(text) == Listen(host=host, port=port)
    assert str(Listen(host=host, port=port)) == text


@pytest.mark.parametrize("text", ["", ":9443", "a", "a:", "a:x", "a:-1", "a:65536", "a:٣", "9443"])
def test_no_listen(text: str) -> None:
    """What is no address is refused with an example."""
    with pytest.raises(UsageError, match=r"10\.0\.0\.7:9443"):
        Listen.parse(text)


def test_api_server() -> None:
    """The API server's URL comes from the variables that every pod has."""
    assert (
        api_server({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}) == "https://10.0.0.1:443"
    )
    assert (
        api_server({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}) == "https://[fd00::1]:443"
    )
    with pytest.raises(UsageError):
        api_server({})
