"""A caller without a hall keys its PIN: what it hears, sees, and when it is let in."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from sip_gateway.messages import CallState
from sip_gateway.ports import Admission, Lobby, Refusal
from tests.harness import tones
from tests.harness.baresip import Baresip
from tests.harness.processes import wait_until
from tests.peers.test_sip_with_node import centre, hall
from tests.sip_gateway.desk import Book, eventually

pytestmark = pytest.mark.peer("baresip")
CODECS = "audio_codecs=PCMA;video_codecs=H264"


class PinBook(Book):
    """440229 is a hall of conference `conf`; 440118 has no hall and needs the PIN 246810."""

    def __init__(self) -> None:
        super().__init__()
        self.keyed: list[tuple[str, str, str | None]] = []

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        if account == "440118":
            return Admission("lobby-1", "leg-lobby", "访客", lobby=Lobby(number))
        return await super().admit(account, number)

    async def enter(
        self, account: str, caller: str, number: str, pin: str | None
    ) -> Admission | None:
        self.keyed.append((caller, number, pin))
        return Admission("conf", "leg-guest", "访客 440118") if pin == "246810" else None


def press(room: Baresip, keys: str) -> None:
    """One key at a time, as a hand does."""
    for key in keys:
        room.command("sndcode", key)
        time.sleep(0.3)


def loudest(room: Baresip) -> float:
    """Of the last half second it heard."""
    dumps = sorted(room.folder.glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)
    if not dumps:
        return 0.0
    samples, rate = tones.read_wav(dumps[-1])
    recent = samples[-rate // 2 :].astype(np.float64)
    return float(np.abs(recent).max()) if len(recent) else 0.0


@pytest.mark.timeout(300)
async def test_the_right_pin_lets_a_stranger_in_and_three_wrong_ones_end_its_call(
    tmp_path: Path,
) -> None:
    """It is asked aloud, hears and sees nobody before, and is told why its call ends."""
    book = PinBook()
    async with centre(tmp_path, book=book) as (gateway, node, _nodes):
        inside = await asyncio.to_thread(hall, tmp_path, "440229", 1, CODECS)
        guest = await asyncio.to_thread(hall, tmp_path, "440118", 2, CODECS)
        try:
            await asyncio.to_thread(inside.dial, "9000")
            await eventually(lambda: [c.state for c in gateway.calls.live()] == ["connected"], 30)
            await asyncio.to_thread(guest.dial, "9000")
            await asyncio.to_thread(wait_until, lambda: loudest(guest) > 2000)  # it is asked
            assert await asyncio.to_thread(guest.heard, [500]) == set()
            assert 1 not in await asyncio.to_thread(guest.seen)
            shown = await node.stats("lobby-1")
            assert [leg.leg_id for leg in shown.conferences[0].legs] == ["leg-lobby"]
            await asyncio.to_thread(press, guest, "111111")
            await eventually(lambda: book.keyed == [("440118", "9000", "111111")], 30)
            await asyncio.to_thread(press, guest, "246810")
            await eventually(lambda: gateway.calls.of_leg("leg-guest") is not None, 30)
            await asyncio.to_thread(
                wait_until, lambda: guest.heard([500]) == {500} and 1 in guest.seen()
            )
            live = gateway.calls.of_leg("leg-guest")
            assert live is not None and live.state is CallState.CONNECTED
            assert gateway.calls.of_leg("leg-lobby") is None
            await asyncio.to_thread(guest.hang_up)
            await eventually(lambda: gateway.calls.of_leg("leg-guest") is None, 30)

            book.keyed.clear()
            await asyncio.to_thread(guest.dial, "9000")
            await eventually(lambda: gateway.calls.of_leg("leg-lobby") is not None, 30)
            for tries in (1, 2, 3):
                await asyncio.to_thread(press, guest, "000000")
                await eventually(lambda tries=tries: len(book.keyed) == tries, 30)
            await eventually(lambda: gateway.calls.of_leg("leg-lobby") is None, 40)
            assert gateway.calls.of_leg("leg-guest") is None
        finally:
            await asyncio.to_thread(inside.close)
            await asyncio.to_thread(guest.close)
