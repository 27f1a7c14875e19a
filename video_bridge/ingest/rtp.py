"""A SIP or H.323 room: plain RTP on port pairs of the node's range, addresses from the gateway.

Rooms behind NAT advertise addresses that do not reach them, so media goes back to where it comes
from (symmetric RTP): the first stream that matches decides, and another only once it fell silent.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ipaddress
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from aiortc.rtcdtlstransport import RTCCertificate

from .. import messages as m
from ..datapath import Arrival, DatagramKind, Peer, SrtpKeys, SrtpProfile, SrtpSender
from ..datapath.reception import reception
from ..datapath.transport import BatchedDatagrams, open_datagrams
from ..errors import LocalMediaError
from ..leg import Leg
from ..messages import CloseReason, MediaKind
from ..rtp import rtcp
from ..streams.plan import MediaPlan
from ..streams.video_formats import FORMATS
from ..transports.dtls import DtlsKeys, fingerprint_of, make_certificate
from ..transports.keep_alive import KeptOpen, is_keep_alive
from ..transports.room_dtls import RoomDtls, is_dtls
from ..transports.rtp_ports import source_address
from .room_cipher import RoomCipher, cipher_for
from .session_media import SessionMedia, Surroundings

log = logging.getLogger(__name__)

RELATCH_AFTER_S = 1.0
_SENDING_CODECS = {
    "audio": {"opus", "G722", "PCMA", "PCMU"},
    "video": set(FORMATS),
    "content": set(FORMATS),
}


class _Datagrams(asyncio.DatagramProtocol):
    """What is no RTP nor RTCP: a handshake, or nothing to a room."""

    def __init__(self, take: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if is_dtls(data):
            self._take(data, addr)

    def error_received(self, exc: Exception) -> None:
        log.debug("socket error: %s", exc)


@dataclass(slots=True)
class _Pair:
    """The two sockets of one media and where its packets go.

    Each socket has a peer of its own, since DTLS gives each its own keys. `is_locked`: keys are to
    come; until then nothing is sent and nothing taken.
    """

    port: int
    rtp: socket.socket
    rtcp: socket.socket
    peer: Peer
    rtcp_peer: Peer
    transports: list[BatchedDatagrams]
    remote: tuple[str, int] | None = None
    remote_rtcp: tuple[str, int] | None = None
    heard_from_remote_at: float | None = None
    is_latched: bool = False
    keep_alive_type: int | None = None  # of the room's packets that show no more than where it is
    kept_open: KeptOpen | None = None  # ours, through a NAT
    is_muxed: bool = False
    keys: m.SrtpKeys | None = None
    send_keys: SrtpKeys | None = None
    rtcp_sender: SrtpSender | None = None
    cipher: RoomCipher | None = None  # H.235.6 instead of SRTP
    is_locked: bool = False
    terms: m.DtlsTerms | None = None
    handshakes: dict[socket.socket, RoomDtls] = field(default_factory=dict)
    early: dict[socket.socket, tuple[bytes, tuple[str, int]]] = field(default_factory=dict)

    def keyed(self, sock: socket.socket, keys: DtlsKeys) -> None:
        """A handshake gave the keys of this socket."""
        if sock is self.rtp:
            self.peer.set_keys(keys.receive)
            self.send_keys, self.is_locked = keys.send, False
        else:
            self.rtcp_peer.set_keys(keys.receive)
        if sock is self.rtcp or self.is_muxed:
            self.rtcp_sender = SrtpSender(keys.send)

    def secure(self, keys: m.SrtpKeys | None) -> None:
        """Take the keys of an answer; a context whose key stays goes on with its counters."""
        self.cipher = cipher_for(keys, self.cipher)
        keys = keys if self.cipher is None else None
        if keys == self.keys:
            return
        if keys is None:
            self.send_keys = self.rtcp_sender = None
            self.peer.set_keys(None)
            self.rtcp_peer.set_keys(None)
        else:
            if self.keys is None or self.keys.receive != keys.receive:
                self.peer.set_keys(_sdes_keys(keys.suite, keys.receive))
                self.rtcp_peer.set_keys(_sdes_keys(keys.suite, keys.receive))
            if self.keys is None or self.keys.send != keys.send:
                self.send_keys = _sdes_keys(keys.suite, keys.send)
                self.rtcp_sender = SrtpSender(self.send_keys)
        self.keys = keys

    def keep_open(self, now: float) -> None:
        """Behind a NAT: say from time to time where we are."""
        if self.kept_open is None:
            return
        packet = self.kept_open.due(now)
        if packet is not None:
            with contextlib.suppress(OSError):
                self.rtp.sendto(packet, self.kept_open.address)

    def expect(self) -> None:
        """Only the peer's packets may be kept back; another's tell that it moved."""
        line = self.transports[0].line
        if line is not None:
            line.expect(self.remote if self.is_latched else None)


class RoomMedia(SessionMedia):
    """Media of an rtp leg: `bind` at leg.add, `answer` with each leg.answer, `close` at the end."""

    def __init__(
        self,
        leg: Leg,
        around: Surroundings,
        end: Callable[[CloseReason, str], None],
    ) -> None:
        super().__init__(leg, around, end)
        self._ports = around.ports
        self._media_address = around.media_address
        self._pairs: dict[MediaKind, _Pair] = {}
        self._certificate: RTCCertificate | None = None
        self._signalling_host: str | None = None
        self._closings: set[asyncio.Task[None]] = set()

    async def bind(
        self, media: list[MediaKind], remote_host: str | None, *, dtls: bool = False
    ) -> m.LegAdded:
        """Take ports and say what to advertise. Raises LocalMediaError `rtp_ports_exhausted`."""
        self._signalling_host = _numeric(remote_host)
        if dtls:
            self._certificate = make_certificate()
        family_any = "::" if remote_host and ":" in remote_host else "0.0.0.0"  # noqa: S104
        for kind in dict.fromkeys(media):
            port, rtp, rtcp_socket = self._ports.take_pair(family_any, is_audio=kind == "audio")
            hub = reception().hub
            pair = _Pair(port, rtp, rtcp_socket, hub.peer(), hub.peer(), [])
            self._pairs[kind] = pair
            self.session.count_by(pair.peer, kind)
            for sock in (rtp, rtcp_socket):
                pair.transports.append(await self._open(kind, pair, sock))
        return m.LegAdded(
            leg_id=self._leg.leg_id,
            media_address=self._media_address or source_address(_numeric(remote_host)),
            audio_port=self._pairs["audio"].port if "audio" in self._pairs else None,
            video_port=self._pairs["video"].port if "video" in self._pairs else None,
            content_port=self._pairs["content"].port if "content" in self._pairs else None,
            dtls_fingerprint=None
            if self._certificate is None
            else f"sha-256 {fingerprint_of(self._certificate)}",
        )

    async def _open(self, kind: MediaKind, pair: _Pair, sock: socket.socket) -> BatchedDatagrams:
        def take(arrival: Arrival) -> None:
            if arrival.kind is DatagramKind.RTCP:
                pair.is_muxed = pair.is_muxed or sock is pair.rtp
                self._take_rtcp(pair, arrival.data, arrival.address)
            elif sock is pair.rtp:
                self._take(kind, pair, arrival.data, arrival.address)

        def shake(data: bytes, address: tuple[str, int]) -> None:
            self._take_dtls(pair, sock, data, address)

        peer = pair.peer if sock is pair.rtp else pair.rtcp_peer
        return await open_datagrams(_Datagrams(shake), sock, peer, take)

    async def answer(self, streams: list[m.RtpStream]) -> None:
        """What offer/answer settled; again after each re-INVITE.

        Raises LocalMediaError: `media_not_bound`, `codec_unsupported`, `remote_host_unknown`.
        """
        routes: dict[MediaKind, tuple[str, int, int]] = {}
        for stream in streams:
            if stream.media not in self._pairs:
                raise LocalMediaError("media_not_bound", media=stream.media)
            for codec in (stream.codec, stream.receive_codec or stream.codec):
                if codec not in _SENDING_CODECS[stream.media]:
                    raise LocalMediaError("codec_unsupported", codec=codec)
            host = await self._resolve(stream.remote_host)
            routes[stream.media] = (
                host,
                stream.remote_port,
                stream.remote_rtcp_port or min(65535, stream.remote_port + 1),
            )
        self.session.plan([_plan(stream, self._leg) for stream in streams])
        for stream in streams:
            pair = self._pairs[stream.media]
            self._traverse(stream, pair)
            pair.is_muxed = pair.is_muxed or stream.rtcp_mux
            self._end_handshakes(pair, stream.dtls)
            if stream.dtls is None:
                pair.secure(stream.srtp)
            else:
                pair.is_locked = pair.is_locked or pair.terms is None
        traversed = {stream.media for stream in streams if stream.is_traversed}
        for kind, (host, port, rtcp_port) in routes.items():
            if kind in traversed:
                self._route(kind, self._pairs[kind])
            else:
                self._set_remote(kind, (host, port), (host, rtcp_port))
        for stream in streams:
            if stream.dtls is not None:
                self._shake_hands(stream.media, stream.dtls)
        now = self._loop.time()
        self._leg.watch.begin(now)
        self.judge_exemption(now)
        self.session.want_keyframe()

    def _traverse(self, stream: m.RtpStream, pair: _Pair) -> None:
        """What H.460.19 settled; keep-alives go on as they were where nothing is new."""
        pair.keep_alive_type, terms = stream.keep_alive_type, stream.keep_alive
        if terms is None:
            pair.kept_open = None
        elif pair.kept_open is None or pair.kept_open.terms != terms:
            pair.kept_open = KeptOpen(terms, self.session.ssrcs[stream.media])

    # --- DTLS -----------------------------------------------------------------------------------

    def _end_handshakes(self, pair: _Pair, terms: m.DtlsTerms | None) -> None:
        """Associations end when the far end's certificate changes or is asked for no more."""
        if pair.terms is None or (terms and terms.fingerprints == pair.terms.fingerprints):
            return
        pair.terms, pair.is_locked, pair.keys = None, False, None
        pair.secure(None)
        pair.send_keys = pair.rtcp_sender = None
        for handshake in pair.handshakes.values():
            task = asyncio.create_task(handshake.close())
            self._closings.add(task)
            task.add_done_callback(self._closings.discard)
        pair.handshakes.clear()

    def _shake_hands(self, kind: MediaKind, terms: m.DtlsTerms) -> None:
        """Begin or await the handshake of each socket; RTCP has its own unless it is muxed."""
        pair = self._pairs[kind]
        if pair.terms is not None or pair.remote is None or pair.remote_rtcp is None:
            return
        if self._certificate is None:
            raise LocalMediaError("dtls_not_bound", media=kind)
        pair.terms, pair.is_locked, pair.keys = terms, True, None
        ends = [(pair.rtp, pair.remote)]
        if not pair.is_muxed:
            ends.append((pair.rtcp, pair.remote_rtcp))
        for sock, remote in ends:
            handshake = RoomDtls(
                self._certificate,
                terms,
                sock,
                remote,
                done=partial(self._on_keys, kind, pair, sock),
                failed=partial(self._end, CloseReason.REJECTED),
            )
            pair.handshakes[sock] = handshake
            if sock in pair.early:
                handshake.take(*pair.early.pop(sock))

    def _take_dtls(
        self, pair: _Pair, sock: socket.socket, data: bytes, address: tuple[str, int]
    ) -> None:
        hosts = {self._signalling_host, pair.remote[0] if pair.remote else None}
        if self._certificate is None or address[0] not in hosts:
            return
        if sock in pair.handshakes:
            pair.handshakes[sock].take(data, address)
        elif pair.terms is None:
            pair.early[sock] = data, address  # it came before its answer

    def _on_keys(
        self,
        kind: MediaKind,
        pair: _Pair,
        sock: socket.socket,
        keys: DtlsKeys,
        address: tuple[str, int],
    ) -> None:
        pair.keyed(sock, keys)
        if sock is pair.rtcp:
            pair.remote_rtcp = address
            return
        pair.remote, pair.is_latched = address, True
        self._route(kind, pair)
        self.session.want_keyframe()

    async def _resolve(self, host: str) -> str:
        numeric = _numeric(host)
        if numeric is not None:
            return numeric
        try:
            found = await self._loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise LocalMediaError("remote_host_unknown", host=host[:80]) from error
        return str(found[0][4][0])

    def _set_remote(
        self, kind: MediaKind, rtp: tuple[str, int], rtcp_address: tuple[str, int]
    ) -> None:
        pair = self._pairs[kind]
        if pair.remote is not None and pair.is_latched and pair.remote[0] == rtp[0]:
            pair.is_latched = pair.remote == rtp  # same host: its new port counts, then latch anew
        if not pair.is_latched:
            pair.remote, pair.remote_rtcp = rtp, rtcp_address
        self._route(kind, pair)

    def _route(self, kind: MediaKind, pair: _Pair) -> None:
        pair.expect()
        outbound = self.session.out.get(kind)
        if outbound is not None and pair.remote is not None and not pair.is_locked:
            outbound.route(pair.rtp, pair.remote, pair.send_keys)
            if pair.cipher is not None:
                pair.cipher.attach(outbound, pair.rtp)

    def judge_exemption(self, now: float) -> None:
        """On hold, or nothing of it is expected to come: silence is no fault."""
        receives = any(plan.receive for plan in self.session.plans.values())
        self._leg.watch.excuse(now, is_exempt=self._leg.on_hold or not receives)

    # --- packets ------------------------------------------------------------------------------

    def _take(self, kind: MediaKind, pair: _Pair, data: bytes, addr: tuple[str, int]) -> None:
        now = self._loop.time()
        if not is_keep_alive(data, pair.keep_alive_type):
            clear = data if pair.cipher is None else pair.cipher.unprotect(data)
            if clear is None or pair.is_locked or not self.session.take_rtp(clear, now, kind):
                return
            self._leg.watch.heard(now)
        if pair.remote == addr:
            pair.heard_from_remote_at = now
            if not pair.is_latched:
                pair.is_latched = True
                pair.expect()
            return
        heard = pair.heard_from_remote_at
        if heard is None or now - heard >= RELATCH_AFTER_S:
            log.info("leg %s %s latches to %s:%d", self._leg.leg_id, kind, *addr)
            pair.remote, pair.heard_from_remote_at, pair.is_latched = addr, now, True
            if not pair.is_muxed:
                pair.remote_rtcp = (addr[0], min(65535, addr[1] + 1))
            self._route(kind, pair)
            self.session.want_keyframe()

    def _take_rtcp(self, pair: _Pair, data: bytes, addr: tuple[str, int]) -> None:
        now = self._loop.time()
        is_open = pair.terms is None or pair.rtcp_sender is not None
        if not is_open or not self.session.take_rtcp(data, now, time.time()):
            return
        if pair.remote is not None and pair.remote[0] == addr[0]:
            pair.remote_rtcp = addr
            if self._leg.watch.heard_at is not None:
                self._leg.watch.heard(now)

    def _send_rtcp(self, media: MediaKind, packets: list[rtcp.RtcpPacket]) -> None:
        pair = self._pairs.get(media)
        if pair is None or pair.remote is None or pair.remote_rtcp is None:
            return
        if pair.terms is not None and pair.rtcp_sender is None:
            return
        if not isinstance(packets[0], (rtcp.SenderReport, rtcp.ReceiverReport)):
            # Without reduced size (RFC 5506) every datagram begins with a report.
            report = rtcp.ReceiverReport(self.session.ssrcs[media], ())
            source = rtcp.SourceDescription.cname(self.session.ssrcs[media], self.session.cname)
            packets = [report, source, *packets]
        sock, address = (pair.rtp, pair.remote) if pair.is_muxed else (pair.rtcp, pair.remote_rtcp)
        data = rtcp.build_compound(packets)
        if pair.rtcp_sender is not None:
            data = pair.rtcp_sender.protect_rtcp(data)
        with contextlib.suppress(OSError):
            sock.sendto(data, address)

    def poll(self, now: float, unix_s: float) -> None:
        self.judge_exemption(now)
        super().poll(now, unix_s)
        for kind, pair in self._pairs.items():
            kept_at = self.session.kept_back_at(kind)
            pair.keep_open(now)
            if pair.heard_from_remote_at is not None and kept_at > pair.heard_from_remote_at:
                pair.heard_from_remote_at = kept_at

    async def close(self) -> None:
        for media in self.session.plans:
            self._send_rtcp(media, self.session.goodbye(media))
        await super().close()
        for pair in self._pairs.values():
            self._end_handshakes(pair, None)
        if self._closings:
            await asyncio.gather(*self._closings, return_exceptions=True)
        for pair in self._pairs.values():
            for transport in pair.transports:
                transport.close()
            for sock in (pair.rtp, pair.rtcp):
                sock.close()
            self._ports.give_back(pair.port)
        self._pairs.clear()


def _numeric(host: str | None) -> str | None:
    if not host:
        return None
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def _sdes_keys(suite: str, inline: str) -> SrtpKeys:
    """Keys as SDES writes them: base64 of master key and salt. Raises LocalMediaError."""
    profile = SrtpProfile.from_suite(suite)
    try:
        material = base64.b64decode(inline, validate=True)
    except ValueError as error:
        raise LocalMediaError("srtp_key_malformed", suite=suite) from error
    return SrtpKeys(profile, material[: profile.key_size], material[profile.key_size :])


def _plan(stream: m.RtpStream, leg: Leg) -> MediaPlan:
    return MediaPlan(
        media=stream.media,
        codec=stream.codec,
        payload_type=stream.payload_type,
        clock_rate=stream.clock_rate,
        send=stream.send and leg.play,
        receive=stream.receive and leg.publish,
        feedback=frozenset(stream.rtcp_feedback),
        telephone_event_type=stream.telephone_event_type,
        packetization_mode=stream.packetization_mode,
        profile_level_id=stream.profile_level_id,
        max_bitrate_bps=stream.max_bitrate_bps,
        receive_as=_receive_as(stream),
    )


def _receive_as(stream: m.RtpStream) -> tuple[str, int, int] | None:
    if stream.receive_codec is None or stream.receive_payload_type is None:
        return None
    rate = stream.receive_clock_rate or stream.clock_rate
    return stream.receive_codec, stream.receive_payload_type, rate
