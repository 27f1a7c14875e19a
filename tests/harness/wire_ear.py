"""Listens to G.711 on the wire of a namespace: how long keyed tones take through the bridge.

Independent of what either end says: packets are taken off the loopback device with the kernel's
own time, decoded, and the keying of a tone (`tones`) is compared where it enters and leaves.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from video_bridge.codecs.g711 import decode_alaw

from .tones import OFF_S, ON_S, Samples

RATE = 8000
PERIOD_S = ON_S + OFF_S  # delays are known but for whole periods
PCMA = 8
AUDIBLE = 0.1  # of a stream's power
_IPV4, _SEEN_LEAVING = 0x0800, 4  # loopback shows every packet twice
_SO_TIMESTAMPNS = 35
_BOX = RATE // 50  # 20 ms: nothing is left of a tone that is a multiple of 50 Hz away


@dataclass(slots=True)
class Stream:
    """One direction of one call's sound, as it was on the wire."""

    arrivals: list[tuple[float, int, bytes]] = field(default_factory=list)  # s, timestamp, payload

    def samples(self) -> tuple[Samples, float]:
        """Its sound in the order of its timestamps, and the time at which it begins."""
        first = self.arrivals[0][1]
        placed = [((t - first + 2**31) % 2**32 - 2**31, at, data) for at, t, data in self.arrivals]
        least = min(at for at, _, _ in placed)
        sound = np.zeros(max(at for at, _, _ in placed) - least + 2 * RATE, np.int16)
        for at, _, data in placed:
            sound[at - least : at - least + len(data)] = decode_alaw(data)
        begin = float(np.median([arrival - (at - least) / RATE for at, arrival, _ in placed]))
        return sound, begin

    def keying(self, tone_hz: float) -> tuple[float, float]:
        """When within PERIOD_S the tone is on, as an angle; and its share of all sound."""
        sound, begin = self.samples()
        seconds = np.arange(len(sound)) / RATE
        mixed = np.cumsum(sound * np.exp(-2j * np.pi * tone_hz * seconds))
        envelope = np.abs(mixed[_BOX:] - mixed[:-_BOX]) / _BOX
        when = begin % PERIOD_S + seconds[:-_BOX]
        angle = np.angle(np.sum(envelope * np.exp(2j * np.pi * when / PERIOD_S)))
        power = float(np.mean(sound.astype(np.float64) ** 2)) or 1.0
        return float(angle), 2 * float(np.mean(envelope**2)) / power


def delay_s(source: Stream, sink: Stream, tone_hz: float) -> float:
    """From 0 to PERIOD_S: how much later the tone leaves than it came, but for whole periods."""
    turned = sink.keying(tone_hz)[0] - source.keying(tone_hz)[0]
    return float(turned / (2 * np.pi) * PERIOD_S % PERIOD_S)


def listen(seconds: float) -> list[Stream]:
    """Every stream of A-law on the loopback device; needs CAP_NET_RAW."""
    streams: dict[tuple[bytes, bytes], Stream] = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_IPV4)) as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        ear.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        ear.bind(("lo", 0))
        ear.settimeout(1.0)
        for arrival, packet in _packets(ear, time.monotonic() + seconds):
            header = (packet[0] & 15) * 4
            rtp = packet[header + 8 :]
            if packet[9] == socket.IPPROTO_UDP and len(rtp) > 92 and rtp[1] & 127 == PCMA:
                key = packet[12:20] + packet[header : header + 4], rtp[8:12]
                (timestamp,) = struct.unpack_from("!I", rtp, 4)
                stream = streams.setdefault(key, Stream())
                stream.arrivals.append((arrival, timestamp, rtp[12:]))
    return [stream for stream in streams.values() if len(stream.arrivals) * 0.02 > seconds / 2]


def _packets(ear: socket.socket, until: float) -> Iterator[tuple[float, bytes]]:
    while time.monotonic() < until:
        try:
            packet, ancillary, _flags, address = ear.recvmsg(2048, socket.CMSG_SPACE(16))
        except TimeoutError:
            continue
        if address[2] != _SEEN_LEAVING and ancillary:
            seconds, nanoseconds = struct.unpack("qq", ancillary[0][2][:16])
            yield seconds % 1_000_000 + nanoseconds * 1e-9, packet


def delays(seconds: float, tones: list[float]) -> dict[tuple[float, int], float]:
    """(tone, which of its sinks) -> delay; sinks in the order of the tones they carry.

    A tone that more or fewer than one stream carries alone is left out.
    """
    sound = [
        (stream, {tone for tone in tones if stream.keying(tone)[1] > AUDIBLE})
        for stream in listen(seconds)
    ]
    found = {}
    for tone in tones:
        sources = [stream for stream, carried in sound if carried == {tone}]
        sinks = sorted(
            (sorted(carried), index)
            for index, (_, carried) in enumerate(sound)
            if tone in carried and len(carried) > 1
        )
        for number, (_, index) in enumerate(sinks if len(sources) == 1 else ()):
            found[tone, number] = delay_s(sources[0], sound[index][0], tone)
    return found
