"""What media we can take and give, whatever protocol negotiates it."""

from __future__ import annotations

from dataclasses import dataclass

from video_bridge.messages import Codec, MediaKind

OUR_H264_LEVEL = 0x1F  # level 3.1: 1280x720 at 30 frames a second
H264_PROFILES = ("42", "4d", "64")  # profile_idc in the order we prefer: baseline, main, high


@dataclass(frozen=True, slots=True)
class Capability:
    """One codec as we offer it. `payload_type` is the one we propose in our own offers."""

    media: MediaKind
    codec: Codec
    clock_rate: int
    payload_type: int
    channels: int = 1
    packetization_mode: int | None = None


# in our order of preference, which answers follow too: one shared encoding serves most legs
AUDIO = (
    Capability("audio", "opus", 48000, 96, channels=2),
    Capability("audio", "G722", 8000, 9),
    Capability("audio", "PCMA", 8000, 8),
    Capability("audio", "PCMU", 8000, 0),
)
VIDEO = (
    Capability("video", "H264", 90000, 97, packetization_mode=1),
    Capability("video", "H264", 90000, 98, packetization_mode=0),
    Capability("video", "VP8", 90000, 100),
    Capability("video", "H263-1998", 90000, 102),
    Capability("video", "H263", 90000, 34),
    Capability("video", "H261", 90000, 31),
)
TELEPHONE_EVENT_TYPE = 101
RTCP_FEEDBACK = ("nack pli", "ccm fir", "ccm tmmbr")  # what the media node obeys


CONTENT = VIDEO[:2]  # what we offer for content: every room that presents has H.264


@dataclass(frozen=True, slots=True)
class LocalFloor:
    """Our BFCP port and the conference and user ids that we give one room (RFC 8856)."""

    port: int
    conference_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class AgreedFloor:
    """The floor of a room's content as both ends agreed on it; we serve it."""

    conference_id: int
    user_id: int
    is_reliable: bool
    remote_host: str
    remote_port: int


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Where the media node receives: the address to advertise and its RTP ports (RTCP is +1)."""

    address: str
    audio_port: int | None
    video_port: int | None
    content_port: int | None = None
    floor: LocalFloor | None = None
    dtls_fingerprint: str | None = None  # of the leg's certificate: 'sha-256 AB:CD:...'

    def kinds(self) -> list[MediaKind]:
        """What is bound."""
        kinds: tuple[MediaKind, ...] = ("audio", "video", "content")
        return [kind for kind in kinds if self.port(kind) is not None]

    def port(self, kind: str | None) -> int | None:
        """Of "audio", "video", "content" or "floor"; None: we have none."""
        if kind == "floor":
            return self.floor.port if self.floor is not None else None
        ports = {"audio": self.audio_port, "video": self.video_port, "content": self.content_port}
        return ports.get(kind or "")


@dataclass(frozen=True, slots=True)
class SrtpKeying:
    """SRTP of one media: suite by its SDES name, base64 of master key and salt each way."""

    suite: str
    send_key: str
    receive_key: str

    def __repr__(self) -> str:
        return f"SrtpKeying({self.suite}, ...)"  # keys never reach a log


@dataclass(frozen=True, slots=True)
class DtlsTerms:
    """DTLS-SRTP of one media: whether we begin, and what the far end's certificate must be."""

    is_client: bool
    fingerprints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AgreedStream:
    """One media as both ends agreed on it, seen from our side."""

    media: MediaKind
    codec: Codec
    payload_type: int
    clock_rate: int
    remote_host: str
    remote_port: int
    remote_rtcp_port: int
    send: bool = True
    receive: bool = True
    packetization_mode: int = 1
    profile_level_id: str | None = None
    max_bitrate_bps: int | None = None
    telephone_event_type: int | None = None
    rtcp_feedback: tuple[str, ...] = ()
    srtp: SrtpKeying | None = None
    dtls: DtlsTerms | None = None
    rtcp_mux: bool = False
    receive_payload_type: int | None = None  # where it differs from the one we send
