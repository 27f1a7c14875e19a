"""Our answer to a WebRTC offer: which codecs, which directions, written as SDP.

One bundled transport, rtcp-mux, H.264 before VP8, Opus before G.711; one video section marked
`a=content:slides` besides; every further one is refused with port 0. The answer carries all our
candidates: we never trickle out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import RemoteMediaError
from ..rtp.header_ext import ABS_SEND_TIME_URI, AUDIO_LEVEL_URI, MID_URI
from ..rtp.transport_cc import TRANSPORT_CC_URI
from .offer import Offer, OfferedCodec, OfferedMedia

_VIDEO_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")
_NUMBERS_FEEDBACK = "transport-cc"
_AUDIO_PREFERENCE = ("OPUS", "G722", "PCMA", "PCMU")
_WEBRTC_PROFILES = ("UDP/TLS/RTP/SAVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/TLS/RTP/SAVPF")


@dataclass(frozen=True, slots=True)
class AcceptedMedia:
    """One media section that we take. `send` and `receive` are seen from the node.

    `media` is its kind, or content.
    """

    kind: str
    media: str
    mid: str
    codec: OfferedCodec
    telephone_event: int | None
    send: bool
    receive: bool
    feedback: tuple[str, ...]
    audio_level_id: int | None
    send_time_id: int | None = None
    mid_id: int | None = None
    packetization_mode: int = 1
    numbers_id: int | None = None  # transport-wide numbers
    rtx_type: int | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What we agreed to, by media section of the offer (None: refused)."""

    sections: tuple[AcceptedMedia | None, ...]
    transport: OfferedMedia
    setup: str

    def of(self, media: str) -> AcceptedMedia | None:
        """The accepted section of this media."""
        return next((s for s in self.sections if s is not None and s.media == media), None)


@dataclass(frozen=True, slots=True)
class LocalCandidate:
    foundation: str
    priority: int
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our end of the transport, for the answer's text."""

    ice_ufrag: str
    ice_password: str
    fingerprint: str  # sha-256 value
    candidates: Sequence[LocalCandidate]
    session_id: int
    cname: str
    ssrcs: dict[str, int]  # media -> our SSRC
    rtx_ssrcs: dict[str, int] = field(default_factory=dict)


def accept(offer: Offer, *, publish: bool, play: bool) -> Accepted:
    """Choose what to take of an offer.

    Raises RemoteMediaError: `sdp_no_common_codec` when no section can be taken,
    `sdp_unsupported` when the transport is not WebRTC's (bundle, rtcp-mux, ICE, DTLS).
    """
    sections: list[AcceptedMedia | None] = []
    taken: set[str] = set()
    first: OfferedMedia | None = None
    for media in offer.media:
        accepted = None
        if media.kind in ("audio", "video") and media.media not in taken and not media.is_rejected:
            bundled = media.mid in offer.bundle or first is None
            if bundled and media.protocol in _WEBRTC_PROFILES and media.has_rtcp_mux:
                accepted = _accept_media(media, publish=publish, play=play)
        if accepted is not None:
            taken.add(media.media)
            first = first or media
        sections.append(accepted)
    if first is None:
        code = "sdp_no_common_codec" if _is_webrtc(offer) else "sdp_unsupported"
        raise RemoteMediaError(code, offered=_names(offer))
    transport = _transport_of(offer, first)
    return Accepted(tuple(sections), transport, _our_setup(transport.setup))


def _is_webrtc(offer: Offer) -> bool:
    return any(m.protocol in _WEBRTC_PROFILES and m.has_rtcp_mux for m in offer.media)


def _names(offer: Offer) -> list[str]:
    return sorted({codec.name for media in offer.media for codec in media.codecs})[:40]


def _transport_of(offer: Offer, first: OfferedMedia) -> OfferedMedia:
    """The section whose ICE and DTLS attributes hold for the bundle (RFC 8843 section 7.2)."""
    tagged = next((m for m in offer.media if offer.bundle and m.mid == offer.bundle[0]), first)
    for media in (tagged, first):
        if media.ice_ufrag and media.ice_password and media.fingerprints:
            return media
    raise RemoteMediaError("sdp_unsupported", why="no ICE credentials or no DTLS fingerprint")


def _our_setup(theirs: str | None) -> str:
    """RFC 8842: who begins DTLS. We do where we may choose."""
    return "passive" if theirs == "active" else "active"


def _accept_media(media: OfferedMedia, *, publish: bool, play: bool) -> AcceptedMedia | None:
    codec = _choose_video(media.codecs) if media.kind == "video" else _choose_audio(media.codecs)
    if codec is None:
        return None
    telephone = None
    if media.kind == "audio":
        telephone = next(
            (
                c.payload_type
                for c in media.codecs
                if c.name == "TELEPHONE-EVENT" and c.clock_rate == codec.clock_rate
            ),
            None,
        )
    feedback = tuple(f for f in _VIDEO_FEEDBACK if f in codec.feedback)
    receive = publish and media.direction in ("sendrecv", "sendonly")
    numbers_id = None if receive else _numbers_id(media, codec)
    if numbers_id is not None:
        feedback += (_NUMBERS_FEEDBACK,)
    return AcceptedMedia(
        kind=media.kind,
        media=media.media,
        mid=media.mid,
        codec=codec,
        telephone_event=telephone,
        send=play and media.direction in ("sendrecv", "recvonly"),
        receive=receive,
        feedback=feedback if media.kind == "video" else (),
        audio_level_id=media.extensions.get(AUDIO_LEVEL_URI) if media.kind == "audio" else None,
        send_time_id=media.extensions.get(ABS_SEND_TIME_URI) if media.kind == "video" else None,
        mid_id=media.extensions.get(MID_URI) if media.kind == "video" else None,
        packetization_mode=_mode(codec),
        numbers_id=numbers_id,
        rtx_type=_rtx_type(media, codec),
    )


def _numbers_id(media: OfferedMedia, codec: OfferedCodec) -> int | None:
    """Of pictures that we only send: docs/allocation.md says why not of those that come, too."""
    number = media.extensions.get(TRANSPORT_CC_URI)
    if media.kind != "video" or _NUMBERS_FEEDBACK not in codec.feedback or number is None:
        return None
    return number if 1 <= number <= 14 else None


def _rtx_type(media: OfferedMedia, codec: OfferedCodec) -> int | None:
    """The payload type of this codec's packets when they are sent again (RFC 4588 section 8)."""
    if media.kind != "video" or "nack" not in codec.feedback:
        return None
    for other in media.codecs:
        is_rtx = other.name == "RTX" and other.clock_rate == codec.clock_rate
        if is_rtx and other.parameters.get("apt") == str(codec.payload_type):
            return other.payload_type
    return None


def _mode(codec: OfferedCodec) -> int:
    return 1 if codec.parameters.get("packetization-mode") == "1" else 0


def _choose_video(codecs: Sequence[OfferedCodec]) -> OfferedCodec | None:
    def rank(codec: OfferedCodec) -> int | None:
        if codec.clock_rate != 90_000:
            return None
        if codec.name == "VP8":
            return 4
        if codec.name != "H264":
            return None
        if _mode(codec) != 1:
            return 5
        profile = codec.parameters.get("profile-level-id", "42000a").lower()
        return {"42e0": 0, "4200": 1, "4d00": 2}.get(profile[:4], 3)

    ranked = [(value, n) for n, c in enumerate(codecs) if (value := rank(c)) is not None]
    return codecs[min(ranked)[1]] if ranked else None


def _choose_audio(codecs: Sequence[OfferedCodec]) -> OfferedCodec | None:
    for name in _AUDIO_PREFERENCE:
        for codec in codecs:
            if codec.name == name and codec.clock_rate == (48_000 if name == "OPUS" else 8000):
                return codec
    return None


def write_answer(offer: Offer, accepted: Accepted, local: LocalTransport) -> str:
    """The answer as SDP, CRLF at every line's end."""
    mids = [s.mid for s in accepted.sections if s is not None]
    lines = [
        "v=0",
        f"o=- {local.session_id} 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
    ]
    if offer.bundle:
        lines.append("a=group:BUNDLE " + " ".join(mids))
    lines += ["a=ice-options:trickle", "a=msid-semantic: WMS consultation"]
    is_first = True
    for media, section in zip(offer.media, accepted.sections, strict=True):
        if section is None:
            lines += [
                f"m={media.kind} 0 {media.protocol} {' '.join(media.formats)}",
                "c=IN IP4 0.0.0.0",
                "a=inactive",
                f"a=mid:{media.mid}",
            ]
            continue
        lines += _section_lines(media, section, accepted.setup, local, with_candidates=is_first)
        is_first = False
    return "".join(line + "\r\n" for line in lines)


def _section_lines(
    media: OfferedMedia,
    section: AcceptedMedia,
    setup: str,
    local: LocalTransport,
    *,
    with_candidates: bool,
) -> list[str]:
    default = local.candidates[0]
    version = "IP6" if ":" in default.host else "IP4"
    formats = [section.codec.payload_type]
    if section.telephone_event is not None:
        formats.append(section.telephone_event)
    if section.rtx_type is not None:
        formats.append(section.rtx_type)
    direction = {
        (True, True): "sendrecv",
        (True, False): "sendonly",
        (False, True): "recvonly",
        (False, False): "inactive",
    }[section.send, section.receive]
    lines = [
        f"m={section.kind} {default.port} {media.protocol} {' '.join(map(str, formats))}",
        f"c=IN {version} {default.host}",
        f"a=mid:{section.mid}",
        f"a={direction}",
        "a=rtcp-mux",
        f"a=ice-ufrag:{local.ice_ufrag}",
        f"a=ice-pwd:{local.ice_password}",
        f"a=fingerprint:sha-256 {local.fingerprint}",
        f"a=setup:{setup}",
    ]
    lines += _codec_lines(section)
    if section.audio_level_id is not None:
        lines.append(f"a=extmap:{section.audio_level_id} {AUDIO_LEVEL_URI}")
    if section.send_time_id is not None:
        lines.append(f"a=extmap:{section.send_time_id} {ABS_SEND_TIME_URI}")
    if section.mid_id is not None:
        lines.append(f"a=extmap:{section.mid_id} {MID_URI}")
    if section.numbers_id is not None:
        lines.append(f"a=extmap:{section.numbers_id} {TRANSPORT_CC_URI}")
    is_content = section.media == "content"
    if is_content:
        lines.append("a=content:slides")
    if section.send:
        msid = "content slides" if is_content else f"consultation programme-{section.kind}"
        lines.append(f"a=msid:{msid}")
        sources = [local.ssrcs[section.media]]
        if section.rtx_type is not None and section.media in local.rtx_ssrcs:
            sources.append(local.rtx_ssrcs[section.media])
            lines.append(f"a=ssrc-group:FID {sources[0]} {sources[1]}")
        for ssrc in sources:
            lines += [f"a=ssrc:{ssrc} cname:{local.cname}", f"a=ssrc:{ssrc} msid:{msid}"]
    if with_candidates:
        lines += [
            f"a=candidate:{c.foundation} 1 udp {c.priority} {c.host} {c.port} typ host"
            for c in local.candidates
        ]
        lines.append("a=end-of-candidates")
    return lines


def _codec_lines(section: AcceptedMedia) -> list[str]:
    codec = section.codec
    name = "opus" if codec.name == "OPUS" else codec.name
    channels = f"/{codec.channels}" if codec.channels > 1 else ""
    lines = [f"a=rtpmap:{codec.payload_type} {name}/{codec.clock_rate}{channels}"]
    lines += [f"a=rtcp-fb:{codec.payload_type} {feedback}" for feedback in section.feedback]
    if codec.name == "H264":
        profile = codec.parameters.get("profile-level-id", "42000a")
        mode = section.packetization_mode
        lines.append(
            f"a=fmtp:{codec.payload_type} level-asymmetry-allowed=1;"
            f"packetization-mode={mode};profile-level-id={_our_level(profile, section.media)}"
        )
    elif codec.name == "OPUS":
        lines.append(f"a=fmtp:{codec.payload_type} minptime=10;useinbandfec=1")
    if section.rtx_type is not None:
        lines.append(f"a=rtpmap:{section.rtx_type} rtx/{codec.clock_rate}")
        lines.append(f"a=fmtp:{section.rtx_type} apt={codec.payload_type}")
    if section.telephone_event is not None:
        lines.append(f"a=rtpmap:{section.telephone_event} telephone-event/{codec.clock_rate}")
        lines.append(f"a=fmtp:{section.telephone_event} 0-15")
    return lines


def _our_level(profile: str, media: str) -> str:
    """Their profile with level 3.1, the 720p that we take whatever they take; 4.0 for content."""
    level = "28" if media == "content" else "1f"
    return (profile[:4] + level).lower() if len(profile) == 6 else "42e0" + level
