"""Which media a packet belongs to where one transport carries two of a kind (RFC 8843 9.2).

A browser numbers the payload types of its camera and its shared screen alike; the sources named in
its offer (RFC 5576) and the MID that it puts on the first packets (RFC 9143) tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import RemoteMediaError
from ..messages import MediaKind
from ..rtp.header_ext import mid
from ..rtp.packet import RtpPacket

MAX_SOURCES = 64


class Sources:
    """`mids` and `ssrcs` say what the offer named; what MID tells later is kept."""

    def __init__(
        self,
        mids: Mapping[str, MediaKind],
        ssrcs: Mapping[int, MediaKind],
        mid_extension: int | None = None,
    ) -> None:
        self._mids = dict(mids)
        self._named = dict(list(ssrcs.items())[:MAX_SOURCES])
        self._learnt: dict[int, MediaKind] = {}
        self._mid_extension = mid_extension

    def media_of(self, packet: RtpPacket) -> MediaKind | None:
        """None: the payload type has to tell."""
        known = self._learnt.get(packet.ssrc) or self._named.get(packet.ssrc)
        if known is not None or self._mid_extension is None:
            return known
        try:
            media = self._mids.get(mid(packet, self._mid_extension) or "")
        except RemoteMediaError:
            return None
        if media is not None and len(self._learnt) < MAX_SOURCES:
            self._learnt[packet.ssrc] = media
        return media
