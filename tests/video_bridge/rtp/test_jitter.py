"""Audio playout under loss, delay, drift and silence."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from video_bridge.errors import RemoteMediaError
from video_bridge.payload import g711
from video_bridge.rtp.jitter import AudioJitterBuffer, Conceal, Nothing, Payload, Slot
from video_bridge.rtp.packet import RtpPacket


def _packet(index: int, units: int = 160, ssrc: int = 1) -> RtpPacket:
    payload = index.to_bytes(4, "big") * (units // 4)
    timestamp = (0xFFFFFF00 + index * units) & 0xFFFFFFFF
    return RtpPacket(8, index & 0xFFFF, timestamp, ssrc, payload)


def _run(
    arrivals: Iterable[tuple[float, RtpPacket]], until_s: float, buffer: AudioJitterBuffer
) -> list[Slot]:
    """Tick every 20 ms from 0 and give what each slot was."""
    pending = sorted(arrivals, key=lambda arrival: arrival[0])
    slots = []
    for tick in range(round(until_s / 0.02)):
        now = tick * 0.02
        while pending and pending[0][0] <= now:
            at, packet = pending.pop(0)
            buffer.insert(packet, at)
        slots.append(buffer.pop(now))
    return slots


def _numbers(slots: list[Slot]) -> list[int]:
    return [int.from_bytes(s.data[:4], "big") for s in slots if isinstance(s, Payload)]


def test_a_steady_stream_plays_every_packet_once_in_order() -> None:
    """Over the timestamp's roll-over, at the smallest delay."""
    buffer = AudioJitterBuffer(8000, g711.duration)
    slots = _run([(i * 0.02 + 0.1, _packet(i)) for i in range(500)], 9.0, buffer)
    assert _numbers(slots)[:440] == list(range(440))
    assert not any(isinstance(s, Conceal) for s in slots)
    assert sum(isinstance(s, Nothing) for s in slots) <= 8


@pytest.mark.parametrize(("loss", "at_least"), [(0.05, 0.94), (0.1, 0.89), (0.2, 0.78)])
def test_after_a_loss_playout_goes_on(loss: float, at_least: float) -> None:
    """aiortc's buffer stalls: 20 % of loss leaves a quarter of its sound."""
    rng = random.Random(3)
    arrivals = [
        (i * 0.02 + 0.08 + rng.random() * 0.03, _packet(i))
        for i in range(3000)
        if rng.random() >= loss
    ]
    slots = _run(arrivals, 60.0, AudioJitterBuffer(8000, g711.duration))
    played = sum(isinstance(s, Payload) for s in slots)
    assert played / len(slots) >= at_least
    assert played + sum(isinstance(s, Conceal) for s in slots) >= len(slots) * 0.99


def test_no_more_than_60_ms_are_concealed_in_a_row() -> None:
    """Longer made-up sound is heard as a robot; silence is honest."""
    arrivals = [(i * 0.02, _packet(i)) for i in range(200) if not 80 <= i < 110]
    slots = _run(arrivals, 4.0, AudioJitterBuffer(8000, g711.duration))
    run = longest = 0
    for slot in slots:
        run = run + 1 if isinstance(slot, Conceal) else 0
        longest = max(longest, run)
    assert longest == 3
    assert _numbers(slots)[-1] >= 195
    assert set(_numbers(slots)) >= {*range(80), *range(110, 195)}


def test_delay_grows_with_jitter_and_shrinks_again() -> None:
    """60 ms of jitter for ten seconds, then none for twenty."""
    rng = random.Random(4)
    buffer = AudioJitterBuffer(8000, g711.duration)
    shaken = [(i * 0.02 + rng.random() * 0.06, _packet(i)) for i in range(500)]
    targets = []
    pending = sorted(shaken + [(i * 0.02, _packet(i)) for i in range(500, 1500)])
    pending.sort(key=lambda arrival: arrival[0])
    late_after_learning = 0
    for tick in range(1500):
        now = tick * 0.02
        while pending and pending[0][0] <= now:
            buffer.insert(pending[0][1], pending[0][0])
            pending.pop(0)
        slot = buffer.pop(now)
        if 150 < tick < 500 and isinstance(slot, Conceal):
            late_after_learning += 1
        targets.append(buffer.target_delay_s)
    assert 0.07 <= targets[450] <= 0.1
    assert targets[-1] == pytest.approx(0.02)
    assert late_after_learning <= 350 * 0.04
    assert buffer.held_packets <= 4


def test_delay_stays_within_its_bounds() -> None:
    """Half a second of jitter cannot be waited for."""
    rng = random.Random(6)
    buffer = AudioJitterBuffer(8000, g711.duration)
    for i in range(300):
        buffer.insert(_packet(i), i * 0.02 + rng.random() * 0.5)
        assert 0.02 <= buffer.target_delay_s <= 0.12


@pytest.mark.parametrize("drift", [0.9990, 1.0010])
def test_a_sender_whose_clock_drifts_neither_starves_nor_piles_up(drift: float) -> None:
    """1,000 ppm for a minute: 60 ms of sound too much or too little."""
    buffer = AudioJitterBuffer(8000, g711.duration)
    slots = _run([(i * 0.02 * drift, _packet(i)) for i in range(3000)], 59.0, buffer)
    assert sum(not isinstance(s, Payload) for s in slots[10:]) <= 6
    assert buffer.held_packets <= 6


def test_silence_is_nothing_and_speech_after_it_is_heard_whole() -> None:
    """DTX: timestamps jump, sequence numbers do not."""
    first = [(i * 0.02, _packet(i)) for i in range(50)]
    again = []
    for i in range(50, 100):
        packet = _packet(i + 100)
        again.append((2.0 + i * 0.02, RtpPacket(8, i, packet.timestamp, 1, packet.payload)))
    slots = _run(first + again, 4.5, AudioJitterBuffer(8000, g711.duration))
    numbers = _numbers(slots)
    assert numbers == [*range(50), *range(150, 200)]
    assert sum(isinstance(s, Nothing) for s in slots) > 80


@pytest.mark.parametrize("units", [80, 240, 320, 480])
def test_packets_of_other_lengths_play_through(units: int) -> None:
    """10, 30, 40 and 60 ms: pop is called when the sound is used up."""
    buffer = AudioJitterBuffer(8000, g711.duration)
    pending = [(i * units / 8000 + 0.05, _packet(i, units)) for i in range(300)]
    heard, queued = [], 0.0
    for tick in range(round(300 * units / 8000 / 0.02)):
        now = tick * 0.02
        while pending and pending[0][0] <= now:
            buffer.insert(pending[0][1], pending[0][0])
            pending.pop(0)
        while queued < 0.0199:
            slot = buffer.pop(now, queued)
            if isinstance(slot, Nothing):
                queued = 0.02
            elif isinstance(slot, Payload):
                heard.append(int.from_bytes(slot.data[:4], "big"))
                queued += units / 8000
            else:
                pytest.fail("concealed although nothing was lost")
        queued -= 0.02
    assert heard == list(range(len(heard)))
    assert len(heard) >= 285


def test_a_restarted_sender_is_heard_at_once() -> None:
    """New SSRC, or the same one with its clock set anew."""
    buffer = AudioJitterBuffer(8000, g711.duration)
    arrivals = [(i * 0.02, _packet(i)) for i in range(50)]
    arrivals += [(1.0 + i * 0.02, _packet(i + 7, ssrc=2)) for i in range(50)]
    arrivals += [
        (2.0 + i * 0.02, RtpPacket(8, i, 0x40000000 + i * 160, 2, bytes([9]) * 160))
        for i in range(50)
    ]
    slots = _run(arrivals, 3.1, buffer)
    assert sum(isinstance(s, Payload) for s in slots) >= 138
    last = slots[-5]
    assert not isinstance(last, Payload) or last.data[0] == 9


def test_the_packet_after_a_loss_is_offered_for_its_fec() -> None:
    """Opus carries a coarse copy of the packet before."""
    arrivals = [(i * 0.02, _packet(i)) for i in range(50) if i != 20]
    slots = _run(arrivals, 1.0, AudioJitterBuffer(8000, g711.duration))
    (hole,) = [s for s in slots if isinstance(s, Conceal)]
    assert hole.next_payload == _packet(21).payload
    after = slots[slots.index(hole) + 1]
    assert isinstance(after, Payload)
    assert after.is_after_gap


def test_a_payload_without_a_length_is_refused() -> None:
    """Its slot cannot be known."""
    with pytest.raises(RemoteMediaError):
        AudioJitterBuffer(8000, g711.duration).insert(RtpPacket(8, 1, 1, 1, b""), 0.0)


def test_a_flood_does_not_grow_the_buffer() -> None:
    """A sender ten times too fast."""
    buffer = AudioJitterBuffer(8000, g711.duration)
    for i in range(5000):
        buffer.insert(_packet(i), i * 0.002)
        if i % 10 == 0:
            buffer.pop(i * 0.002)
    assert buffer.held_packets <= 100


def test_a_rough_line_is_waited_for_from_the_first_word_on() -> None:
    """Silence is kept back by the datapath: what it learnt of the line is told instead."""
    hinted, fresh = (AudioJitterBuffer(8000, len) for _ in range(2))
    hinted.expect_jitter(0.015)
    for number in range(4):
        for buffer in (hinted, fresh):
            buffer.insert(_packet(number), 0.02 * number)
    assert fresh.target_delay_s == pytest.approx(0.02)
    assert hinted.target_delay_s == pytest.approx(0.065)
    for number in range(4, 80):
        hinted.insert(_packet(number), 0.02 * number)
    assert hinted.target_delay_s == pytest.approx(0.02)


def test_what_was_slept_through_is_left_out_at_once() -> None:
    """A node that gets no processor for a second is not a second late for the ten that follow."""
    buffer = AudioJitterBuffer(8000, g711.duration)
    _run([(i * 0.02, _packet(i)) for i in range(150)], 3.0, buffer)
    now = 4.0
    for index in range(150, 200):
        buffer.insert(_packet(index), now)
    played = []
    for index in range(200, 300):
        now += 0.02
        buffer.insert(_packet(index), now)
        slot = buffer.pop(now)
        if isinstance(slot, Payload):
            played.append(now - int.from_bytes(slot.data[:4], "big") * 0.02)
    assert len(played) > 95
    assert max(played[1:]) < 0.15
