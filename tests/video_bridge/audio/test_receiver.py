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


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_a_silent_leg_is_not_decoded_and_is_heard_again_at_once(codec: str) -> None:
    """Most rooms only listen; the first syllable of one that speaks is not lost."""
    silence = np.zeros(48_000 * 2, np.int16)
    sound = np.concatenate((tone(440, 1.0), silence, tone(440, 1.0)))
    receiver = AudioReceiver(codec)
    arrivals = [(p.sequence_number * 0.02, p) for p in _packets(codec, sound)]
    frames = _play(receiver, arrivals, 201)
    assert 75 <= receiver.slots_skipped <= 90
    heard = np.concatenate([f if f is not None else np.zeros(960, np.int16) for f in frames])
    loud = np.flatnonzero(np.abs(heard) > 1000) / 48_000
    assert loud[-1] - loud[0] == pytest.approx(4.0, abs=0.03)
    gap = np.diff(loud).max()
    assert gap == pytest.approx(2.0, abs=0.03)


def test_the_sender_s_own_word_of_silence_spares_decoding() -> None:
    """RFC 6464: a browser tells the level of each packet."""
    packets = _packets("opus", tone(440, 2.0, 100))
    receiver = AudioReceiver("opus")
    heard = []
    for index, packet in enumerate(packets):
        receiver.receive(packet, index * 0.02, -90 if index < 60 else -40)
        heard.append(receiver.tick(index * 0.02))
    assert 38 <= receiver.slots_skipped <= 46
    quiet, loud = heard[50], heard[-1]
    assert quiet is not None
    assert not quiet.any()
    assert loud is not None
    assert loud.any()


def test_losses_in_silence_are_not_concealed() -> None:
    """There is nothing to conceal, and nothing to spend on it."""
    packets = _packets("PCMA", np.zeros(48_000 * 2, np.int16))
    receiver = AudioReceiver("PCMA")
    arrivals = [(p.sequence_number * 0.02, p) for p in packets if p.sequence_number % 7]
    frames = _play(receiver, arrivals, 95)
    assert sum(f is None for f in frames) <= 4
    assert receiver.slots_skipped >= 70


@pytest.mark.parametrize("codec", ["PCMA", "opus"])
def test_a_shorter_delay_is_reached_without_a_click(codec: str) -> None:
    """Three seconds of jitter, then none: slots are left out, faded into the next."""
    rng = random.Random(3)
    sound = tone(175, 12.0, 8000)  # 20 ms are no whole number of its periods
    packets = _packets(codec, sound)
    arrivals = [
        (p.sequence_number * 0.02 + (rng.random() * 0.08 if p.sequence_number < 150 else 0), p)
        for p in packets
    ]
    receiver = AudioReceiver(codec)
    frames = _play(receiver, arrivals, 590)
    assert receiver.buffer.target_delay_s == pytest.approx(0.02)
    assert sum(f is not None for f in frames[160:]) == 430
    heard = np.concatenate([f for f in frames[160:] if f is not None]).astype(int)
    natural = np.abs(np.diff(sound.astype(int))).max()
    assert np.abs(np.diff(heard)).max() < 2.5 * natural
