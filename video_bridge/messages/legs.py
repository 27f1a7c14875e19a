"""A leg: added, answered, changed, removed, spoken to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..allocation.links import Link
from .words import Body, CloseReason, Codec, LegKind, LegView, MediaKind


class LegAdd(Body):
    """Add a leg. Adding a leg id that exists answers as it did the first time."""

    type: Literal["leg.add"] = "leg.add"
    conference_id: str
    leg_id: str
    kind: LegKind
    name: str = Field(
        max_length=120, description="caption under the picture, e.g. 翁源县应急管理局"
    )
    publish: bool = True
    play: bool = True
    offer_sdp: str | None = Field(default=None, max_length=64_000, description="webrtc only")
    media: list[MediaKind] = Field(
        default=["audio", "video"], description="rtp only: what to bind; content has its own port"
    )
    remote_host: str | None = Field(
        default=None, description="rtp only: the peer, to choose the local address to advertise"
    )
    dtls: bool = Field(default=False, description="rtp only: be ready for DTLS-SRTP")
    url: str | None = Field(
        default=None, max_length=2000, description="rtsp://... or synthetic:NAME[?silent]"
    )
    link: Link = Field(default="internet", description="what is known of its line")
    max_bitrate_bps: int | None = Field(
        default=None, ge=64_000, le=20_000_000, description="its line's cap each way; None: usual"
    )


class LegAdded(Body):
    leg_id: str
    answer_sdp: str | None = None
    media_address: str | None = Field(default=None, description="rtp: address to advertise")
    audio_port: int | None = Field(default=None, description="rtp: local RTP port, RTCP is +1")
    video_port: int | None = None
    content_port: int | None = None
    dtls_fingerprint: str | None = Field(
        default=None, description="of our certificate: 'sha-256 AB:CD:...' (RFC 8122)"
    )


class DtlsTerms(Body):
    """DTLS-SRTP of one stream as signalled (RFC 5763): who begins, and the peer's certificate."""

    is_client: bool = Field(description="we send the ClientHello (a=setup:active is ours)")
    fingerprints: list[str] = Field(min_length=1, max_length=4, description="'sha-256 AB:CD:...'")


class SrtpKeys(Body):
    """SRTP of one stream: SDES suite name, base64 of master key and salt each way."""

    suite: str = Field(max_length=40)
    send: str = Field(max_length=80, repr=False)
    receive: str = Field(max_length=80, repr=False)


class KeepAlive(Body):
    """Empty RTP packets by which we keep a NAT's way open (H.460.19)."""

    host: str
    port: int = Field(ge=1, le=65535)
    payload_type: int = Field(ge=0, le=127)
    interval_s: int = Field(ge=1)


class RtpStream(Body):
    """What offer/answer (or H.245) settled for one media of an RTP leg, seen from the node."""

    media: MediaKind
    codec: Codec
    payload_type: int = Field(ge=0, le=127, description="payload type we send and receive")
    clock_rate: int
    receive_codec: Codec | None = Field(
        default=None, description="what comes in, where each direction is settled by itself (H.245)"
    )
    receive_payload_type: int | None = Field(default=None, ge=0, le=127)
    receive_clock_rate: int | None = None
    remote_host: str
    remote_port: int = Field(ge=1, le=65535)
    remote_rtcp_port: int | None = None
    send: bool = True
    receive: bool = True
    packetization_mode: int = Field(default=1, ge=0, le=1, description="H264, RFC 6184")
    profile_level_id: str | None = None
    max_bitrate_bps: int | None = None
    telephone_event_type: int | None = Field(default=None, description="RFC 4733 payload type")
    rtcp_feedback: list[str] = Field(default=[], description="e.g. 'nack pli', 'ccm fir'")
    srtp: SrtpKeys | None = Field(default=None, description="SDES; neither this nor DTLS: plain")
    dtls: DtlsTerms | None = Field(default=None, description="keys are made in the media path")
    rtcp_mux: bool = Field(default=False, description="RTCP on the RTP port (RFC 5761)")
    is_traversed: bool = Field(
        default=False,
        description="the room is behind a NAT, its address means nothing: send where it sends from",
    )
    keep_alive_type: int | None = Field(
        default=None, description="payload type of the room's packets that only show where it is"
    )
    keep_alive: KeepAlive | None = Field(default=None, description="ours, where we are behind one")


class LegAnswer(Body):
    """Give an rtp leg its far end. May be sent again (re-INVITE): streams not named are stopped."""

    type: Literal["leg.answer"] = "leg.answer"
    leg_id: str
    streams: list[RtpStream]


class LegUpdate(Body):
    """Change a leg; fields left None stay as they are."""

    type: Literal["leg.update"] = "leg.update"
    leg_id: str
    name: str | None = Field(default=None, max_length=120)
    microphone_muted: bool | None = None  # 会控闭音: nothing of it is heard
    speaker_muted: bool | None = None  # 静音: nothing is sent to it
    on_hold: bool | None = None  # expected to be silent
    candidate: str | None = Field(default=None, max_length=2000, description="webrtc trickle line")
    view: LegView | None = Field(
        default=None,
        description="which view it is sent; rest: the halls' without itself, for an MCU above",
    )
    watch: str | None = Field(
        default=None,
        description="观看会场: the leg that it is sent alone, forwarded unchanged where codec and"
        " profile allow; '' goes back to its view",
    )
    max_bitrate_bps: int | None = Field(
        default=None, ge=64_000, le=20_000_000, description="its line's cap each way, sound too"
    )
    link: Link | None = None


class LegRemove(Body):
    type: Literal["leg.remove"] = "leg.remove"
    leg_id: str
    reason: CloseReason = CloseReason.REMOVED


class PromptPlay(Body):
    """Say a recording of the house to this leg alone, over what it hears; a newer one replaces it.

    The reply is `prompt.playing`. Raises `leg_unknown`, `prompt_unknown`.
    """

    type: Literal["leg.prompt"] = "leg.prompt"
    leg_id: str
    name: str = Field(max_length=40)


class PromptPlaying(Body):
    """How long the recording takes, seconds."""

    duration_s: float


class KeyframeRequest(Body):
    """The peer asked outside RTCP (SIP INFO, videoFastUpdatePicture) for a key frame."""

    type: Literal["leg.keyframe"] = "leg.keyframe"
    leg_id: str
    media: MediaKind = Field(default="video", description="video or content")
