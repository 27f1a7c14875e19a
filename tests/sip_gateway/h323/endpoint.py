"""An H.323 room for tests: our sans-IO stack, real TCP, and the media room of the node's tests."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable, Coroutine

from sip_gateway.h323 import h245_events as ev
from sip_gateway.h323.call import CallEvent, ConnectControl, Connected, H323Call, Incoming, Released
from sip_gateway.h323.capability import Kind, MediaCapability
from sip_gateway.h323.fast_start import Proposal, propose
from sip_gateway.h323.h225 import Identity
from sip_gateway.h323.h245 import ControlSession
from sip_gateway.transports.tpkt import TpktConnection, connect, listen
from tests.video_bridge.node.room import AUDIO_TYPE, VIDEO_TYPE, Room
from video_bridge import messages as m

ALAW = MediaCapability("audio", "PCMA")
SLIDES = MediaCapability("content", "H264", bitrate_bps=1_000_000)
VIDEO = {
    "H264": MediaCapability("video", "H264", bitrate_bps=1_500_000, level=71),
    "H263": MediaCapability("video", "H263", bitrate_bps=384_000, sizes={"cif": 1}),
    "H261": MediaCapability("video", "H261", bitrate_bps=384_000, sizes={"cif": 1}),
}
TYPES = dict.fromkeys(VIDEO, VIDEO_TYPE)
_references = itertools.count(100)


class Endpoint:
    """Calls or is called; sends its colour and tone once its channels are open."""

    def __init__(
        self,
        name: str,
        media: Room,
        *,
        tunnelling: bool = True,
        fast_start: bool = False,
        codec: str = "H264",
        content: Room | None = None,
    ) -> None:
        self.events: list[CallEvent] = []
        self._name, self._media, self._tunnelling = name, media, tunnelling
        self._control: TpktConnection | None = None
        self._signalling: TpktConnection | None = None
        self._server: asyncio.Server | None = None
        self._control_server: asyncio.Server | None = None
        self._ports: dict[str, int] = {}
        self.is_busy = False
        self._content = content
        self._fast_start, self._can = fast_start, (ALAW, VIDEO[codec])
        self._opened = self._is_paused = self._is_sending = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> int:
        """Wait for a call. Returns the port of the call-signalling address."""
        self._server = await listen("127.0.0.1", 0, self._called)
        return int(self._server.sockets[0].getsockname()[1])

    async def call(self, number: str, port: int) -> None:
        connection = await connect("127.0.0.1", port)
        self._begin(connection)
        self.core.dial(
            number=number,
            source=connection.local,
            target=("127.0.0.1", port),
            reference=next(_references),
            new_id=lambda: secrets.token_bytes(16),
            now=0.0,
            proposals=self._proposals(),
        )
        self.pump()

    def _proposals(self) -> tuple[Proposal, ...]:
        audio, video = self._address(1), self._address(2)
        addresses: dict[Kind, tuple[int, tuple[str, int], tuple[str, int]]]
        addresses = {"audio": (1, audio, audio), "video": (2, video, video)}
        numbers = self.core.control_session.new_number
        types = {"PCMA": AUDIO_TYPE, **TYPES}
        return propose(self._can, addresses, types, numbers) if self._fast_start else ()

    def _address(self, session: int) -> tuple[str, int]:
        sock = self._media.video_socket if session == 2 else self._media.audio_socket
        if session > 2 and self._content is not None:
            sock = self._content.video_socket
        return "127.0.0.1", sock.getsockname()[1]

    def present(self) -> None:
        """Ask for the token; once it is granted the slides flow."""
        self._slides = self.core.control_session.new_number()
        self.core.control_session.token_request(self._slides, 1_000_000, 5)
        self.pump()

    def stop_presenting(self) -> None:
        for opened in self.of(ev.ChannelOpen):
            if isinstance(opened, ev.ChannelOpen) and opened.session > 2:
                self.core.control_session.close_channel(opened.number)
        self.core.control_session.token_release(self._slides)
        self.pump()

    def _taken(self, incoming: Incoming) -> tuple[Proposal, ...]:
        """The caller's proposals that we can, both directions of sound and picture."""
        taken: dict[tuple[int, bool], Proposal] = {}
        codecs = [capability.codec for capability in self._can]
        for proposal in incoming.proposals if self._fast_start else ():
            if proposal.capability is not None and proposal.capability.codec in codecs:
                address = self._address(proposal.session)
                answer = proposal.taken(address if proposal.to_called else None, address)
                taken.setdefault((proposal.session, proposal.to_called), answer)
        return tuple(taken.values())

    def hang_up(self) -> None:
        self.core.release("destinationRejection", 0.0)
        self.pump()

    def of(self, kind: type) -> list[CallEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def pump(self) -> None:
        for connection, pdus in (
            (self._signalling, self.core.signalling()),
            (self._control, self.core.control()),
        ):
            if connection is not None:
                connection.send(pdus)
        for event in self.core.events():
            self._take(event)

    def close(self) -> None:
        for closing in (self._signalling, self._control, self._server, self._control_server):
            if closing is not None:
                closing.close()

    def _called(self, connection: TpktConnection) -> None:
        self._begin(connection)

    def _begin(self, connection: TpktConnection) -> None:
        media = self._can if self._content is None else (*self._can, SLIDES)
        control = ControlSession(
            media,
            content=self._content is not None,
            terminal_type=50,
            random24=lambda: secrets.randbits(24),
        )
        identity = Identity(self._name, is_mcu=False)
        self.core = H323Call(identity, control, tunnelling=self._tunnelling)
        self._signalling = connection
        connection.on_pdu = lambda pdu: self._receive(lambda: self.core.receive(pdu, 0.0))

    def _receive(self, step: Callable[[], list[CallEvent]]) -> None:
        for event in step():
            self._take(event)
        self.pump()

    def _take(self, event: CallEvent) -> None:
        self.events.append(event)
        match event:
            case Incoming() if self.is_busy:
                self.core.release("inConf", 0.0)
            case Incoming():
                self._spawn(self._answer(event))
            case ev.FastStarted(sending=sending):
                self._opened = True
                static = {"PCMA": 8, "H263": 34, "H261": 31}
                for opened, carried in sending:
                    kind = opened.payload_type or static[carried.codec]
                    setattr(self._media, f"{carried.kind}_type", kind)
                    self._take(opened)
            case ConnectControl(address=address):
                self._spawn(self._connect_control(*address))
            case ev.RoleDecided() if not self._opened:
                self._open()
            case ev.CapabilitiesReceived(capabilities=theirs):
                self._follow(is_empty=theirs.is_empty)
            case ev.ChannelOffered(number=number, session=session_id):
                if session_id > 2 and self._content is not None:
                    self._content.listen()
                address = self._address(session_id)
                self.core.control_session.accept_channel(number, address, address, session_id)
            case ev.TokenAnswered(granted=True):
                self.core.control_session.open_channel(SLIDES, 0, self._address(32), VIDEO_TYPE)
            case ev.TokenAsked(channel=channel):
                self.core.control_session.token_response(channel, granted=True)
            case ev.CloseAsked(number=number):
                self.core.control_session.close_channel(number)
            case ev.KeyframeAsked():  # media may have begun before the bridge listened
                self._media.force_key()
                if self._content is not None:
                    self._content.force_key()
            case ev.ChannelOpen(session=session_id, rtp=rtp) if session_id > 2:
                if self._content is not None:
                    own = self._content.audio_socket.getsockname()[1]
                    self._content.start(
                        m.LegAdded(leg_id="slides", audio_port=own, video_port=rtp[1])
                    )
            case ev.ChannelOpen(session=session_id, rtp=rtp):
                self._ports["video" if session_id == 2 else "audio"] = rtp[1]
                if len(self._ports) == 2:
                    added = m.LegAdded(
                        leg_id="room",
                        audio_port=self._ports["audio"],
                        video_port=self._ports["video"],
                    )
                    self._media.added = added
                    if not self._is_sending:
                        self._is_sending = True
                        self._media.start(added)
            case Connected() | Released() | _:
                pass

    def _open(self) -> None:
        self._opened = True
        session = self.core.control_session
        audio, video = self._can
        session.open_channel(audio, 1, self._address(1), AUDIO_TYPE)
        session.open_channel(video, 2, self._address(2), VIDEO_TYPE)

    def _follow(self, *, is_empty: bool) -> None:
        """H.323 8.4.6: close what is sent on the empty set, open anew on the next full one."""
        if is_empty and self._opened:
            self._is_paused = True
            opened = [event for event in self.of(ev.ChannelOpen) if event.session < 3]
            for event in opened[-2:]:
                self.core.control_session.close_channel(event.number)
            self._ports.clear()
        elif self._is_paused and not is_empty:
            self._is_paused = False
            self._open()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, incoming: Incoming) -> None:
        if not self.core.tunnels:
            self._control_server = await listen("127.0.0.1", 0, self._control_made)
            port = int(self._control_server.sockets[0].getsockname()[1])
            self.core.offer_control("127.0.0.1", port)
        self.core.ring(0.0)
        self.pump()
        await asyncio.sleep(0.05)
        self.core.answer(0.0, self._taken(incoming))
        self.pump()

    async def _connect_control(self, host: str, port: int) -> None:
        self._control_made(await connect(host, port))

    def _control_made(self, connection: TpktConnection) -> None:
        self._control = connection
        connection.on_pdu = lambda pdu: self._receive(lambda: self.core.receive_control(pdu, 0.0))
        self.core.control_connected()
        self.pump()
