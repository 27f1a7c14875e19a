"""The SDP offer of a WebRTC client, parsed strictly (RFC 8866, 8829, 8843).

Offers come from anywhere, so nothing is taken on trust: sizes first, then lines, then values.
Whatever is wrong raises RemoteMediaError, never anything else.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from ..errors import RemoteMediaError

MAX_SDP_SIZE = 64_000
MAX_LINES = 2000
MAX_LINE_LENGTH = 2048
MAX_MEDIA = 32
MAX_CANDIDATES = 64
MAX_SSRCS = 16  # of one section

_MEDIA_LINE = re.compile(
    r"([a-z]{1,16}) ([0-9]{1,5})(?:/[0-9]{1,2})? ([A-Z/]{3,32}) ([ -~]{1,1024})"
)
_RTPMAP = re.compile(r"([0-9]{1,3}) ([A-Za-z0-9._-]{1,32})/([0-9]{1,9})(?:/([0-9]{1,2}))?")
_ICE_UFRAG = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")
_ICE_PASSWORD = re.compile(r"[A-Za-z0-9+/=_-]{22,256}")
_FINGERPRINT = re.compile(
    r"(sha-(?:1|224|256|384|512)|md5) ((?:[0-9A-Fa-f]{2}:){15,63}[0-9A-Fa-f]{2})"
)
_MID = re.compile(r"[!-~]{1,32}")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_SETUPS = ("actpass", "active", "passive")


@dataclass(frozen=True, slots=True)
class OfferedCodec:
    """One payload type; `name` is in upper case, `feedback` e.g. ("nack", "nack pli")."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int
    parameters: dict[str, str]
    feedback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A remote ICE candidate that we can use: UDP, with a literal address."""

    foundation: str
    component: int
    priority: int
    host: str
    port: int
    type: str


@dataclass(frozen=True, slots=True)
class OfferedMedia:
    kind: str
    protocol: str
    formats: tuple[str, ...]
    mid: str
    direction: str
    is_rejected: bool
    has_rtcp_mux: bool
    codecs: tuple[OfferedCodec, ...]
    extensions: dict[str, int]  # URI -> id
    ice_ufrag: str | None
    ice_password: str | None
    fingerprints: tuple[tuple[str, str], ...]  # (algorithm, value)
    setup: str | None
    candidates: tuple[Candidate, ...]
    is_content: bool = False  # the second stream: a=content:slides (RFC 4796)
    ssrcs: tuple[int, ...] = ()  # sources named by a=ssrc (RFC 5576)

    @property
    def media(self) -> str:
        """`kind`, or content."""
        return "content" if self.is_content and self.kind == "video" else self.kind


@dataclass(frozen=True, slots=True)
class Offer:
    media: tuple[OfferedMedia, ...]
    bundle: tuple[str, ...]
    is_ice_lite: bool


@dataclass(slots=True)
class _Section:
    """Attributes of the session or of one media, as they are read."""

    direction: str | None = None
    mid: str | None = None
    has_rtcp_mux: bool = False
    is_bundle_only: bool = False
    ice_ufrag: str | None = None
    ice_password: str | None = None
    is_ice_lite: bool = False
    setup: str | None = None
    bundle: tuple[str, ...] = ()
    fingerprints: list[tuple[str, str]] = field(default_factory=list)
    candidates: list[Candidate] = field(default_factory=list)
    maps: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    parameters: dict[int, dict[str, str]] = field(default_factory=dict)
    feedback: dict[str, list[str]] = field(default_factory=dict)
    extensions: dict[str, int] = field(default_factory=dict)
    is_content: bool = False
    ssrcs: dict[int, None] = field(default_factory=dict)  # a set that keeps its order


def _malformed(why: str, line: str = "") -> RemoteMediaError:
    return RemoteMediaError("sdp_malformed", why=why, line=line[:120])


def parse_offer(sdp: str) -> Offer:
    """Read an offer. Raises RemoteMediaError `sdp_malformed`."""
    lines = _lines(sdp)
    session = _Section()
    media: list[tuple[re.Match[str], _Section]] = []
    for line in lines:
        kind, value = line[0], line[2:]
        if kind == "m":
            match = _MEDIA_LINE.fullmatch(value)
            if match is None or len(media) >= MAX_MEDIA:
                raise _malformed("media line", line)
            media.append((match, _Section()))
        elif kind == "a":
            _attribute(media[-1][1] if media else session, value)
    if not media:
        raise _malformed("no media")
    offered = tuple(_media(match, part, session, n) for n, (match, part) in enumerate(media))
    mids = [m.mid for m in offered]
    if len(set(mids)) != len(mids):
        raise _malformed("mid used twice")
    return Offer(offered, session.bundle, session.is_ice_lite)


def _lines(sdp: str) -> list[str]:
    if len(sdp) > MAX_SDP_SIZE:
        raise _malformed("larger than 64000 characters")
    lines = sdp.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) > MAX_LINES:
        raise _malformed("more than 2000 lines")
    for line in lines:
        if len(line) > MAX_LINE_LENGTH:
            raise _malformed("line too long", line)
        if not re.match(r"[a-z]=", line) or not line.isprintable():
            raise _malformed("not type=value", line)
    if not lines or lines[0] != "v=0":
        raise _malformed("does not begin with v=0")
    return lines


def _attribute(section: _Section, text: str) -> None:
    name, _, value = text.partition(":")
    if name in _DIRECTIONS:
        section.direction = name
    elif name == "rtcp-mux":
        section.has_rtcp_mux = True
    elif name == "bundle-only":
        section.is_bundle_only = True
    elif name == "ice-lite":
        section.is_ice_lite = True
    elif name == "group":
        semantics, *mids = value.split() or [""]
        if semantics == "BUNDLE" and not section.bundle:
            section.bundle = tuple(mids)
    elif name in _READERS:
        _READERS[name](section, value)


def _read_mid(section: _Section, value: str) -> None:
    section.mid = _matched(_MID, value, "mid")


def _read_ufrag(section: _Section, value: str) -> None:
    section.ice_ufrag = _matched(_ICE_UFRAG, value, "ice-ufrag")


def _read_password(section: _Section, value: str) -> None:
    section.ice_password = _matched(_ICE_PASSWORD, value, "ice-pwd")


def _read_setup(section: _Section, value: str) -> None:
    if value not in _SETUPS:
        raise _malformed("setup", value)
    section.setup = value


def _read_fingerprint(section: _Section, value: str) -> None:
    match = _FINGERPRINT.fullmatch(value.strip())
    if match is None or len(section.fingerprints) >= 8:
        raise _malformed("fingerprint", value)
    section.fingerprints.append((match[1], match[2]))


def _read_candidate(section: _Section, value: str) -> None:
    if len(section.candidates) >= MAX_CANDIDATES:
        raise _malformed("too many candidates")
    candidate = parse_candidate(value)
    if candidate is not None:
        section.candidates.append(candidate)


def _read_rtpmap(section: _Section, value: str) -> None:
    match = _RTPMAP.fullmatch(value.strip())
    if match is None or int(match[1]) > 127 or not int(match[3]):
        raise _malformed("rtpmap", value)
    section.maps[int(match[1])] = (match[2].upper(), int(match[3]), int(match[4] or 1))


def _read_fmtp(section: _Section, value: str) -> None:
    number, _, rest = value.partition(" ")
    if not re.fullmatch(r"[0-9]{1,3}", number):
        raise _malformed("fmtp", value)
    found: dict[str, str] = {}
    for part in rest.split(";"):
        key, _, setting = part.strip().partition("=")
        if key:
            found[key.lower()] = setting.strip()
    section.parameters[int(number)] = found


def _read_feedback(section: _Section, value: str) -> None:
    number, _, rest = value.partition(" ")
    if number != "*" and not re.fullmatch(r"[0-9]{1,3}", number):
        raise _malformed("rtcp-fb", value)
    section.feedback.setdefault(number, []).append(" ".join(rest.split()).lower())


def _read_extmap(section: _Section, value: str) -> None:
    number, _, uri = value.partition(" ")
    number = number.partition("/")[0]
    if not re.fullmatch(r"[0-9]{1,5}", number) or not uri:
        raise _malformed("extmap", value)
    section.extensions.setdefault(uri.split()[0] if uri.split() else "", int(number))


def _read_content(section: _Section, value: str) -> None:
    section.is_content = "slides" in value.split(",")


def _read_ssrc(section: _Section, value: str) -> None:
    number = value.split(" ", 1)[0]
    if not re.fullmatch(r"[0-9]{1,10}", number) or int(number) > 0xFFFFFFFF:
        raise _malformed("ssrc", value)
    if len(section.ssrcs) < MAX_SSRCS:
        section.ssrcs[int(number)] = None


_READERS = {
    "content": _read_content,
    "ssrc": _read_ssrc,
    "mid": _read_mid,
    "ice-ufrag": _read_ufrag,
    "ice-pwd": _read_password,
    "setup": _read_setup,
    "fingerprint": _read_fingerprint,
    "candidate": _read_candidate,
    "rtpmap": _read_rtpmap,
    "fmtp": _read_fmtp,
    "rtcp-fb": _read_feedback,
    "extmap": _read_extmap,
}


def _matched(pattern: re.Pattern[str], value: str, what: str) -> str:
    if pattern.fullmatch(value) is None:
        raise _malformed(what, value)
    return value


def _media(match: re.Match[str], part: _Section, session: _Section, index: int) -> OfferedMedia:
    kind, port, protocol, formats = match[1], int(match[2]), match[3], tuple(match[4].split())
    is_rtp = kind in ("audio", "video")
    if (
        port > 65535
        or not formats
        or (is_rtp and not all(re.fullmatch(r"[0-9]{1,3}", f) for f in formats))
    ):
        raise _malformed("media line", match[0])
    return OfferedMedia(
        kind=kind,
        protocol=protocol,
        formats=formats,
        mid=part.mid if part.mid is not None else str(index),
        direction=part.direction or session.direction or "sendrecv",
        is_rejected=port == 0 and not part.is_bundle_only,
        has_rtcp_mux=part.has_rtcp_mux,
        codecs=tuple(_codecs(part, formats)) if is_rtp else (),
        extensions={**session.extensions, **part.extensions},
        ice_ufrag=part.ice_ufrag or session.ice_ufrag,
        ice_password=part.ice_password or session.ice_password,
        fingerprints=tuple(part.fingerprints or session.fingerprints),
        setup=part.setup or session.setup,
        candidates=tuple(part.candidates),
        is_content=part.is_content,
        ssrcs=tuple(part.ssrcs),
    )


_STATIC = {0: ("PCMU", 8000, 1), 8: ("PCMA", 8000, 1), 9: ("G722", 8000, 1)}


def _codecs(part: _Section, formats: tuple[str, ...]) -> list[OfferedCodec]:
    found = []
    for payload_type in map(int, formats):
        mapping = part.maps.get(payload_type) or _STATIC.get(payload_type)
        if mapping is None:
            continue
        name, clock_rate, channels = mapping
        feedback = part.feedback.get("*", []) + part.feedback.get(str(payload_type), [])
        found.append(
            OfferedCodec(
                payload_type,
                name,
                clock_rate,
                channels,
                part.parameters.get(payload_type, {}),
                tuple(feedback),
            )
        )
    return found


def parse_candidate(text: str) -> Candidate | None:
    """One candidate line, with or without `a=` and `candidate:`; the empty line ends them.

    None for what we cannot use: TCP, mDNS names (such a peer is found when it reaches us), relay
    of other transports, `end-of-candidates`. Raises RemoteMediaError `sdp_malformed`.
    """
    text = text.strip().removeprefix("a=").removeprefix("candidate:")
    if not text or text.startswith("end-of-candidates"):
        return None
    bits = text.split()
    numbers = r"[0-9]{1,10}"
    if (
        len(text) > 512
        or len(bits) < 8
        or bits[6] != "typ"
        or not all(re.fullmatch(numbers, bits[i]) for i in (1, 3, 5))
        or int(bits[5]) > 65535
        or int(bits[3]) > 0xFFFFFFFF
        or not re.fullmatch(r"[A-Za-z0-9+/:._-]{1,64}", bits[0])
    ):
        raise _malformed("candidate", text)
    if bits[2].lower() != "udp" or bits[7] not in ("host", "srflx", "prflx", "relay"):
        return None
    try:
        host = str(ipaddress.ip_address(bits[4]))
    except ValueError:
        if bits[4].endswith(".local"):
            return None
        raise _malformed("candidate address", text) from None
    if int(bits[1]) != 1 or not int(bits[5]):
        return None
    return Candidate(bits[0], 1, int(bits[3]), host, int(bits[5]), bits[7])
