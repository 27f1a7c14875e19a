"""What an H.323 room's channels mean to the media node, and its proposals of fast start."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from video_bridge.messages import MediaKind, RtpStream, SrtpKeys

from .capability import LocalMedia
from .h323 import h245_events as ev
from .h323.capability import Kind, MediaCapability, sendable
from .h323.fast_start import Proposal, propose
from .h323_media import (
    H264_TYPE,
    KINDS,
    SESSIONS,
    STATIC_TYPES,
    media_of,
    payload_type,
    profile_level_id,
)


def proposals_of(
    capabilities: tuple[MediaCapability, ...], local: LocalMedia, new_number: Callable[[], int]
) -> tuple[Proposal, ...]:
    """Fast start of a call that we make, at the addresses of our leg."""
    addresses: dict[Kind, tuple[int, tuple[str, int], tuple[str, int]]] = {}
    for media, session in SESSIONS.items():
        port, kind = local.port(media), KINDS[media]
        if port is not None:
            addresses[kind] = (session, (local.address, port), (local.address, port + 1))
    return propose(capabilities, addresses, {**STATIC_TYPES, "H264": H264_TYPE}, new_number)


def taken_of(proposals: Iterable[Proposal], local: LocalMedia) -> tuple[Proposal, ...]:
    """The caller's proposals that we take: the first usable, a direction and session."""
    taken: dict[tuple[MediaKind, bool], Proposal] = {}
    for proposal in proposals:
        carried = proposal.capability
        media = media_of(carried)
        port = local.port(media) if media is not None else None
        reachable = proposal.to_called or (
            proposal.rtp is not None and carried is not None and sendable(carried)
        )
        if media is None or port is None or not reachable:
            continue
        rtp = (local.address, port) if proposal.to_called else None
        answer = proposal.taken(rtp, (local.address, port + 1))
        taken.setdefault((media, proposal.to_called), answer)
    return tuple(taken.values())


def stream_of(
    media: MediaKind,
    out: ev.ChannelOpen | None,
    ours: MediaCapability | None,
    into: ev.ChannelOffered | None,
    *,
    host: str,
    fragments: bool,
    limit_bps: int | None,
    srtp: SrtpKeys | None = None,
) -> RtpStream:
    """Both directions of one media; `ours` is what our open channel `out` carries."""
    theirs = into.capability if into is not None else None
    codec = (ours or theirs or MediaCapability("audio", "PCMA")).codec
    receive_codec = theirs.codec if theirs is not None else codec
    rtp = out.rtp if out is not None else (host, 9)
    rtcp = out.rtcp if out is not None else (into.rtcp if into is not None else None)
    return RtpStream(
        media=media,
        codec=codec,
        payload_type=payload_type(out.payload_type if out is not None else None, codec),
        clock_rate=8000 if media == "audio" else 90_000,
        receive_codec=receive_codec,
        receive_payload_type=payload_type(
            into.payload_type if into is not None else None, receive_codec
        ),
        remote_host=rtp[0],
        remote_port=rtp[1],
        remote_rtcp_port=rtcp[1] if rtcp is not None else None,
        send=out is not None,
        receive=into is not None,
        packetization_mode=1 if fragments else 0,
        profile_level_id=profile_level_id(ours),
        max_bitrate_bps=limit_bps or (ours.bitrate_bps if ours else None),
        srtp=srtp,
    )


def expected_content(host: str) -> RtpStream:
    """A room that asks for the token opens its channel only after it was granted (H.239 11)."""
    return RtpStream(
        media="content",
        codec="H264",
        payload_type=H264_TYPE,
        clock_rate=90_000,
        remote_host=host,
        remote_port=9,
        send=False,
    )
