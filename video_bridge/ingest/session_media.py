"""What legs that speak RTP have in common, whatever their transport."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .. import messages as m
from ..allocation import terms_of
from ..leg import Leg, Shown
from ..messages import CloseReason, MediaKind
from ..rtp import rtcp
from ..streams.session import RtpSession, SessionEvents
from ..transports.rtp_ports import RtpPorts

BYE_GRACE_S = 2.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the node lends its legs. `events` takes what the leg's peers do (keys, wishes)."""

    ports: RtpPorts
    decode_pool: Executor
    events: Callable[[m.Event], None]
    media_address: str | None = None


class SessionMedia(ABC):
    """`leg.Media` on an `RtpSession`; `end(reason, detail)` tells that the peer ends the leg."""

    def __init__(
        self, leg: Leg, around: Surroundings, end: Callable[[CloseReason, str], None]
    ) -> None:
        self._leg = leg
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._bye_timer: asyncio.TimerHandle | None = None
        conference_id, leg_id = leg.conference_id, leg.leg_id
        self.session = RtpSession(
            leg.leg_id[:32],
            around.decode_pool,
            SessionEvents(
                send_rtcp=self._send_rtcp,
                on_digit=lambda digit: around.events(
                    m.DtmfPressed(conference_id=conference_id, leg_id=leg_id, digit=digit)
                ),
                on_bye=self._on_bye,
                on_keyframe_wanted=lambda media: around.events(
                    m.KeyframeWanted(conference_id=conference_id, leg_id=leg_id, media=media)
                ),
            ),
        )

        self.take_line()

    def take_line(self) -> None:
        """The leg's line is as its leg says now."""
        self.session.set_line(terms_of(self._leg.link), self._leg.max_bitrate_bps)

    @abstractmethod
    def _send_rtcp(self, media: MediaKind, packets: list[rtcp.RtcpPacket]) -> None:
        """Send one compound packet to the peer."""

    def _on_bye(self) -> None:
        """Peers say goodbye to a stream when they change it, too: wait whether another comes."""
        if self._bye_timer is None:
            said_at = self._loop.time()
            self._bye_timer = self._loop.call_later(BYE_GRACE_S, self._bye_over, said_at)

    def _bye_over(self, said_at: float) -> None:
        self._bye_timer = None
        streams = (self.session.audio_in, *self.session.pictures.values())
        last = max((s.last_packet_at or 0.0 for s in streams if s is not None), default=0.0)
        if last <= said_at + 0.5 and not self._leg.on_hold:
            self._end(CloseReason.HUNG_UP, "rtcp_bye")

    @property
    def has_picture(self) -> bool:
        return self.session.video_in is not None

    def newest(self, now: float) -> Shown | None:
        del now
        return self.session.newest()

    def set_shown(self, is_shown: bool) -> None:
        self.session.set_shown(is_shown)

    def tick_audio(self, now: float) -> NDArray[np.int16] | None:
        return self.session.tick_audio(now)

    def poll(self, now: float, unix_s: float) -> None:
        """Deadlines and reports, every 20 ms while a picture is shown, else every 200."""
        self.session.poll(now, unix_s)
        last = self.session.last_packet_at
        heard = self._leg.watch.heard_at
        if last and (heard is None or last > heard):
            self._leg.watch.heard(last)

    def stats(self, now: float) -> list[m.StreamStats]:
        return self.session.stats(now)

    async def close(self) -> None:
        if self._bye_timer is not None:
            self._bye_timer.cancel()
            self._bye_timer = None
        self.session.close()
