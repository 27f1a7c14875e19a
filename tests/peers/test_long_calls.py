"""Calls that stand for half an hour, as consultations do: two of Asterisk's by H.323, one of a
SIP hall, all in one conference. Session timers, of which baresip knows nothing, are in
`test_long_session.py`."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sip_gateway.messages import CallState, Dial
from tests.harness.asterisk import Asterisk
from tests.harness.baresip import Baresip
from tests.harness.held import Held
from tests.harness.namespace import ADDRESS
from tests.harness.tones import heard, read_wav
from tests.harness.wire_ear import PERIOD_S, delays
from tests.peers.h323_bridge import CONFERENCE, Bridge
from tests.sip_gateway.desk import PASSWORD
from tests.video_bridge.node.test_node import until

pytestmark = [pytest.mark.peer("asterisk", "baresip"), pytest.mark.soak(only=True)]

HOLD_S = 1800.0
WARM_UP_S = 300.0
LOOK_EVERY_S = 60.0
LISTEN_S = 6.0
SOME = 7
WAYS = 6  # each tone to two others
ASTERISK, HALL = "127.0.0.2", "440229"
IN, OUT, SIP = "leg-440118", "leg-out", "leg-hall"
TONES = {IN: 1100.0, OUT: 1500.0, SIP: 700.0}
MOST_DRIFT_S = 0.04  # and twice what delays vary by, as they do on a busy machine
MOST_GROWTH = 16 << 20
MARKER = 1


@asynccontextmanager
async def bridge_of(folder: Path) -> AsyncIterator[Bridge]:
    made = Bridge(folder, listen_host="0.0.0.0", udp_port=5060)
    made.book.static = {ASTERISK: "440118"}
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def _state(bridge: Bridge, leg: str) -> CallState | None:
    last = bridge.last(leg)
    return None if last is None else last.state


async def _set_up(bridge: Bridge, asterisk: Asterisk) -> None:
    """Asterisk calls and is called, the hall is called: all three stand."""
    asterisk.call("9000", int(TONES[IN]))
    await bridge.dial(OUT, 1720, ASTERISK, number=str(int(TONES[OUT])))
    await until(lambda: bridge.gateway.snapshot().registrations)
    request = Dial(leg_id=SIP, conference_id=CONFERENCE, account=HALL, name="翁源县")
    await bridge.wire.request("call.dial", request.model_dump(mode="json", exclude={"type"}))
    await until(lambda: all(_state(bridge, leg) == CallState.CONNECTED for leg in TONES))


def _last_heard(asterisk: Asterisk, leg: str) -> set[float]:
    recording = asterisk.heard(int(TONES[leg]))
    if not recording.exists():
        return set()
    samples, rate = read_wav(recording)
    return heard(samples[-2 * rate :], rate, list(TONES.values()))


async def _all_hear_the_others(asterisk: Asterisk, hall: Baresip) -> None:
    for leg in (IN, OUT):
        await until(lambda leg=leg: _last_heard(asterisk, leg) == {*TONES.values()} - {TONES[leg]})
    tones = list(TONES.values())
    await until(lambda: hall.heard(tones) == {TONES[IN], TONES[OUT]})
    assert MARKER in await asyncio.to_thread(hall.seen)


async def _listen() -> dict[tuple[float, int], float]:
    return await asyncio.to_thread(delays, LISTEN_S, list(TONES.values()))


def _moved(before: float, now: float) -> float:
    """By how much a delay that is known but for whole periods has changed."""
    return (now - before + PERIOD_S / 2) % PERIOD_S - PERIOD_S / 2


def _no_drift(delays_s: list[float]) -> None:
    """Delays of the last looks are those of the first: a drift adds up, a hold-up passes."""
    moved = [_moved(delays_s[0], one) for one in delays_s]
    usual = [statistics.median(some) for some in (moved[:SOME], moved[-SOME:])]
    varies_s = statistics.median(abs(one - usual[0]) for one in moved[:SOME])
    assert abs(usual[1] - usual[0]) <= MOST_DRIFT_S + 2 * varies_s, delays_s


def _rounds(bridge: Bridge, leg: str) -> int:
    """How many of our round-trip requests this room has answered; the next may be under way."""
    room = bridge.gateway.h323.room_of(leg)
    assert room is not None
    return room.session._round_trip - (room.session._asked_at is not None)


async def test_calls_stand_for_half_an_hour_without_growth_or_drift(tmp_path: Path) -> None:
    """Sound and picture to the end, round trips answered both ways."""
    async with bridge_of(tmp_path) as bridge:
        asterisk = await asyncio.to_thread(
            Asterisk,
            host=ASTERISK,
            bridge=("127.0.0.1", bridge.gateway.h323.port or 0),
            round_trip="2,60",  # so that we ask as well, after ten silent seconds
        )
        account = f"<sip:{HALL}@{ADDRESS}:5060>;auth_pass={PASSWORD};answermode=auto;regint=60"
        hall = await asyncio.to_thread(
            Baresip,
            tmp_path / "hall",
            f"{account};audio_codecs=PCMA;video_codecs=H264",
            marker=MARKER,
            tone_hz=TONES[SIP],
            tone_s=HOLD_S + 600,
        )
        try:
            await _set_up(bridge, asterisk)
            began = time.monotonic()
            await _all_hear_the_others(asterisk, hall)
            await _hold(bridge, began)
            assert all(_state(bridge, leg) == CallState.CONNECTED for leg in TONES)
            await _all_hear_the_others(asterisk, hall)
            assert all(_rounds(bridge, leg) > HOLD_S / 60 for leg in (IN, OUT))
        finally:
            await asyncio.to_thread(asterisk.close)
            await asyncio.to_thread(hall.close)


async def _hold(bridge: Bridge, began: float) -> None:
    """Until HOLD_S are over: delays once a minute, what both processes hold early and late."""
    looks: list[dict[tuple[float, int], float]] = []
    processes = {"node": bridge.node.process.pid, "gateway": os.getpid()}
    early: dict[str, Held] = {}
    while True:
        found = await _listen()
        if len(found) == WAYS:  # else somebody was held up for seconds
            looks.append(found)
        held = {name: Held.by(pid) for name, pid in processes.items()}
        passed = time.monotonic() - began
        shown = {key: round(1000 * seconds) for key, seconds in found.items()}
        print(f"{passed:6.0f} s: delays in ms {shown}, {held}", flush=True)
        assert all(_state(bridge, leg) == CallState.CONNECTED for leg in TONES)
        if passed >= WARM_UP_S and not early:
            early = held
        if passed >= HOLD_S:
            break
        await asyncio.sleep(LOOK_EVERY_S - LISTEN_S)
    assert len(looks) > HOLD_S / LOOK_EVERY_S / 2
    for way in looks[0]:
        _no_drift([look[way] for look in looks])
    for name, before in early.items():
        assert held[name].memory_bytes - before.memory_bytes <= MOST_GROWTH, (before, held[name])
        assert held[name].descriptors <= before.descriptors, (before, held[name])
