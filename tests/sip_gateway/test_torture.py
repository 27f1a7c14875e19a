"""Hostile SIP against the running gateway: what it answers, and a valid call afterwards."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from sip_gateway.settings import GuardSettings
from sip_gateway.sip.events import CallAnswered
from sip_gateway.sip.message import Response
from sip_gateway.sip.parser import StreamParser
from tests.harness.processes import PATIENCE_S

from .desk import Desk, eventually, open_desk
from .test_parser import RFC4475

EXEMPT = GuardSettings(exempt_sources=("127.0.0.0/8",))

# over a stream: the final status each message gets; None: none (a response, or nothing in it to
# answer by), "closed": framing is lost and the connection ends
ANSWERS: dict[str, int | str | None] = {
    "badinv01": None,  # its Via cannot be read
    "clerr": "waits",  # the rest of the body is awaited
    "ncl": "closed",
    "scalar02": None,
    "scalarlg": None,
    "quotbal": None,
    "ltgtruri": 400,
    "lwsruri": 400,
    "lwsstart": 400,
    "trws": 400,
    "escruri": 400,
    "baddate": 400,
    "regbadct": 400,
    "badaspec": None,
    "baddn": "waits",  # the file ends before the empty line
    "badvers": None,
    "mismatch01": 400,
    "mismatch02": 400,
    "bigcode": None,
    "insuf": None,
    "unkscm": 416,
    "novelsc": 416,
    "unksm2": 401,
    "bext01": 420,
    "invut": 415,
    "regaut01": 401,
    "multi01": 400,
    "mcl01": "closed",
    "zeromf": 200,
    "cparam01": 401,
    "cparam02": 401,
    "regescrt": 401,
    "sdp01": 401,
    "esc01": 401,
    "escnull": 401,
    "lwsdisp": 200,
    "semiuri": 200,
    "transports": 200,
    "wsinv": 481,  # its To tag names a dialog that is not there
    "inv2543": "closed",  # no Content-Length on a stream
    "mpart01": 405,
    "intmeth": 405,
    "esc02": 405,
    "badbranch": 200,
    "longreq": 401,
    "dblreq": 400,  # 401, then on a stream its second request: an INVITE without Contact
    "unreason": None,
    "noreason": None,
    "bcast": None,
}


async def a_valid_call_succeeds(desk: Desk) -> None:
    room = await desk.room()
    session = room.call()
    await eventually(lambda: room.of(CallAnswered))
    room.hang_up(session)
    await eventually(lambda: not desk.node.legs)


async def answers(desk: Desk, data: bytes, expected: int | str | None) -> list[int] | str:
    """Send bytes on a fresh connection; final statuses, "closed", or "waits".

    What is expected is waited for; only where nothing should come does a short silence do.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.gateway.ports["tcp"])
    parser, found = StreamParser(), []
    writer.write(data)
    try:
        async with asyncio.timeout(0.12 if expected in (None, "waits") else PATIENCE_S):
            while received := await reader.read(65_535):
                items = parser.feed(received)
                found += [i.status for i in items if isinstance(i, Response) and i.status > 199]
                if found and found[-1] == expected:
                    break
        return found or "closed"
    except (TimeoutError, ConnectionError) as error:
        return found or ("waits" if isinstance(error, TimeoutError) else "closed")
    finally:
        writer.close()


@pytest.mark.skipif(not RFC4475, reason="suite badinput/sip-rfc4475 is absent")
async def test_rfc4475_messages_are_answered_by_the_running_gateway(tmp_path: Path) -> None:
    """Over TCP: each gets the status of the table, and a valid call goes through after it."""
    async with open_desk(tmp_path, guard=EXEMPT) as desk:
        for path in RFC4475:
            expected = ANSWERS[path.stem]
            got = await answers(desk, path.read_bytes(), expected)
            last = got if isinstance(got, str) else got[-1]
            assert last == expected or (expected is None and got in ("waits", "closed")), path.stem
            if expected == "closed" or path.stem in ("intmeth", "wsinv", "mpart01", "multi01"):
                await a_valid_call_succeeds(desk)


async def test_a_silent_connection_is_closed(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Connections that say nothing, or stop in the middle, do not pile up."""
    from sip_gateway.transports import tcp

    monkeypatch.setattr(tcp, "FIRST_MESSAGE_S", 0.1)
    monkeypatch.setattr(tcp, "PARTIAL_MESSAGE_S", 0.1)
    async with open_desk(tmp_path) as desk:
        for data in (b"", b"OPTIONS sip:x SIP/2.0\r\nVia"):
            reader, writer = await asyncio.open_connection("127.0.0.1", desk.gateway.ports["tcp"])
            writer.write(data)
            async with asyncio.timeout(PATIENCE_S):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            writer.close()


async def test_a_keep_alive_on_a_connection_is_answered(tmp_path: Path) -> None:
    """RFC 5626: CRLFCRLF gets CRLF, so that a room behind a translator stays reachable."""
    async with open_desk(tmp_path) as desk:
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.gateway.ports["tcp"])
        writer.write(b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.readexactly(2) == b"\r\n"
        writer.close()


async def test_one_source_cannot_take_every_connection(tmp_path: Path) -> None:
    """The 6th connection of an address is closed when 5 are allowed."""
    async with open_desk(tmp_path, connections_per_source=5) as desk:
        port = desk.gateway.ports["tcp"]
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                assert await pairs[-1][0].read() == b""
        for _, writer in pairs:
            writer.close()
