"""A browser, a phone or any WHIP/WHEP client: ICE and DTLS by aiortc, packets by our own path."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import socket
import time
from collections.abc import Callable

from aioice.candidate import Candidate as AioiceCandidate

from ..datapath import Arrival, DatagramKind, SrtpReceiver, SrtpSender
from ..errors import LocalMediaError, RemoteMediaError
from ..leg import Leg
from ..messages import CloseReason, Codec, MediaKind
from ..rtp import rtcp
from ..streams.plan import MediaPlan
from ..streams.sources import Sources
from ..transports.dtls import Dtls, DtlsKeys
from ..transports.ice import IceConnection, IceEvents
from .answer import Accepted, AcceptedMedia, LocalCandidate, LocalTransport, accept, write_answer
from .offer import Candidate, Offer, parse_candidate, parse_offer
from .session_media import SessionMedia, Surroundings

log = logging.getLogger(__name__)

EARLY_PACKETS = 256  # a first key frame and some sound

_CODECS: dict[str, Codec] = {
    "OPUS": "opus",
    "G722": "G722",
    "PCMA": "PCMA",
    "PCMU": "PCMU",
    "H264": "H264",
    "VP8": "VP8",
}


class WebRtcMedia(SessionMedia):
    """Media of a WebRTC leg. `answer` once; then `trickle` and, at the end, `close`.

    `end(reason, detail)` is called when the peer ends the leg.
    """

    def __init__(
        self,
        leg: Leg,
        around: Surroundings,
        end: Callable[[CloseReason, str], None],
    ) -> None:
        super().__init__(leg, around, end)
        self._media_address = around.media_address
        self._connection = IceConnection(
            around.ports, IceEvents(self._on_packet, self._on_heard, self._on_route)
        )
        self._dtls: Dtls | None = None
        self._keys: DtlsKeys | None = None
        self._early: list[bytes] = []
        self._rtcp_sender: SrtpSender | None = None
        self._route: tuple[socket.socket, tuple[str, int]] | None = None
        self._task: asyncio.Task[None] | None = None

    # --- negotiation --------------------------------------------------------------------------

    async def answer(self, offer_sdp: str) -> str:
        """The answer to the leg's offer; connecting goes on by itself.

        Raises RemoteMediaError `sdp_malformed`, `sdp_unsupported`, `sdp_no_common_codec`,
        LocalMediaError `rtp_ports_exhausted`.
        """
        offer = parse_offer(offer_sdp)
        accepted = accept(offer, publish=self._leg.publish, play=self._leg.play)
        plans = [_plan(s) for s in accepted.sections if s is not None]
        self.session.plan(plans)
        if accepted.of("content") is not None:
            self.session.sources = _sources(offer, accepted)
        transport = accepted.transport
        self._connection.remote_is_lite = offer.is_ice_lite
        self._connection.remote_username = transport.ice_ufrag
        self._connection.remote_password = transport.ice_password
        if offer.is_ice_lite:
            self._connection.ice_controlling = True
        await self._connection.gather_candidates()
        for section in offer.media:
            for candidate in section.candidates:
                await self._add_candidate(candidate)
        self._dtls = Dtls(self._connection, is_client=accepted.setup == "active")
        text = write_answer(offer, accepted, self._local_transport(self._dtls))
        self._leg.watch.begin(self._loop.time())
        self._task = asyncio.create_task(self._establish(accepted))
        return text

    def _local_transport(self, dtls: Dtls) -> LocalTransport:
        candidates = [
            LocalCandidate(c.foundation, c.priority, self._advertised(c.host), c.port)
            for c in self._connection.local_candidates
        ]
        return LocalTransport(
            ice_ufrag=self._connection.local_username,
            ice_password=self._connection.local_password,
            fingerprint=dtls.fingerprint,
            candidates=candidates,
            session_id=secrets.randbits(62),
            cname=self.session.cname,
            ssrcs={str(kind): ssrc for kind, ssrc in self.session.ssrcs.items()},
            rtx_ssrcs={str(kind): ssrc for kind, ssrc in self.session.rtx_ssrcs.items()},
        )

    def _advertised(self, host: str) -> str:
        """The address to write: a 1:1 NAT's, where one is configured."""
        address = ipaddress.ip_address(host)
        if self._media_address is None or address.is_loopback or address.version == 6:
            return host
        return self._media_address

    async def trickle(self, text: str) -> None:
        """Candidates of the peer, one to a line. Raises RemoteMediaError `sdp_malformed`."""
        lines = [line for line in text.splitlines() if "candidate:" in line]
        for line in lines[:32]:
            candidate = parse_candidate(line)
            if candidate is not None:
                await self._add_candidate(candidate)

    async def _add_candidate(self, candidate: Candidate) -> None:
        await self._connection.add_remote_candidate(
            AioiceCandidate(
                foundation=candidate.foundation,
                component=candidate.component,
                transport="udp",
                priority=candidate.priority,
                host=candidate.host,
                port=candidate.port,
                type="srflx" if candidate.type == "prflx" else candidate.type,
            )
        )

    async def _establish(self, accepted: Accepted) -> None:
        """ICE, then DTLS; the leg's watch decides how long this may take."""
        if self._dtls is None:
            raise LocalMediaError("dtls_not_started")
        try:
            await self._connection.connect()
            keys = await self._dtls.handshake(accepted.transport.fingerprints, self._on_closed)
        except RemoteMediaError as error:
            self._end(CloseReason.REJECTED, error.code)
            return
        except ConnectionError:
            self._end(CloseReason.TIMED_OUT, "ice_failed")
            return
        self._keys = keys
        audio = self.session.plans.get("audio")
        level_id = audio.audio_level_id if audio is not None else None
        self._connection.set_keys(keys.receive, level_id or 0)
        if self.session.sources is None:  # else packets cannot be told apart by payload type
            self.session.count_by(self._connection.peer, "video", "audio")
        self._rtcp_sender = SrtpSender(keys.send)
        self._apply_route()
        now = self._loop.time()
        self._take_early(keys, now)
        self._leg.watch.heard(now)
        self._leg.up(now)
        for media in self.session.pictures:
            self.session.ask_keyframe(0, media)

    # --- packets ------------------------------------------------------------------------------

    def _on_route(self, sock: socket.socket, address: tuple[str, int]) -> None:
        if self._route == (sock, address):
            return  # nominated again, as browsers do every few seconds
        self._route = (sock, address)
        if self._keys is not None:
            self._apply_route()

    def _apply_route(self) -> None:
        if self._route is None or self._keys is None:
            return
        sock, address = self._route
        for outbound in self.session.out.values():
            outbound.route(sock, address, self._keys.send)
        self.session.want_keyframe()

    def _on_heard(self) -> None:
        if self._keys is not None:
            self._leg.watch.heard(self._loop.time())

    def _take_early(self, keys: DtlsKeys, now: float) -> None:
        """What came behind the peer's last flight, before the keys were out: its first key frame.

        Only what the keys prove to be the peer's is taken.
        """
        early, self._early = self._early, []
        opener = SrtpReceiver(keys.receive)
        for data in early:
            with contextlib.suppress(RemoteMediaError):
                self.session.take_rtp(opener.unprotect(data), now)

    def _on_packet(self, arrival: Arrival) -> None:
        if self._keys is None:
            if arrival.kind is DatagramKind.RTP and len(self._early) < EARLY_PACKETS:
                self._early.append(arrival.data)
            return
        now = self._loop.time()
        if arrival.kind is DatagramKind.RTCP:
            self.session.take_rtcp(arrival.data, now, time.time())
        else:
            self.session.take_rtp(arrival.data, now)
        self._connection.heard()
        self._leg.watch.heard(now)

    def _send_rtcp(self, media: MediaKind, packets: list[rtcp.RtcpPacket]) -> None:
        del media
        if self._route is None or self._rtcp_sender is None:
            return
        sock, address = self._route
        data = self._rtcp_sender.protect_rtcp(rtcp.build_compound(packets))
        with contextlib.suppress(OSError):
            sock.sendto(data, address)

    def _on_closed(self) -> None:
        self._end(CloseReason.HUNG_UP, "dtls_closed")

    def poll(self, now: float, unix_s: float) -> None:
        if self._keys is not None:
            super().poll(now, unix_s)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await super().close()
        if self._dtls is not None:
            await self._dtls.stop()
        await self._connection.close()


_MEDIA: dict[str, MediaKind] = {"audio": "audio", "video": "video", "content": "content"}


def _sources(offer: Offer, accepted: Accepted) -> Sources:
    """How the packets of the bundle are told apart: by the offer's sources, and by MID."""
    taken = [
        (section, media)
        for section, media in zip(accepted.sections, offer.media, strict=True)
        if section is not None
    ]
    return Sources(
        {section.mid: _MEDIA[section.media] for section, _ in taken},
        {ssrc: _MEDIA[section.media] for section, media in taken for ssrc in media.ssrcs},
        next((section.mid_id for section, _ in taken if section.mid_id is not None), None),
    )


def _plan(section: AcceptedMedia) -> MediaPlan:
    parameters = section.codec.parameters
    return MediaPlan(
        media=_MEDIA[section.media],
        codec=_CODECS[section.codec.name],
        payload_type=section.codec.payload_type,
        clock_rate=section.codec.clock_rate,
        send=section.send,
        receive=section.receive,
        feedback=frozenset(section.feedback),
        telephone_event_type=section.telephone_event,
        packetization_mode=section.packetization_mode,
        profile_level_id=parameters.get("profile-level-id"),
        audio_level_id=section.audio_level_id,
        send_time_id=section.send_time_id,
        numbers_id=section.numbers_id,
        rtx_type=section.rtx_type,
        allows_asymmetric_level=parameters.get("level-asymmetry-allowed") == "1",
    )
