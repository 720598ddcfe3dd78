"""What a command line in a container does, as far as it says so; never what its arguments hold.

A shell hides behind `env`, `busybox`, `timeout` and a path, so these are looked through. Text that is encoded, quoted
apart or read from a stream is not seen, and no finding claims that a command is harmless.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

MAX_COMMAND_RUNES = 65_536
"""Of a command line that is looked through; a longer one is taken for the worst."""

TOO_LONG = f"holds more than can be looked through ({MAX_COMMAND_RUNES} characters)"
SHELLS = frozenset(
    ["ash", "bash", "cmd.exe", "dash", "fish", "ksh", "powershell", "powershell.exe", "pwsh", "sh", "zsh"]
)

_WRAPPERS = frozenset(
    ["busybox", "chroot", "doas", "env", "exec", "nice", "nohup", "nsenter", "setsid", "stdbuf", "sudo"]
)
_WITH_ARGUMENT = frozenset({"timeout", "chroot"})

_CREDENTIALS: Mapping[str, re.Pattern[str]] = {
    "ServiceAccount tokens": re.compile(r"/(?:var/)?run/secrets/"),
    "the node's Kubernetes credentials": re.compile(r"/etc/kubernetes|/var/lib/kubelet|\.kube/config"),
    "cloud credentials": re.compile(r"\.aws/|\.config/gcloud|\.azure/|/eks\.amazonaws\.com/"),
    "password files": re.compile(r"/etc/(?:g?shadow|sudoers|passwd-)"),
    "environments of processes": re.compile(r"/proc/[^/\s]+/environ"),
    "private keys": re.compile(r"\.ssh/|id_(?:rsa|ed25519|ecdsa)|[\w-]\.(?:pem|key|p12|jks)\b"),
}

_NETWORK: Mapping[str, re.Pattern[str]] = {
    "asks the cloud's metadata service": re.compile(
        r"169\.254\.169\.254|169\.254\.170\.2|metadata\.google\.internal|100\.100\.100\.200|\[?fd00:ec2::254"
    ),
    "opens a shell elsewhere": re.compile(
        r"/dev/(?:tcp|udp)/|\bncat?\b.{0,80}?\s-[a-z]{0,4}[ce]\b|\bsocat\b.{0,80}?\bexec|\bmkfifo\b|\bbash\s+-i\b|socket\.socket"
    ),
    "fetches from elsewhere": re.compile(r"\b(?:curl|wget|fetch|aria2c)\b"),
    "installs packages": re.compile(
        r"\b(?:apt|apt-get|apk|yum|dnf|microdnf|zypper|pip3?|npm|gem)\b(?:\s+-\S+)*\s+(?:install|add)\b"
    ),
}


def words(command: Sequence[object]) -> tuple[str, ...]:
    """The words of a command; whatever is no text is left out."""
    return tuple(word for word in command if isinstance(word, str))


def program(command: Sequence[object]) -> str:
    """The program that really runs, by name and without path, behind what only starts another one; empty if unknown."""
    rest = [part for word in words(command[:1]) for part in word.split()] + list(words(command[1:]))
    while rest:
        name = rest.pop(0).rpartition("/")[2]
        if name in _WRAPPERS or name in _WITH_ARGUMENT:
            rest = _after_options(rest, skip=name in _WITH_ARGUMENT)
        elif "=" not in name:
            return name
    return ""


def _after_options(rest: list[str], *, skip: bool) -> list[str]:
    index = next((place for place, word in enumerate(rest) if not word.startswith("-") and "=" not in word), len(rest))
    return rest[index + skip :]


def interactive_shell(command: Sequence[object]) -> bool:
    """Whether a shell or interpreter runs that reads what to do from its input: it has no command of its own."""
    return program(command) in SHELLS and not any(_is_command(word) for word in words(command[1:]))


def _is_command(word: str) -> bool:
    return word.startswith("-") and not word.startswith("--") and "c" in word


def copies(command: Sequence[object]) -> str:
    """``out`` or ``in`` where files are copied by tar through the stream, as kubectl cp does; else empty."""
    listed = words(command)
    if program(command) != "tar" or not any(word == "-" or word.endswith("f-") for word in listed):
        return ""
    modes = next((word.lstrip("-") for word in listed[1:] if word.lstrip("-")), "")
    return "in" if "x" in modes.partition("=")[0] else "out"


def credentials(command: Sequence[object]) -> Iterator[str]:
    """Credentials that the command line names."""
    return _found(command, _CREDENTIALS)


def network(command: Sequence[object]) -> Iterator[str]:
    """What the command line says that it does over the network."""
    return _found(command, _NETWORK)


def _found(command: Sequence[object], patterns: Mapping[str, re.Pattern[str]]) -> Iterator[str]:
    line = " ".join(words(command))
    if len(line) > MAX_COMMAND_RUNES:
        return iter((TOO_LONG,))
    return (what for what, pattern in patterns.items() if pattern.search(line))
