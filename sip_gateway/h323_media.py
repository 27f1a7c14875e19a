"""What H.323 rooms and the media node exchange, and how each side's words name it."""

from __future__ import annotations

from dataclasses import replace

from video_bridge.messages import MediaKind

from .h323.capability import Codec, Kind, MediaCapability

RECEIVABLE = (
    MediaCapability("audio", "G722"),
    MediaCapability("audio", "PCMA"),
    MediaCapability("audio", "PCMU"),
    MediaCapability("video", "H264", bitrate_bps=2_000_000),
    MediaCapability("video", "H263", bitrate_bps=768_000, sizes={"qcif": 1, "cif": 1}),
    MediaCapability("video", "H261", bitrate_bps=768_000, sizes={"qcif": 1, "cif": 1}),
)
CIF = {"cif": 1}  # the picture that the node sends to H.263 and H.261 rooms, 25 a second
SENDABLE = tuple(
    replace(capability, sizes=CIF) if capability.sizes else capability for capability in RECEIVABLE
)
SLIDES = MediaCapability("content", "H264", bitrate_bps=2_000_000)
AUDIO_ORDER: tuple[Codec, ...] = ("G722", "PCMA", "PCMU")
VIDEO_ORDER: tuple[Codec, ...] = ("H264", "H263", "H261")
STATIC_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9, "H261": 31, "H263": 34}
H264_TYPE = 110
SESSIONS: dict[MediaKind, int] = {
    "audio": 1,
    "video": 2,
    "content": 32,
}  # H.245: 4 and above are the master's
KINDS: dict[MediaKind, Kind] = {"audio": "audio", "video": "video", "content": "content"}


def media_of(capability: MediaCapability | None) -> MediaKind | None:
    """Which line of the leg carries this; None for what the leg cannot carry."""
    if capability is None or capability.codec not in (*AUDIO_ORDER, *VIDEO_ORDER):
        return None
    return next((media for media, kind in KINDS.items() if kind == capability.kind), None)


def payload_type(declared: int | None, codec: Codec) -> int:
    """A declared dynamic type counts before the codec's static one (RFC 3551)."""
    return STATIC_TYPES.get(codec, H264_TYPE) if declared is None else declared


def profile_level_id(capability: MediaCapability | None) -> str | None:
    """RFC 6184's six digits for an H.241 level: constrained baseline, level_idc by table 8-4."""
    if capability is None or capability.codec != "H264":
        return None
    levels = {15: 10, 19: 11, 22: 11, 29: 12, 36: 13, 43: 20, 50: 21, 57: 22, 64: 30, 71: 31}
    level = levels.get(capability.level, 31 if capability.level > 71 else 13)
    if capability.max_mbps >= 108_000 and capability.max_fs >= 3600:
        level = max(level, 31)
    return f"42e0{level:02x}"
