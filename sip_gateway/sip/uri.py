"""SIP URIs (RFC 3261 clause 19.1), parsed strictly.

`parse_uri` gives a `SipUri` for sip: and sips:, an `OtherUri` for every other well-formed scheme
(tel:, isbn:, ...), and raises RemoteSipError("uri_malformed") for anything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, unquote

from ..errors import RemoteSipError

Params = tuple[tuple[str, str | None], ...]

_ESC = r"%[0-9A-Fa-f]{2}"
_UNRESERVED = r"A-Za-z0-9\-_.!~*'()"
_USER = re.compile(rf"(?:[{_UNRESERVED}&=+$,;?/]|{_ESC})+")
_PLAIN_USER = re.compile(rf"[{_UNRESERVED}&=+$,;?/]+")  # what needs no escape
_PASSWORD = re.compile(rf"(?:[{_UNRESERVED}&=+$,]|{_ESC})*")
_PARAM = re.compile(rf"(?:[{_UNRESERVED}\[\]/:&+$]|{_ESC})+")
_HEADERS = re.compile(rf"(?:[{_UNRESERVED}\[\]/?:+$=&]|{_ESC})+")
_HOST = re.compile(
    r"\[[0-9A-Fa-f:.]{2,45}\]|(?:[A-Za-z0-9_](?:[A-Za-z0-9_\-]{0,62})\.)*[A-Za-z0-9_]"
    r"[A-Za-z0-9_\-]{0,62}\.?"
)
_OTHER = re.compile(rf"([A-Za-z][A-Za-z0-9+.\-]*):((?:[{_UNRESERVED};/?:@&=+$,#\[\]]|{_ESC})+)")
MAX_URI_LENGTH = 2048


@dataclass(frozen=True, slots=True)
class SipUri:
    """`scheme:user:password@host:port;params?headers`; user and password are kept unescaped."""

    host: str
    user: str | None = None
    port: int | None = None
    params: Params = ()
    scheme: str = "sip"
    password: str | None = None
    headers: str = ""

    def param(self, name: str) -> str | None:
        """Value of a parameter, "" when it stands without one, None when absent."""
        for key, value in self.params:
            if key.lower() == name:
                return value or ""
        return None

    @property
    def transport(self) -> str:
        """udp, tcp or tls: what the URI asks for."""
        named = (self.param("transport") or "").lower()
        if self.scheme == "sips" or named == "tls":
            return "tls"
        return named or "udp"

    @property
    def bare_host(self) -> str:
        """The host without the brackets of an IPv6 address, in lower case."""
        return self.host.strip("[]").lower()

    def without(self, *names: str) -> SipUri:
        """The same URI without the named parameters and without headers."""
        kept = tuple(item for item in self.params if item[0].lower() not in names)
        return replace(self, params=kept, headers="")

    def is_equivalent(self, other: object) -> bool:
        """Compare as RFC 3261 clause 19.1.4 does, for the parts that a binding depends on."""
        if not isinstance(other, SipUri):
            return False
        return (
            self.scheme == other.scheme
            and self.user == other.user
            and self.bare_host == other.bare_host
            and self.port == other.port
            and self.transport == other.transport
        )

    def __str__(self) -> str:
        parts = [self.scheme, ":"]
        if self.user is not None:
            is_plain = _PLAIN_USER.fullmatch(self.user) is not None
            parts.append(self.user if is_plain else quote(self.user, safe="-_.!~*'()&=+$,;?/"))
            if self.password is not None:
                parts += [":", quote(self.password, safe="-_.!~*'()&=+$,")]
            parts.append("@")
        parts.append(self.host)
        if self.port is not None:
            parts.append(f":{self.port}")
        parts += [f";{key}" if value is None else f";{key}={value}" for key, value in self.params]
        if self.headers:
            parts.append(f"?{self.headers}")
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class OtherUri:
    """A URI of a scheme that is not ours, kept as it came."""

    scheme: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"


Uri = SipUri | OtherUri


def is_host(text: str) -> bool:
    """Whether `text` is a host name, an IPv4 address or a bracketed IPv6 address."""
    return len(text) <= 255 and _HOST.fullmatch(text) is not None


def bracketed(host: str) -> str:
    """A host as it stands in a URI or Via: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def parse_port(text: str) -> int:
    """A port, 1 to 65535. Raises RemoteSipError("port_malformed")."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise RemoteSipError("port_malformed", port=text[:20])
    return int(text)


@lru_cache(maxsize=4096)
def parse_uri(text: str) -> Uri:
    """Parse a URI. Raises RemoteSipError("uri_malformed") and ("port_malformed")."""
    if len(text) > MAX_URI_LENGTH:
        raise RemoteSipError("uri_too_long", length=len(text))
    scheme, colon, rest = text.partition(":")
    if not colon:
        raise RemoteSipError("uri_malformed", uri=text[:80])
    if scheme.lower() in ("sip", "sips"):
        return _parse_sip(scheme.lower(), rest, text)
    match = _OTHER.fullmatch(text)
    if match is None:
        raise RemoteSipError("uri_malformed", uri=text[:80])
    return OtherUri(match[1].lower(), match[2])


def parse_sip_uri(text: str) -> SipUri:
    """Parse a URI that has to be sip: or sips:. Raises RemoteSipError."""
    uri = parse_uri(text)
    if not isinstance(uri, SipUri):
        raise RemoteSipError("uri_scheme_unsupported", scheme=uri.scheme)
    return uri


def _parse_sip(scheme: str, rest: str, whole: str) -> SipUri:
    user = password = None
    if "@" in rest:
        info, _, rest = rest.partition("@")
        name, colon, secret = info.partition(":")
        if not _USER.fullmatch(name) or (colon and not _PASSWORD.fullmatch(secret)):
            raise RemoteSipError("uri_malformed", uri=whole[:80])
        user, password = unquote(name), unquote(secret) if colon else None
    rest, question, headers = rest.partition("?")
    if question and not _HEADERS.fullmatch(headers):
        raise RemoteSipError("uri_malformed", uri=whole[:80])
    hostport, *params = rest.split(";")
    host, port = _parse_hostport(hostport, whole)
    return SipUri(
        host, user, port, tuple(_parse_param(p, whole) for p in params), scheme, password, headers
    )


def _parse_hostport(text: str, whole: str) -> tuple[str, int | None]:
    match = _HOST.match(text)
    if match is None or not is_host(match[0]):
        raise RemoteSipError("uri_malformed", uri=whole[:80])
    tail = text[match.end() :]
    if not tail:
        return match[0], None
    if not tail.startswith(":"):
        raise RemoteSipError("uri_malformed", uri=whole[:80])
    return match[0], parse_port(tail[1:])


def _parse_param(text: str, whole: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not _PARAM.fullmatch(name) or (equals and not _PARAM.fullmatch(value)):
        raise RemoteSipError("uri_malformed", uri=whole[:80])
    return name, value if equals else None
