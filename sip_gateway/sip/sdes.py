"""SRTP keys inside session descriptions (SDES, RFC 4568): reading, choosing, writing."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from ..capability import SrtpKeying
from .sdp import MediaSection

# suite -> bytes of master key and salt, in the order in which we choose among offered ones
SUITES = {
    "AEAD_AES_256_GCM": 44,
    "AEAD_AES_128_GCM": 28,
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
}
OFFERED = ("AES_CM_128_HMAC_SHA1_80",)
SECURE_PROTOCOLS = ("RTP/SAVP", "RTP/SAVPF")
_CRYPTO = re.compile(
    r"(\d{1,9})[ \t]+([A-Za-z0-9_]+)[ \t]+inline:([A-Za-z0-9+/]+={0,2})(\|[^ \t;]*)?"
    r"(?:[ \t]+(.*))?",
    re.ASCII,
)
NewKey = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Crypto:
    """One a=crypto line."""

    tag: int
    suite: str
    key: str  # base64 of master key and salt

    def __str__(self) -> str:
        return f"{self.tag} {self.suite} inline:{self.key}"


def parse_cryptos(section: MediaSection) -> list[Crypto]:
    """Usable a=crypto lines; those with MKI, session parameters or wrong sizes are left out."""
    found = []
    for value in section.values("crypto"):
        match = _CRYPTO.fullmatch(value.strip())
        if match is None or match[2] not in SUITES or match[5]:
            continue
        if ":" in (match[4] or ""):  # a master key identifier in every packet
            continue
        try:
            size = len(base64.b64decode(match[3], validate=True))
        except (binascii.Error, ValueError):
            continue
        if size == SUITES[match[2]]:
            found.append(Crypto(int(match[1]), match[2], match[3]))
    return found


def make_crypto(tag: int, suite: str, new_key: NewKey) -> Crypto:
    return Crypto(tag, suite, base64.b64encode(new_key(SUITES[suite])).decode())


def choose(
    section: MediaSection, new_key: NewKey, own: list[Crypto]
) -> tuple[Crypto, SrtpKeying] | None:
    """Our answering line and the keys, None when nothing offered can be used.

    `own` are lines of ours from before: their key is used again with the same suite.
    """
    order = list(SUITES)
    offered = sorted(parse_cryptos(section), key=lambda one: order.index(one.suite))
    if not offered:
        return None
    theirs = offered[0]
    kept = next((crypto.key for crypto in own if crypto.suite == theirs.suite), None)
    if kept is None:
        kept = make_crypto(theirs.tag, theirs.suite, new_key).key
    ours = Crypto(theirs.tag, theirs.suite, kept)
    return ours, SrtpKeying(theirs.suite, ours.key, theirs.key)


def settle(ours: MediaSection, theirs: MediaSection) -> SrtpKeying | None:
    """The keys after an answer: the line that took up one of our tags (RFC 4568 5.1.3)."""
    own = {crypto.tag: crypto for crypto in parse_cryptos(ours)}
    for crypto in parse_cryptos(theirs):
        mine = own.get(crypto.tag)
        if mine is not None and mine.suite == crypto.suite:
            return SrtpKeying(crypto.suite, mine.key, crypto.key)
    return None
