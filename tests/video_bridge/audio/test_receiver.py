"""From packets to frames of sound."""

from __future__ import annotations

import random

import numpy as np
import pytest

from video_bridge.audio.receiver import AudioReceiver
from video_bridge.codecs.audio import audio_encoder
from video_bridge.errors import LocalMediaError, RemoteMediaError
from video_bridge.rtp.packet import RtpPacket

from ..codecs.test_audio import Sound, strongest, tone


def _packets(codec: str, sound: Sound, per_packet: int = 1) -> list[RtpPacket]:
    encoder = audio_encoder(codec)
    payloads = [encoder.encode(sound[i : i + 960]) for i in range(0, len(sound), 960)]
    joined = [b"".join(payloads[i : i + per_packet]) for i in range(0, len(payloads), per_packet)]
    step = encoder.clock_units * per_packet
    return [RtpPacket(8, i, i * step, 1, payload) for i, payload in enumerate(joined)]


def _play(
    receiver: AudioReceiver, arrivals: list[tuple[float, RtpPacket]], ticks: int
) -> list[Sound | None]:
    arrivals = sorted(arrivals, key=lambda arrival: arrival[0])
    out = []
    for tick in range(ticks):
        while arrivals and arrivals[0][0] <= tick * 0.02:
            at, packet = arrivals.pop(0)
            receiver.receive(packet, at)
        out.append(receiver.tick(tick * 0.02))
    return out


@pytest.mark.parametrize("codec", ["opus", "G722", "PCMA", "PCMU"])
def test_a_tone_is_heard_through_loss_and_jitter(codec: str) -> None:
    """10 % loss, 30 ms jitter: always a frame, always the tone."""
    rng = random.Random(9)
    packets = _packets(codec, tone(440, 4.0))
    arrivals = [
        (p.sequence_number * 0.02 + rng.random() * 0.03, p) for p in packets if rng.random() > 0.1
    ]
    frames = _play(AudioReceiver(codec), arrivals, 200)
    heard = [f for f in frames[10:] if f is not None]
    assert len(heard) >= 186
    assert {len(f) for f in heard} == {960}
    assert abs(strongest(np.concatenate(heard))[0] - 440) < 3


@pytest.mark.parametrize("per_packet", [2, 3, 5])
def test_long_packets_become_20_ms_frames(per_packet: int) -> None:
    """Some halls send 40 or 60 ms of G.711 at once."""
    packets = _packets("PCMA", tone(440, 3.0), per_packet)
    arrivals = [(p.sequence_number * 0.02 * per_packet + 0.1, p) for p in packets]
    frames = _play(AudioReceiver("PCMA"), arrivals, 150)
    heard = [f for f in frames if f is not None]
    assert len(heard) >= 135
    assert strongest(np.concatenate(heard)[9600:])[1] > 30


def test_an_undecodable_packet_is_concealed_and_counted() -> None:
    """A broken sender costs its own sound only."""
    packets = _packets("opus", tone(440, 1.0))
    broken = packets[20]
    # code 2 whose first frame length runs beyond the payload: a length, but no sound
    packets[20] = RtpPacket(8, 20, broken.timestamp, 1, b"\x72\xfb\x01\x00")
    receiver = AudioReceiver("opus")
    frames = _play(receiver, [(p.sequence_number * 0.02, p) for p in packets], 50)
    assert receiver.undecodable == 1
    assert sum(f is None for f in frames) <= 4


def test_silence_gives_no_frames() -> None:
    """The mixer then knows that nobody speaks."""
    receiver = AudioReceiver("PCMU")
    assert receiver.tick(0.0) is None
    packets = _packets("PCMU", tone(440, 0.5))
    frames = _play(receiver, [(p.sequence_number * 0.02, p) for p in packets], 60)
    assert frames[-1] is None


def test_malformed_packets_are_refused_and_unknown_codecs_too() -> None:
    """Remote for the peer's fault, local for ours."""
    with pytest.raises(RemoteMediaError):
        AudioReceiver("opus").receive(RtpPacket(111, 1, 1, 1, b""), 0.0)
    with pytest.raises(LocalMediaError):
        AudioReceiver("G729")
