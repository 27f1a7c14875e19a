"""Digest authentication, both sides: RFC 8760 (SHA-256 first, MD5), RFC 7616, RFC 3261 clause 22.

The server side keeps no secret it was not given: nonces are signed with a key of the process, so
only the counters of nonces in use are stored. An unknown user costs the same work and gets the
same answer as a wrong password.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from ..errors import RemoteSipError
from ..ports import Credential
from .header import TOKEN_CHARS, quoted, unquoted
from .message import Request, Response

_PAIR = re.compile(
    rf'[ \t]*([{TOKEN_CHARS}]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[{TOKEN_CHARS}:/=]+)[ \t]*(,|$)',
    re.DOTALL,
)
ALGORITHMS = {"SHA-256": "sha256", "MD5": "md5"}  # in the order in which we prefer them
MAX_TRACKED_NONCES = 20_000
NC_WINDOW = 64
MAX_CREDENTIALS = 8  # one for each realm on the way


def digest_hash(algorithm: str, text: str) -> str:
    """Hex digest of a text by an algorithm's name. Names are compared in upper case."""
    raw = text.encode("utf-8", "surrogateescape")
    return hashlib.new(ALGORITHMS[algorithm], raw, usedforsecurity=False).hexdigest()


def ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    return digest_hash(algorithm, f"{username}:{realm}:{password}")


def digest_response(
    algorithm: str,
    ha1_hex: str,
    method: str,
    uri: str,
    *,
    nonce: str,
    qop: str,
    nc: str,
    cnonce: str,
) -> str:
    """The `response` value (RFC 7616 clause 3.4.1); `qop` "" is the RFC 2069 form."""
    ha2 = digest_hash(algorithm, f"{method}:{uri}")
    middle = f"{nonce}:{nc}:{cnonce}:{qop}" if qop else nonce
    return digest_hash(algorithm, f"{ha1_hex}:{middle}:{ha2}")


def parse_digest(value: str) -> dict[str, str]:
    """Parameters of a Digest header, names in lower case. Raises RemoteSipError."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        raise RemoteSipError("authentication_scheme_unsupported", scheme=scheme[:20])
    params: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PAIR.match(rest, at)
        if match is None or match[1].lower() in params or len(params) > 20:
            raise RemoteSipError("authentication_malformed", text=rest[:80])
        params[match[1].lower()] = unquoted(match[2])
        at = match.end()
    return params


@lru_cache(maxsize=256)
def _credentials(value: str) -> dict[str, str] | None:
    """An Authorization header is looked at twice: for its user, then for its answer."""
    try:
        return parse_digest(value)
    except RemoteSipError:
        return None


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    ABSENT = "absent"  # no credentials for our realm: challenge
    STALE = "stale"  # right secret, old or used nonce: challenge again with stale=true
    REFUSED = "refused"  # unknown user or wrong password: same answer for both


@dataclass(slots=True)
class _NonceUse:
    """Counters of one nonce: the highest seen and a bitmap of the ones below (for reordering)."""

    highest: int = 0
    seen: int = 0

    def take(self, count: int) -> bool:
        if count > self.highest:
            self.seen = ((self.seen << (count - self.highest)) | 1) & ((1 << NC_WINDOW) - 1)
            self.highest = count
            return True
        back = self.highest - count
        if count < 1 or back >= NC_WINDOW or self.seen >> back & 1:
            return False
        self.seen |= 1 << back
        return True


@dataclass(slots=True)
class DigestServer:
    """Challenges and checks.

    `secret` signs nonces; `new_token` gives fresh randomness (hex); times are seconds of `now`.
    """

    realm: str
    secret: bytes
    new_token: Callable[[], str]
    nonce_life_s: float = 300.0
    _uses: OrderedDict[str, _NonceUse] = field(default_factory=OrderedDict)
    _forgotten_until: int = -1

    def challenges(
        self, now: float, *, is_stale: bool = False, algorithms: Iterable[str] = ALGORITHMS
    ) -> list[tuple[str, str]]:
        """WWW-Authenticate headers, the strongest algorithm first (RFC 8760 clause 2.4)."""
        nonce = self._new_nonce(now)
        stale = ", stale=true" if is_stale else ""
        return [
            (
                "WWW-Authenticate",
                f'Digest realm={quoted(self.realm)}, nonce="{nonce}", qop="auth", '
                f"algorithm={name}{stale}",
            )
            for name in algorithms
        ]

    def username(self, request: Request) -> str | None:
        """Who the request says it is from, None when it carries no credentials of ours."""
        params = self._ours(request)
        return params.get("username") if params else None

    def check(self, request: Request, credential: Credential | None, now: float) -> Verdict:
        """Judge a request's credentials; `credential` is None for an unknown user."""
        params = self._ours(request)
        if params is None:
            return Verdict.ABSENT
        algorithm = params.get("algorithm", "MD5").upper()
        qop = params.get("qop", "")
        nonce, nc = params.get("nonce", ""), params.get("nc", "")
        if algorithm not in ALGORITHMS or qop not in ("", "auth"):
            return Verdict.REFUSED
        expected = digest_response(
            algorithm,
            self._secret_of(params.get("username", ""), algorithm, credential),
            request.method,
            params.get("uri", ""),
            nonce=nonce,
            qop=qop,
            nc=nc,
            cnonce=params.get("cnonce", ""),
        )
        is_right = hmac.compare_digest(
            expected.encode(), params.get("response", "").lower().encode("utf-8", "replace")
        )
        if credential is None or not is_right:
            return Verdict.REFUSED
        return self._check_nonce(nonce, nc if qop else "1", now)

    def _ours(self, request: Request) -> dict[str, str] | None:
        values = request.get_all("Authorization")
        if len(values) > MAX_CREDENTIALS:
            return None
        for value in values:
            params = _credentials(value)
            if params is not None and params.get("realm") == self.realm:
                return params
        return None

    def _secret_of(self, username: str, algorithm: str, credential: Credential | None) -> str:
        decoy = self._signature(username)
        if credential is None:
            return decoy if algorithm == "SHA-256" else decoy[:32]
        return credential.ha1_sha256 if algorithm == "SHA-256" else credential.ha1_md5

    def _new_nonce(self, now: float) -> str:
        body = f"{int(now * 1000):x}.{self.new_token()}"
        return f"{body}.{self._sign(body)}"

    def _sign(self, body: str) -> str:
        return self._signature(body)[:32]

    def _signature(self, text: str) -> str:
        return hmac.digest(self.secret, text.encode("utf-8", "replace"), "sha256").hex()

    def _check_nonce(self, nonce: str, nc: str, now: float) -> Verdict:
        body, _, signature = nonce.rpartition(".")
        stamp = body.partition(".")[0]
        if not hmac.compare_digest(
            self._sign(body).encode(), signature.encode("utf-8", "replace")
        ) or not re.fullmatch(r"[0-9a-fA-F]{1,8}", nc):
            return Verdict.STALE
        born = int(stamp, 16)
        if now - born / 1000 > self.nonce_life_s or born <= self._forgotten_until:
            return Verdict.STALE
        use = self._uses.setdefault(nonce, _NonceUse())
        self._uses.move_to_end(nonce)
        while len(self._uses) > MAX_TRACKED_NONCES:
            # a nonce whose counter is forgotten must not become fresh again
            forgotten, _use = self._uses.popitem(last=False)
            born_then = int(forgotten.partition(".")[0], 16)
            self._forgotten_until = max(self._forgotten_until, born_then)
        return Verdict.ACCEPTED if use.take(int(nc, 16)) else Verdict.STALE


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate or Proxy-Authenticate we can answer."""

    is_proxy: bool
    realm: str
    nonce: str
    algorithm: str
    qop: str
    opaque: str | None
    is_stale: bool


def best_challenge(response: Response) -> Challenge | None:
    """The strongest challenge of a 401 or 407 that we can answer, None when there is none."""
    found: list[Challenge] = []
    for header in ("WWW-Authenticate", "Proxy-Authenticate"):
        for value in response.get_all(header):
            challenge = _read_challenge(value, is_proxy=header.startswith("Proxy"))
            if challenge is not None:
                found.append(challenge)
    order = list(ALGORITHMS)
    return min(found, key=lambda one: order.index(one.algorithm), default=None)


def _read_challenge(value: str, *, is_proxy: bool) -> Challenge | None:
    try:
        params = parse_digest(value)
    except RemoteSipError:
        return None
    algorithm = params.get("algorithm", "MD5").upper()
    offered = _split(params.get("qop", ""))
    if algorithm not in ALGORITHMS or "nonce" not in params or (offered and "auth" not in offered):
        return None
    return Challenge(
        is_proxy,
        params.get("realm", ""),
        params["nonce"],
        algorithm,
        "auth" if offered else "",
        params.get("opaque"),
        params.get("stale", "").lower() == "true",
    )


def _split(text: str) -> Iterable[str]:
    return [part.strip().lower() for part in text.split(",") if part.strip()]


def answer_challenge(
    challenge: Challenge, *, username: str, password: str, method: str, uri: str, cnonce: str
) -> tuple[str, str]:
    """The header (name, value) that answers a challenge; each nonce is used once (nc=1)."""
    secret = ha1(challenge.algorithm, username, challenge.realm, password)
    nc = "00000001"
    response = digest_response(
        challenge.algorithm,
        secret,
        method,
        uri,
        nonce=challenge.nonce,
        qop=challenge.qop,
        nc=nc,
        cnonce=cnonce,
    )
    parts = [
        f"Digest username={quoted(username)}",
        f"realm={quoted(challenge.realm)}",
        f"nonce={quoted(challenge.nonce)}",
        f"uri={quoted(uri)}",
        f'response="{response}"',
        f"algorithm={challenge.algorithm}",
    ]
    if challenge.qop:
        parts += [f"qop={challenge.qop}", f"nc={nc}", f'cnonce="{cnonce}"']
    if challenge.opaque is not None:
        parts.append(f"opaque={quoted(challenge.opaque)}")
    name = "Proxy-Authorization" if challenge.is_proxy else "Authorization"
    return name, ", ".join(parts)
