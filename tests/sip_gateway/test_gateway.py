"""The gateway as a whole over real sockets: rooms in and out, the wire, the media node."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sip_gateway.capability import LocalMedia
from sip_gateway.messages import CallResult, CallState
from sip_gateway.ports import Trunk
from sip_gateway.sip.events import (
    AnswerReceived,
    CallAnswered,
    CallEnded,
    EndCause,
    Event,
    IncomingCall,
    InfoReceived,
    OfferReceived,
)
from sip_gateway.sip.offer_answer import answer_offer
from sip_gateway.sip.sdp import parse_sdp
from video_bridge import CloseReason

from .desk import Desk, Room, eventually, open_desk, raw_phone

REGISTRAR = "sip:127.0.0.1"


async def register(desk: Desk, room: Room) -> None:
    """Register a room's contact by hand; its own agent takes the calls."""
    phone = await raw_phone(desk)
    contact = f"Contact: <{room.contact()}>\n"
    text_contact = f"Contact: <sip:{room.account}@127.0.0.1:{phone.port}>\n"
    original = phone.request
    phone.request = lambda *a, **k: original(*a, **k).replace(text_contact, contact)  # type: ignore[method-assign]
    response = await phone.ask_with_digest("REGISTER", REGISTRAR, user=room.account)
    assert response.status == 200, response.status
    assert phone.transport is not None
    # requests go over the flow that registered; here that is the phone's socket, so re-aim it
    registrar = desk.gateway.registrations._registrar
    for account, bindings in registrar._bindings.items():
        registrar._bindings[account] = [_aimed(b, room.edge.ports["udp"]) for b in bindings]
    phone.transport.close()


def _aimed(binding, port):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(binding, flow=replace(binding.flow, port=port))


def taking(room: Room, *, ring: bool = True, body: bytes | None = None) -> None:
    """The room takes every call with an answer to whatever is offered."""

    def react(event: Event) -> None:
        agent, now = room.edge.agent, room.edge.now()
        if isinstance(event, IncomingCall | OfferReceived):
            raw = event.request.body if isinstance(event, IncomingCall) else event.body
            local = LocalMedia("127.0.0.1", 40000, 40002)
            answer = body or bytes(
                answer_offer(parse_sdp(raw), local, 5, fallback_host="127.0.0.1").local
            )
            if isinstance(event, IncomingCall):
                if ring:
                    agent.ring(event.session_id, now)
                agent.answer(event.session_id, answer, now)
            else:
                agent.accept_offer(event.session_id, answer, now)

    room.react = react


# --- calls in --------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_hall_dials_in_and_its_leg_is_connected(tmp_path: Path, transport: str) -> None:
    """The true path: digest, admission, leg, answer with the node's own ports, BYE."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        session = room.call(transport=transport)
        await eventually(lambda: room.of(CallAnswered))
        answer = parse_sdp(room.of(CallAnswered)[0].body)
        leg = desk.node.legs["leg-440229"]
        ports = {s.media: s.port for s in answer.media}
        assert ports == {k: s.getsockname()[1] for k, s in leg.sockets.items()}
        assert leg.streams["video"].codec == "H264"
        assert leg.streams["audio"].codec == "opus"
        assert leg.streams["audio"].remote_port == 40000
        await eventually(lambda: desk.states("leg-440229")[-1].state is CallState.CONNECTED)
        room.hang_up(session)
        ended = await desk.ended("leg-440229")
        assert ended.result is CallResult.HUNG_UP
        assert ended.incoming and ended.account == "440229"
        await eventually(lambda: desk.node.removed == [("leg-440229", CloseReason.HUNG_UP)])


@pytest.mark.parametrize("number", ["9000", "1234", "9999"])
async def test_a_stranger_gets_401_for_every_number(tmp_path: Path, number: str) -> None:
    """Which numbers exist is nobody's business before digest."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        room.call(number, credentials=False)
        ended = await eventually(lambda: room.of(CallEnded))
        assert ended[0].status == 401
        assert desk.book.admitted == [] and desk.node.legs == {}


@pytest.mark.parametrize(("number", "status"), [("1234", 404), ("9999", 403)])
async def test_a_known_caller_hears_why_not(tmp_path: Path, number: str, status: int) -> None:
    """After digest the directory's refusal goes through as it is."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        room.call(number)
        ended = await eventually(lambda: room.of(CallEnded))
        assert ended[0].status == status
        assert desk.node.legs == {}


async def test_wrong_password_and_unknown_user_get_the_same_answer(tmp_path: Path) -> None:
    """Neither tells whether the account exists."""
    async with open_desk(tmp_path) as desk:
        answers = []
        for account, password in (("440229", "wrong"), ("000000", "wrong")):
            room = await desk.room(account=account, password=password)
            room.call()
            ended = await eventually(lambda room=room: room.of(CallEnded))
            answers.append((ended[0].status, ended[0].text))
        assert answers == [(403, "Forbidden"), (403, "Forbidden")]


async def test_a_room_at_its_static_address_needs_no_password(tmp_path: Path) -> None:
    """Old rooms cannot do digest; their address is their word."""
    async with open_desk(tmp_path) as desk:
        desk.book.static["127.0.0.1"] = "440118"
        room = await desk.room()
        room.call(credentials=False)
        await eventually(lambda: room.of(CallAnswered))
        assert desk.book.admitted == [("440118", "9000")]


async def test_an_offerless_invite_is_offered_everything(tmp_path: Path) -> None:
    """The 200 carries our offer; the ACK's answer connects the leg."""
    async with open_desk(tmp_path) as desk:
        desk.book.static["127.0.0.1"] = "440229"
        phone = await raw_phone(desk)
        invite = phone.request("INVITE", "sip:9000@127.0.0.1", call_id="offerless")
        response = await phone.ask(invite)
        assert response.status == 200
        offer = parse_sdp(response.body)
        assert [s.media for s in offer.media] == ["audio", "video", "video", "application"]
        names = {(m.name, m.clock_rate) for s in offer.media for m in s.maps()}
        assert {("H264", 90000), ("VP8", 90000), ("opus", 48000), ("G722", 8000)} <= names
        sdp = (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            "m=audio 40000 RTP/AVP 8\r\nm=video 0 RTP/AVP 97\r\n"
        )
        ack = phone.request(
            "ACK",
            "sip:9000@127.0.0.1",
            call_id="offerless",
            headers="Content-Type: application/sdp\n",
            body="@@",
        ).replace("\n", "\r\n")
        ack = ack.replace("To: <sip:9000@127.0.0.1>", f"To: {response.get('To')}")
        ack = ack.replace("Content-Length: 2\r\n", f"Content-Length: {len(sdp)}\r\n")
        phone.send(ack.replace("@@", sdp).encode())
        await eventually(lambda: desk.states("leg-440229")[-1].state is CallState.CONNECTED)
        streams = desk.node.legs["leg-440229"].streams
        assert streams.keys() == {"audio"} and streams["audio"].codec == "PCMA"


async def test_no_common_codec_is_488_and_leaves_no_leg(tmp_path: Path) -> None:
    """GSM alone cannot be spoken with; nothing half-built remains."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        room.call(
            body=b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            b"m=audio 40000 RTP/AVP 3\r\n"
        )
        ended = await eventually(lambda: room.of(CallEnded))
        assert ended[0].status == 488
        assert (await desk.ended("leg-440229")).result is CallResult.NO_COMMON_CODEC
        await eventually(lambda: not desk.node.legs)


async def test_a_broken_description_is_400(tmp_path: Path) -> None:
    """An SDP that is none is the caller's fault and is told so."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        room.call(body=b"hello")
        assert (await eventually(lambda: room.of(CallEnded)))[0].status == 400
        assert desk.node.legs == {}


async def test_cancel_while_the_node_is_asked_leaves_no_leg(tmp_path: Path) -> None:
    """The caller gives up while the leg is being bound: it is taken off again."""
    async with open_desk(tmp_path) as desk:
        desk.node.add_delay_s = 0.3
        room = await desk.room()
        session = room.call()
        await eventually(lambda: desk.states("leg-440229"))
        room.hang_up(session)
        assert (await desk.ended("leg-440229")).result is CallResult.CANCELLED
        await asyncio.sleep(0.5)  # longer than the node's delay
        await eventually(lambda: desk.node.legs == {})


async def test_a_hall_that_calls_again_never_has_two_legs(tmp_path: Path) -> None:
    """A rebooted room dials while its old call still stands: the old one is replaced."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        room.call()
        await eventually(lambda: room.of(CallAnswered))
        room.call()
        await eventually(lambda: len(room.of(CallAnswered)) == 2)
        await eventually(lambda: room.of(CallEnded))
        await eventually(lambda: desk.states("leg-440229")[-1].state is CallState.CONNECTED)
        assert list(desk.node.legs) == ["leg-440229"]


async def test_a_dead_media_node_refuses_calls_with_503(tmp_path: Path) -> None:
    """No node, no consultation: the room is told to try again."""
    async with open_desk(tmp_path) as desk:
        await desk.node.stop()
        await eventually(lambda: not desk.gateway._node.is_connected)
        room = await desk.room()
        room.call()
        assert (await eventually(lambda: room.of(CallEnded)))[0].status == 503


# --- calls out -------------------------------------------------------------------------------


async def test_a_registered_hall_is_dialled_and_hung_up_by_the_desk(tmp_path: Path) -> None:
    """Dial by account over the registered flow; REMOVED is the desk's own doing."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        taking(room)
        await register(desk, room)
        await desk.dial(account="440229")
        await eventually(lambda: desk.states("leg-1")[-1].state is CallState.CONNECTED)
        states = [s.state for s in desk.states("leg-1")]
        assert states == [CallState.DIALLING, CallState.RINGING, CallState.CONNECTED]
        assert desk.states("leg-1")[-1].codecs == ["opus", "H264"]
        await desk.wire.request("call.hangup", {"leg_id": "leg-1"})
        assert (await desk.ended("leg-1")).result is CallResult.REMOVED
        await eventually(lambda: room.of(CallEnded))
        assert room.of(CallEnded)[0].cause is EndCause.REMOTE


async def test_an_account_without_contact_is_not_registered_rather_than_failed(
    tmp_path: Path,
) -> None:
    """The roster shows 未注册, so the result is a value of its own."""
    async with open_desk(tmp_path) as desk:
        await desk.dial(account="440118")
        assert (await desk.ended("leg-1")).result is CallResult.NOT_REGISTERED
        assert desk.node.legs == {}


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (486, CallResult.BUSY),
        (603, CallResult.DECLINED),
        (404, CallResult.NOT_FOUND),
        (480, CallResult.NO_ANSWER),
        (488, CallResult.NO_COMMON_CODEC),
    ],
)
async def test_each_refusal_is_its_own_result(
    tmp_path: Path, status: int, result: CallResult
) -> None:
    """Busy, declined, unknown and the rest are told apart, and no leg stays."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        room.react = lambda event: (
            room.edge.agent.reject(event.session_id, status, room.edge.now())
            if isinstance(event, IncomingCall)
            else None
        )
        await desk.dial(uri=f"sip:room@127.0.0.1:{room.edge.ports['udp']}")
        ended = await desk.ended("leg-1")
        assert (ended.result, ended.sip_status) == (result, status)
        await eventually(lambda: not desk.node.legs)


async def test_ringing_out_is_no_answer_and_the_room_stops_ringing(tmp_path: Path) -> None:
    """After the ring time the INVITE is cancelled, so that no phantom call remains."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        room.react = lambda event: (
            room.edge.agent.ring(event.session_id, room.edge.now())
            if isinstance(event, IncomingCall)
            else None
        )
        await desk.dial(uri=f"sip:r@127.0.0.1:{room.edge.ports['udp']}", ring_timeout_s=0.4)
        assert (await desk.ended("leg-1")).result is CallResult.NO_ANSWER
        ended = await eventually(lambda: room.of(CallEnded))
        assert ended[0].cause is EndCause.CANCELLED


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_nobody_there_is_unreachable(tmp_path: Path, transport: str) -> None:
    """No response, or a refused connection: not 32 seconds of waiting."""
    async with open_desk(tmp_path, first_response_s=0.5) as desk:
        await desk.dial(uri=f"sip:room@127.0.0.1:9;transport={transport}")
        assert (await desk.ended("leg-1")).result is CallResult.UNREACHABLE


async def test_a_telephone_is_dialled_through_the_trunk_with_its_credentials(
    tmp_path: Path,
) -> None:
    """The trunk asks 401; our digest answer carries the call through; audio only."""
    async with open_desk(tmp_path) as desk, open_desk_as_trunk(tmp_path / "trunk") as trunk:
        port = trunk.gateway.ports["udp"]
        desk.book.the_trunk = Trunk(f"sip:127.0.0.1:{port}", "440118", "right-password")
        await desk.dial(number="9000", audio_only=True)
        await eventually(lambda: desk.states("leg-1")[-1].state is CallState.CONNECTED)
        assert trunk.book.admitted == [("440118", "9000")]
        assert desk.node.legs["leg-1"].sockets.keys() == {"audio"}


def open_desk_as_trunk(folder: Path):  # type: ignore[no-untyped-def]
    """A second gateway plays the telephone exchange."""
    folder.mkdir()
    return open_desk(folder)


async def test_a_wrong_trunk_password_is_authentication_failed(tmp_path: Path) -> None:
    """Not a loop of attempts, and not a riddle on the roster."""
    async with open_desk(tmp_path) as desk, open_desk_as_trunk(tmp_path / "trunk") as trunk:
        port = trunk.gateway.ports["udp"]
        desk.book.the_trunk = Trunk(f"sip:127.0.0.1:{port}", "440118", "wrong")
        await desk.dial(number="9000", audio_only=True)
        ended = await desk.ended("leg-1")
        assert ended.result in (CallResult.AUTHENTICATION_FAILED, CallResult.DECLINED)


# --- inside calls ----------------------------------------------------------------------------


async def connected_room(desk: Desk) -> tuple[Room, str]:
    room = await desk.room()
    session = room.call()
    await eventually(lambda: room.of(CallAnswered))
    await eventually(lambda: desk.states("leg-440229")[-1].state is CallState.CONNECTED)
    return room, session


async def test_key_frame_requests_pass_both_ways(tmp_path: Path) -> None:
    """INFO picture_fast_update from the room reaches the node, the node's wish the room."""
    async with open_desk(tmp_path) as desk:
        room, session = await connected_room(desk)
        xml = b"<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder>"
        room.edge.agent.info(session, "application/media_control+xml", xml, room.edge.now())
        room.edge.pump()
        await eventually(lambda: desk.node.legs["leg-440229"].key_frames == 1)
        desk.node.want_key_frame("leg-440229")
        info = await eventually(lambda: room.of(InfoReceived))
        assert b"picture_fast_update" in info[0].body


async def test_keys_pressed_by_info_are_told_to_the_house(tmp_path: Path) -> None:
    """Rooms without RFC 4733 send DTMF by INFO."""
    async with open_desk(tmp_path) as desk:
        room, session = await connected_room(desk)
        body = b"Signal=5\r\nDuration=160\r\n"
        room.edge.agent.info(session, "application/dtmf-relay", body, room.edge.now())
        room.edge.pump()
        keys = await eventually(lambda: [b for t, b in desk.events if t == "call.dtmf"])
        assert keys[0]["digit"] == "5"


@pytest.mark.parametrize("hold", [b"inactive", b"sendonly"])
async def test_hold_and_resume_reach_the_node(tmp_path: Path, hold: bytes) -> None:
    """A held room is expected to be silent; a resumed one is not."""
    async with open_desk(tmp_path) as desk:
        room, session = await connected_room(desk)
        for direction in (hold, b"sendrecv"):
            body = room.offer_body().replace(b"a=sendrecv", b"a=" + direction)
            room.edge.agent.offer(session, body, room.edge.now())
            room.edge.pump()
            count = 1 if direction == hold else 2
            await eventually(lambda count=count: len(room.of(AnswerReceived)) == count)
        leg = desk.node.legs["leg-440229"]
        assert leg.holds == [True, False]
        assert [a.streams[0].send for a in leg.answers] == [True, False, True]


async def test_a_leg_closed_by_the_node_ends_the_call(tmp_path: Path) -> None:
    """Removed at the desk: the room gets its BYE."""
    async with open_desk(tmp_path) as desk:
        room, _ = await connected_room(desk)
        desk.node.close_leg("leg-440229", CloseReason.CONFERENCE_CLOSED)
        assert (await desk.ended("leg-440229")).result is CallResult.REMOVED
        await eventually(lambda: room.of(CallEnded))


async def test_a_killed_node_comes_back_and_the_room_is_invited_again(tmp_path: Path) -> None:
    """The room does nothing: a re-INVITE moves its media to the new ports."""
    async with open_desk(tmp_path) as desk:
        room, _ = await connected_room(desk)
        taking(room)
        old = {k: s.getsockname()[1] for k, s in desk.node.legs["leg-440229"].sockets.items()}
        await desk.node.stop()
        desk.node.conferences.clear()
        await desk.node.start()
        await asyncio.sleep(1.0)
        desk.node.conferences.add("conf")  # the roof opens it again a little later
        offers = await eventually(lambda: room.of(OfferReceived))
        ports = {s.media: s.port for s in parse_sdp(offers[0].body).media}
        assert ports.keys() == old.keys() and ports != old
        await eventually(lambda: desk.node.legs["leg-440229"].answers)
        assert desk.states("leg-440229")[-1].state is CallState.CONNECTED


async def test_a_node_that_stays_away_ends_its_calls(tmp_path: Path) -> None:
    """No orphan call: the rooms are hung up and the roster says why."""
    async with open_desk(tmp_path, node_grace_s=0.2) as desk:
        room, _ = await connected_room(desk)
        await desk.node.stop()
        assert (await desk.ended("leg-440229")).result is CallResult.MEDIA_FAILED
        await eventually(lambda: room.of(CallEnded))


async def test_a_starting_gateway_clears_legs_nobody_calls_for(tmp_path: Path) -> None:
    """After a crash of the gateway the node still holds legs of calls that are lost."""
    async with open_desk(tmp_path) as desk:
        room, _ = await connected_room(desk)
        desk.gateway.calls._by_leg.clear()  # as a new process would begin
        await desk.gateway._reconcile()
        await eventually(lambda: desk.node.removed == [("leg-440229", CloseReason.FAILED)])
        assert room
