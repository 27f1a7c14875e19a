"""A room that rings the lobby's number keys a consultation's and is taken there within its call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sip_gateway.h323.call import Released
from sip_gateway.ports import Admission, Lobby, Refusal
from tests.peers.h323_bridge import CONFERENCE, Bridge
from tests.peers.test_h323_rooms import _colours as colours
from tests.sip_gateway.desk import Book
from tests.sip_gateway.h323.endpoint import Endpoint
from tests.video_bridge.node.test_node import until

pytestmark = pytest.mark.peer()
WAIT_S = 60


class _Asking(Book):
    """Whoever dials is asked in the lobby; 9001 is the consultation."""

    def __init__(self) -> None:
        super().__init__()
        self.static = {"127.0.0.1": "440229"}
        self.keyed: list[tuple[str, str | None]] = []

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        return Admission("lobby-1", "leg-lobby", "翁源", lobby=Lobby(None, needs_pin=False))

    async def enter(
        self, account: str, caller: str, number: str, pin: str | None
    ) -> Admission | None:
        self.keyed.append((number, pin))
        return Admission(CONFERENCE, "leg-in", "翁源") if number == "9001" else None


def press(room: Endpoint, keys: str) -> None:
    """By H.245 user input, one indication a key."""
    for key in keys:
        room.core.control_session.send_digit(key)
    room.pump()


async def test_an_h323_room_keys_its_number_in_the_lobby_and_comes_in(tmp_path: Path) -> None:
    """It is asked aloud; a wrong number is told; its call and connection stay."""
    book = _Asking()
    bridge = Bridge(tmp_path, book=book)
    await bridge.start()

    def state(leg_id: str) -> str:
        call = bridge.last(leg_id)
        return "" if call is None else call.state

    try:
        inside, _ = bridge.endpoint("英德", (120, 90, 220), 1100.0)
        await bridge.dial("leg-out", await inside.listen())
        caller, media = bridge.endpoint("翁源", (60, 200, 90), 700.0)
        await caller.call("9000", bridge.gateway.h323.port or 0)
        await until(lambda: np.abs(media.heard()[-4000:]).max(initial=0) > 1000, WAIT_S)
        press(caller, "9002#")
        await until(lambda: book.keyed == [("9002", None)], WAIT_S)
        press(caller, "9001#")
        await until(lambda: state("leg-in") == "connected", WAIT_S)
        assert state("leg-lobby") == "ended"
        await until(lambda: bool(media.pictures) and colours(media) == {20, 9}, WAIT_S)
        assert not caller.of(Released)
        assert bridge.told("call.dtmf") == []
        press(caller, "*")  # inside, keys are the desk's again
        await until(lambda: bridge.told("call.dtmf") == ["leg-in"], WAIT_S)
        caller.hang_up()
        await until(lambda: state("leg-in") == "ended", WAIT_S)
    finally:
        await bridge.stop()
