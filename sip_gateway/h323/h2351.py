"""Passwords in RAS: H.235.1's baseline profile, authentication and integrity by HMAC-SHA1-96.

Both sides know SHA-1 of the password. Each message carries a token with time stamp, a number that
does not come twice, who speaks and to whom; the keyed hash covers the whole message with the place
of the hash zeroed (H.235.1).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .asn1 import decode_ras, encode_ras

Value = Any
WHOLE_MESSAGE = (0, 0, 8, 235, 0, 2, 1)  # "A": authentication and integrity
CLEAR_TOKEN = (0, 0, 8, 235, 0, 2, 5)  # "T"
HMAC_SHA1_96 = (0, 0, 8, 235, 0, 2, 6)  # "U"
HASH_OCTETS = 12
PLACES = 4  # where the hash's octets may stand by chance, too
WINDOW_S = 300  # how far the clocks of both sides may be apart
_PLACE = b"\x00\xffh2351\xff\x00\xff\x00\xff"  # where the hash goes, until it is known


def key_of(password: str) -> bytes:
    """What both sides keep of a password."""
    return hashlib.sha1(password.encode(), usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True)
class Token:
    """What a peer's token says. `sender` and `recipient` are empty where it names none."""

    sender: str
    recipient: str
    time_s: int
    number: int
    hash: bytes


def token_of(body: dict[str, Value]) -> Token | None:
    """The token of a message in this profile; None: it has none."""
    for kind, nested in body.get("cryptoTokens", []):
        if kind != "nestedcryptoToken" or nested[0] != "cryptoHashedToken":
            continue
        hashed = nested[1]
        if hashed["tokenOID"] != WHOLE_MESSAGE or hashed["token"]["algorithmOID"] != HMAC_SHA1_96:
            continue
        clear, (number, bits) = hashed["hashedVals"], hashed["token"]["hash"]
        if bits != HASH_OCTETS * 8:
            continue
        return Token(
            str(clear.get("sendersID", "")).rstrip("\0"),
            str(clear.get("generalID", "")).rstrip("\0"),
            int(clear.get("timeStamp", 0)),
            int(clear.get("random", 0)),
            int(number).to_bytes(HASH_OCTETS, "big"),
        )
    return None


class Signer:
    """Signs what one side says, and judges what the other says, with one password.

    `clock` gives seconds of Unix time.
    """

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        self.key, self._clock = key, clock
        self._number = 0
        self._heard: dict[tuple[int, int], None] = {}  # the oldest first
        self._latest: tuple[bytes, object] | None = None

    def signed(self, pdu: bytes, *, sender: str, recipient: str) -> bytes:
        """The message with its token."""
        kind, body = decode_ras(pdu)
        self._number = self._number % 0x7FFFFFFF + 1
        clear: dict[str, Value] = {
            "tokenOID": CLEAR_TOKEN,
            "timeStamp": int(self._clock()),
            "random": self._number,
        }
        clear |= {"generalID": recipient} if recipient else {}
        clear |= {"sendersID": sender} if sender else {}
        place = int.from_bytes(_PLACE, "big"), HASH_OCTETS * 8
        hashed = {
            "tokenOID": WHOLE_MESSAGE,
            "hashedVals": clear,
            "token": {"algorithmOID": HMAC_SHA1_96, "paramS": {}, "hash": place},
        }
        token = ("nestedcryptoToken", ("cryptoHashedToken", hashed))
        raw = encode_ras((kind, {**body, "cryptoTokens": [token]}))
        at = raw.rindex(_PLACE)
        return _put(raw, at, _hash(self.key, _put(raw, at, bytes(HASH_OCTETS))))

    def objection(self, pdu: bytes, body: dict[str, Value], source: object) -> str | None:
        """Why a message is not believed, by its name in H.225.0's SecurityErrors; None: it is.

        The newest one may be repeated from where it came: RAS says again what was not answered.
        """
        if (pdu, source) == self._latest:
            return None
        token = token_of(body)
        if token is None or not _is_hash_of(pdu, token.hash, self.key):
            return "securityIntegrityFailed"
        now = self._clock()
        if abs(now - token.time_s) > WINDOW_S:
            return "securityWrongSyncTime"
        seen = (token.time_s, token.number)
        if seen in self._heard:
            return "securityReplay"
        for old in [one for one in self._heard if one[0] < now - WINDOW_S]:
            del self._heard[old]
        self._heard[seen], self._latest = None, (pdu, source)
        return None


def _hash(key: bytes, zeroed: bytes) -> bytes:
    return hmac.new(key, zeroed, hashlib.sha1).digest()[:HASH_OCTETS]


def _put(raw: bytes, at: int, octets: bytes) -> bytes:
    return raw[:at] + octets + raw[at + len(octets) :]


def _is_hash_of(pdu: bytes, found: bytes, key: bytes) -> bool:
    """The hash stands somewhere in the message; what it covers has zeros there."""
    at = pdu.find(found)
    for _ in range(PLACES):
        if at < 0:
            return False
        if hmac.compare_digest(_hash(key, _put(pdu, at, bytes(HASH_OCTETS))), found):
            return True
        at = pdu.find(found, at + 1)
    return False
