"""The legs of calls on the media node: add, answer, hold, remove; nothing of SIP."""

from __future__ import annotations

import structlog

from video_bridge import CloseReason, LegKind, NodeClient, VideoBridgeError
from video_bridge.messages import (
    KeyframeRequest,
    LegAdd,
    LegAnswer,
    LegRemove,
    LegUpdate,
    MediaKind,
    RtpStream,
)

from .call import Call, rtp_stream
from .capability import AgreedStream, LocalMedia
from .messages import SrtpPolicy

_log = structlog.get_logger("sip_gateway.legs")


class Legs:
    def __init__(self, node: NodeClient) -> None:
        self._node = node

    async def add(self, call: Call, media: list[MediaKind]) -> LocalMedia:
        """Bind RTP for a call. Raises VideoBridgeError when the node refuses or is away."""
        added = await self._node.add_leg(
            LegAdd(
                conference_id=call.conference_id,
                leg_id=call.leg_id,
                kind=LegKind.RTP,
                name=call.name,
                media=media,
                remote_host=call.remote_host or None,
                dtls=call.srtp_policy is not SrtpPolicy.OFF,
            )
        )
        call.has_leg = True
        call.local_media = LocalMedia(
            added.media_address or "127.0.0.1",
            added.audio_port,
            added.video_port,
            added.content_port,
            dtls_fingerprint=added.dtls_fingerprint,
        )
        return call.local_media

    async def connect(self, call: Call, streams: tuple[AgreedStream, ...]) -> None:
        """Give the leg its far end (again). Raises VideoBridgeError."""
        call.codecs = [stream.codec for stream in streams]
        await self._node.send(
            LegAnswer(leg_id=call.leg_id, streams=[rtp_stream(stream) for stream in streams])
        )

    async def connect_streams(self, call: Call, streams: list[RtpStream]) -> None:
        """The same where each direction was settled by itself. Raises VideoBridgeError."""
        await self._node.send(LegAnswer(leg_id=call.leg_id, streams=streams))

    async def hold(self, call: Call, *, is_on_hold: bool) -> None:
        await self._node.send(LegUpdate(leg_id=call.leg_id, on_hold=is_on_hold))

    async def key_frame(self, call: Call, media: MediaKind = "video") -> None:
        try:
            await self._node.send(KeyframeRequest(leg_id=call.leg_id, media=media))
        except VideoBridgeError as error:
            _log.info("key_frame_not_passed", leg_id=call.leg_id, code=error.code)

    async def remove(self, leg_id: str, reason: CloseReason) -> None:
        """Take a leg off the node; a node that does not know it any more is no error."""
        try:
            await self._node.send(LegRemove(leg_id=leg_id, reason=reason))
        except VideoBridgeError as error:
            _log.info("leg_not_removed", leg_id=leg_id, code=error.code)
