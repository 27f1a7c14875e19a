"""BFCP: messages bit by bit, the floor server, and a room over TCP (our own other end)."""

from __future__ import annotations

import asyncio
import contextlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_gateway.errors import RemoteSipError
from sip_gateway.sip.bfcp import (
    Attribute,
    AttributeType,
    BfcpMessage,
    BfcpStream,
    Primitive,
    RequestStatus,
    number_attribute,
    parse_attributes,
    parse_bfcp,
    text_attribute,
)
from sip_gateway.sip.events import CallAnswered, CallEnded
from sip_gateway.sip.floor import REPEATS, FloorEvent, FloorServer
from sip_gateway.sip.sdp import parse_sdp

from .desk import eventually, open_desk

CONFERENCE, USER = 77, 1
FLOOR = number_attribute(AttributeType.FLOOR_ID, 1)


def ask(
    primitive: Primitive, transaction: int = 1, *attributes: Attribute, version: int = 2
) -> BfcpMessage:
    return BfcpMessage(primitive, CONFERENCE, transaction, USER, attributes, version)


def status_of(data: bytes) -> tuple[RequestStatus, int]:
    """Status and place in the queue out of a FloorRequestStatus."""
    information = parse_bfcp(data).get(AttributeType.FLOOR_REQUEST_INFORMATION)
    assert information is not None
    overall = parse_attributes(information.value[2:])[0]
    status = parse_attributes(overall.value[2:])[0]
    return RequestStatus(status.value[0]), status.value[1]


def server(*, is_reliable: bool = False) -> FloorServer:
    return FloorServer(CONFERENCE, USER, is_reliable=is_reliable)


attributes = st.builds(Attribute, st.integers(1, 127), st.binary(max_size=40), st.booleans())


@given(
    st.builds(
        BfcpMessage,
        st.integers(1, 17),
        st.integers(0, 2**32 - 1),
        st.integers(0, 65535),
        st.integers(0, 65535),
        st.lists(attributes, max_size=6).map(tuple),
    )
)
def test_messages_survive_the_wire(message: BfcpMessage) -> None:
    """Padding comes and goes; every cut raises the one Remote error."""
    data = bytes(message)
    assert len(data) % 4 == 0 and parse_bfcp(data) == message
    for end in range(len(data)):
        with pytest.raises(RemoteSipError):
            parse_bfcp(data[:end])
    stream = BfcpStream()
    cut = [stream.feed(data[:5]), stream.feed(data[5:] + data[:3])]
    assert cut == [[], [data]]


def test_damaged_messages_raise_remote_errors_only() -> None:
    """20,000 random changes, and whatever parses is served without an exception."""
    rng = random.Random(8855)
    seeds = [
        bytes(ask(Primitive.FLOOR_REQUEST, 1, FLOOR)),
        bytes(ask(Primitive.FLOOR_RELEASE, 2, number_attribute(AttributeType.FLOOR_REQUEST_ID, 1))),
        bytes(ask(Primitive.FLOOR_QUERY, 3, FLOOR)),
        bytes(ask(Primitive.HELLO, 4, text_attribute(AttributeType.USER_URI, "sip:会场@x"))),
    ]
    for number in range(20_000):
        damaged = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 6)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        with contextlib.suppress(RemoteSipError):
            floor = server(is_reliable=number % 2 == 0)
            floor.receive(parse_bfcp(bytes(damaged)), 0.0)


def test_a_request_is_granted_once_and_repeated_requests_get_the_same_answer() -> None:
    """UDP repeats: one request, one event; the grant is repeated until acknowledged."""
    floor = server()
    for now in (0.0, 0.5):
        floor.receive(ask(Primitive.FLOOR_REQUEST, 1, FLOOR), now)
    first, again = floor.take_outgoing()
    assert first == again and status_of(first) == (RequestStatus.PENDING, 0)
    assert floor.take_events() == [FloorEvent.REQUESTED]
    floor.decide(granted=True, queue_place=None, now=1.0)
    floor.decide(granted=True, queue_place=None, now=1.1)
    (granted,) = floor.take_outgoing()
    assert status_of(granted) == (RequestStatus.GRANTED, 0)
    floor.advance(1.4)
    assert floor.take_outgoing() == []
    floor.advance(1.6)
    assert floor.take_outgoing() == [granted]
    number = parse_bfcp(granted).transaction_id
    floor.receive(ask(Primitive.FLOOR_REQUEST_STATUS_ACK, number), 1.7)
    assert floor.next_due() is None


def test_a_room_that_never_acknowledges_is_left_alone() -> None:
    """A few repetitions, then silence: no packet for ever to nobody."""
    floor = server()
    floor.receive(ask(Primitive.FLOOR_REQUEST, 1, FLOOR), 0.0)
    floor.take_outgoing()
    floor.decide(granted=False, queue_place=None, now=0.0)
    now = 0.0
    while (due := floor.next_due()) is not None:
        now = due
        floor.advance(now)
    sent = floor.take_outgoing()
    assert len(sent) == 1 + REPEATS and now < 60
    assert {status_of(one)[0] for one in sent} == {RequestStatus.DENIED}
    assert not floor.is_asking


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (ask(Primitive.CHAIR_ACTION), 5),
        (ask(Primitive.FLOOR_REQUEST, 1, number_attribute(AttributeType.FLOOR_ID, 2)), 6),
        (ask(Primitive.FLOOR_REQUEST), 6),
        (ask(Primitive.FLOOR_RELEASE, 1, number_attribute(AttributeType.FLOOR_REQUEST_ID, 9)), 7),
        (BfcpMessage(Primitive.HELLO, CONFERENCE, 1, 99), 2),
        (BfcpMessage(99, CONFERENCE, 1, USER), 3),
    ],
)
def test_what_may_not_be_is_refused_by_name(message: BfcpMessage, error: int) -> None:
    """Chair actions, foreign floors, unknown requests, users and primitives."""
    floor = server()
    floor.receive(message, 0.0)
    answer = parse_bfcp(floor.take_outgoing()[0])
    code = answer.get(AttributeType.ERROR_CODE)
    assert answer.primitive == Primitive.ERROR and code is not None and code.value[0] == error
    assert floor.take_events() == []


BFCP_OFFER = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8\r\n"
    "m=video 40004 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\na=content:slides\r\na=label:7\r\n"
    "m=application 9 TCP/BFCP *\r\na=floorctrl:c-s\r\na=setup:active\r\na=connection:new\r\n"
)


async def test_a_room_presents_over_tcp(tmp_path: Path) -> None:
    """Version 1, nothing acknowledged; a stranger's conference id is refused; the call's end
    ends its floor."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        room.call(body=BFCP_OFFER.encode())
        taken = await eventually(lambda: room.of(CallAnswered))
        line = parse_sdp(taken[0].body).media[2]
        assert (line.protocol, line.value("setup")) == ("TCP/BFCP", "passive")
        conference = int(line.value("confid") or 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)

        async def said() -> BfcpMessage:
            head = await reader.readexactly(12)
            return parse_bfcp(head + await reader.readexactly(4 * int.from_bytes(head[2:4])))

        for wanted in (conference + 1, conference):
            request = BfcpMessage(Primitive.FLOOR_REQUEST, wanted, 5, 1, (FLOOR,), 1)
            writer.write(bytes(request))
            answer = await said()
            is_ours = wanted == conference
            assert (answer.primitive == Primitive.FLOOR_REQUEST_STATUS) is is_ours
        await desk.wire.request("content.decide", {"leg_id": "leg-440229", "granted": True})
        granted = await said()
        assert (granted.transaction_id, granted.version) == (0, 1)
        assert status_of(bytes(granted))[0] is RequestStatus.GRANTED
        await desk.wire.request("call.hangup", {"leg_id": "leg-440229"})
        await eventually(lambda: room.of(CallEnded))
        assert desk.gateway.snapshot().contents == []
        writer.close()
