"""Mutated PDUs against the running gateway: nothing uncaught, nothing slow, the next call passes.

5,000 here, 50,000 in `make soak`. They come from whole calls of our own, from RAS, and from
captured calls of other makers where $TEST_DATA has them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import secrets
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from sip_gateway import h323_room
from sip_gateway.h323 import h245_events as ev
from sip_gateway.h323 import ras
from sip_gateway.h323.call import CallEvent, Connected, H323Call
from sip_gateway.h323.capability import MediaCapability
from sip_gateway.h323.errors import LocalH323Error
from sip_gateway.h323.fast_start import propose
from sip_gateway.h323.h225 import Address, CallIds, Identity, facility, read
from sip_gateway.h323.h245 import ControlSession
from sip_gateway.h323.h460 import Role
from sip_gateway.h323.h2351 import Signer, key_of
from sip_gateway.h323.tpkt import TpktReader, frame
from sip_gateway.h323_ras import RasEdge
from sip_gateway.ports import Admission, Refusal
from sip_gateway.transports.tpkt import TpktConnection, connect
from tests.harness.plugin import suite
from tests.harness.soak import times
from tests.sip_gateway.cpu import Spent, cpu_of, errors_of
from tests.sip_gateway.desk import Book, Desk, eventually, open_desk
from tests.sip_gateway.h323 import calls, capture

PDUS = times(5_000, 50_000)
ROUND = 100
CPU_S = 0.050
HALF_OPEN = 200
PORTS: dict[str, Any] = {"h323_port": 0, "h323_ras_port": 0, "bfcp_port": None}
CAN = (MediaCapability("audio", "PCMA"), MediaCapability("video", "H264", bitrate_bps=1_500_000))
_references = itertools.count(1)


class AnyNumber(Book):
    """Lets rooms in whatever they dial, as captured ones do: their calls are answered."""

    def __init__(self) -> None:
        ids = (f"leg-{number}" for number in itertools.count())
        super().__init__(legs=lambda: next(ids))
        self.static = {"127.0.0.1": "440229"}

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        return await super().admit(account, "9000")


class Caller:
    """A valid call by fast start: up when its channels are open both ways."""

    def __init__(self) -> None:
        control = ControlSession(
            CAN, content=False, terminal_type=50, random24=lambda: secrets.randbits(24)
        )
        self._core = H323Call(Identity("演示", is_mcu=False), control)
        self.is_up = self.has_media = False

    async def call(self, port: int) -> None:
        self._connection = await connect("127.0.0.1", port)
        self._connection.on_pdu = self._receive
        rtp = ("127.0.0.1", 40_000)
        addresses: Any = {"audio": (1, rtp, rtp), "video": (2, rtp, rtp)}
        numbers = self._core.control_session.new_number
        self._core.dial(
            number="9000",
            source=self._connection.local,
            target=("127.0.0.1", port),
            reference=next(_references),
            new_id=lambda: secrets.token_bytes(16),
            now=0.0,
            proposals=propose(CAN, addresses, {"H264": 110}, numbers),
        )
        self._connection.send(self._core.signalling())
        await eventually(lambda: self.is_up and self.has_media, 60)
        self._core.release("destinationRejection", 0.0)
        self._connection.send(self._core.signalling())
        self._connection.close()

    def _receive(self, pdu: bytes) -> None:
        for event in self._core.receive(pdu, 0.0):
            self._take(event)
        self._connection.send(self._core.signalling())

    def _take(self, event: CallEvent) -> None:
        match event:
            case Connected():
                self.is_up = True
            case ev.FastStarted(sending=sending, receiving=receiving):
                self.has_media = len(sending) == len(receiving) == 2
            case _:
                pass


def _own_calls(*, tunnelling: tuple[bool, ...] = (True, False)) -> list[bytes]:
    """What the caller says in whole calls, tunnelled and not, with a token asked and released."""
    pdus: list[bytes] = []
    for tunnels in tunnelling:
        both = calls.wire(caller_tunnels=tunnels)
        if not tunnels:
            both.caller.traverse(Role.CLIENT)  # behind a NAT
        calls.connect(both)
        session = both.caller.control_session
        session.open_channel(calls.ALAW, 1, ("10.0.0.1", 5001), 8)
        session.open_channel(calls.H264, 2, ("10.0.0.1", 5003), 110)
        session.token_request(101, 1_000_000, 5)
        session.send_digit("5")
        both.settle()
        both.caller.release("destinationRejection", both.now)
        both.settle()
        for raw in (raw for from_caller, _control, raw in both.log if from_caller):
            pdus += TpktReader().feed(raw)
    fetching = calls.wire().caller
    fetching.fetch(bytes(16))
    return [*pdus, *fetching.signalling()]


def _ras() -> list[bytes]:
    identity, here = Identity("演示", "8001"), ("127.0.0.1", 1720)
    call: Any = {"call_id": bytes(16), "reference": 7}
    return [
        ras.gatekeeper_request(1, identity, here),
        ras.registration_request(2, identity, signalling=here, ras=here, life_s=60),
        ras.admission_request(3, identity, endpoint_id="1", number="9000", answering=False, **call),
        ras.disengage_request(4, endpoint_id="1", answered=False, **call),
        ras.unregistration_request(5, "1", here),
        ras.confirm("serviceControlResponse", 6, result=("started", 0)),
        ras.call_indication(7, endpoint_id="1", signalling=here, call_id=bytes(16)),
        ras.information_response(
            8,
            identity,
            endpoint_id="1",
            signalling=here,
            ras=here,
            calls=[ras.CallReport(bytes(16), 7, is_caller=True)],
        ),
        _signed_registration(identity, here),
    ]


def _signed_registration(identity: Identity, here: Address) -> bytes:
    """With password, from behind a NAT."""
    request = ras.registration_request(
        9, identity, signalling=here, ras=here, life_s=60, traverses=True
    )
    signer = Signer(key_of("password"), lambda: 1_800_000_000.0)
    return signer.signed(request, sender="8001", recipient="province")


class Mutator:
    """Makes wrong PDUs of right ones. A seed gives the same ones again."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._ras = _ras()
        found = _own_calls()
        for path in suite(".", "h323-*.pcap*"):
            found += capture.pdus(path)
        self._signalling = [pdu for pdu in found if pdu[0] == 8]
        self._setups = [pdu for pdu in self._signalling if pdu[4] == 5]
        self._control = [pdu for pdu in found if pdu[0] != 8]
        for pdu in self._signalling:
            self._control += read(pdu).tunnelled

    def ras(self) -> bytes:
        return self._bent(self.chance.choice(self._ras))

    def stream(self) -> bytes:
        """What one connection says: mostly a call up to some point, then something wrong."""
        chance, pdu = self.chance, self.chance.choice(self._signalling)
        begins = b"".join(
            frame(one) for one in [chance.choice(self._setups)] if chance.random() < 0.6
        )
        match chance.randrange(5):
            case 0:  # a lying frame
                length = chance.choice([0, 1, 3, 5, len(pdu) // 2, len(pdu) + 900, 0xFFFF])
                return begins + struct.pack("!BBH", 3, 0, length) + pdu
            case 1:  # a right message at a wrong time
                return begins + frame(pdu)
            case 2:  # a wrong H.245 message in a right FACILITY
                return begins + frame(self._carrying(self._bent(chance.choice(self._control))))
            case _:
                return begins + frame(self._bent(pdu))

    def _carrying(self, inner: bytes) -> bytes:
        ids = CallIds(7, bytes(16), bytes(16), from_destination=False)
        return bytes(facility(ids, Identity("演示"), tunnelled=(inner,)))

    def _bent(self, pdu: bytes) -> bytes:
        chance, bent = self.chance, bytearray(pdu)
        for _ in range(chance.choice([1, 1, 2, 4, 16])):
            at = chance.randrange(len(bent))
            match chance.randrange(6):
                case 0:
                    bent[at] ^= 1 << chance.randrange(8)
                case 1:
                    bent[at] = chance.choice([0, 1, 0x7F, 0x80, 0xBF, 0xC0, 0xC4, 0xFF])
                case 2:
                    bent = bent[: max(1, at)]
                case 3:
                    bent[at:at] = bent[at : at + chance.randrange(1, 64)]
                case 4:
                    bent[at:at] = chance.randbytes(chance.randrange(1, 16))
                case _:
                    del bent[at : at + chance.randrange(1, 8)]
                    bent = bent or bytearray(b"\0")
        return bytes(bent)


async def _slow_again(desk: Desk, by_tcp: Spent, by_udp: Spent) -> list[bytes]:
    """What took too long, and takes too long whenever it is said."""
    slow = []
    again = [
        (spent, octets)
        for spent in (by_tcp, by_udp)
        for seconds, octets in spent
        if seconds > CPU_S
    ]
    for spent, octets in again:
        costs = []
        for _ in range(3):
            spent.clear()
            if spent is by_tcp:
                _reader, writer = await asyncio.open_connection("127.0.0.1", desk.gateway.h323.port)
                writer.write(octets)
            else:
                with socket.socket(type=socket.SOCK_DGRAM) as udp:
                    udp.sendto(octets, ("127.0.0.1", desk.gateway.h323.ras.port or 0))
            await eventually(lambda spent=spent: spent, 60)
            costs += [seconds for seconds, _octets in spent]
            if spent is by_tcp:
                writer.close()
        if min(costs) > CPU_S:
            slow.append(octets)
    return slow


async def _attack(desk: Desk, mutator: Mutator, udp: socket.socket) -> None:
    """One round: two of three by TCP, each on a connection of its own."""
    h323 = desk.gateway.h323
    writers = []
    for number in range(ROUND):
        if number % 3 == 0:
            udp.sendto(mutator.ras(), ("127.0.0.1", h323.ras.port or 0))
            await asyncio.sleep(0)
            continue
        _reader, writer = await asyncio.open_connection("127.0.0.1", h323.port)
        writer.write(mutator.stream())
        writers.append(writer)
    for writer in writers:
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()


async def _connect_here(host: str, port: int) -> TpktConnection:
    """Mutations may name any address for H.245: nothing leaves this machine."""
    if not host.startswith("127."):
        raise OSError
    return await connect(host, port)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_mutated_pdus_harm_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """0 uncaught, at most 50 ms of CPU a PDU, and a valid call after every hundred."""
    uncaught: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: uncaught.append(context))
    monkeypatch.setattr(h323_room, "connect", _connect_here)
    mutator = Mutator(seed=5)
    guard: Any = {"exempt_sources": ["127.0.0.1"]}
    errors: list[Any] = []
    with (
        capture_logs() as logs,
        cpu_of(monkeypatch, (TpktConnection, "data_received")) as by_tcp,
        cpu_of(monkeypatch, (RasEdge, "_on_datagram")) as by_udp,
    ):
        async with open_desk(tmp_path, book=AnyNumber(), guard=guard, **PORTS) as desk:
            h323 = desk.gateway.h323
            await Caller().call(h323.port or 0)
            by_tcp.clear()  # the first call fills what later ones find
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                for _ in range(PDUS // ROUND):
                    await _attack(desk, mutator, udp)
                    await Caller().call(h323.port or 0)
                    errors += errors_of(logs)
                    desk.events.clear()
            await eventually(lambda: not h323.live() and not desk.node.legs, 60)
            taken = len(by_tcp), len(by_udp)
            worst = [round(1000 * seconds, 1) for seconds, _ in sorted(by_tcp + by_udp)[-5:]]
            slow = await _slow_again(desk, by_tcp, by_udp)
    errors += errors_of(logs)
    print(f"by TCP {taken[0]}, by UDP {taken[1]}; the slowest took {worst} ms")
    assert uncaught == [] and errors == []
    assert slow == [], worst
    assert sum(taken) > PDUS * 0.95


@pytest.mark.parametrize("tunnels", [True, False])
async def test_a_caller_who_goes_before_he_is_answered_leaves_nothing(
    tmp_path: Path, tunnels: bool
) -> None:
    """Neither a leg, nor a port that waits for his H.245, nor a call that is shown for ever."""
    async with open_desk(tmp_path, book=AnyNumber(), **PORTS) as desk:
        desk.node.add_delay_s = 0.1
        before = len(list(Path("/proc/self/fd").iterdir()))
        setup = next(pdu for pdu in _own_calls(tunnelling=(tunnels,)) if pdu[4:5] == b"\x05")
        for _ in range(5):
            _reader, writer = await asyncio.open_connection("127.0.0.1", desk.gateway.h323.port)
            writer.write(frame(setup))
            await eventually(desk.gateway.h323.live)
            writer.close()
            await eventually(lambda: not desk.gateway.h323.live())
        await eventually(lambda: len(list(Path("/proc/self/fd").iterdir())) == before)
        assert desk.node.legs == {}
        last = {body["leg_id"]: body["state"] for kind, body in desk.events if kind == "call.state"}
        assert set(last.values()) == {"ended"}


async def test_a_room_that_fails_does_not_stop_the_clock_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One task keeps all rooms alive, and our registration: no room may end it."""
    polled: list[h323_room.Room] = []

    def fails(room: h323_room.Room) -> None:
        polled.append(room)
        raise LocalH323Error

    monkeypatch.setattr(h323_room.Room, "poll", fails)
    async with open_desk(tmp_path, book=AnyNumber(), **PORTS) as desk:
        _reader, writer = await asyncio.open_connection("127.0.0.1", desk.gateway.h323.port)
        await eventually(lambda: len(polled) > 1)
        writer.close()


async def test_who_is_not_let_in_yet_cannot_have_the_gateway_connect_to_others(
    tmp_path: Path,
) -> None:
    """A stranger's FACILITY with another host's address: else a way to probe what we reach."""
    reached: list[object] = []
    elsewhere = await asyncio.start_server(lambda *ends: reached.append(ends), "127.0.0.2", 0)
    async with open_desk(tmp_path, book=Book(), **PORTS) as desk, elsewhere:
        setup = next(pdu for pdu in _own_calls() if pdu[4:5] == b"\x05")
        call = read(setup)
        there = elsewhere.sockets[0].getsockname()
        lead = facility(
            CallIds(call.message.call_reference, call.call_id, bytes(16), from_destination=False),
            Identity("演示", "8001"),
            reason="startH245",
            h245_address=there,
            tunnelling=False,
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.gateway.h323.port)
        writer.write(frame(setup) + frame(bytes(lead)))
        said = TpktReader().feed(await asyncio.wait_for(reader.read(), 60))
        assert read(said[-1]).kind == "releaseComplete"
        assert read(said[-1]).body["reason"][0] == "securityDenied"
        writer.close()
        assert reached == []


async def test_two_hundred_half_open_connections_keep_nobody_out(tmp_path: Path) -> None:
    """They say nothing, or half a frame; a room that calls meanwhile is answered."""
    book = Book()
    book.static = {"127.0.0.1": "440229"}
    async with open_desk(tmp_path, book=book, **PORTS) as desk:
        port = desk.gateway.h323.port or 0
        writers = []
        for number in range(HALF_OPEN):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"\x03\x00\x01" if number % 2 else b"")
            writers.append(writer)
        await Caller().call(port)
        for writer in writers:
            writer.close()
