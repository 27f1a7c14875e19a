"""The words of the media node's control wire: requests, replies, events and close reasons.

Everything here is plain data. Bodies are pydantic models that refuse unknown fields; ids are
UUIDv7 strings minted by the caller, so that a retried request is the same request.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .allocation.links import Link as Link  # noqa: PLC0414 - part of these words

WIRE_VERSION = 1

VideoCodec = Literal["H264", "VP8", "H263", "H263-1998", "H261"]
Codec = VideoCodec | Literal["opus", "G722", "PCMA", "PCMU", "telephone-event"]
MediaKind = Literal["audio", "video", "content"]  # content: the second stream (H.239, RFC 4796)


class CloseReason(StrEnum):
    """Why a leg ended. Every leg ends with exactly one of these."""

    HUNG_UP = "hung_up"  # the far end left
    REMOVED = "removed"  # the desk removed it
    CONFERENCE_CLOSED = "conference_closed"
    REPLACED = "replaced"  # the same member joined again
    REJECTED = "rejected"  # offer or source refused
    TIMED_OUT = "timed_out"  # never sent media or never finished connecting
    LOST = "lost"  # was up, fell silent, did not come back in time
    CONTROL_LOST = "control_lost"  # the node lost its control wire
    NODE_STOPPED = "node_stopped"
    FAILED = "failed"  # an error of ours


class LegKind(StrEnum):
    WEBRTC = "webrtc"
    RTP = "rtp"  # SIP and H.323 rooms: addresses negotiated by the gateway
    RTSP = "rtsp"  # a network camera, pulled by a decoder process of its own
    SYNTHETIC = "synthetic"  # drawn and sounded in the node


class LegState(StrEnum):
    CONNECTING = "connecting"
    UP = "up"
    LOST = "lost"
    CLOSED = "closed"


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# --- conferences -------------------------------------------------------------------------


class ConferenceOpen(Body):
    """Idempotent: opening an open conference updates its title and mark."""

    type: Literal["conference.open"] = "conference.open"
    conference_id: str
    title: str = Field(max_length=200)
    is_drill: bool = Field(default=False, description="draws the 演练 stripe on every picture")


class ConferenceClose(Body):
    type: Literal["conference.close"] = "conference.close"
    conference_id: str


View = Literal["hall", "chair"]
LegView = View | Literal["rest"]  # rest: the halls' without the receiver itself
Arrangement = Literal[
    "auto", "1", "2", "3", "4", "1+5", "1+7", "9", "13", "16", "20", "25", "pip"
]  # fmt: skip


class SpeakerSwitch(Body):
    """声控切换: pane 0 follows the loudest site, unless a seat is fixed there."""

    sensitivity_db: float = Field(
        default=25.0, ge=0, le=60, description="how far below full speech (-20 dBov) still counts"
    )
    hold_s: float = Field(default=3.0, ge=0, le=60, description="least time between two switches")


class LayoutSet(Body):
    """Which legs are seen, and how large. `seats[i]` is who sits in pane i, None an empty pane.

    A seat is a leg id, or the `seat_id` of a `placeholders.set` for a member without a leg. With
    `seats=None` the node fills panes in the order in which publishing legs were added. Without
    arrangement and panes it chooses the smallest arrangement that holds all. `arrangement` wins
    over `panes`, which means the smallest arrangement with at least so many.

    Halls and chair have a layout each; until the chair's is set, it sees the halls'.
    """

    type: Literal["layout.set"] = "layout.set"
    conference_id: str
    view: View = "hall"
    arrangement: Arrangement | None = None
    panes: int | None = Field(default=None, ge=1, le=25, description="1 to 25; None: automatic")
    seats: list[str | None] | None = Field(default=None, max_length=25)
    speaker: SpeakerSwitch | None = Field(default=None, description="None: nobody is followed")


class OverlaySet(Body):
    """What is written over pictures: names, 横幅 and 短消息 for all, the clocks for the chair only.

    Each call replaces the whole; an empty text takes it away.
    """

    type: Literal["overlay.set"] = "overlay.set"
    conference_id: str
    banner: str = Field(default="", max_length=60, description="横幅, on top")
    message: str = Field(default="", max_length=120, description="短消息, at the foot, two lines")
    clock: bool = Field(default=False, description="Beijing time, in the chair's view only")
    countdown_to_ms: int | None = Field(
        default=None, description="milliseconds since 1970 counted down to, chair's view only"
    )
    names: bool = Field(default=True, description="名称字幕: site names in the panes")


class Placeholder(Body):
    """A member without a leg: what its pane says."""

    seat_id: str = Field(max_length=64)
    name: str = Field(max_length=120)
    note: str = Field(default="", max_length=40, description="e.g. 未入会, 呼叫中")


class PlaceholdersSet(Body):
    """Who may sit in a pane without a leg. Each call replaces the whole list."""

    type: Literal["placeholders.set"] = "placeholders.set"
    conference_id: str
    items: list[Placeholder] = Field(max_length=2000)


# --- legs --------------------------------------------------------------------------------


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


class ContentSet(Body):
    """Whose second stream is shown to all; None: nobody's, and what others send is not decoded.

    The roof owns the one content token and names its holder here. The same again changes nothing.
    Errors: `leg_unknown`, `content_not_negotiated` (the leg sends no content).
    """

    type: Literal["content.set"] = "content.set"
    conference_id: str
    leg_id: str | None = None


# --- recording and live out ----------------------------------------------------------------


class RecordStart(Body):
    """Record a conference into `folder`, which the recorder makes. The same again changes nothing.

    `programme` is the composed picture with the full mix, `sites` each publishing leg's own
    pictures as received, `content` the second stream. Numbering goes on in a folder that has
    segments already. Errors: `recording_folder_refused`, `conference_unknown`.
    """

    type: Literal["recording.start"] = "recording.start"
    conference_id: str
    recording_id: str
    folder: str = Field(max_length=1000, description="absolute path on the node's machine")
    sources: list[Literal["programme", "sites", "content"]] = ["programme", "sites", "content"]
    minimum_free_bytes: int = Field(
        default=1 << 30, ge=0, description="stop writing while the disk has less"
    )


class RecordStop(Body):
    """Close what is being written; answered when the last segment is closed. Unknown: done."""

    type: Literal["recording.stop"] = "recording.stop"
    recording_id: str


class LiveStart(Body):
    """Give the programme out. hls: `target` is a folder; rtmp: rtmp:// or rtmps:// to a host.

    The same again changes nothing. Errors: `live_target_refused`, `conference_unknown`.
    """

    type: Literal["live.start"] = "live.start"
    conference_id: str
    live_id: str
    kind: Literal["hls", "rtmp"]
    target: str = Field(max_length=1000)
    delay_s: float = Field(default=0.0, ge=0, le=300, description="held back before it goes out")


class LiveStop(Body):
    type: Literal["live.stop"] = "live.stop"
    live_id: str


class StatsGet(Body):
    type: Literal["stats"] = "stats"
    conference_id: str | None = None


class PictureGet(Body):
    """A JPEG of a view as it is now, or as `preview` would make it, base64 in the reply."""

    type: Literal["picture"] = "picture"
    conference_id: str
    width: int = Field(default=640, ge=64, le=1280)
    view: View = "hall"
    preview: LayoutSet | None = Field(default=None, description="shown to nobody, changes nothing")


class SnapshotGet(Body):
    type: Literal["snapshot"] = "snapshot"


class CapacityGet(Body):
    """How much of the node is used, without the figures of every leg."""

    type: Literal["capacity"] = "capacity"


class StreamStats(Body):
    """One media in one direction."""

    media: MediaKind
    direction: Literal["in", "out"]
    codec: str | None = None
    bitrate_bps: int = 0
    packets: int = 0
    loss_pct: float = 0.0
    jitter_ms: float | None = None
    round_trip_ms: float | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    pictures: int | None = Field(default=None, description="video in: decoded since it is seen")
    longest_gap_ms: int | None = Field(
        default=None, description="video in: between two pictures, of the last 10 s"
    )
    slots_played: int | None = Field(default=None, description="audio in: 20 ms slots that came")
    slots_concealed: int | None = Field(default=None, description="lost and made up, 60 ms at most")
    slots_empty: int | None = Field(default=None, description="neither: silence or a hole")


class LegStats(Body):
    leg_id: str
    conference_id: str
    kind: LegKind
    name: str
    state: LegState
    publish: bool
    play: bool
    microphone_muted: bool
    speaker_muted: bool
    level_dbov: int | None = Field(default=None, description="0 loudest .. -127 silence")
    link: Link = "internet"
    max_bitrate_bps: int | None = None
    view: LegView = "hall"
    watch: str | None = Field(default=None, description="the leg that it watches alone")
    streams: list[StreamStats] = []


class ConferenceStats(Body):
    conference_id: str
    title: str
    panes: int
    seats: list[str | None]
    arrangement: str = Field(default="auto", description="of the halls, never 'auto' when told")
    chair_arrangement: str | None = Field(default=None, description="None: as the halls")
    chair_seats: list[str | None] | None = None
    speaker_leg_id: str | None = Field(default=None, description="who speaks now")
    recording_ids: list[str] = Field(default=[], description="recordings that run")
    live_ids: list[str] = Field(default=[], description="live outputs that run")
    content_leg_id: str | None = Field(
        default=None, description="whose second stream is shown, as content.set named it"
    )
    ticks: int = Field(default=0, description="pictures that were due so far")
    late_ticks: int = Field(default=0, description="of them, that ended over 40 ms late")
    starved_ticks: int = Field(default=0, description="of them, that waited for a processor")
    legs: list[LegStats] = []


class Capacity(Body):
    """What the node may use and uses, in milliseconds of a reference core each second."""

    cores: int
    speed: float = Field(description="1.0 is the reference machine, measured at the start")
    promised_ms_per_s: int
    used_ms_per_s: int
    encoders_ms_per_s: int

    @property
    def used_pct(self) -> int:
        return round(100 * self.used_ms_per_s / max(1, self.promised_ms_per_s))


class Snapshot(Body):
    """All that the node holds: the answer to `snapshot` and `stats`."""

    node_id: str
    started_at: str
    conferences: list[ConferenceStats] = []
    capacity: Capacity | None = None


class Picture(Body):
    jpeg_base64: str
    width: int
    height: int


class Done(Body):
    """The empty reply."""


# --- events ------------------------------------------------------------------------------


class LegUp(Body):
    """Media of the leg flows (again)."""

    type: Literal["leg.up"] = "leg.up"
    conference_id: str
    leg_id: str


class LegLost(Body):
    """The leg fell silent although its direction sends; it is freed if it stays so."""

    type: Literal["leg.lost"] = "leg.lost"
    conference_id: str
    leg_id: str
    silent_s: float
    detail: str | None = Field(default=None, description="stable code, e.g. camera_unreachable")


class LegClosed(Body):
    type: Literal["leg.closed"] = "leg.closed"
    conference_id: str
    leg_id: str
    reason: CloseReason
    detail: str | None = None


class DtmfPressed(Body):
    type: Literal["dtmf"] = "dtmf"
    conference_id: str
    leg_id: str
    digit: str


class KeyframeWanted(Body):
    """Ask the far end by signalling: it takes no RTCP feedback."""

    type: Literal["keyframe_wanted"] = "keyframe_wanted"
    conference_id: str
    leg_id: str
    media: MediaKind = "video"


class ContentFlowing(Body):
    """The presenter's first picture of content has come: it is sent to all from now on."""

    type: Literal["content.flowing"] = "content.flowing"
    conference_id: str
    leg_id: str
    width: int
    height: int


class ContentStopped(Body):
    """Content is not shown any more: `cleared` by `content.set`, the presenter's leg `left`."""

    type: Literal["content.stopped"] = "content.stopped"
    conference_id: str
    leg_id: str
    reason: Literal["cleared", "left"]


class ClosedSegment(Body):
    """A line of a recording's manifest: a file that is whole and plays by itself."""

    source: str = Field(description="programme, content:LEG_ID or leg:LEG_ID")
    name: str = Field(default="", description="the site's name when the segment began")
    sequence: int
    file_name: str
    codec: str
    width: int
    height: int
    started_at_ms: int = Field(description="wall clock of its first picture, ms since 1970")
    duration_ms: int
    size_bytes: int
    head_bytes: int = Field(description="fragmented MP4: its first bytes, that open it; else 0")
    sha256: str
    sm3: str


class RecordingSegment(ClosedSegment):
    """A segment is closed, on the disk (fsync) under its name."""

    type: Literal["recording.segment"] = "recording.segment"
    conference_id: str
    recording_id: str


class RecordingFailed(Body):
    """Nothing is written at present; the conference goes on, and so does the trying.

    Codes: `recorder_died`, `disk_full`, `recorder_behind`, `recording_write_failed`.
    """

    type: Literal["recording.failed"] = "recording.failed"
    conference_id: str
    recording_id: str
    code: str
    dropped: int = Field(default=0, description="packets not written since the start")


class RecordingResumed(Body):
    """Written again after `recording.failed`."""

    type: Literal["recording.resumed"] = "recording.resumed"
    conference_id: str
    recording_id: str


class LiveFailed(Body):
    """The live output does not go out at present; it is tried again until stopped.

    Codes: `recorder_died`, `live_target_unreachable`, `disk_full`, `recording_write_failed`.
    """

    type: Literal["live.failed"] = "live.failed"
    conference_id: str
    live_id: str
    code: str


class LiveFlowing(Body):
    """The live output goes out (again)."""

    type: Literal["live.flowing"] = "live.flowing"
    conference_id: str
    live_id: str


Request = (
    ConferenceOpen
    | ConferenceClose
    | LayoutSet
    | OverlaySet
    | PlaceholdersSet
    | LegAdd
    | LegAnswer
    | LegUpdate
    | LegRemove
    | KeyframeRequest
    | PromptPlay
    | ContentSet
    | RecordStart
    | RecordStop
    | LiveStart
    | LiveStop
    | StatsGet
    | PictureGet
    | CapacityGet
    | SnapshotGet
)
Event = (
    LegUp
    | LegLost
    | LegClosed
    | DtmfPressed
    | KeyframeWanted
    | ContentFlowing
    | ContentStopped
    | RecordingSegment
    | RecordingFailed
    | RecordingResumed
    | LiveFailed
    | LiveFlowing
)
