"""Asterisk's chan_ooh323 calls and is called in every mode: another maker's H.323."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sip_gateway.messages import Dial
from tests.harness.asterisk import Asterisk
from tests.harness.tones import Samples, read_wav, tone_strength
from tests.peers.h323_bridge import Bridge
from tests.video_bridge.node.test_node import until

ROOM = "127.0.0.2"
HEARD_DB = 20.0
MODES = [(True, True), (True, False), (False, True), (False, False)]


def _hears(recording: Path, hertz: float) -> bool:
    if not recording.exists():
        return False
    samples, rate = read_wav(recording)
    return tone_strength(samples[-rate * 2 :], rate, hertz) > HEARD_DB


@pytest.mark.timeout(400)
@pytest.mark.peer("asterisk")
@pytest.mark.parametrize(("fast_start", "tunnelling"), MODES)
async def test_asterisk_calls_and_is_called(
    tmp_path: Path, fast_start: bool, tunnelling: bool
) -> None:
    """Both calls carry sound both ways, keys arrive, and its round-trip requests are answered."""
    bridge = Bridge(tmp_path, h323_fast_start=fast_start, h323_tunnelling=tunnelling)
    bridge.book.static[ROOM] = "440118"
    await bridge.start()
    port = bridge.gateway.h323.port or 0
    asterisk = await asyncio.to_thread(
        Asterisk,
        host=ROOM,
        bridge=("127.0.0.1", port),
        fast_start=fast_start,
        tunnelling=tunnelling,
    )
    try:
        caller, media = bridge.endpoint("翁源", (60, 200, 90), 700.0)
        await caller.call("9000", port)
        asterisk.call("9000", 1100)
        await bridge.dial("leg-out", 1720, ROOM, number="1500")
        await until(lambda: all(_hears(asterisk.heard(tone), 700) for tone in (1100, 1500)), 150)
        await until(lambda: _hears_both(media.heard()[-96_000:]), 150)
        await until(lambda: _keys(bridge) == {("leg-440118", "7"), ("leg-out", "7")})
        for leg in ("leg-440118", "leg-out"):
            assert _state(bridge, leg) == "connected", asterisk.console()[-3000:]
        await bridge.wire.request("call.hangup", {"leg_id": "leg-out"})
        await until(lambda: _state(bridge, "leg-out") == "ended")
    finally:
        await asyncio.to_thread(asterisk.close)
        await until(lambda: _state(bridge, "leg-440118") in (None, "ended"))
        await bridge.stop()


@pytest.mark.peer("asterisk")
async def test_asterisk_registers_and_calls_by_number(tmp_path: Path) -> None:
    """It registers with our gatekeeper, calls through it, and is dialled by its account."""
    bridge = Bridge(tmp_path, h323_ras_port=1719, h323_port=1720)
    bridge.book.static[ROOM] = "440118"
    await bridge.start()
    asterisk = await asyncio.to_thread(
        Asterisk, host=ROOM, bridge=("127.0.0.1", 1720), gatekeeper="127.0.0.1", number="8001"
    )
    try:
        await until(lambda: _registered(bridge) == [("440118", True)], 20)
        asterisk.call("9000", 1100, through="")
        await until(lambda: _state(bridge, "leg-440118") == "connected", 20)
        dial = Dial(leg_id="leg-out", conference_id="conf", account="440118", name="始兴")
        await bridge.wire.request("call.dial", dial.model_dump(mode="json", exclude={"type"}))
        await until(lambda: _state(bridge, "leg-out") == "connected", 20)
        assert bridge.book.admitted == [("440118", "9000")]
    finally:
        await asyncio.to_thread(asterisk.close)
        await until(lambda: _state(bridge, "leg-440118") in (None, "ended"))
        await bridge.stop()


def _registered(bridge: Bridge) -> list[tuple[str, bool]]:
    told = [body for type_, body in bridge.events if type_ == "registration"]
    return [(body["account"], body["is_registered"]) for body in told]


def _state(bridge: Bridge, leg: str) -> str | None:
    last = bridge.last(leg)
    return None if last is None else last.state


def _keys(bridge: Bridge) -> set[tuple[str, str]]:
    """Who pressed what; asterisk presses again and again."""
    told = [body for type_, body in bridge.events if type_ == "call.dtmf"]
    return {(body["leg_id"], body["digit"]) for body in told}


def _hears_both(samples: Samples) -> bool:
    return all(tone_strength(samples, 48_000, tone) > HEARD_DB for tone in (1100, 1500))
