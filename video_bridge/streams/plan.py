"""What was negotiated for one media of a leg, whoever negotiated it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..messages import MediaKind
from ..payload.h264 import ProfileLevelId


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """`send` and `receive` are seen from the node. `feedback` e.g. {"nack", "nack pli"}."""

    media: MediaKind
    codec: str  # as in messages.Codec
    payload_type: int
    clock_rate: int
    send: bool
    receive: bool
    feedback: frozenset[str] = frozenset()
    telephone_event_type: int | None = None
    packetization_mode: int = 1
    profile_level_id: str | None = None
    max_bitrate_bps: int | None = None
    audio_level_id: int | None = None
    allows_asymmetric_level: bool = False
    receive_as: tuple[str, int, int] | None = None  # codec, payload type, clock rate (H.245)

    @property
    def inbound(self) -> MediaPlan:
        """The plan as the receiving side reads it: H.245 settles each direction by itself."""
        if self.receive_as is None:
            return self
        codec, payload_type, clock_rate = self.receive_as
        return replace(self, codec=codec, payload_type=payload_type, clock_rate=clock_rate)

    @property
    def allows_720p(self) -> bool:
        """Whether the peer may be sent 1280 x 720 at 25 pictures a second."""
        if self.codec != "H264" or self.allows_asymmetric_level:
            return True
        if self.profile_level_id is None:
            return False
        return ProfileLevelId.parse(self.profile_level_id).allows(1280, 720, 25)

    @property
    def can_ask_keyframe(self) -> bool:
        return bool({"nack pli", "ccm fir"} & self.feedback)
