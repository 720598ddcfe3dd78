"""The S3 servers of tests, and how each is told to serve: MinIO, and in long runs VersityGW. Neither is shipped."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devtools import toolchain

_ATTRIBUTE = "user.interlock"  # those of the namespace `user` are for everybody, see xattr(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """An S3 server with object lock.

    Attributes:
        name: what people call it.
        tool: its name in `toolchain`.
        arguments: with {address} to listen on and {directory} for its data filled in.
        settings: environment variables, with {user} and {password} of its root filled in.
        ready: path that answers 200 once it serves.
        directories: what has to be there below {directory}.
        needs_attributes: it keeps locks in extended attributes of files.
    """

    name: str
    tool: str
    arguments: tuple[str, ...]
    settings: Mapping[str, str]
    ready: str
    directories: tuple[str, ...] = ()
    needs_attributes: bool = False

    def built(self) -> Path:
        """Its binary.

        Raises:
            ToolError: it could not be built.
        """
        return toolchain.binaries([self.tool])[self.tool]

    def fits(self, directory: Path) -> bool:
        """Whether it can keep its data there."""
        return not self.needs_attributes or _keeps_attributes(directory)


MINIO = Program(  # AGPL
    name="MinIO",
    tool="minio",
    arguments=("server", "--quiet", "--address", "{address}", "{directory}"),
    settings={
        "MINIO_ROOT_USER": "{user}",
        "MINIO_ROOT_PASSWORD": "{password}",
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    },
    ready="/minio/health/ready",
)

VERSITYGW = Program(
    name="VersityGW",
    tool="versitygw",
    arguments=(
        *("--port", "{address}", "--quiet", "--keep-alive", "--health", "/ready"),
        *("posix", "--versioning-dir", "{directory}/versions", "{directory}/objects"),
    ),
    settings={"ROOT_ACCESS_KEY": "{user}", "ROOT_SECRET_KEY": "{password}"},
    ready="/ready",
    directories=("versions", "objects"),
    needs_attributes=True,
)

PROGRAMS = {program.tool: program for program in (MINIO, VERSITYGW)}


def _keeps_attributes(directory: Path) -> bool:
    try:
        os.setxattr(directory, _ATTRIBUTE, b"1")
        os.removexattr(directory, _ATTRIBUTE)
    except OSError:
        return False
    return True
