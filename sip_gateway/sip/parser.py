"""The strict parser of SIP messages (RFC 3261 clauses 7 and 25, RFC 4475 as its exam).

`parse_datagram` reads one message from a datagram; `StreamParser` cuts messages out of a TCP or
TLS stream. Every malformation is one `RemoteSipError` with a code; where the start line and the
headers could be told apart, the error's `partial` holds them, so that a request can be refused
with 400 instead of being dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from ..errors import RemoteSipError
from .header import (
    TOKEN,
    TOKEN_CHARS,
    parse_address,
    parse_list,
    parse_number,
    parse_via,
    split_commas,
)
from .message import Headers, Message, Request, Response, canonical_name
from .uri import SipUri, parse_uri

MAX_MESSAGE_BYTES = 65_535
MAX_HEADER_BYTES = 16_384
MAX_HEADER_COUNT = 128
MAX_VIA_COUNT = 70
MAX_BODY_BYTES = 64_000

_REQUEST_LINE = re.compile(rf"([{TOKEN_CHARS}]+) (\S+) SIP/(\d+\.\d+)", re.IGNORECASE | re.ASCII)
_STATUS_LINE = re.compile(r"SIP/(\d+\.\d+) (\d+) (.*)", re.I | re.S | re.A)
_FOLD = re.compile(r"\r\n[ \t]+")
_CONTROL = re.compile(r"(?<!\\)[\x00-\x08\x0a-\x1f\x7f]")
_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT",
    re.ASCII,
)
_MEDIA_TYPE = re.compile(rf"[{TOKEN_CHARS}]+[ \t]*/[ \t]*[{TOKEN_CHARS}]+[ \t]*(?:;.*)?", re.DOTALL)
_WARNING = re.compile(r"\d{3} \S+ \".*\"", re.DOTALL | re.ASCII)
_SINGLE_NAMES = (
    "From To Call-ID CSeq Max-Forwards Content-Length Content-Type Date Expires Min-Expires "
    "Session-Expires Min-SE Retry-After Refer-To Replaces RAck RSeq User-Agent Server"
)
_SINGLE = frozenset(_SINGLE_NAMES.split())
_ESSENTIAL = ("Via", "From", "To", "Call-ID", "CSeq")
_NUMBERS = {
    "Max-Forwards": 255,
    "Expires": 2**32 - 1,
    "Min-Expires": 2**32 - 1,
    "Min-SE": 2**31 - 1,
    "Session-Expires": 2**31 - 1,
}


class MalformedMessageError(RemoteSipError):
    """A malformed message; `partial` is what could still be read of a request."""

    def __init__(self, code: str, partial: Request | None = None, **fields: object) -> None:
        super().__init__(code, **fields)
        self.partial = partial


def parse_datagram(data: bytes) -> Request | Response:
    """Parse one message from a datagram. Bytes after Content-Length are ignored (18.3).

    Raises MalformedMessageError (a RemoteSipError).
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedMessageError("message_too_large", length=len(data))
    head, blank, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    message = _parse_head(head if blank else head.removesuffix(b"\r\n"))
    try:
        if not blank:
            _validated(message, b"")  # a worse fault is named first
            raise RemoteSipError("headers_unterminated")
        length = _content_length(message)
        if length is not None:
            if length > len(body):
                raise RemoteSipError("body_truncated", declared=length, present=len(body))
            body = body[:length]
        return _validated(message, body)
    except RemoteSipError as error:
        raise _with_partial(error, message) from error


def _with_partial(error: RemoteSipError, message: Message | None) -> MalformedMessageError:
    if isinstance(error, MalformedMessageError):
        return error
    partial = message if isinstance(message, Request) else None
    return MalformedMessageError(error.code, partial, **error.fields)


def _parse_head(head: bytes) -> Request | Response:
    if len(head) > MAX_HEADER_BYTES:
        raise MalformedMessageError("headers_too_large", length=len(head))
    text = head.decode("utf-8", "surrogateescape")
    start, _, rest = text.partition("\r\n")
    try:
        headers = _split_headers(rest)
    except RemoteSipError as error:
        raise _with_partial(error, None) from error
    try:
        return _start_line(start, headers)
    except RemoteSipError as error:
        method = start.split(" ", 1)[0]
        partial = None
        if TOKEN.fullmatch(method) and not start.upper().startswith("SIP/"):
            partial = Request(headers, method=method, uri=SipUri("invalid"))
        raise MalformedMessageError(error.code, partial, **error.fields) from error


def _start_line(line: str, headers: Headers) -> Request | Response:
    if line[:4].upper() == "SIP/":
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise RemoteSipError("start_line_malformed", line=line[:80])
        if match[1] != "2.0":
            raise RemoteSipError("sip_version_unsupported", version=match[1][:20])
        if len(match[2]) != 3 or not 100 <= int(match[2]) <= 699:
            raise RemoteSipError("status_code_malformed", status=match[2][:20])
        if _CONTROL.search(match[3]):
            raise RemoteSipError("start_line_malformed", line=line[:80])
        return Response(headers, status=int(match[2]), reason=match[3])
    request = _REQUEST_LINE.fullmatch(line)
    if request is None:
        raise RemoteSipError("start_line_malformed", line=line[:80])
    if request[3] != "2.0":
        raise RemoteSipError("sip_version_unsupported", version=request[3][:20])
    uri = parse_uri(request[2])
    if isinstance(uri, SipUri) and uri.headers:
        raise RemoteSipError("request_uri_has_headers", uri=request[2][:80])
    return Request(headers, method=request[1], uri=uri)


@lru_cache(maxsize=1024)
def _header_name(text: str) -> str | None:
    """A header's name in its one spelling, None when it is no token."""
    name = text.rstrip(" \t")
    return canonical_name(name) if TOKEN.fullmatch(name) else None


def _split_headers(text: str) -> Headers:
    headers: list[tuple[str, str]] = []
    if not text:
        return ()
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    is_suspect = _CONTROL.search("".join(lines)) is not None
    for line in lines:
        name, colon, value = line.partition(":")
        canonical = _header_name(name) if colon else None
        if canonical is None:
            raise RemoteSipError("header_malformed", line=line[:80])
        value = value.strip(" \t")
        if is_suspect and _CONTROL.search(value):
            raise RemoteSipError("control_character", header=canonical[:40])
        headers.append((canonical, value))
        if len(headers) > MAX_HEADER_COUNT:
            raise RemoteSipError("headers_too_many", limit=MAX_HEADER_COUNT)
    return tuple(headers)


def _content_length(message: Message) -> int | None:
    values = message.get_all("Content-Length")
    if not values:
        return None
    if len(values) > 1:
        raise RemoteSipError("header_repeated", header="Content-Length")
    return parse_number(values[0], "content_length_malformed", MAX_BODY_BYTES)


def _validated(message: Request | Response, body: bytes) -> Request | Response:
    """Check every header that has a grammar and that we may act on; attach the body."""
    seen: set[str] = set()
    for name, _value in message.headers:
        if name in _SINGLE:
            if name in seen:
                raise RemoteSipError("header_repeated", header=name)
            seen.add(name)
    for name in _ESSENTIAL:
        if message.get(name) is None:
            raise RemoteSipError("header_missing", header=name)
    _check_essentials(message)
    _check_others(message)
    if len(body) > MAX_BODY_BYTES:
        raise RemoteSipError("message_too_large", length=len(body))
    if isinstance(message, Request):
        return Request(message.headers, body, message._parsed, message.method, message.uri)
    return Response(message.headers, body, message._parsed, message.status, message.reason)


def _check_essentials(message: Request | Response) -> None:
    vias = [part for value in message.get_all("Via") for part in split_commas(value)]
    if len(vias) > MAX_VIA_COUNT:
        raise RemoteSipError("vias_too_many", limit=MAX_VIA_COUNT)
    message._parsed["Via"] = parse_via(vias[0])
    for via in vias[1:]:
        parse_via(via)
    cseq = message.cseq
    if isinstance(message, Request) and cseq.method != message.method:
        raise RemoteSipError("cseq_method_mismatch", method=message.method, cseq=cseq.method)
    _ = message.from_, message.to, message.call_id


def _check_others(message: Message) -> None:
    for name, value in message.headers:
        if name in _NUMBERS:
            parse_number(value.partition(";")[0], "number_malformed", _NUMBERS[name])
        elif name == "Contact":
            if value.strip() != "*":
                parse_list([value], parse_address)
        elif name in ("Route", "Record-Route", "Path", "Refer-To", "Referred-By"):
            parse_list([value], parse_address)
        elif name == "Date" and not _DATE.fullmatch(value):
            raise RemoteSipError("date_malformed", text=value[:40])
        elif name == "Content-Type" and not _MEDIA_TYPE.fullmatch(value):
            raise RemoteSipError("content_type_malformed", text=value[:80])
        elif name == "Warning" and not _WARNING.fullmatch(value):
            raise RemoteSipError("warning_malformed", text=value[:80])


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """A bare CRLFCRLF on a stream (RFC 5626 clause 4.4.1); to be answered with one CRLF."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A malformed message that could be cut out of the stream; the stream goes on."""

    error: MalformedMessageError


@dataclass(frozen=True, slots=True)
class Broken:
    """Framing is lost: nobody knows where the next message begins. Close the connection."""

    error: MalformedMessageError


StreamItem = Request | Response | KeepAlive | Refused | Broken


class StreamParser:
    """Cuts messages out of a stream. After a `Broken` item the connection has to be closed."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0

    @property
    def is_mid_message(self) -> bool:
        """Whether the peer began a message and has not finished it."""
        return bool(self._buffer.strip(b"\r\n"))

    def feed(self, data: bytes) -> list[StreamItem]:
        """Give received bytes, get what is complete, in order."""
        self._buffer += data
        out: list[StreamItem] = []
        try:
            while (item := self._next()) is not None:
                out.append(item)
        except RemoteSipError as error:
            self._buffer.clear()
            out.append(Broken(_with_partial(error, None)))
        return out

    def _next(self) -> StreamItem | None:
        if self._buffer[:4] == b"\r\n\r\n":
            del self._buffer[:4]
            return KeepAlive()
        while self._buffer[:2] == b"\r\n" and len(self._buffer) > 2 and self._buffer[2:3] != b"\r":
            del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n", self._searched)
        if end < 0:
            if len(self._buffer) > MAX_HEADER_BYTES:
                raise RemoteSipError("headers_too_large", length=len(self._buffer))
            self._searched = max(0, len(self._buffer) - 3)
            return None
        length = self._body_length(bytes(self._buffer[:end]))
        total = end + 4 + length
        if len(self._buffer) < total:
            self._searched = end
            return None
        data = bytes(self._buffer[:total])
        del self._buffer[:total]
        self._searched = 0
        try:
            return parse_datagram(data)
        except MalformedMessageError as error:
            return Refused(error)

    @staticmethod
    def _body_length(head: bytes) -> int:
        """Framing needs nothing but Content-Length, even of a message that is malformed."""
        if len(head) > MAX_HEADER_BYTES:
            raise RemoteSipError("headers_too_large", length=len(head))
        lengths = _CONTENT_LENGTH.findall(head + b"\r\n")
        if len(lengths) != 1:
            code = "header_repeated" if lengths else "content_length_missing"
            raise RemoteSipError(code, header="Content-Length")
        value = lengths[0].decode("ascii", "replace")
        return parse_number(value, "content_length_malformed", MAX_BODY_BYTES)


_CONTENT_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:([^\r\n]*)\r\n", re.IGNORECASE)
