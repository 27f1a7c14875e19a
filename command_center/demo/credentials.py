"""Passwords of an installation's demonstration, made at random and told in one file."""

from __future__ import annotations

import os
import secrets
import string
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LETTERS = string.ascii_letters + string.digits
LENGTH = 16


@dataclass(frozen=True, slots=True)
class Credential:
    """A log-in name or SIP account with its password, and whose it is."""

    account: str
    password: str
    whose: str


def new_password() -> str:
    """Letters of both cases and digits: it survives any room system's configuration file."""
    while True:
        password = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        kinds = (str.islower, str.isupper, str.isdigit)
        if all(any(kind(letter) for letter in password) for kind in kinds):
            return password


def write_credentials(
    path: Path, logins: Sequence[Credential], halls: Sequence[Credential]
) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "# 演示账号与密码，仅供本次安装使用，请勿用于正式系统。",
        "# Demonstration passwords of this installation: account, password, whose.",
        "",
        "# 控制台登录 console",
        *(f"{c.account:<20} {c.password}  # {c.whose}" for c in logins),
        "",
        "# 会场 SIP 账号（行政区划代码） SIP accounts of the halls",
        *(f"{c.account:<20} {c.password}  # {c.whose}" for c in halls),
        "",
    ]
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".demo-credentials-")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines))
    Path(name).replace(path)


def read_credentials(path: Path) -> list[Credential]:
    """What the file tells; an empty list where there is none."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text("utf-8").splitlines():
        words, _, whose = line.partition("#")
        parts = words.split()
        if len(parts) == 2:
            found.append(Credential(parts[0], parts[1], whose.strip()))
    return found
