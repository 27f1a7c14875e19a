"""Words that the wire's messages share."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

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


View = Literal["hall", "chair"]
LegView = View | Literal["rest"]  # rest: the halls' without the receiver itself


class Done(Body):
    """The empty reply."""
