"""One H.323 room in a call: joins its sans-IO call to connections and to a leg of the node."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from video_bridge import CloseReason, NodeUnreachableError, VideoBridgeError
from video_bridge.messages import MediaKind, RtpStream

from .call import REASON_OF_RESULT, Call
from .errors import SignallingError
from .h323 import h245_events as ev
from .h323.call import (
    CallEvent,
    ConnectControl,
    Connected,
    Fetched,
    H323Call,
    Incoming,
    Released,
    Ringing,
)
from .h323.call import CallState as H225State
from .h323.capability import CapabilitySet, Codec, MediaCapability
from .h323.fast_start import Proposal
from .h323.h243_events import ConferenceAnswered, ConferenceAsked, ConferenceTold
from .h323.h245 import ControlSession
from .h323_conference import Membership
from .h323_content import SecondStream
from .h323_house import House
from .h323_media import AUDIO_ORDER, H264_TYPE, KINDS, SESSIONS, STATIC_TYPES, VIDEO_ORDER, media_of
from .h323_ras import Leave
from .h323_result import result_of_release
from .h323_security import MediaSecurity
from .h323_streams import expected_content, proposals_of, stream_of, taken_of
from .h323_traversal import KeptOpen, passing_nat
from .messages import Body, CallResult, CallState
from .transports.tpkt import TpktConnection, connect

_log = structlog.get_logger("sip_gateway.h323")

LATEST_MEDIA_S = 15.0  # connected, but no channel opened by then


class Room:
    """From the first connection to the last PDU of one call. `call` is None until admitted."""

    def __init__(self, house: House, core: H323Call, signalling: TpktConnection) -> None:
        self.core, self.signalling = core, signalling
        self.call: Call | None = None
        self._house = house
        self._control: TpktConnection | None = None
        self._control_server: asyncio.Server | None = None
        self._theirs: dict[MediaKind, ev.ChannelOffered] = {}
        self._ours: dict[MediaKind, tuple[int, MediaCapability]] = {}
        self._sending_to: dict[MediaKind, ev.ChannelOpen] = {}
        self._limits: dict[MediaKind, int | None] = {}
        self._capabilities: CapabilitySet | None = None
        self._proposals: tuple[Proposal, ...] = ()
        self.is_over = False
        self._paused: set[int] = set()  # our channels that an empty set closes for a while
        self.is_restoring = self._is_on_hold = False
        self.second = SecondStream(self)
        self.membership = Membership(self)
        self.security = MediaSecurity(core)
        self._kept_open = KeptOpen()
        self.leave: Leave | None = None
        signalling.on_pdu = self._on_signalling
        signalling.on_closed = self._on_signalling_closed

    # --- what the edge asks -----------------------------------------------------------------

    async def bind(self, call: Call) -> None:
        """Give the call its leg, unless it `is_over` meanwhile. Raises VideoBridgeError."""
        self.call = call
        await self._house.legs.add(call, ["audio", "video", "content"])
        if self.is_over:
            call.has_leg = False
            await self._house.legs.remove(call.leg_id, CloseReason.HUNG_UP)

    def listen_for_control(self, server: asyncio.Server) -> None:
        self._control_server = server

    def answer(self) -> None:
        self.core.ring(self._house.now())
        self.core.answer(self._house.now(), self._taken())
        self.pump()

    def proposals(self, capabilities: tuple[MediaCapability, ...]) -> tuple[Proposal, ...]:
        """Fast start of a call that we make: what we can send and receive, best first."""
        local = self.call.local_media if self.call is not None else None
        return () if local is None else proposals_of(capabilities, local, self.session.new_number)

    def _taken(self) -> tuple[Proposal, ...]:
        """The caller's proposals that we take; they are in clear, and pass no NAT."""
        local = self.call.local_media if self.call is not None else None
        is_plain = not self.core.has_keys and self.core.traversal is None
        return taken_of(self._proposals, local) if local is not None and is_plain else ()

    def take_control(self, connection: TpktConnection) -> None:
        """A separate H.245 connection stands."""
        if self._control is not None or self.is_over:
            connection.close()
            return
        self._control = connection
        connection.on_pdu = self._on_control
        connection.on_closed = self._on_control_closed
        self.core.control_connected()
        self.pump()

    def release(self, reason: str, result: CallResult) -> None:
        """End the call from our side."""
        if self.is_over:
            return
        with contextlib.suppress(SignallingError):
            self.core.release(reason, self._house.now())
            self._send()
        self._end(result)

    def want_keyframe(self, media: MediaKind = "video") -> None:
        channel = self._theirs.get(media)
        if channel is not None:
            self.core.control_session.ask_keyframe(channel.number)
            self.pump()

    def poll(self) -> None:
        now = self._house.now()
        self._kept_open.poll(self.core.traversal, (self.signalling, self._control), now)
        self._guarded(lambda: self.core.poll(now))

    def pump(self) -> None:
        """Take what our own steps caused and send what is to be sent."""
        self._take(self.core.events())
        self._send()

    # --- connections ------------------------------------------------------------------------

    def _send(self) -> None:
        if self._control is not None:  # endSession goes before RELEASE COMPLETE (H.323 8.5)
            self._control.send(self.core.control())
        self.signalling.send(self.core.signalling())

    def _on_signalling(self, pdu: bytes) -> None:
        self._guarded(lambda: self.core.receive(pdu, self._house.now()))

    def _on_control(self, pdu: bytes) -> None:
        self._guarded(lambda: self.core.receive_control(pdu, self._house.now()))

    def _guarded(self, step: Callable[[], list[CallEvent]]) -> None:
        try:
            self._take(step())
            self._send()
        except SignallingError as error:
            _log.info("h323_refused", host=self.signalling.host, code=error.code)
            self.release("undefinedReason", CallResult.PROTOCOL_ERROR)
            raise

    def _on_signalling_closed(self) -> None:
        if not self.is_over:
            was_up = self.core.state is H225State.ACTIVE
            self._end(CallResult.HUNG_UP if was_up else CallResult.UNREACHABLE)

    def _on_control_closed(self) -> None:
        if not self.is_over:
            self.release("undefinedReason", CallResult.HUNG_UP)

    # --- events of the core -----------------------------------------------------------------

    def _take(self, events: list[CallEvent]) -> None:
        for event in events:
            if not self.is_over:
                self._take_one(event)

    def _take_one(self, event: CallEvent) -> None:
        match event:
            case Incoming(caller_name=name, dialled=dialled, proposals=proposals):
                self._proposals = proposals
                self._house.invited(self, name, dialled)
            case Fetched(call_id=call_id):
                self._house.fetched(self, call_id)
            case Ringing():
                self._moved(CallState.RINGING)
            case Connected() if not self.security.is_possible:
                self.release("securityDenied", CallResult.NOT_ENCRYPTED)
            case Connected():
                self._moved(CallState.CONNECTED)
                loop = asyncio.get_running_loop()
                loop.call_later(LATEST_MEDIA_S, self._check_media)
            case ConnectControl(address=(host, _)) if self.call is None and (
                host != self.signalling.host
            ):  # nobody yet: he may not have us connect to others
                _log.info("h323_led_astray", host=self.signalling.host, to=host)
                self.release("securityDenied", CallResult.AUTHENTICATION_FAILED)
            case ConnectControl(address=address):
                self._house.spawn(self._connect_control(*address))
            case Released(reason=reason, cause=cause, by_us=by_us):
                self._end(result_of_release(reason, cause, self.core, by_us=by_us))
            case ev.CapabilitiesReceived(capabilities=capabilities):
                self._capabilities = capabilities
                self._follow_capabilities()
                if self._sending_to:
                    self._reconnect()  # the peer's packetisation is known only now
            case ev.RoleDecided():
                self._follow_capabilities()
                self.membership.follow()
            case ev.SessionEnded(reason=reason):
                result = CallResult.HUNG_UP if reason == "end_session" else CallResult.UNREACHABLE
                self.release("destinationRejection", result)
            case ev.UserInput(digits=digits) if self.call is not None:
                for digit in digits:
                    self._house.pressed(self.call, digit)
            case ev.KeyframeAsked(number=number) if self.call is not None:
                media = self._media_of(number) or "video"
                self._house.spawn(self._house.legs.key_frame(self.call, media))
            case ev.TokenAsked() | ev.TokenAnswered() | ev.TokenReleased():
                self.second.take(event)
            case ConferenceAsked() | ConferenceTold() | ConferenceAnswered():
                self.membership.take(event)
            case _:
                self._take_channel(event)

    def _take_channel(self, event: CallEvent) -> None:
        session = self.core.control_session
        match event:
            case ev.ChannelOffered():
                self._channel_offered(event)
            case ev.FastStarted(sending=sending, receiving=receiving):
                for opened, carried in sending:
                    if (media := media_of(carried)) is not None:
                        self._ours[media], self._sending_to[media] = (
                            (opened.number, carried),
                            opened,
                        )
                for offered in receiving:
                    if (media := media_of(offered.capability)) is not None:
                        self._theirs[media] = offered
                self._reconnect()
            case ev.ChannelOpen(number=number):
                media = self._media_of(number)
                if media is not None:
                    self._sending_to[media] = event
                    self._reconnect()
            case ev.ChannelRefused(number=number):
                self._forget_ours(number)
            case ev.ChannelClosed(number=number, by_us=by_us):
                if by_us:
                    self._forget_ours(number)
                    if number in self._paused:  # the full set may have come before
                        self._paused.discard(number)
                        self._follow_capabilities()
                else:
                    self._forget_theirs(number)
                self._reconnect()
            case ev.CloseAsked(number=number):
                session.close_channel(number)
            case ev.FlowControlled(number=number, bitrate_bps=limit):
                wanted = self._media_of(number) if number is not None else "video"
                if wanted is not None:
                    self._limits[wanted] = limit
                    self._reconnect()
            case _:
                pass

    # --- media ------------------------------------------------------------------------------

    def _follow_capabilities(self) -> None:
        """Open what the peer can receive; an empty set means stop (H.245 8.4.1)."""
        known = self._capabilities
        session = self.core.control_session
        if known is None or session.is_master is None or self.call is None:
            return
        if known.is_empty:
            self._pause()
            return
        if self.is_restoring:
            return
        self._open("audio", AUDIO_ORDER)
        self._open("video", VIDEO_ORDER)

    def _pause(self) -> None:
        for number, _capability in list(self._ours.values()):
            if number not in self._paused:
                self._paused.add(number)
                self.session.close_channel(number)

    # --- another node (`h323_restore.Room`) ---------------------------------------------------

    @property
    def has_channels(self) -> bool:
        return bool(self._ours or self._theirs)

    def suspend(self) -> None:
        """All channels are to be closed, ours and the room's (H.323 8.4.6)."""
        self.is_restoring = True
        self._pause()
        self.session.hold()
        self.pump()

    def forget_channels(self) -> None:
        """What the room left open: it is asked to close, and then as good as closed."""
        for offered in list(self._theirs.values()):
            self.session.close_channel(offered.number)
            self._forget_theirs(offered.number)
        self._ours.clear()
        self._sending_to.clear()
        self._paused.clear()
        self.pump()

    def resume(self) -> None:
        """With a leg again: channels are opened anew, the room's by the full set."""
        self.is_restoring = self._is_on_hold = False
        self.session.resume()
        self._follow_capabilities()
        self.second.resume()
        self.pump()

    def _open(self, media: MediaKind, order: tuple[Codec, ...]) -> int | None:
        """Ask for a channel to the room; None where it has nothing that we send."""
        local = self.call.local_media if self.call is not None else None
        known, port = self._capabilities, local.port(media) if local is not None else None
        if media in self._ours or known is None or local is None or port is None:
            return None
        capability, is_encrypted = known.best(KINDS[media], order), self.security.opens(known)
        if capability is None or is_encrypted is None:
            return None
        number = self.session.open_channel(
            capability,
            SESSIONS[media],
            (local.address, port + 1),
            STATIC_TYPES.get(capability.codec, H264_TYPE),
            single_nal=not known.speaks_fragments,
            encrypted=is_encrypted,
        )
        self._ours[media] = (number, capability)
        return number

    # --- the second stream (`h323_content.Room`) ----------------------------------------------

    @property
    def session(self) -> ControlSession:
        return self.core.control_session

    @property
    def own_name(self) -> str:
        return self.core.own_name

    @property
    def video_channel(self) -> int | None:
        """Our open channel of pictures."""
        channel = self._sending_to.get("video")
        return None if channel is None else channel.number

    @property
    def shows_content(self) -> bool:
        """Whether the room can take a second stream."""
        known = self._capabilities
        return known is not None and known.best("content", VIDEO_ORDER) is not None

    def announce(self, body: Body) -> None:
        self._house.announce(body)

    def content_changed(self) -> None:
        self._reconnect()

    def open_content(self) -> int | None:
        return self._open("content", VIDEO_ORDER)

    def close_content(self) -> None:
        if "content" in self._ours:
            self.session.close_channel(self._ours["content"][0])

    def refuse_content(self) -> None:
        """The room's own content is not wanted (any more): ask it to close its channel."""
        if "content" in self._theirs:
            self.session.close_channel(self._theirs["content"].number)

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        def due() -> None:
            if not self.is_over:
                work()
                self.pump()

        asyncio.get_running_loop().call_later(seconds, due)

    def _channel_offered(self, offered: ev.ChannelOffered) -> None:
        session = self.core.control_session
        local = self.call.local_media if self.call is not None else None
        media = media_of(offered.capability)
        port = local.port(media) if local is not None and media is not None else None
        if local is None or media is None or port is None or media in self._theirs:
            session.reject_channel(offered.number, "dataTypeNotSupported")
            return
        if not self.security.accepts(offered):
            session.reject_channel(offered.number, "securityDenied")
            return
        session.accept_channel(
            offered.number, (local.address, port), (local.address, port + 1), SESSIONS[media]
        )
        self._theirs[media] = offered
        if media == "content":
            self.second.opened(offered.number)
        self._reconnect()

    def _media_of(self, number: int) -> MediaKind | None:
        return next((media for media, kept in self._ours.items() if kept[0] == number), None)

    def _forget_theirs(self, number: int) -> None:
        for media in [media for media, kept in self._theirs.items() if kept.number == number]:
            del self._theirs[media]
            if media == "content":
                self.second.released()

    def _forget_ours(self, number: int) -> None:
        media = self._media_of(number)
        if media is not None:
            del self._ours[media]
            self._sending_to.pop(media, None)

    def _stream(self, media: MediaKind) -> RtpStream | None:
        """Both directions of one media, as far as their channels are open."""
        out, offered = self._sending_to.get(media), self._theirs.get(media)
        if out is None and offered is None:
            is_expected = media == "content" and self.second.is_asking
            return expected_content(self.signalling.host) if is_expected else None
        stream = stream_of(
            media,
            out,
            self._ours[media][1] if out is not None else None,
            offered,
            host=self.signalling.host,
            fragments=self._capabilities is not None and self._capabilities.speaks_fragments,
            limit_bps=self._limits.get(media),
            srtp=self.security.keys(out, offered),
        )
        return passing_nat(stream, self.session.traversal, out, offered, self.signalling.host)

    def _reconnect(self) -> None:
        self.membership.follow()
        if self.call is not None and self.call.has_leg:
            self._house.spawn(self._connect_leg(self.call))

    async def _connect_leg(self, call: Call) -> None:
        streams = [stream for media in SESSIONS if (stream := self._stream(media)) is not None]
        if self.is_over or self.is_restoring:
            return
        call.codecs = list(dict.fromkeys(stream.codec for stream in streams)) or call.codecs
        try:
            if streams:
                await self._house.legs.connect_streams(call, streams)
            await self._follow_hold(call, is_on_hold=not streams)
        except NodeUnreachableError:
            return  # when it is back, or another is, the call is restored
        except VideoBridgeError as error:
            _log.warning("leg_not_connected", leg_id=call.leg_id, code=error.code)
            self.release("gatewayResources", CallResult.MEDIA_FAILED)
            return
        self._house.announce(call.changed())

    async def _follow_hold(self, call: Call, *, is_on_hold: bool) -> None:
        if is_on_hold is not self._is_on_hold:
            self._is_on_hold = is_on_hold
            await self._house.legs.hold(call, is_on_hold=is_on_hold)

    def _check_media(self) -> None:
        if not self.is_over and not self._sending_to and not self._theirs:
            self.release("undefinedReason", CallResult.NO_COMMON_CODEC)

    async def _connect_control(self, host: str, port: int) -> None:
        try:
            self.take_control(await connect(host, port))
        except (OSError, TimeoutError):
            self.release("undefinedReason", CallResult.UNREACHABLE)

    # --- ending -----------------------------------------------------------------------------

    def _moved(self, state: CallState) -> None:
        if self.call is not None and self.call.state is not state and not self.call.is_over:
            self.call.move(state)
            self._house.announce(self.call.changed())

    def _end(self, result: CallResult) -> None:
        """Once: connections closed, leg removed, the house told."""
        if self.is_over:
            return
        self.is_over = True
        self.signalling.close()
        if self._control is not None:
            self._control.close()
        if self._control_server is not None:
            self._control_server.close()
        call = self.call
        if call is not None and not call.is_over:
            call.result = result
            call.move(CallState.ENDED)
            if call.has_leg:
                call.has_leg = False
                reason = REASON_OF_RESULT.get(result, CloseReason.REJECTED)
                self._house.spawn(self._house.legs.remove(call.leg_id, reason))
            self._house.announce(call.changed())
        self._house.gone(self)
