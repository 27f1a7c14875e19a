"""SIP messages: data model and serialiser (RFC 3261 clause 7). The parser is `parser.py`.

Messages are immutable; header names are kept in one canonical spelling, values unfolded. Bytes
that are not UTF-8 (display names of old rooms in GB 18030) survive a round trip.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import LocalSipError, RemoteSipError
from .header import (
    CALL_ID,
    Address,
    CSeq,
    Via,
    parse_address,
    parse_cseq,
    parse_list,
    parse_number,
    parse_via,
    split_commas,
)
from .uri import Uri

_KNOWN_NAMES = (
    "Accept Accept-Encoding Accept-Language Alert-Info Allow Allow-Events "
    "Authentication-Info Authorization Call-ID Call-Info Contact Content-Disposition "
    "Content-Encoding Content-Language Content-Length Content-Type CSeq Date Event "
    "Error-Info Expires From Max-Forwards MIME-Version Min-Expires Min-SE Organization "
    "P-Asserted-Identity Path Priority Proxy-Authenticate Proxy-Authorization Proxy-Require "
    "RAck Reason Record-Route Refer-Sub Refer-To Referred-By Replaces Reply-To Require "
    "Retry-After Route RSeq Server Service-Route Session-Expires Subject "
    "Subscription-State Supported Timestamp To Unsupported User-Agent Via Warning "
    "WWW-Authenticate"
)
CANONICAL = {name.lower(): name for name in _KNOWN_NAMES.split()}
COMPACT = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
}
Headers = tuple[tuple[str, str], ...]

REASONS = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
    513: "Message Too Large",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
}


def canonical_name(name: str) -> str:
    """One spelling per header name: compact forms expanded, known names in RFC case."""
    lower = name.lower()
    return COMPACT.get(lower) or CANONICAL.get(lower) or name


@dataclass(frozen=True, slots=True)
class Message:
    """What requests and responses share. Structured headers are parsed once, on first use."""

    headers: Headers
    body: bytes = b""
    _parsed: dict[str, object] = field(default_factory=dict, repr=False, compare=False)

    def get(self, name: str) -> str | None:
        """First value of a header by its canonical name."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def has_option(self, header: str, tag: str) -> bool:
        """Whether an option tag stands in Supported, Require, Allow, ..."""
        return tag.lower() in (option.lower() for option in self.options(header))

    def options(self, header: str) -> list[str]:
        """The comma-separated tokens of a header, in order."""
        values = self.get_all(header)
        return [part.strip() for value in values for part in value.split(",") if part.strip()]

    def _required(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise RemoteSipError("header_missing", header=name)
        return value

    def _address(self, name: str) -> Address:
        found = self._parsed.get(name)
        if not isinstance(found, Address):
            found = self._parsed[name] = parse_address(self._required(name))
        return found

    @property
    def from_(self) -> Address:
        return self._address("From")

    @property
    def to(self) -> Address:
        return self._address("To")

    @property
    def call_id(self) -> str:
        value = self._required("Call-ID")
        if not CALL_ID.fullmatch(value):
            raise RemoteSipError("call_id_malformed", text=value[:80])
        return value

    @property
    def cseq(self) -> CSeq:
        found = self._parsed.get("CSeq")
        if not isinstance(found, CSeq):
            found = self._parsed["CSeq"] = parse_cseq(self._required("CSeq"))
        return found

    @property
    def top_via(self) -> Via:
        found = self._parsed.get("Via")
        if not isinstance(found, Via):
            found = self._parsed["Via"] = parse_list([self._required("Via")], parse_via)[0]
        return found

    @property
    def vias(self) -> list[Via]:
        return parse_list(self.get_all("Via"), parse_via)

    @property
    def contacts(self) -> list[Address]:
        """Every Contact; the lone `*` of a REGISTER is not an address and is left out."""
        values = [value for value in self.get_all("Contact") if value.strip() != "*"]
        return parse_list(values, parse_address)

    def addresses(self, name: str) -> list[Address]:
        """Route, Record-Route, Path, Service-Route: every value in order."""
        return parse_list(self.get_all(name), parse_address)

    def number(self, name: str, maximum: int = 2**32 - 1) -> int | None:
        """A numeric header such as Expires; parameters after `;` are not looked at."""
        value = self.get(name)
        if value is None:
            return None
        return parse_number(value.partition(";")[0], "number_malformed", maximum)

    @property
    def content_type(self) -> str:
        """Media type in lower case without parameters, "" when there is none."""
        return (self.get("Content-Type") or "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Request(Message):
    """A request. `uri` is the Request-URI."""

    method: str = ""
    uri: Uri = field(default=None)  # type: ignore[assignment]

    def __bytes__(self) -> bytes:
        return _serialise(f"{self.method} {self.uri} SIP/2.0", self.headers, self.body)

    def with_top_via(self, via: Via) -> Request:
        """The same request with its first Via value replaced (received and rport filled in)."""
        headers: list[tuple[str, str]] = []
        is_first = True
        for name, value in self.headers:
            if name == "Via" and is_first:
                is_first = False
                rest = split_commas(value)[1:]
                headers.append((name, ", ".join([str(via), *rest])))
            else:
                headers.append((name, value))
        parsed = {**self._parsed, "Via": via}
        return Request(tuple(headers), self.body, parsed, self.method, self.uri)


@dataclass(frozen=True, slots=True)
class Response(Message):
    status: int = 0
    reason: str = ""

    def __bytes__(self) -> bytes:
        return _serialise(f"SIP/2.0 {self.status} {self.reason}", self.headers, self.body)


def _serialise(start: str, headers: Headers, body: bytes) -> bytes:
    lines = [start]
    for name, value in headers:
        if name != "Content-Length":
            lines.append(f"{name}: {value}")
    lines.append(f"Content-Length: {len(body)}")
    text = "\r\n".join(lines)
    if text.count("\r") != len(lines) - 1 or text.count("\n") != len(lines) - 1:
        raise LocalSipError("header_injection", start=start[:80])
    return text.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def response_to(
    request: Request,
    status: int,
    *,
    reason: str | None = None,
    to_tag: str | None = None,
    headers: Headers = (),
    body: bytes = b"",
    content_type: str | None = None,
) -> Response:
    """Build a response (RFC 3261 clause 8.2.6): Via, From, To, Call-ID, CSeq are copied."""
    copied: list[tuple[str, str]] = []
    seen: set[str] = set()
    for name, value in request.headers:
        if name in seen:
            continue  # a refused request may repeat what must stand once
        if name not in ("Via", "Record-Route"):
            seen.add(name)
        if name in ("Via", "From", "Call-ID", "CSeq", "Timestamp") or (
            name == "Record-Route" and 100 < status < 300
        ):
            copied.append((name, value))
        elif name == "To":
            has_tag = to_tag is None or status == 100 or request.to.tag is not None
            copied.append((name, value if has_tag else str(request.to.with_tag(to_tag or ""))))
    copied += headers
    if body and content_type:
        copied.append(("Content-Type", content_type))
    return Response(
        tuple(copied), body, status=status, reason=reason or REASONS.get(status, "Unknown")
    )
