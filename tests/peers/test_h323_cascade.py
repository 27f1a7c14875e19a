"""Two of our bridges, one a terminal of the other's conference, each with a gateway and a node.

What flows between them is encrypted by H.235.6, as the policies of both require.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sip_gateway.h323.h243_events import Ask, ConferenceAnswered, ConferenceTold, Label, Tell
from sip_gateway.messages import (
    BridgeRole,
    ConferenceTell,
    ConferenceTerminal,
    Dial,
    SrtpPolicy,
)
from sip_gateway.ports import Admission, Refusal
from tests.peers.h323_bridge import CONFERENCE, Bridge
from tests.video_bridge.node.room import Room, strength
from tests.video_bridge.node.test_node import until
from video_bridge import messages as m

pytestmark = pytest.mark.peer()
ABOVE, BELOW = (60, 200, 90), (120, 90, 220)  # what the room of each bridge shows
SLIDE = (90, 60, 200)
ABOVE_HZ, BELOW_HZ = 700.0, 1100.0
UPWARDS, DOWNWARDS = "leg-440229", "leg-below"  # the same call, seen from below and from above


def _share(media: Room, colour: tuple[int, int, int]) -> float:
    """How much of the newest picture has this colour."""
    if not media.pictures:
        return 0.0
    picture = media.pictures[-1]
    near = [
        np.abs(plane.astype(int) - wanted) < 14
        for plane, wanted in ((picture.u, colour[1]), (picture.v, colour[2]))
    ]
    return float(np.mean(near[0] & near[1]))


async def _bridge(folder: Path) -> Bridge:
    folder.mkdir()
    made = Bridge(folder)
    await made.start()
    return made


@pytest.fixture
async def bridges(tmp_path: Path) -> AsyncIterator[tuple[Bridge, Bridge]]:
    """The upper and the lower one; to the lower, whoever calls from 127.0.0.1 is the upper one."""
    upper, lower = [await _bridge(tmp_path / name) for name in ("upper", "lower")]
    admit = lower.book.admit

    async def admit_upper(account: str, number: str) -> Admission | Refusal:
        admitted = await admit(account, number)
        assert isinstance(admitted, Admission)
        required = SrtpPolicy.REQUIRED
        return replace(admitted, bridge_role=BridgeRole.UPPER, srtp_policy=required)

    lower.book.admit = admit_upper  # type: ignore[method-assign]
    yield upper, lower
    await upper.stop()
    await lower.stop()


async def _join(upper: Bridge, lower: Bridge) -> tuple[Room, Room]:
    """The upper bridge dials the lower one, and each its own room. Returns the rooms' media."""
    for bridge, name, colour, tone in (
        (upper, "省厅大厅", ABOVE, ABOVE_HZ),
        (lower, "翁源", BELOW, BELOW_HZ),
    ):
        slides = Room(colour=SLIDE, tone_hz=300.0)
        endpoint, _ = bridge.endpoint(name, colour, tone, content=slides)
        await bridge.dial("leg-room", await endpoint.listen())
    await until(lambda: all(b.media[0].pictures for b in (upper, lower)))
    request = Dial(
        leg_id=DOWNWARDS,
        conference_id=CONFERENCE,
        uri=f"h323:9000@127.0.0.1:{lower.gateway.h323.port}",
        name="韶关市会商",
        bridge_role=BridgeRole.LOWER,
        srtp_policy=SrtpPolicy.REQUIRED,
    )
    await upper.wire.request("call.dial", request.model_dump(mode="json", exclude={"type"}))
    await until(lambda: lower.node.told(m.LegUp, UPWARDS))
    await lower.node.client.send(m.LegUpdate(leg_id=UPWARDS, view="rest"))
    await until(lambda: upper.node.told(m.LegUp, DOWNWARDS))
    return upper.media[0], lower.media[0]


async def _tell(bridge: Bridge, *, shown: str | None, other: str) -> None:
    """What the roof tells of a conference of its own room and the other bridge."""
    told = ConferenceTell(
        conference_id=CONFERENCE,
        terminals=[
            ConferenceTerminal(id="room", number=1, name="会场", leg_id="leg-room"),
            ConferenceTerminal(id="bridge", number=2, name="会商", leg_id=other),
        ],
        shown=shown,
        is_forced=shown is not None,
    )
    await bridge.wire.request("conference.tell", told.model_dump(mode="json", exclude={"type"}))


async def _show(bridge: Bridge, leg_id: str | None) -> None:
    """Broadcast of one site, or the end of it."""
    seats: dict[str, Any] = {"arrangement": "1", "seats": [leg_id]} if leg_id else {}
    await bridge.node.client.send(m.LayoutSet(conference_id=CONFERENCE, **seats))


def _orders(bridge: Bridge) -> list[tuple[str, str]]:
    return [
        (body["leg_id"], body["order"])
        for type_, body in bridge.events
        if type_ == "conference.asked"
    ]


@pytest.mark.timeout(480)
async def test_rooms_of_two_bridges_see_and_hear_each_other_and_a_broadcast_reaches_all(
    bridges: tuple[Bridge, Bridge],
) -> None:
    """No picture within itself, an order from above obeyed, slides by H.239 up and down."""
    upper, lower = bridges
    above, below = await _join(upper, lower)
    await until(lambda: _share(above, BELOW) > 0.15 and _share(above, ABOVE) > 0.15)
    await until(lambda: _share(below, ABOVE) > 0.05 and _share(below, BELOW) > 0.15)
    # the lower's pane holds its room alone: as much of it as of our own, nothing of it twice
    await until(lambda: abs(_share(above, BELOW) / (_share(above, ABOVE) or 1) - 1) < 0.2)
    await until(lambda: strength(above.heard()[-48_000:], BELOW_HZ) > 0.8)
    await until(lambda: strength(below.heard()[-48_000:], ABOVE_HZ) > 0.8)
    assert strength(above.heard()[-48_000:], ABOVE_HZ) < 0.05  # its own voice does not come back
    sessions = [
        bridge.gateway.h323.room_of(leg) for bridge, leg in ((upper, DOWNWARDS), (lower, UPWARDS))
    ]
    assert [room is not None and room.session.is_master for room in sessions] == [True, False]

    await _show(upper, "leg-room")
    await _tell(upper, shown="room", other=DOWNWARDS)
    await until(lambda: _orders(lower) == [(UPWARDS, "broadcast")])
    await _show(lower, UPWARDS)  # as the roof below obeys
    await until(lambda: _share(below, ABOVE) > 0.8)
    await until(lambda: _share(above, ABOVE) > 0.8)

    await _show(upper, None)
    await _tell(upper, shown=None, other=DOWNWARDS)
    await until(lambda: _orders(lower)[1:] == [(UPWARDS, "broadcast_end")])
    await _show(lower, None)
    await until(lambda: _share(below, BELOW) > 0.15)
    await _chair(upper)
    await _present(upper, DOWNWARDS, lower, UPWARDS)
    await _take_back(upper, DOWNWARDS, lower, UPWARDS)
    await _present(lower, UPWARDS, upper, DOWNWARDS)
    await _refuse_in_clear(upper)


async def _chair(bridge: Bridge) -> None:
    """The bridge's own room lists the terminals, asks for the chair and is told the roof's no."""
    room = bridge.endpoints[0]
    told = [event.tell for event in room.of(ConferenceTold) if isinstance(event, ConferenceTold)]
    assert told[:2] == [Tell.NUMBER, Tell.SEEN_BY_ALL]  # it was the one that was broadcast
    for ask in (Ask.TERMINAL_NAMES, Ask.CHAIR):
        room.core.control_session.conference_ask(ask)
    room.pump()
    await until(lambda: ("leg-room", "chair") in _orders(bridge))
    decision = {"leg_id": "leg-room", "order": "chair", "granted": False}
    await bridge.wire.request("conference.decide", decision)
    names = ((Label(1, 1), "会场"), (Label(1, 2), "会商"))
    await until(
        lambda: (
            room.of(ConferenceAnswered)
            == [
                ConferenceAnswered(Ask.TERMINAL_NAMES, terminals=names),
                ConferenceAnswered(Ask.CHAIR, granted=False),
            ]
        )
    )


async def _present(here: Bridge, across: str, there: Bridge, back: str) -> None:
    """A slide of the room here is seen by the room there, by H.239 on all three calls.

    `across` is the leg of the other bridge, `back` is ours at the other one.
    """
    asked = [len(bridge.told("content.requested")) for bridge in (here, there)]
    there.shown[0].pictures.clear()
    here.endpoints[0].present()
    await until(lambda: here.told("content.requested")[asked[0] :] == ["leg-room"])
    await _grant(here, holder="leg-room", other=across)
    await until(lambda: there.told("content.requested")[asked[1] :] == [back])
    await _grant(there, holder=back, other="leg-room")
    await until(lambda: _share(there.shown[0], SLIDE) > 0.9)


async def _grant(bridge: Bridge, *, holder: str, other: str) -> None:
    """What the roof of a bridge does with the token."""
    await bridge.node.client.send(m.ContentSet(conference_id=CONFERENCE, leg_id=holder))
    await bridge.content("decide", holder, granted=True)
    await bridge.content("offer", other, on=True, holder="会场")


async def _take_back(here: Bridge, across: str, there: Bridge, back: str) -> None:
    """The roof here takes the token from its room; the bridge there hears that it is over."""
    await here.content("offer", across, on=False)
    await here.content("revoke", "leg-room")
    await here.node.client.send(m.ContentSet(conference_id=CONFERENCE, leg_id=None))
    await until(lambda: there.told("content.released") == [back])
    await there.content("offer", "leg-room", on=False)
    await there.node.client.send(m.ContentSet(conference_id=CONFERENCE, leg_id=None))
    await here.shown[0].stop()
    await there.shown[0].stop()


async def _refuse_in_clear(bridge: Bridge) -> None:
    """A room without encryption is not let in where the policy requires it."""
    endpoint, _ = bridge.endpoint("英德", BELOW, 300.0)
    request = Dial(
        leg_id="leg-clear",
        conference_id=CONFERENCE,
        uri=f"h323:127.0.0.1:{await endpoint.listen()}",
        name="英德市",
        srtp_policy=SrtpPolicy.REQUIRED,
    )
    await bridge.wire.request("call.dial", request.model_dump(mode="json", exclude={"type"}))

    def result() -> str | None:
        last = bridge.last("leg-clear")
        return None if last is None else last.result

    await until(lambda: result() == "not_encrypted")
