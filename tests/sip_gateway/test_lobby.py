"""The lobby over the wire: keys by INFO and inside RTP, the leg that moves, the call that ends."""

from __future__ import annotations

from pathlib import Path

from sip_gateway.messages import CallState
from sip_gateway.ports import Admission, Lobby, Refusal
from tests.sip_gateway.desk import Book, Desk, Room, eventually, open_desk
from tests.sip_gateway.test_gateway import taking
from video_bridge.messages import DtmfPressed


class PinBook(Book):
    """Everybody is a stranger; the PIN is 246810."""

    def __init__(self, number: str | None = "9001") -> None:
        super().__init__()
        self.number = number
        self.keyed: list[tuple[str, str | None]] = []

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        del account, number
        return Admission("lobby-1", "leg-lobby", "guest", lobby=Lobby(self.number))

    async def enter(
        self, account: str, caller: str, number: str, pin: str | None
    ) -> Admission | None:
        assert (account, caller) == ("440229", "440229")
        self.keyed.append((number, pin))
        return Admission("conf", "leg-guest", "guest") if pin == "246810" else None


async def waiting_room(desk: Desk) -> tuple[Room, str]:
    room = await desk.room()
    taking(room)  # the re-INVITE that moves its leg
    session = room.call()
    await eventually(lambda: desk.states("leg-lobby")[-1:] and desk.node.legs.get("leg-lobby"))
    await eventually(lambda: desk.node.legs["leg-lobby"].prompts)
    return room, session


def by_info(room: Room, session: str, keys: str) -> None:
    for key in keys:
        body = f"Signal={key}\r\nDuration=160\r\n".encode()
        room.edge.agent.info(session, "application/dtmf-relay", body, room.edge.now())
        room.edge.pump()


async def test_keys_by_info_enter_and_are_told_to_nobody(tmp_path: Path) -> None:
    """A PIN is no order to the desk, and no log of events may hold it."""
    async with open_desk(tmp_path, book=PinBook()) as desk:
        room, session = await waiting_room(desk)
        assert desk.node.legs["leg-lobby"].prompts == ["enter_pin"]
        assert "PIN" in desk.node.messages[0] and "密码" in desk.node.messages[0]
        for key in "246810":
            by_info(room, session, key)
        await eventually(lambda: desk.node.legs.get("leg-guest"))
        await eventually(
            lambda: [c.state for c in desk.states("leg-guest")][-1:] == [CallState.CONNECTED]
        )
        await eventually(lambda: desk.node.legs["leg-guest"].prompts == ["welcome"])
        assert desk.states("leg-lobby")[-1].state is CallState.ENDED
        assert [b for t, b in desk.events if t == "call.dtmf"] == []
        by_info(room, session, "9")  # once inside, keys are orders again
        await eventually(lambda: [b for t, b in desk.events if t == "call.dtmf"])


async def test_keys_inside_rtp_give_number_and_pin_and_three_wrong_ones_end_it(
    tmp_path: Path,
) -> None:
    """Whoever rang the lobby's own number is asked for both; the reason is spoken and shown."""
    book = PinBook(number=None)
    async with open_desk(tmp_path, book=book) as desk:
        await waiting_room(desk)
        for _ in range(3):
            for key in "9001#000000":
                pressed = DtmfPressed(conference_id="lobby-1", leg_id="leg-lobby", digit=key)
                words = pressed.model_dump(mode="json", exclude={"type"})
                desk.node.wire.broadcast("dtmf", words)
        leg = desk.node.legs["leg-lobby"]
        assert (await desk.ended("leg-lobby")).state is CallState.ENDED
        assert book.keyed == [("9001", "000000")] * 3
        asked = ["enter_number", "enter_pin", "wrong", "enter_pin", "wrong", "enter_pin"]
        assert leg.prompts == [*asked, "refused"]
        assert "三次输入不正确" in desk.node.messages[-1]
