"""Mutated SIP against the running gateway, by UDP and TCP: nothing uncaught, nothing slow.

2,000 here, 20,000 in `make soak`: of the torture messages of RFC 4475 and of captures of other
makers where $TEST_DATA has them, and of what both sides say in a call of ours that stands
meanwhile, so that some of it meets a dialog. 127.0.0.1 is a hall's static address: what comes from
there is not asked for a password and goes as deep as a hall's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import socket
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from sip_gateway.settings import GuardSettings
from sip_gateway.sip.events import CallAnswered
from sip_gateway.sip.transaction import Flow
from sip_gateway.sip_edge import SipEdge
from sip_gateway.transports import StreamTransport, UdpTransport
from sip_gateway.transports.tcp import _Connection
from tests.harness import pcap
from tests.harness.plugin import suite
from tests.harness.soak import times

from .cpu import Spent, cpu_of, errors_of
from .desk import Book, Desk, Room, eventually, open_desk
from .test_parser import INVITE, RFC4475, mutate

MESSAGES = times(2_000, 20_000)
ROUND = 100
CPU_S = 0.050
LARGEST = 60_000
CAPTURES = [*suite("badinput/pcap-suricata-sip", "*.pcap"), *suite("badinput/zeek-sip", "*.pcap")]


def _seeds() -> list[bytes]:
    """What others say: the torture messages, and SIP in captures."""
    captured = [one for path in CAPTURES for one in pcap.payloads(path)]
    found = [one for one in captured if b"SIP/2.0" in one[:500]]
    return [INVITE, *(path.read_bytes() for path in RFC4475), *found]


def bend(data: bytes, dice: random.Random) -> bytes:
    """A message that may well be read, but is wrong: a line left out, doubled, moved, or bent."""
    lines = data.split(b"\r\n")
    at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    match dice.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            digit = b"%d" % dice.randrange(10)
            lines[at] = bytes(digit[0] if 48 <= c <= 57 else c for c in lines[at])
        case _:
            place = dice.randrange(len(lines[at]) + 1)
            lines[at] = (
                lines[at][:place] + bytes([dice.randrange(33, 127)]) + lines[at][place + 1 :]
            )
    return b"\r\n".join(lines)


def wrong(data: bytes, dice: random.Random) -> bytes:
    return dice.choice((bend, mutate))(data, dice)[:LARGEST] or b"x"


class Overheard:
    """The newest datagrams of both sides of the calls that are ours.

    What mutations name as the far end may be anywhere: nothing is sent off this machine.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.said: list[bytes] = []
        self.listens = False
        send, open_ = UdpTransport.send, StreamTransport._open

        def send_here(transport: UdpTransport, data: bytes, flow: Flow) -> bool:
            if self.listens:
                self.said.append(data)
            return flow.host.startswith("127.") and send(transport, data, flow)

        async def open_here(transport: StreamTransport, flow: Flow) -> _Connection | None:
            return await open_(transport, flow) if flow.host.startswith("127.") else None

        monkeypatch.setattr(UdpTransport, "send", send_here)
        monkeypatch.setattr(StreamTransport, "_open", open_here)

    async def call(self, room: Room) -> str:
        """A call that stands; what was said for it is kept."""
        self.said, self.listens = [], True
        session = await _call(room)
        self.listens = False
        return session


async def _call(room: Room) -> str:
    session = room.call()
    await eventually(
        lambda: any(answered.session_id == session for answered in room.of(CallAnswered))
    )
    return session


async def _attack(desk: Desk, messages: list[bytes], sender: socket.socket) -> None:
    """Every second one by TCP, on a connection of its own."""
    writers = []
    for number, message in enumerate(messages):
        if number % 2:
            sender.sendto(message, ("127.0.0.1", desk.gateway.ports["udp"]))
            await asyncio.sleep(0)
            continue
        _reader, writer = await asyncio.open_connection("127.0.0.1", desk.gateway.ports["tcp"])
        writer.write(message)
        writers.append(writer)
    for writer in writers:
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()


async def _slow_again(
    desk: Desk, spent: Spent, by_udp: Spent, sender: socket.socket
) -> list[bytes]:
    """What took too long, and takes too long whenever it is said."""
    slow = []
    for message in [message for seconds, message in spent if seconds > CPU_S]:
        costs = []
        for _ in range(3):
            by_udp.clear()
            sender.sendto(message, ("127.0.0.1", desk.gateway.ports["udp"]))
            await eventually(lambda: by_udp)
            costs.append(max(seconds for seconds, _message in by_udp))
        if min(costs) > CPU_S:
            slow.append(message)
    return slow


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_mutated_messages_harm_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 uncaught, at most 50 ms of CPU a message, and a valid call after every hundred."""
    uncaught: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: uncaught.append(context))
    ids = (f"leg-{number}" for number in itertools.count())
    book = Book(legs=lambda: next(ids))
    book.static = {"127.0.0.1": "440229"}
    overheard = Overheard(monkeypatch)
    dice, seeds = random.Random(4), _seeds()
    guard = GuardSettings(exempt_sources=("127.0.0.0/8",))
    limits: Any = {"connections_per_source": 500, "guard": guard}
    errors: list[Any] = []
    with (
        capture_logs() as logs,
        cpu_of(monkeypatch, (SipEdge, "_on_datagram")) as by_udp,
        cpu_of(monkeypatch, (_Connection, "data_received")) as by_tcp,
        socket.socket(type=socket.SOCK_DGRAM) as sender,
    ):
        sender.bind(("127.0.0.1", 0))
        async with open_desk(tmp_path, book=book, **limits) as desk:
            room = await desk.room()
            for _ in range(MESSAGES // ROUND):
                standing = await overheard.call(room)
                own = overheard.said
                chosen = [dice.choice(own if dice.random() < 0.4 else seeds) for _ in range(ROUND)]
                await _attack(desk, [wrong(one, dice) for one in chosen], sender)
                room.hang_up(await _call(room))
                room.hang_up(standing)
                errors += errors_of(logs)
                desk.events.clear()
            await eventually(lambda: not desk.gateway.calls.live() and not desk.node.legs, 120)
            counters = dict(desk.gateway.edge.counters)
            taken = counters["datagrams"], len(by_tcp)
            worst = [round(1000 * seconds, 1) for seconds, _ in sorted(by_udp + by_tcp)[-5:]]
            slow = await _slow_again(desk, by_udp + by_tcp, by_udp, sender)
    errors += errors_of(logs)
    print(f"by UDP {taken[0]}, by TCP {taken[1]}; the slowest took {worst} ms; {counters}")
    assert uncaught == [] and errors == []
    assert slow == [], worst
    assert min(taken) > MESSAGES / 2 * 0.95
    assert any(name.startswith("malformed.") for name in counters)
