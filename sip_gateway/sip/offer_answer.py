"""Offer and answer (RFC 3264) over our capabilities, with H.264's own rules (RFC 6184 8.2.2).

`make_offer` and `reoffer` describe us; `answer_offer` and `read_answer` turn the two descriptions
into `AgreedStream`s. One audio and one main video are taken; every other m= line is refused with
port 0. Raises RemoteSipError("no_common_codec") when nothing is left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..capability import (
    AUDIO,
    CONTENT,
    RTCP_FEEDBACK,
    TELEPHONE_EVENT_TYPE,
    VIDEO,
    AgreedFloor,
    AgreedStream,
    Capability,
    LocalFloor,
    LocalMedia,
)
from ..errors import RemoteSipError
from .content import (
    CONTENT_LABEL,
    answer_floor,
    as_content,
    floor_offer,
    is_content,
    kind_of,
    read_floor_answer,
)
from .dtls import DTLS_PROTOCOLS, answered_terms, settled_terms, with_dtls, without_dtls
from .formats import (
    OUR_PROFILE_LEVEL_ID,
    Match,
    codec_attributes,
    event_attributes,
    h264_levels,
    matches_of,
    named_profile,
    telephone_event,
)
from .sdes import OFFERED, SECURE_PROTOCOLS, NewKey, choose, make_crypto, parse_cryptos, settle
from .sdp import (
    DIRECTIONS,
    Attribute,
    MediaSection,
    SessionDescription,
    address_family,
    is_address,
)

PLAIN_PROTOCOLS = ("RTP/AVP", "RTP/AVPF")


@dataclass(frozen=True, slots=True)
class Security:
    """How media is protected; `is_required` refuses plain RTP.

    `new_key(n)` gives n random bytes for SDES, None where signalling is not encrypted.
    `fingerprint` is that of our certificate for DTLS, None where the leg has none. Preferred SRTP
    is offered as RTP/AVP with the attributes of both beside (RFC 8643), which rooms without SRTP
    pass over; `offers_dtls` is for rooms that take none of that.
    """

    new_key: NewKey | None = None
    is_required: bool = False
    fingerprint: str | None = None
    offers_dtls: bool = False


_MIRROR = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """Both ends' view: our description (an offer made or the answer to give), agreed streams."""

    local: SessionDescription
    streams: tuple[AgreedStream, ...]
    floor: AgreedFloor | None = None

    @property
    def _main(self) -> list[AgreedStream]:
        return [stream for stream in self.streams if stream.media != "content"]

    @property
    def is_on_hold(self) -> bool:
        """Whether the far end sends us nothing at all now."""
        return not any(stream.receive for stream in self._main)

    @property
    def is_paused(self) -> bool:
        """Whether a room in a call put it on hold: by sendonly it may play music, or nothing."""
        return self.is_on_hold or not any(stream.send for stream in self._main)


def make_offer(
    local: LocalMedia,
    session_id: int,
    *,
    video_bitrate_bps: int | None = None,
    security: Security | None = None,
) -> SessionDescription:
    """Our offer with everything we can do, in our order of preference."""
    sections = []
    if local.audio_port is not None:
        sections.append(_offer_section(local.audio_port, "audio", AUDIO, None))
    if local.video_port is not None:
        sections.append(_offer_section(local.video_port, "video", VIDEO, video_bitrate_bps))
    if local.content_port is not None and local.floor is not None:
        content = _offer_section(local.content_port, "video", CONTENT, video_bitrate_bps)
        sections.append(as_content(content))
    if security is not None:
        sections = [_offer_srtp(section, security) for section in sections]
    if local.content_port is not None and local.floor is not None:
        sections.append(floor_offer(local.floor))
    return _description(local, session_id, 1, tuple(sections))


def _offer_srtp(section: MediaSection, security: Security) -> MediaSection:
    """Raises RemoteSipError("srtp_required") where neither way of keying is there."""
    fingerprint, new_key = security.fingerprint, security.new_key
    is_dtls = security.offers_dtls or (security.is_required and new_key is None)
    if fingerprint is not None and is_dtls:
        section = replace(section, protocol=DTLS_PROTOCOLS[0])
        section = replace(section, attributes=(*section.attributes, ("rtcp-mux", None)))
        return with_dtls(section, fingerprint, "actpass")
    if new_key is not None:
        lines = tuple(
            ("crypto", str(make_crypto(tag, suite, new_key)))
            for tag, suite in enumerate(OFFERED, 1)
        )
        section = replace(section, attributes=(*section.attributes, *lines))
        if security.is_required:
            return replace(section, protocol="RTP/SAVP")
    elif security.is_required:
        raise RemoteSipError("srtp_required")
    return section if fingerprint is None else with_dtls(section, fingerprint, "actpass")


def reoffer(
    previous: SessionDescription, local: LocalMedia, *, security: Security | None = None
) -> SessionDescription:
    """Offer again what was agreed, at (new) local ports; refused m= lines stay refused.

    Lines with SRTP get fresh keys: a key is never used by two senders.
    """
    sections = []
    for section in previous.media:
        kind = kind_of(section)
        port = local.port(kind)
        if section.port == 0 or port is None:
            sections.append(replace(section, port=0))
            continue
        if kind == "floor":
            sections.append(replace(section, port=port))
            continue
        kept = tuple(a for a in section.attributes if a[0] not in (*DIRECTIONS, "rtcp"))
        kept = tuple(_rekeyed(attribute, local, security) for attribute in kept)
        sections.append(replace(section, port=port, attributes=(*kept, ("sendrecv", None))))
    user, session, version, _rest = previous.origin.split(" ", 3)
    family = address_family(local.address)
    return replace(
        previous,
        origin=f"{user} {session} {int(version) + 1} IN {family} {local.address}",
        connection=local.address,
        media=tuple(sections),
    )


def _rekeyed(attribute: Attribute, local: LocalMedia, security: Security | None) -> Attribute:
    name, value = attribute
    if name == "fingerprint" and local.dtls_fingerprint is not None:
        return name, local.dtls_fingerprint
    if name == "setup":
        return name, "actpass"
    if name != "crypto" or value is None or security is None or security.new_key is None:
        return attribute
    tag, suite, *_ = value.split()
    return name, str(make_crypto(int(tag), suite, security.new_key))


def _description(
    local: LocalMedia, session_id: int, version: int, sections: tuple[MediaSection, ...]
) -> SessionDescription:
    family = address_family(local.address)
    origin = f"- {session_id} {version} IN {family} {local.address}"
    return SessionDescription(origin, sections, local.address)


def _offer_section(
    port: int, media: str, capabilities: tuple[Capability, ...], bitrate_bps: int | None
) -> MediaSection:
    attributes: list[Attribute] = []
    for one in capabilities:
        attributes += codec_attributes(one, one.payload_type, OUR_PROFILE_LEVEL_ID, True)
    formats = [str(one.payload_type) for one in capabilities]
    if media == "audio":
        formats.append(str(TELEPHONE_EVENT_TYPE))
        attributes += event_attributes(TELEPHONE_EVENT_TYPE, 8000)
    else:
        attributes += [("rtcp-fb", f"* {kind}") for kind in RTCP_FEEDBACK]
    attributes.append(("sendrecv", None))
    bandwidths = _video_bandwidth(media, bitrate_bps)
    return MediaSection(media, port, "RTP/AVP", tuple(formats), None, bandwidths, tuple(attributes))


def _video_bandwidth(media: str, bitrate_bps: int | None) -> tuple[tuple[str, int], ...]:
    return (("AS", bitrate_bps // 1000),) if bitrate_bps and media == "video" else ()


# --- answering -----------------------------------------------------------------------------


def answer_offer(
    offer: SessionDescription,
    local: LocalMedia,
    session_id: int,
    *,
    fallback_host: str,
    previous: SessionDescription | None = None,
    security: Security | None = None,
    video_bitrate_bps: int | None = None,
) -> Agreement:
    """Answer an offer. `fallback_host` stands in for a c= line that names no IP address.

    Raises RemoteSipError("no_common_codec") when no m= line can be taken, ("srtp_required") when
    only for want of encryption, ("srtp_unusable") for encryption we may not do; and of the SDP.
    """
    streams: dict[str, AgreedStream] = {}
    sections: list[MediaSection] = []
    floor: AgreedFloor | None = None
    is_unkeyed = False
    for section in offer.media:
        answered, kind = None, kind_of(section)
        if kind == "floor" and floor is None and local.floor is not None:
            served = answer_floor(offer, section, local.floor, fallback_host)
            sections.append(_refused(section) if served is None else served[0])
            floor = None if served is None else served[1]
            continue
        port = local.port(kind) if kind != "floor" else None
        if port is not None and kind not in streams and _is_takeable(section):
            answered = _answer_section(offer, section, port, fallback_host, video_bitrate_bps)
            if answered is not None:
                answered = _answer_keys(offer, section, answered, security, previous)
                is_unkeyed |= answered is None
        if answered is None:
            sections.append(_refused(section))
        else:
            sections.append(answered[0])
            streams[kind or ""] = answered[1]
    if not streams.keys() - {"content"}:
        is_ours = security is not None and security.is_required
        refusal = "srtp_required" if is_ours else "srtp_unusable"
        raise RemoteSipError(refusal if is_unkeyed else "no_common_codec")
    version = int(previous.origin.split(" ")[2]) + 1 if previous else 1
    return Agreement(
        _description(local, session_id, version, tuple(sections)), tuple(streams.values()), floor
    )


def _is_takeable(section: MediaSection) -> bool:
    known = (*PLAIN_PROTOCOLS, *SECURE_PROTOCOLS, *DTLS_PROTOCOLS)
    return section.port != 0 and section.protocol in known


def _answer_keys(
    offer: SessionDescription,
    offered: MediaSection,
    answered: tuple[MediaSection, AgreedStream],
    security: Security | None,
    previous: SessionDescription | None,
) -> tuple[MediaSection, AgreedStream] | None:
    """Add keys where both ends have them; None when the line has to be refused.

    Our key of an earlier answer in the call is kept: its sender's counters go on.
    """
    section, stream = answered
    kind = kind_of(section)
    earlier = [one for one in (previous.media if previous else ()) if kind_of(one) == kind]
    own = [crypto for one in earlier for crypto in parse_cryptos(one)]
    if security is not None and security.new_key and offered.protocol not in DTLS_PROTOCOLS:
        chosen = choose(offered, security.new_key, own)
        if chosen is not None:
            attributes = (*section.attributes, ("crypto", str(chosen[0])))
            return replace(section, attributes=attributes), replace(stream, srtp=chosen[1])
    if security is not None and security.fingerprint is not None:
        terms = answered_terms(offer, offered, next(iter(earlier), None))
        if terms is not None:
            section = with_dtls(_muxed(offered, section), security.fingerprint, terms[0])
            is_muxed = section.has("rtcp-mux")
            return section, replace(stream, dtls=terms[1], rtcp_mux=is_muxed)
    must_encrypt = offered.protocol not in PLAIN_PROTOCOLS
    if must_encrypt or (security is not None and security.is_required):
        return None
    return answered


def _muxed(offered: MediaSection, section: MediaSection) -> MediaSection:
    """RTCP on the RTP port where the far end wants it so (RFC 5761 clause 5.1.1)."""
    if not offered.has("rtcp-mux"):
        return section
    return replace(section, attributes=(*section.attributes, ("rtcp-mux", None)))


def _refused(section: MediaSection) -> MediaSection:
    return MediaSection(section.media, 0, section.protocol, section.formats[:1])


def _answer_section(
    offer: SessionDescription,
    section: MediaSection,
    port: int,
    fallback_host: str,
    bitrate_bps: int | None,
) -> tuple[MediaSection, AgreedStream] | None:
    matches = matches_of(section)
    if not matches:
        return None
    match = matches[0]
    payload_type = match.rtp_map.payload_type
    ours, theirs, is_asymmetric = h264_levels(match)
    attributes = codec_attributes(match.capability, payload_type, ours, is_asymmetric)
    formats = [str(payload_type)]
    event = telephone_event(section, match.rtp_map.clock_rate)
    if event is not None:
        formats.append(str(event.payload_type))
        attributes += event_attributes(event.payload_type, event.clock_rate)
    feedback = [kind for kind in RTCP_FEEDBACK if kind in section.feedback(payload_type)]
    attributes += [("rtcp-fb", f"{payload_type} {kind}") for kind in feedback]
    direction = _MIRROR[_their_direction(offer, section)]
    attributes.append((direction, None))
    bandwidths = _video_bandwidth(section.media, bitrate_bps)
    answered = MediaSection(
        section.media, port, section.protocol, tuple(formats), None, bandwidths, tuple(attributes)
    )
    if kind_of(section) == "content":
        answered = as_content(answered, section.value("label") or CONTENT_LABEL)
    stream = _stream(offer, section, match, fallback_host, theirs)
    return answered, replace(
        stream,
        send=direction in ("sendrecv", "sendonly"),
        receive=direction in ("sendrecv", "recvonly"),
        telephone_event_type=event.payload_type if event else None,
    )


def _their_direction(description: SessionDescription, section: MediaSection) -> str:
    """The far end's direction; an old-style hold (c=0.0.0.0) takes nothing from us."""
    direction = description.direction(section)
    if description.host(section) in ("0.0.0.0", "::"):  # noqa: S104 - a mark, not a bind
        return {"sendrecv": "sendonly", "recvonly": "inactive"}.get(direction, direction)
    return direction


def _stream(
    description: SessionDescription,
    section: MediaSection,
    match: Match,
    fallback_host: str,
    profile_level_id: str | None,
) -> AgreedStream:
    host = description.host(section) or ""
    if not is_address(host) or host in ("0.0.0.0", "::"):  # noqa: S104 - a mark, not a bind
        host = fallback_host
    return AgreedStream(
        media="content" if is_content(section) else match.capability.media,
        codec=match.capability.codec,
        payload_type=match.rtp_map.payload_type,
        clock_rate=match.rtp_map.clock_rate,
        remote_host=host,
        remote_port=section.port,
        remote_rtcp_port=_rtcp_port(section),
        packetization_mode=match.capability.packetization_mode or 0
        if match.capability.codec == "H264"
        else 1,
        profile_level_id=profile_level_id,
        max_bitrate_bps=description.bandwidth_bps(section),
        rtcp_feedback=tuple(section.feedback(match.rtp_map.payload_type)),
    )


def _rtcp_port(section: MediaSection) -> int:
    """a=rtcp (RFC 3605), else the RTP port plus one."""
    number = (section.value("rtcp") or "").partition(" ")[0]
    if number.isascii() and number.isdigit() and 0 < int(number[:6]) < 65536:
        return int(number)
    return min(section.port + 1, 65535)


# --- reading an answer ----------------------------------------------------------------------


def read_answer(
    offer: SessionDescription,
    answer: SessionDescription,
    *,
    fallback_host: str,
    floor: LocalFloor | None = None,
) -> Agreement:
    """What the answer to our offer settles.

    Raises RemoteSipError("sdp_answer_mismatched") when it does not follow the offer's m= lines,
    ("no_common_codec") when it refuses them all.
    """
    if len(answer.media) > len(offer.media):
        raise RemoteSipError("sdp_answer_mismatched", expected=len(offer.media))
    # rooms that know nothing of content leave its lines out instead of refusing them
    left_out = tuple(_refused(section) for section in offer.media[len(answer.media) :])
    answer = replace(answer, media=(*answer.media, *left_out))
    streams: list[AgreedStream] = []
    sections: list[MediaSection] = []
    agreed_floor: AgreedFloor | None = None
    for ours, theirs in zip(offer.media, answer.media, strict=True):
        if ours.media != theirs.media:
            raise RemoteSipError("sdp_answer_mismatched", media=theirs.media)
        if kind_of(ours) == "floor" and floor is not None and ours.port:
            agreed_floor = read_floor_answer(answer, theirs, floor, fallback_host)
            sections.append(ours if agreed_floor else replace(ours, port=0))
            continue
        matches = _in_their_order(theirs) if theirs.port and ours.port else []
        if not matches:
            sections.append(replace(ours, port=0))
            continue
        match = matches[0]
        stream = _answered_stream(answer, theirs, match, fallback_host)
        stream = replace(
            stream,
            media="content" if is_content(ours) else stream.media,
            receive_payload_type=_own_payload_type(ours, match),
        )
        keying = settle(ours, theirs)
        terms = settled_terms(answer, theirs) if keying is None and ours.has("setup") else None
        if keying is None and terms is None and ours.protocol not in PLAIN_PROTOCOLS:
            raise RemoteSipError("srtp_missing")
        is_muxed = terms is not None and ours.has("rtcp-mux") and theirs.has("rtcp-mux")
        streams.append(replace(stream, srtp=keying, dtls=terms, rtcp_mux=is_muxed))
        settled = _settled(ours, match, is_encrypted=keying is not None)
        sections.append(settled if terms is not None else without_dtls(settled))
    if not streams:
        raise RemoteSipError("no_common_codec")
    return Agreement(replace(offer, media=tuple(sections)), tuple(streams), agreed_floor)


def _own_payload_type(ours: MediaSection, match: Match) -> int | None:
    """What we offered this codec as, where the answer numbers it otherwise (RFC 3264 5.1)."""
    own = [one for one in matches_of(ours) if one.capability is match.capability]
    types = [one.rtp_map.payload_type for one in own]
    if not types or match.rtp_map.payload_type in types:
        return None
    return types[0]


def _in_their_order(section: MediaSection) -> list[Match]:
    by_type = {match.rtp_map.payload_type: match for match in reversed(matches_of(section))}
    order = [int(fmt) for fmt in section.formats if fmt.isascii() and fmt.isdigit()]
    return [by_type[payload_type] for payload_type in order if payload_type in by_type]


def _answered_stream(
    answer: SessionDescription, section: MediaSection, match: Match, fallback_host: str
) -> AgreedStream:
    event = telephone_event(section, match.rtp_map.clock_rate)
    direction = _their_direction(answer, section)
    stream = _stream(answer, section, match, fallback_host, named_profile(match.parameters))
    return replace(
        stream,
        send=direction in ("sendrecv", "recvonly"),
        receive=direction in ("sendrecv", "sendonly"),
        telephone_event_type=event.payload_type if event else None,
    )


def _settled(ours: MediaSection, match: Match, *, is_encrypted: bool) -> MediaSection:
    """Our m= line cut down to what was agreed, so that a later offer repeats just that."""
    keep = {str(match.rtp_map.payload_type)}
    keep |= {str(m.payload_type) for m in ours.maps() if m.name == "telephone-event"}
    formats = tuple(fmt for fmt in ours.formats if fmt in keep)
    if str(match.rtp_map.payload_type) not in formats:
        return ours
    attributes = tuple(
        (name, value)
        for name, value in ours.attributes
        if (name not in ("rtpmap", "fmtp") or (value or "").split(" ")[0] in keep)
        and (name != "crypto" or is_encrypted)
    )
    return replace(ours, formats=formats, attributes=attributes)
