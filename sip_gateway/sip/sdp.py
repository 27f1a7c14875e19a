"""Session descriptions (RFC 8866): strict parsing within limits, and building.

Only RemoteSipError leaves the parser, with a code that starts with `sdp_`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, replace

from ..errors import RemoteSipError

MAX_SDP_BYTES = 32_768
MAX_LINES = 1_000
MAX_MEDIA = 24
MAX_FORMATS = 64
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")

_MEDIA = re.compile(r"([A-Za-z0-9\-]+) (\d{1,5})(?:/\d{1,5})? ([A-Za-z0-9/\-.]+)((?: \S+)+)", re.A)
_ORIGIN = re.compile(r"\S+ \d{1,30} \d{1,30} IN IP[46] \S+", re.ASCII)
_CONNECTION = re.compile(r"IN (IP[46]) (\S+)", re.ASCII)
_BANDWIDTH = re.compile(r"([A-Za-z0-9\-]+):(\d{1,10})", re.ASCII)
_RTPMAP = re.compile(r"(\d{1,3}) ([A-Za-z0-9\-_.+]+)/(\d{1,6})(?:/(\d{1,2}))?", re.ASCII)

Attribute = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class RtpMap:
    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1


STATIC = {
    0: RtpMap(0, "PCMU", 8000),
    3: RtpMap(3, "GSM", 8000),
    8: RtpMap(8, "PCMA", 8000),
    9: RtpMap(9, "G722", 8000),
    18: RtpMap(18, "G729", 8000),
    31: RtpMap(31, "H261", 90000),
    34: RtpMap(34, "H263", 90000),
}


@dataclass(frozen=True, slots=True)
class MediaSection:
    """One m= line with what belongs to it."""

    media: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    connection: str | None = None
    bandwidths: tuple[tuple[str, int], ...] = ()
    attributes: tuple[Attribute, ...] = ()

    def values(self, name: str) -> list[str]:
        return [value or "" for key, value in self.attributes if key == name]

    def value(self, name: str) -> str | None:
        return next(iter(self.values(name)), None)

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.attributes)

    def maps(self) -> list[RtpMap]:
        """Payload types in the order of the m= line; those without a meaning are left out."""
        named: dict[int, RtpMap] = {}
        for value in self.values("rtpmap"):
            match = _RTPMAP.fullmatch(value.strip())
            if match is None or int(match[1]) > 127:
                raise RemoteSipError("sdp_rtpmap_malformed", text=value[:80])
            named[int(match[1])] = RtpMap(
                int(match[1]), match[2], int(match[3]), int(match[4] or 1)
            )
        types = [int(fmt) for fmt in self.formats if fmt.isascii() and fmt.isdigit()]
        return [found for t in types if (found := named.get(t) or STATIC.get(t)) is not None]

    def format_parameters(self, payload_type: int) -> dict[str, str]:
        """a=fmtp of a payload type as name -> value, names in lower case."""
        found: dict[str, str] = {}
        for value in self.values("fmtp"):
            number, _, rest = value.partition(" ")
            if number != str(payload_type):
                continue
            for part in rest.split(";"):
                name, _, content = part.strip().partition("=")
                if name:
                    found[name.lower()] = content.strip()
        return found

    def feedback(self, payload_type: int) -> list[str]:
        """a=rtcp-fb values for a payload type, `*` included (RFC 4585).

        Parameters of a codec control message (`ccm tmmbr smaxpr=120`, RFC 5104 clause 7.1) are
        left off: the peer keeps to its own.
        """
        found = []
        for value in self.values("rtcp-fb"):
            target, _, kind = value.partition(" ")
            if target in ("*", str(payload_type)):
                words = kind.lower().split()
                found.append(" ".join(words[:2] if words[:1] == ["ccm"] else words))
        return found


@dataclass(frozen=True, slots=True)
class SessionDescription:
    origin: str
    media: tuple[MediaSection, ...]
    connection: str | None = None
    name: str = "-"
    bandwidths: tuple[tuple[str, int], ...] = ()
    attributes: tuple[Attribute, ...] = field(default=())

    def host(self, section: MediaSection) -> str | None:
        return section.connection or self.connection

    def direction(self, section: MediaSection) -> str:
        for attributes in (section.attributes, self.attributes):
            for name, _ in attributes:
                if name in DIRECTIONS:
                    return name
        return "sendrecv"

    def bandwidth_bps(self, section: MediaSection) -> int | None:
        """What the far end takes at most: TIAS, else AS; the m= line's before the session's."""
        for lines in (section.bandwidths, self.bandwidths):
            known = dict(lines)
            if "TIAS" in known:
                return known["TIAS"]
            if "AS" in known:
                return known["AS"] * 1000
        return None

    def with_version(self, version: int) -> SessionDescription:
        user, session, _old, rest = self.origin.split(" ", 3)
        return replace(self, origin=f"{user} {session} {version} {rest}")

    def __bytes__(self) -> bytes:
        lines = ["v=0", f"o={self.origin}", f"s={self.name}"]
        if self.connection is not None:
            lines.append(f"c={_connection_line(self.connection)}")
        lines += [f"b={name}:{value}" for name, value in self.bandwidths]
        lines.append("t=0 0")
        lines += [_attribute_line(attribute) for attribute in self.attributes]
        for section in self.media:
            formats = " ".join(section.formats)
            lines.append(f"m={section.media} {section.port} {section.protocol} {formats}")
            if section.connection is not None:
                lines.append(f"c={_connection_line(section.connection)}")
            lines += [f"b={name}:{value}" for name, value in section.bandwidths]
            lines += [_attribute_line(attribute) for attribute in section.attributes]
        return ("\r\n".join(lines) + "\r\n").encode("utf-8", "surrogateescape")


def _attribute_line(attribute: Attribute) -> str:
    name, value = attribute
    return f"a={name}" if value is None else f"a={name}:{value}"


def address_family(host: str) -> str:
    return "IP6" if ":" in host else "IP4"


def _connection_line(host: str) -> str:
    return f"IN {address_family(host)} {host}"


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@dataclass(slots=True)
class _Draft:
    """What belongs to one level (session or m= line) while lines are read."""

    media: tuple[str, int, str, tuple[str, ...]] | None = None
    connection: str | None = None
    bandwidths: list[tuple[str, int]] = field(default_factory=list)
    attributes: list[Attribute] = field(default_factory=list)

    def take(self, kind: str, value: str) -> None:
        if kind == "c":
            match = _CONNECTION.fullmatch(value.strip())
            if match is None:
                raise RemoteSipError("sdp_connection_malformed", text=value[:80])
            self.connection = match[2].partition("/")[0]
        elif kind == "b":
            match = _BANDWIDTH.fullmatch(value.strip())
            if match is None:
                raise RemoteSipError("sdp_bandwidth_malformed", text=value[:80])
            self.bandwidths.append((match[1], int(match[2])))
        elif kind == "a":
            name, colon, content = value.partition(":")
            if not name or " " in name:
                raise RemoteSipError("sdp_attribute_malformed", text=value[:80])
            self.attributes.append((name.strip(), content if colon else None))

    def section(self) -> MediaSection:
        if self.media is None:
            raise RemoteSipError("sdp_malformed")
        return MediaSection(
            *self.media, self.connection, tuple(self.bandwidths), tuple(self.attributes)
        )


def parse_sdp(data: bytes) -> SessionDescription:
    """Parse a session description. Raises RemoteSipError("sdp_...")."""
    if len(data) > MAX_SDP_BYTES:
        raise RemoteSipError("sdp_too_large", length=len(data))
    lines = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MAX_LINES:
        raise RemoteSipError("sdp_too_many_lines", lines=len(lines))
    if lines[0].strip() != "v=0":
        raise RemoteSipError("sdp_version_unsupported", line=lines[0][:20])
    drafts = [_Draft()]
    origin, name = None, "-"
    for line in lines[1:]:
        kind, value = line[:1], line[2:]
        if line[1:2] != "=" or not ("a" <= kind <= "z") or "\r" in value or "\0" in value:
            raise RemoteSipError("sdp_line_malformed", line=line[:80])
        if kind == "m":
            if len(drafts) > MAX_MEDIA:
                raise RemoteSipError("sdp_too_many_media", limit=MAX_MEDIA)
            drafts.append(_Draft(media=_media_line(value)))
        elif kind == "o":
            if origin is not None or not _ORIGIN.fullmatch(value.strip()):
                raise RemoteSipError("sdp_origin_malformed", text=value[:80])
            origin = value.strip()
        elif kind == "s":
            name = value
        else:
            drafts[-1].take(kind, value)
    if origin is None:
        raise RemoteSipError("sdp_origin_missing")
    session, *media = drafts
    return SessionDescription(
        origin,
        tuple(draft.section() for draft in media),
        session.connection,
        name,
        tuple(session.bandwidths),
        tuple(session.attributes),
    )


def _media_line(value: str) -> tuple[str, int, str, tuple[str, ...]]:
    match = _MEDIA.fullmatch(value.strip())
    if match is None or int(match[2]) > 65535:
        raise RemoteSipError("sdp_media_malformed", text=value[:80])
    formats = tuple(match[4].split())
    if len(formats) > MAX_FORMATS:
        raise RemoteSipError("sdp_too_many_formats", limit=MAX_FORMATS)
    return match[1].lower(), int(match[2]), match[3], formats
