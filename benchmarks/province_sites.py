"""A province's sites: each sends a picture and sound over RTP and keeps what it is sent.

Runs at the far end of the veth pair. Clips are encoded once; each site sends them under its own
SSRC from its own sockets, at its own place within the 40 ms. What arrives is drained by an epoll
thread; each site's stream is kept from its last key frame on, and decoded after the run.
"""

from __future__ import annotations

import hashlib
import resource
import select
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import VideoDecoder, VideoEncoder
from video_bridge.datapath import (
    DatagramKind,
    Fanout,
    FanoutTarget,
    Intake,
    SrtpKeys,
    SrtpProfile,
    create_fanout,
    create_intake,
)
from video_bridge.errors import RemoteMediaError
from video_bridge.payload import h264
from video_bridge.rtp.packet import RtpPacket
from video_bridge.rtp.reorder import VideoReorder

from .network import FAR, NEAR, configure_far_side, serve

VIDEO_TYPE, AUDIO_TYPE = 96, 8
FPS, CLIP_FRAMES = 25, 100
GROUPS = 10  # sites are spread over the 40 ms
SPEAKERS = 3
SRTP_PROFILE = SrtpProfile.AES_CM_128_HMAC_SHA1_80
RECEIVE_BUFFER = 4 << 20
SIZES = {"720p": (1280, 720, 1_500_000), "360p": (640, 360, 500_000)}


@dataclass(slots=True)
class Site:
    """One site's sockets, its targets (None: it only watches), and what it got."""

    video: socket.socket
    audio: socket.socket
    sends: str | None
    targets: list[FanoutTarget] = field(default_factory=list)
    keys: tuple[SrtpKeys | None, SrtpKeys | None] = (None, None)  # of the node's video and audio
    since_key: list[bytes] = field(default_factory=list)
    transits: list[tuple[float, int]] = field(default_factory=list)  # (arrival, RTP timestamp)
    video_packets: int = 0
    audio_packets: int = 0


def clip(kind: str) -> list[list[bytes]]:
    """Four seconds of a moving picture as payloads, beginning with a key frame."""
    width, height, bitrate_bps = SIZES[kind]
    encoder = VideoEncoder("H264", width, height, FPS, bitrate_bps, keyframe_every_s=60)
    rng = np.random.default_rng(1)
    blocks = rng.integers(40, 200, (height // 16, width // 16))
    luma = np.kron(blocks, np.ones((16, 16))).astype(np.uint8)[:height]
    luma = np.vstack((luma, luma))[:height]
    chroma = np.full((height // 2, width // 2), 128, np.uint8)
    noise = [rng.integers(0, 8, luma.shape, dtype=np.uint8) for _ in range(4)]
    frames = []
    for step in range(CLIP_FRAMES):
        moved = np.roll(luma, 2 * step, axis=1) + noise[step % 4]
        frames.append(h264.packetise(encoder.encode(Picture(moved, chroma, chroma), step).data))
    return frames


def is_key(payload: bytes) -> bool:
    """SPS in front of a key frame: single or first of a STAP-A."""
    kind = payload[0] & 0x1F
    return kind == h264.NAL_SPS or (
        kind == h264.NAL_STAP_A and len(payload) > 3 and payload[3] & 0x1F == h264.NAL_SPS
    )


class Sites:
    def __init__(self) -> None:
        self.sites: list[Site] = []
        self._clips: dict[str, list[list[bytes]]] = {}
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._is_measuring = False

    def answer(self, words: dict[str, Any]) -> dict[str, object]:
        match words["do"]:
            case "network":
                configure_far_side()
            case "open":
                return {"ports": self.open(words["kinds"])}
            case "start":
                self.start(words["ports"], words["keys"])
            case "measure":
                return self.measure(float(words["seconds"]))
            case "decode":
                return {"decoded": self.decode()}
            case "stop":
                self.stop()
        return {}

    def open(self, kinds: list[str | None]) -> list[list[int]]:
        """One site for each kind of clip that it sends, None for one that only watches."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._stop.clear()
        for kind in kinds:
            self.sites.append(Site(self._bind(), self._bind(), kind))
            if kind is not None and kind not in self._clips:
                self._clips[kind] = clip(kind)
        return [[s.video.getsockname()[1], s.audio.getsockname()[1]] for s in self.sites]

    @staticmethod
    def _bind() -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind((FAR, 0))
        return sock

    def start(self, ports: list[list[int]], keys: list[list[str] | None]) -> None:
        """`ports` are the node's video and audio port for each site, `keys` as `_keys` makes."""
        for index, (site, pair) in enumerate(zip(self.sites, ports, strict=True)):
            ours: list[SrtpKeys | None] = [None] * 4
            if (texts := keys[index]) is not None:
                ours = [_srtp(text) for text in texts]
            site.keys = (ours[1], ours[3])
            if site.sends is None:
                continue
            for number, (sock, kind) in enumerate(
                ((site.video, VIDEO_TYPE), (site.audio, AUDIO_TYPE))
            ):
                site.targets.append(
                    FanoutTarget(
                        sock.fileno(),
                        (NEAR, pair[number]),
                        1 + 2 * index + number,
                        kind,
                        1000 + index,
                        srtp=ours[2 * number],
                    )
                )
        for job in (self._drain, self._send_video, self._send_audio):
            thread = threading.Thread(target=job, daemon=True)
            thread.start()
            self._threads.append(thread)

    # --- sending ------------------------------------------------------------------------------

    def _send_video(self) -> None:
        groups: list[tuple[str, Fanout, list[FanoutTarget]]] = []
        for kind in self._clips:
            senders = [s.targets[0] for s in self.sites if s.sends == kind and s.targets]
            groups += [(kind, create_fanout(8), senders[g::GROUPS]) for g in range(GROUPS)]
        period = 1 / FPS / len(groups) if groups else 1.0
        start, tick = time.monotonic(), 0
        while groups and not self._stop.is_set():
            time.sleep(max(0.0, start + tick * period - time.monotonic()))
            number, group = divmod(tick, len(groups))
            kind, fanout, targets = groups[group]
            if targets:
                fanout.send(targets, self._clips[kind][number % CLIP_FRAMES], number * 3600)
            tick += 1

    def _send_audio(self) -> None:
        """Most rooms are silent; the first few sound a tone."""
        targets = [s.targets[1] for s in self.sites if s.targets]
        speaking, silent = create_fanout(8), create_fanout(8)
        from video_bridge.codecs.g711 import encode_alaw

        wave = np.sin(2 * np.pi * 440 * np.arange(160) / 8000) * 6000
        loud, quiet = encode_alaw(wave.astype(np.int16)), b"\xd5" * 160
        start, tick = time.monotonic(), 0
        while not self._stop.is_set():
            time.sleep(max(0.0, start + tick * 0.02 - time.monotonic()))
            speaking.send(targets[:SPEAKERS], [loud], tick * 160, marker_last=False)
            silent.send(targets[SPEAKERS:], [quiet], tick * 160, marker_last=False)
            tick += 1

    # --- receiving ----------------------------------------------------------------------------

    def _drain(self) -> None:
        poll = select.epoll()
        intakes: dict[int, tuple[Site, Intake, bool]] = {}
        for site in self.sites:
            for sock, is_video in ((site.video, True), (site.audio, False)):
                keys = site.keys[0 if is_video else 1]
                intakes[sock.fileno()] = (site, create_intake(sock.fileno(), keys), is_video)
                poll.register(sock.fileno(), select.EPOLLIN)
        while not self._stop.is_set():
            for fd, _ in poll.poll(0.2):
                site, intake, is_video = intakes[fd]
                while batch := intake.read():
                    now = time.monotonic()
                    for datagram in batch:
                        if datagram.kind is DatagramKind.RTP:
                            self._take(site, datagram.data, now, is_video)
        for _, intake, _ in intakes.values():
            intake.close()

    def _take(self, site: Site, data: bytes, now: float, is_video: bool) -> None:
        if not is_video:
            site.audio_packets += 1
            return
        site.video_packets += 1
        if len(data) > 15 and is_key(data[12:16]):
            site.since_key.clear()
        site.since_key.append(data)
        if data[1] & 0x80 and self._is_measuring:
            site.transits.append((now, int.from_bytes(data[4:8], "big")))

    def measure(self, seconds: float) -> dict[str, object]:
        for site in self.sites:
            site.transits.clear()
            site.video_packets = site.audio_packets = 0
        self._is_measuring = True
        time.sleep(seconds)
        self._is_measuring = False
        late, expected = 0, 0
        for site in self.sites:
            site_late, site_expected = lateness(site.transits, seconds)
            late, expected = late + site_late, expected + site_expected
        return {
            "late": late,
            "expected": expected,
            "video_packets": sum(s.video_packets for s in self.sites),
            "audio_packets": sum(s.audio_packets for s in self.sites),
            "fps": sum(len(s.transits) for s in self.sites) / seconds / max(1, len(self.sites)),
        }

    def decode(self) -> int:
        """How many sites' kept streams decode with a picture for every frame."""
        known: dict[bytes, bool] = {}
        decoded = 0
        for site in self.sites:
            packets = [RtpPacket.parse(data) for data in site.since_key]
            name = hashlib.sha256(b"".join(p.payload for p in packets)).digest()
            if name not in known:
                known[name] = decodes(packets)
            decoded += known[name]
        return decoded

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        for site in self.sites:
            for target in site.targets:
                target.close()
            site.video.close()
            site.audio.close()
        self.sites.clear()


def _srtp(text: str) -> SrtpKeys:
    raw, size = bytes.fromhex(text), SRTP_PROFILE.key_size
    return SrtpKeys(SRTP_PROFILE, raw[:size], raw[size:])


def lateness(transits: list[tuple[float, int]], seconds: float) -> tuple[int, int]:
    """(late frames, frames that were due). Late: the last packet came more than 40 ms after the
    frame's time, or no frame came. A frame's time is its RTP timestamp on the receiver's clock, the
    fastest frame counting as in time.
    """
    due = round(seconds * FPS)
    if len(transits) < 2:
        return due, due
    first = transits[0][1]
    delays = [at - ((stamp - first) & 0xFFFFFFFF) / 90_000 for at, stamp in transits]
    fastest = min(delays)
    late = sum(delay - fastest > 1 / FPS for delay in delays)
    return late + max(0, due - 1 - len(transits)), due


def decodes(packets: list[RtpPacket]) -> bool:
    reorder, decoder = VideoReorder(starts_frame=h264.starts_frame), VideoDecoder("H264")
    frames = pictures = 0
    for number, packet in enumerate(packets):
        reorder.insert(packet, number * 1e-4)
        for frame in reorder.frames(number * 1e-4):
            frames += 1
            try:
                pictures += len(decoder.decode(h264.Depacketiser().depacketise(frame.payloads)))
            except RemoteMediaError:
                return False
    return frames > 0 and pictures == frames and reorder.packets_given_up == 0


if __name__ == "__main__":
    sites = Sites()
    serve(cast(Any, sites.answer))
    sys.exit(0)
