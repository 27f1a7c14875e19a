"""Passwords sprayed over many names from one address: seen here, where single locks see nothing.

A lock after five failures stops guessing at one account; who tries one password on a hundred
accounts never meets it. Counted is how many different names failed from an address in a while;
too many shut it out for a time. Each web process counts for itself.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta

MAX_NAMES = 8
WITHIN = timedelta(minutes=10)
BAN_FOR = timedelta(minutes=15)
MAX_ADDRESSES = 10_000  # of a flood from everywhere only the newest are kept
BANNED = "source.banned"  # the event that the gateway's bans have, too
OFFENCE = "password_spray"


class SprayGuard:
    """`failed` for each failure, `is_banned` before each try."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, dict[bytes, datetime]] = OrderedDict()
        self._banned: dict[str, datetime] = {}

    def banned_until(self, address: str, now: datetime) -> datetime | None:
        until = self._banned.get(address)
        if until is not None and until <= now:
            del self._banned[address]
            return None
        return until

    def failed(self, address: str, username: str, now: datetime) -> bool:
        """Whether this failure is the one that shuts the address out."""
        names = self._failures.setdefault(address, {})
        self._failures.move_to_end(address)
        while len(self._failures) > MAX_ADDRESSES:
            self._failures.popitem(last=False)
        names[_digest(username)] = now
        for name in [name for name, at in names.items() if now - at > WITHIN]:
            del names[name]
        if len(names) < MAX_NAMES or address in self._banned:
            return False
        del self._failures[address]
        self._banned[address] = now + BAN_FOR
        return True

    def pardon(self, address: str) -> bool:
        """Let the address speak again; False when it was not shut out."""
        self._failures.pop(address, None)
        return self._banned.pop(address, None) is not None

    def banned(self, now: datetime) -> list[str]:
        """Every address that is shut out now."""
        return [address for address in list(self._banned) if self.banned_until(address, now)]


def _digest(username: str) -> bytes:
    """Names that strangers type may be passwords: they are not kept."""
    return hashlib.sha256(username.casefold().encode("utf-8", "replace")).digest()[:8]
