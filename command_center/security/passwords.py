"""Passwords: argon2id in a worker thread (half a second a hash), and the rules for new ones."""

from __future__ import annotations

import asyncio
import secrets
import threading
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .errors import PasswordTooWeakError

MIN_LENGTH = 10
MAX_LENGTH = 128
MAX_AGE = timedelta(days=90)  # GB/T 22239-2019, 8.1.4.1: changed in time
RANDOM_LENGTH = 14
_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none looks like another
_SLOTS = threading.BoundedSemaphore(2)  # hashing must not take every core from the media node


class Passwords:
    """Hash and verify. `quick=True` lowers the cost: tests only."""

    def __init__(self, *, quick: bool = False) -> None:
        self._hasher = (
            PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
            if quick
            else PasswordHasher()
        )
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        return await asyncio.to_thread(self._guarded_hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Takes as long for an unknown account (`stored=None`) as for a wrong password."""
        return await asyncio.to_thread(self._verify, stored, password)

    def _guarded_hash(self, password: str) -> str:
        with _SLOTS:
            return self._hasher.hash(password)

    def _verify(self, stored: str | None, password: str) -> bool:
        with _SLOTS:
            if self._decoy is None:
                self._decoy = self._hasher.hash("no account has this password")
            try:
                self._hasher.verify(stored or self._decoy, password)
            except (VerificationError, InvalidHashError):
                return False
            return stored is not None


def check_rules(password: str, username: str) -> None:
    """Raises PasswordTooWeakError naming the rule (GB/T 22239-2019, 8.1.4.1)."""
    if len(password) < MIN_LENGTH:
        raise PasswordTooWeakError(rule=f"至少 {MIN_LENGTH} 个字符")
    if len(password) > MAX_LENGTH:
        raise PasswordTooWeakError(rule=f"至多 {MAX_LENGTH} 个字符")
    kinds = (
        any(c.islower() for c in password)
        + any(c.isupper() for c in password)
        + any(c.isdigit() for c in password)
        + any(not c.isalnum() for c in password)
    )
    if kinds < 3:
        raise PasswordTooWeakError(rule="须含大写、小写、数字、符号中的三类")
    if username.casefold() in password.casefold():
        raise PasswordTooWeakError(rule="不能包含用户名")


def random_password() -> str:
    """One to be read out and typed once: letters and digits, without O and 0, I, l and 1."""
    while True:
        password = "".join(secrets.choice(_LETTERS) for _ in range(RANDOM_LENGTH))
        kinds = (str.islower, str.isupper, str.isdigit)
        if all(any(kind(letter) for letter in password) for kind in kinds):
            return password
