"""What was negotiated for one media of a leg, whoever negotiated it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..allocation.rungs import Screen
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
    send_time_id: int | None = None  # of the abs-send-time extension
    numbers_id: int | None = None  # of the transport-wide numbers' extension
    rtx_type: int | None = None  # the payload type of packets sent again (RFC 4588)
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
    def screen(self) -> Screen:
        """The largest picture that the peer may be sent at 25 a second, by its H.264 level.

        Who allows asymmetric levels (RFC 6184 section 8.1) decodes 720p, as all browsers do.
        """
        if self.codec != "H264":
            return Screen()
        level = ProfileLevelId.parse(self.profile_level_id) if self.profile_level_id else None
        if level is not None and level.allows(1920, 1080, 25):
            return Screen(1920, 1080)
        is_usual = level is not None and level.allows(1280, 720, 25)
        return Screen() if is_usual or self.allows_asymmetric_level else Screen(640, 360)

    @property
    def page_screen(self) -> Screen:
        """For a content line, whose own pages of 1080 lines are no rung of the ladder."""
        screen, usual = self.screen, Screen()
        return usual if screen.height > usual.height else screen

    @property
    def can_ask_keyframe(self) -> bool:
        return bool({"nack pli", "ccm fir"} & self.feedback)
