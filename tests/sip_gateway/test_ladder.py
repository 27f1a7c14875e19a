"""The call ladder: the room's lines, then telephones; one leg whatever rung takes the call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sip_gateway.capability import LocalMedia
from sip_gateway.ladder import Ladder
from sip_gateway.messages import CallResult, CallState, Dial, Rung
from sip_gateway.sip.events import CallEnded, Event, IncomingCall
from sip_gateway.sip.offer_answer import make_offer
from video_bridge import messages as m

from .desk import Desk, Room, eventually, open_desk

PRIVATE = Rung(uri="sip:room@10.1.1.1", is_same_room=True)
INTERNET = Rung(uri="sip:room@198.51.100.7", is_same_room=True)
DUTY, LEADER = Rung(number="0751", audio_only=True), Rung(number="0752", audio_only=True)


def ladder(*rungs: Rung) -> Ladder:
    first, *others = rungs
    return Ladder(Dial(leg_id="l", conference_id="c", uri=first.uri, name="n", ladder=others))


@pytest.mark.parametrize(
    ("results", "numbers"),
    [
        ([CallResult.UNREACHABLE], ["sip:room@198.51.100.7"]),
        ([CallResult.NO_ANSWER], ["0751"]),  # it rang in the room: its other line is no use
        ([CallResult.UNREACHABLE, CallResult.NO_ANSWER], ["sip:room@198.51.100.7", "0751"]),
        ([CallResult.BUSY, CallResult.NO_ANSWER], ["0751", "0752"]),
        ([CallResult.DECLINED], [None]),
        ([CallResult.REMOVED], [None]),
        ([CallResult.BUSY] * 3, ["0751", "0752", None]),
    ],
)
def test_the_next_rung_follows_from_how_the_last_call_ended(
    results: list[CallResult], numbers: list[str | None]
) -> None:
    """Another line where nobody was reached, another person where nobody took it."""
    climbed = ladder(PRIVATE, INTERNET, DUTY, LEADER)
    found = [climbed.after(result) for result in results]
    assert [rung and (rung.uri or rung.number) for rung in found] == numbers


def test_in_a_call_the_lines_take_turns_and_nobody_else_is_rung() -> None:
    """A cut line leads to the other; a call that was up is never handed to a telephone."""
    climbed = ladder(PRIVATE, INTERNET, DUTY)
    other, back = climbed.other_line(), climbed.other_line()
    assert other is not None and back is not None
    assert (other.uri, back.uri) == (INTERNET.uri, PRIVATE.uri)
    assert climbed.after(CallResult.UNREACHABLE) is None
    assert ladder(PRIVATE, DUTY).other_line() is None


def answering(room: Room, status: int | None = None, *, has_video: bool = True) -> None:
    """The room takes every call, or refuses it with a status."""

    def react(event: Event) -> None:
        if isinstance(event, IncomingCall):
            agent, now = room.edge.agent, room.edge.now()
            if status is None:
                local = LocalMedia("127.0.0.1", 40000, 40002 if has_video else None)
                agent.answer(event.session_id, bytes(make_offer(local, 7)), now)
            else:
                agent.reject(event.session_id, status, now)
            room.edge.pump()

    room.react = react


def uri_of(room: Room) -> str:
    return room.contact().replace("sip:", "sip:", 1)


def rung(room: Room, **fields: Any) -> dict[str, Any]:
    return Rung(uri=uri_of(room), **fields).model_dump(mode="json")


async def connected(desk: Desk) -> None:
    def is_up() -> bool:
        states = desk.states("leg-1")
        return bool(states) and states[-1].state is CallState.CONNECTED

    await eventually(is_up, 10)


async def test_the_duty_phone_is_rung_when_the_hall_does_not_answer(tmp_path: Path) -> None:
    """Busy hall, silent internet line left out, then the phone: sound only, the same leg."""
    async with open_desk(tmp_path) as desk:
        hall, phone = await desk.room(), await desk.room(account="440118")
        answering(hall, 486)
        answering(phone, has_video=False)
        await desk.dial(
            uri=uri_of(hall),
            ladder=[rung(hall, is_same_room=True), rung(phone, audio_only=True)],
        )
        await connected(desk)
        call = desk.gateway.calls.of_leg("leg-1")
        assert call is not None and call.remote == uri_of(phone)
        offers = [event.request.body for event in phone.of(IncomingCall)]
        assert len(hall.of(IncomingCall)) == 1 and b"m=video" not in offers[0]
        assert list(desk.node.legs) == ["leg-1"] and len(desk.gateway.calls.live()) == 1


async def test_an_unreachable_line_gives_way_to_the_other(tmp_path: Path) -> None:
    """Nothing comes back from the private address: the internet address is dialled."""
    async with open_desk(tmp_path, line_response_s=0.3) as desk:
        hall = await desk.room()
        answering(hall)
        await desk.dial(uri="sip:room@127.0.0.9:9", ladder=[rung(hall, is_same_room=True)])
        await connected(desk)
        assert list(desk.node.legs) == ["leg-1"]


async def test_a_cut_line_is_left_for_the_other_with_one_leg(tmp_path: Path) -> None:
    """Media and signalling silent: the other line is called, and told which call it replaces."""
    async with open_desk(tmp_path, line_check_s=0.5) as desk:
        private, internet = await desk.room(), await desk.room()
        answering(private)
        answering(internet)
        await desk.dial(uri=uri_of(private), ladder=[rung(internet, is_same_room=True)])
        await connected(desk)
        lost = m.LegLost(conference_id="conf", leg_id="leg-1", silent_s=2.5)
        desk.node.wire.broadcast("leg.lost", lost.model_dump(mode="json", exclude={"type"}))
        await eventually(lambda: desk.gateway.calls._tasks == set())
        assert internet.of(IncomingCall) == []  # it answers on its line: nothing is cut
        await private.stop()
        desk.node.wire.broadcast("leg.lost", lost.model_dump(mode="json", exclude={"type"}))
        await eventually(lambda: internet.of(IncomingCall))
        assert internet.of(IncomingCall)[0].request.get("Replaces")
        await connected(desk)
        assert list(desk.node.legs) == ["leg-1"] and len(desk.gateway.calls.live()) == 1
        await internet.stop()
        desk.node.wire.broadcast("leg.lost", lost.model_dump(mode="json", exclude={"type"}))
        ended = await desk.ended("leg-1", 15)
        assert ended.result is CallResult.MEDIA_FAILED  # it was in: the desk brings it back
        assert not internet.of(CallEnded)
