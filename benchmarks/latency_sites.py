"""The halls and the watcher of the latency benchmark, at the far end of the veth pair.

Each picture carries its number as eight squares and their opposites. The first hall's pictures
FLASH_EVERY apart have a white band, and its microphone beeps from that picture's instant on. The
watcher's packets are kept with the kernel's time of arrival and decoded after the run.
"""

from __future__ import annotations

import select
import socket
import struct
import sys
import threading
import time
from typing import Any, cast

import numpy as np

from video_bridge.codecs.g711 import decode_alaw, encode_alaw
from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import VideoDecoder, VideoEncoder
from video_bridge.datapath import FanoutTarget, create_fanout
from video_bridge.errors import RemoteMediaError
from video_bridge.payload import h264
from video_bridge.rtp.packet import RtpPacket

from .machine import usage
from .network import FAR, NEAR, configure_far_side, serve

FPS = 25.1
CLIP_FRAMES = 250  # every number differs within ten seconds
FLASH_EVERY, FLASH_FRAMES = 25, 5
WIDTH, HEIGHT = 640, 360
CELL, LEFT, TOP = 48, 128, 120  # of the squares, in the source
PANES = ((0, 0), (640, 0), (0, 360), (640, 360))
VIDEO_TYPE, AUDIO_TYPE = 96, 8
TIMESTAMPNS = 35  # SO_TIMESTAMPNS, which Python does not name
BEEP_LEVEL = 2000


def clip(*, flashes: bool) -> list[list[bytes]]:
    """Ten seconds of numbered pictures as payloads, a key frame every second."""
    encoder = VideoEncoder("H264", WIDTH, HEIGHT, 25, 800_000, keyframe_every_s=1)
    rng = np.random.default_rng(1)
    ground = np.kron(rng.integers(60, 180, (23, 40)), np.ones((16, 16))).astype(np.uint8)[:HEIGHT]
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    frames = []
    for number in range(CLIP_FRAMES):
        luma = np.roll(ground, 2 * number, axis=1)
        for bit in range(8):
            is_set = number >> bit & 1
            x = LEFT + bit * CELL
            luma[TOP : TOP + CELL, x : x + CELL] = 235 if is_set else 16
            luma[TOP + CELL : TOP + 2 * CELL, x : x + CELL] = 16 if is_set else 235
        if flashes:
            luma[:40] = 235 if number % FLASH_EVERY < FLASH_FRAMES else 16
        frames.append(h264.packetise(encoder.encode(Picture(luma, chroma, chroma), number).data))
    return frames


def read_number(picture: Picture, pane: tuple[int, int]) -> int | None:
    """The number shown in a pane, None where there is none."""
    number = 0
    for bit in range(8):
        x = pane[0] + LEFT + bit * CELL + CELL // 2
        y = pane[1] + TOP + CELL // 2
        above = int(picture.y[y - 4 : y + 4, x - 4 : x + 4].mean())
        below = int(picture.y[y + CELL - 4 : y + CELL + 4, x - 4 : x + 4].mean())
        if abs(above - below) < 90:
            return None
        number |= (above > below) << bit
    return number


class Sites:
    def __init__(self) -> None:
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._stop = threading.Event()
        self._is_measuring = False
        self._sent: list[dict[int, list[float]]] = []  # by site: number -> times it was sent
        self._flashes: list[float] = []
        self._video: list[tuple[float, bytes]] = []
        self._audio: list[tuple[float, bytes]] = []
        self._beep_from: float | None = None
        self._beep_until = 0.0

    def answer(self, words: dict[str, Any]) -> dict[str, object]:
        match words["do"]:
            case "network":
                configure_far_side()
            case "open":
                return {"ports": self.open(int(words["sites"]))}
            case "start":
                self.start(words["ports"])
            case "measure":
                return self.measure(float(words["seconds"]))
        return {}

    def open(self, sites: int) -> list[list[int]]:
        self._clips = [clip(flashes=index == 0) for index in range(2)]
        for _ in range(sites):
            self._pairs.append((_bind(), _bind()))
        return [[sock.getsockname()[1] for sock in pair] for pair in self._pairs]

    def start(self, ports: list[list[int]]) -> None:
        jobs: list[tuple[Any, ...]] = [(self._watch,)]
        for index, (pair, theirs) in enumerate(zip(self._pairs, ports, strict=True)):
            targets = [
                FanoutTarget(sock.fileno(), (NEAR, port), 10 * index + kind, kind, 100)
                for sock, port, kind in zip(pair, theirs, (VIDEO_TYPE, AUDIO_TYPE), strict=True)
            ]
            if index == len(self._pairs) - 1:  # the watcher: it only says that it is there
                jobs.append((self._greet, targets))
                continue
            self._sent.append({})
            jobs.append((self._send_video, index, targets[0]))
            jobs.append((self._send_audio, index, targets[1]))
        for job, *words in jobs:
            threading.Thread(target=job, args=words, daemon=True).start()

    def _greet(self, targets: list[FanoutTarget]) -> None:
        fanout = create_fanout(2)
        for number in range(3):
            fanout.send(targets, [b"\0"], number)
            time.sleep(0.1)

    def _send_video(self, index: int, target: FanoutTarget) -> None:
        fanout, frames = create_fanout(8), self._clips[0 if index == 0 else 1]
        start = time.monotonic() + index / FPS / len(self._pairs)
        step = 0
        while not self._stop.is_set():
            time.sleep(max(0.0, start + step / FPS - time.monotonic()))
            number = step % CLIP_FRAMES
            fanout.send([target], frames[number], round(step * 90_000 / FPS))
            sent_at = time.time()
            if self._is_measuring:
                self._sent[index].setdefault(number, []).append(sent_at)
            if index == 0 and number % FLASH_EVERY == 0:
                self._beep_from, self._beep_until = sent_at, sent_at + FLASH_FRAMES / FPS
                if self._is_measuring:
                    self._flashes.append(sent_at)
            step += 1

    def _send_audio(self, index: int, target: FanoutTarget) -> None:
        """A packet holds the 20 ms before it leaves, as a microphone's does."""
        fanout = create_fanout(8)
        start = time.monotonic() + 0.003 * index
        wave = np.sin(2 * np.pi * 1000 * np.arange(160) / 8000) * 12000
        step = 0
        while not self._stop.is_set():
            time.sleep(max(0.0, start + step * 0.02 - time.monotonic()))
            samples = np.zeros(160)
            if index == 0 and self._beep_from is not None:
                times = time.time() - 0.02 + np.arange(160) / 8000
                sounding = (times >= self._beep_from) & (times < self._beep_until)
                samples = np.where(sounding, wave, 0.0)
            payload = encode_alaw(samples.astype(np.int16))
            fanout.send([target], [payload], step * 160, marker_last=False)
            step += 1

    def _watch(self) -> None:
        video, audio = self._pairs[-1]
        poll = select.epoll()
        for sock in (video, audio):
            sock.setsockopt(socket.SOL_SOCKET, TIMESTAMPNS, 1)
            poll.register(sock.fileno(), select.EPOLLIN)
        while not self._stop.is_set():
            for fd, _ in poll.poll(0.2):
                sock, kept = (video, self._video) if fd == video.fileno() else (audio, self._audio)
                data, control, _, _ = sock.recvmsg(2048, 64)
                if 192 <= data[1] <= 223:
                    continue  # RTCP
                seconds, nanoseconds = struct.unpack("qq", control[0][2][:16])
                kept.append((seconds + nanoseconds / 1e9, data))

    def measure(self, seconds: float) -> dict[str, object]:
        before = usage()
        self._is_measuring = True
        time.sleep(seconds)
        self._is_measuring = False
        wait_pct = (usage() - before).wait_pct
        self._stop.set()
        shown = self._shown()
        added: list[float] = []
        for site, sent in enumerate(self._sent):
            for number, times in sent.items():
                added += _delays(times, shown.get((site, number), []))
        flashes = [at for (site, n), at in _first_of_runs(shown) if site == 0 and n == 0]
        return {
            "added_ms": [1000 * delay for delay in added],
            "offset_ms": self._offsets(flashes),
            "sent": sum(len(times) for sent in self._sent for times in sent.values()),
            "wait_pct": round(wait_pct, 1),
        }

    def _shown(self) -> dict[tuple[int, int], list[float]]:
        """(site, number) -> when the last packet of each programme frame with it came."""
        decoder = VideoDecoder("H264")
        frames: dict[int, list[tuple[float, RtpPacket]]] = {}
        for at, data in self._video:
            packet = RtpPacket.parse(data)
            frames.setdefault(packet.timestamp, []).append((at, packet))
        found: dict[tuple[int, int], list[float]] = {}
        for packets in frames.values():
            at = max(arrived for arrived, _ in packets)
            ordered = sorted((p for _, p in packets), key=lambda p: p.sequence_number)
            try:
                unit = h264.Depacketiser().depacketise([p.payload for p in ordered])
                pictures = decoder.decode(unit)
            except RemoteMediaError:
                continue
            for picture in pictures[-1:]:
                for site, pane in enumerate(PANES):
                    number = read_number(picture, pane)
                    if number is not None:
                        found.setdefault((site, number), []).append(at)
        return found

    def _offsets(self, flashes: list[float]) -> list[float]:
        """For each flash, how many milliseconds its beep can be heard after it can be seen."""
        onsets: list[float] = []
        quiet_since = -1.0
        for at, data in self._audio:
            samples = np.abs(decode_alaw(RtpPacket.parse(data).payload).astype(np.int32))
            loud = np.flatnonzero(samples > BEEP_LEVEL)
            if len(loud):
                onset = at + int(loud[0]) / 8000
                if onset - quiet_since > 0.3:
                    onsets.append(onset)
                quiet_since = at
        found = []
        for flash in flashes:
            nearest = min(onsets, key=lambda onset: abs(onset - flash), default=None)
            if nearest is not None and abs(nearest - flash) < 0.4:
                found.append(1000 * (nearest - flash))
        return found


def _delays(sent: list[float], shown: list[float]) -> list[float]:
    """From each sending to the first showing; one that was never shown is left out."""
    found = []
    for at in sent:
        later = [seen - at for seen in shown if 0 <= seen - at < 1.0]
        if later:
            found.append(min(later))
    return found


def _first_of_runs(
    shown: dict[tuple[int, int], list[float]],
) -> list[tuple[tuple[int, int], float]]:
    """Each flash's first programme frame: its number is a multiple of FLASH_EVERY."""
    found = []
    for (site, number), times in shown.items():
        if number % FLASH_EVERY:
            continue
        last = -1.0
        for at in sorted(times):
            if at - last > 1.0:
                found.append(((site, 0), at))
            last = at
    return found


def _bind() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((FAR, 0))
    return sock


if __name__ == "__main__":
    sites = Sites()
    serve(cast(Any, sites.answer))
    sys.exit(0)
