"""Header fields that have a structure: addresses, Via, CSeq (RFC 3261 clause 25.1).

All parsers take an unfolded value and raise only RemoteSipError.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from ..errors import RemoteSipError
from .uri import Params, SipUri, Uri, bracketed, is_host, parse_port, parse_uri

TOKEN_CHARS = r"A-Za-z0-9\-.!%*_+`'~"  # noqa: S105 - a character class, no secret
TOKEN = re.compile(rf"[{TOKEN_CHARS}]+")
_QUOTED = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x00-\x09\x0b\x0c\x0e-\x7f])*"'
_QUOTED_STRING = re.compile(_QUOTED)
_DISPLAY_TOKENS = re.compile(rf"[{TOKEN_CHARS}]+(?:[ \t]+[{TOKEN_CHARS}]+)*")
_PARAM = re.compile(
    rf";[ \t]*([{TOKEN_CHARS}]+)[ \t]*(?:=[ \t]*({_QUOTED}|[{TOKEN_CHARS}\[\]:]+))?[ \t]*"
)
_URI_PARAM = re.compile(
    rf";[ \t]*([{TOKEN_CHARS}]+)[ \t]*(?:=[ \t]*({_QUOTED}|[{TOKEN_CHARS}\[\]:/@?&$<>(),]+))?[ \t]*"
)
_VIA = re.compile(
    rf"([{TOKEN_CHARS}]+)[ \t]*/[ \t]*([{TOKEN_CHARS}]+)[ \t]*/[ \t]*([{TOKEN_CHARS}]+)[ \t]+"
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.\-]+)[ \t]*(?::[ \t]*(\d{1,9})[ \t]*)?(;.*)?",
    re.DOTALL | re.ASCII,
)
_CSEQ = re.compile(rf"(\d+)[ \t]+([{TOKEN_CHARS}]+)", re.ASCII)
_CALL_ID_WORD = rf"[{TOKEN_CHARS}()<>:\\\"/\[\]?{{}}]+"
CALL_ID = re.compile(rf"{_CALL_ID_WORD}(?:@{_CALL_ID_WORD})?")
_UNQUOTE = re.compile(r"\\(.)", re.DOTALL)
MAX_CSEQ = 2**31 - 1
MAX_PARAMS = 32
_T = TypeVar("_T")


def unquoted(text: str) -> str:
    """The text inside a quoted string; other text as it is."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _UNQUOTE.sub(r"\1", text[1:-1])
    return text


def quoted(text: str) -> str:
    """A quoted string (RFC 3261 clause 25.1); control characters are dropped."""
    clean = "".join(char for char in text if ord(char) >= 32 and ord(char) != 127)
    escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse_params(text: str, *, wide: bool = False) -> Params:
    """Parse `;name=value;flag`. Raises RemoteSipError("parameters_malformed")."""
    pattern = _URI_PARAM if wide else _PARAM
    params: list[tuple[str, str | None]] = []
    at = 0
    text = text.strip(" \t")
    while at < len(text):
        match = pattern.match(text, at)
        if match is None or len(params) >= MAX_PARAMS:
            raise RemoteSipError("parameters_malformed", text=text[:80])
        params.append((match[1], match[2]))
        at = match.end()
    return tuple(params)


def param_of(params: Params, name: str) -> str | None:
    """Value of a parameter, "" when it stands without one, None when absent."""
    for key, value in params:
        if key.lower() == name:
            return unquoted(value) if value else ""
    return None


def render_params(params: Params) -> str:
    return "".join(f";{key}" if value is None else f";{key}={value}" for key, value in params)


def split_commas(text: str) -> list[str]:
    """Split a comma-separated header at commas outside quotes and angle brackets."""
    if "," not in text:
        return [text.strip(" \t")]
    parts: list[str] = []
    depth, in_quotes, escaped, start = 0, False, False, 0
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif in_quotes:
            escaped = char == "\\"
            in_quotes = char != '"'
        elif char == '"':
            in_quotes = True
        elif char == "<":
            depth += 1
        elif char == ">":
            depth = max(0, depth - 1)
        elif char == "," and depth == 0:
            parts.append(text[start:index].strip(" \t"))
            start = index + 1
    parts.append(text[start:].strip(" \t"))
    return parts


@dataclass(frozen=True, slots=True)
class Address:
    """name-addr or addr-spec with header parameters: From, To, Contact, Route, Refer-To."""

    uri: Uri
    display: str = ""
    params: Params = ()

    def param(self, name: str) -> str | None:
        return param_of(self.params, name)

    @property
    def tag(self) -> str | None:
        return self.param("tag") or None

    @property
    def sip(self) -> SipUri:
        """The URI, which has to be sip: or sips:. Raises RemoteSipError."""
        if isinstance(self.uri, SipUri):
            return self.uri
        raise RemoteSipError("uri_scheme_unsupported", scheme=self.uri.scheme)

    def with_tag(self, tag: str) -> Address:
        params = tuple(item for item in self.params if item[0].lower() != "tag")
        return Address(self.uri, self.display, (*params, ("tag", tag)))

    def __str__(self) -> str:
        display = f"{quoted(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{render_params(self.params)}"


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address:
    """Parse name-addr or addr-spec. Raises RemoteSipError("address_malformed") and of the URI."""
    text = text.strip(" \t")
    display = ""
    if text.startswith('"'):
        match = _QUOTED_STRING.match(text)
        if match is None:
            raise RemoteSipError("address_malformed", text=text[:80])
        display, text = unquoted(match[0]), text[match.end() :].lstrip(" \t")
        if not text.startswith("<"):
            raise RemoteSipError("address_malformed", text=text[:80])
    elif "<" in text:
        before, _, rest = text.partition("<")
        display, text = before.strip(" \t"), f"<{rest}"
        if display and not _DISPLAY_TOKENS.fullmatch(display):
            raise RemoteSipError("address_malformed", text=before[:80])
    if text.startswith("<"):
        uri_text, closed, params = text[1:].partition(">")
        if not closed:
            raise RemoteSipError("address_malformed", text=text[:80])
        return Address(parse_uri(uri_text), display, parse_params(params, wide=True))
    # addr-spec: parameters belong to the header; a URI with ? or , needs brackets (clause 20.10)
    uri_text, semicolon, params = text.partition(";")
    uri_text = uri_text.rstrip(" \t")
    if "?" in uri_text or "," in uri_text:
        raise RemoteSipError("address_malformed", text=text[:80])
    return Address(parse_uri(uri_text), "", parse_params(semicolon + params, wide=True))


@dataclass(frozen=True, slots=True)
class Via:
    """One hop: where the response goes (RFC 3261 clause 18.2.2, RFC 3581)."""

    transport: str
    host: str
    port: int | None = None
    params: Params = ()

    def param(self, name: str) -> str | None:
        return param_of(self.params, name)

    @property
    def branch(self) -> str:
        return self.param("branch") or ""

    def marked(self, host: str, port: int) -> Via:
        """The same hop with `received` and, if the peer asked for it, `rport` filled in."""
        params = [p for p in self.params if p[0].lower() not in ("received", "rport")]
        wants_port = self.param("rport") is not None
        if wants_port or host != self.host.strip("[]").lower():
            params.append(("received", host))
        if wants_port:
            params.append(("rport", str(port)))
        return Via(self.transport, self.host, self.port, tuple(params))

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {bracketed(self.host)}{port}{render_params(self.params)}"


def parse_via(text: str) -> Via:
    """Parse one Via value. Raises RemoteSipError("via_malformed", "sip_version_unsupported")."""
    match = _VIA.fullmatch(text.strip(" \t"))
    if match is None or not is_host(match[4]):
        raise RemoteSipError("via_malformed", text=text[:80])
    if match[1].upper() != "SIP" or match[2] != "2.0":
        raise RemoteSipError("sip_version_unsupported", version=match[2][:20])
    try:
        params = parse_params(match[6] or "")
        port = parse_port(match[5]) if match[5] else None
    except RemoteSipError as error:
        raise RemoteSipError("via_malformed", text=text[:80]) from error
    return Via(match[3].upper(), match[4], port, params)


@dataclass(frozen=True, slots=True)
class CSeq:
    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def parse_cseq(text: str) -> CSeq:
    """Raises RemoteSipError("cseq_malformed", "cseq_out_of_range")."""
    match = _CSEQ.fullmatch(text.strip(" \t"))
    if match is None:
        raise RemoteSipError("cseq_malformed", text=text[:80])
    if len(match[1]) > 12 or int(match[1]) > MAX_CSEQ:
        raise RemoteSipError("cseq_out_of_range", text=text[:40])
    return CSeq(int(match[1]), match[2])


def parse_number(text: str, code: str, maximum: int) -> int:
    """A non-negative number. Raises RemoteSipError(code)."""
    text = text.strip(" \t")
    if not (text.isascii() and text.isdigit() and len(text) <= 20) or int(text) > maximum:
        raise RemoteSipError(code, text=text[:40])
    return int(text)


def parse_list(values: list[str], one: Callable[[str], _T]) -> list[_T]:
    """Parse every comma-separated part of every value."""
    return [one(part) for value in values for part in split_commas(value)]
