"""A province's sites: each sends a picture and sound over RTP and takes what it is sent.

Runs at the far end of the veth pair. Clips are encoded once; each site sends them under its own
SSRC from its own sockets, at its own place within the 40 ms. What arrives is opened and counted for
all; of some sites every packet's arrival is noted. After the measurement every site's stream is
kept for some seconds from a key frame on, and decoded.
"""

from __future__ import annotations

import contextlib
import hashlib
import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import VideoDecoder, VideoEncoder
from video_bridge.datapath import (
    Arrival,
    DatagramKind,
    Fanout,
    FanoutTarget,
    Flow,
    Hub,
    Line,
    Mode,
    Peer,
    SrtpKeys,
    SrtpProfile,
    create_fanout,
    create_hub,
)
from video_bridge.errors import RemoteMediaError
from video_bridge.payload import h263, h264
from video_bridge.rtp import rtcp
from video_bridge.rtp.packet import RtpPacket
from video_bridge.rtp.reorder import VideoReorder
from video_bridge.streams.video_formats import FORMATS

from .machine import usage
from .network import FAR, NEAR, configure_far_side, serve

AUDIO_TYPE = 8
VIDEO_TYPES = {"H264": 96, "H263": 34}
FPS, CLIP_FRAMES = 25, 100
GROUPS = 10  # sites are spread over the 40 ms
SPEAKERS = 3
TIMED_SITES = 12  # whose frames' arrival is noted
DRAIN_EVERY_S = 0.004
KEEP_FRAMES = 50  # two seconds
KEEP_AT_MOST_S = 14.0
SRTP_PROFILE = SrtpProfile.AES_CM_128_HMAC_SHA1_80
RECEIVE_BUFFER = 4 << 20
# kind of clip: (codec, width, height, bits a second)
CLIPS = {
    "720p": ("H264", 1280, 720, 1_500_000),
    "360p": ("H264", 640, 360, 500_000),
    "cif": ("H263", 352, 288, 384_000),
}


@dataclass(slots=True)
class Site:
    """One site's sockets, its targets (empty: it only watches), and what it got."""

    video: socket.socket
    audio: socket.socket
    sends: str | None
    codec: str  # of what it is sent
    targets: list[FanoutTarget] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)
    frames_kept: int = 0
    transits: list[tuple[float, int]] = field(default_factory=list)  # (arrival, RTP timestamp)

    def counts(self) -> tuple[int, int, int]:
        """Packets and frames of the picture, packets of the sound."""
        if not self.peers:
            return 0, 0, 0
        video, audio = (peer.counters(0) for peer in self.peers)
        return video.received, video.frames, audio.received


def clip(kind: str) -> list[list[bytes]]:
    """Four seconds of a moving picture as payloads, beginning with a key frame."""
    codec, width, height, bitrate_bps = CLIPS[kind]
    encoder = VideoEncoder(codec, width, height, FPS, bitrate_bps, keyframe_every_s=60)
    rng = np.random.default_rng(1)
    blocks = rng.integers(40, 200, (height // 16, width // 16))
    luma = np.kron(blocks, np.ones((16, 16))).astype(np.uint8)[:height]
    luma = np.vstack((luma, luma))[:height]
    chroma = np.full((height // 2, width // 2), 128, np.uint8)
    noise = [rng.integers(0, 8, luma.shape, dtype=np.uint8) for _ in range(4)]
    frames = []
    for step in range(CLIP_FRAMES):
        moved = np.roll(luma, 2 * step, axis=1) + noise[step % 4]
        frame = encoder.encode(Picture(moved, chroma, chroma), step)
        if codec == "H263":
            frames.append(h263.packetise(frame.data, frame.macroblocks))
        else:
            frames.append(h264.packetise(frame.data))
    return frames


class Sites:
    def __init__(self) -> None:
        self.sites: list[Site] = []
        self._clips: dict[str, list[list[bytes]]] = {}
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._timed: set[int] = set()
        self._is_measuring = False
        self._is_keeping = False
        self._hub_lock = threading.Lock()
        self._hub: Hub | None = None

    def answer(self, words: dict[str, Any]) -> dict[str, object]:
        match words["do"]:
            case "network":
                configure_far_side()
            case "open":
                return {"ports": self.open(words["kinds"], words["codecs"])}
            case "start":
                self.start(words["ports"], words["keys"])
            case "measure":
                return self.measure(float(words["seconds"]))
            case "decode":
                self.keep()
                return {"decoded": self.decode()}
            case "stop":
                self.stop()
        return {}

    def open(self, kinds: list[str | None], codecs: list[str]) -> list[list[int]]:
        """One site for each kind of clip that it sends, None for one that only watches."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._stop.clear()
        for kind, codec in zip(kinds, codecs, strict=True):
            self.sites.append(Site(self._bind(), self._bind(), kind, codec))
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
        self._hub = create_hub()
        step = max(1, len(self.sites) // TIMED_SITES)
        self._timed = set(range(0, len(self.sites), step))
        for index, (site, pair) in enumerate(zip(self.sites, ports, strict=True)):
            ours: list[SrtpKeys | None] = [None] * 4
            if (texts := keys[index]) is not None:
                ours = [_srtp(text) for text in texts]
            self._listen(self._hub, index, site, (ours[1], ours[3]))
            if site.sends is not None:
                self._aim(index, site, pair, (ours[0], ours[2]))
        for job in (self._drain, self._send_video, self._send_audio):
            thread = threading.Thread(target=job, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _listen(
        self, hub: Hub, index: int, site: Site, keys: tuple[SrtpKeys | None, SrtpKeys | None]
    ) -> None:
        for number, (sock, kind, clock) in enumerate(
            (
                (site.video, VIDEO_TYPES[site.codec], 90_000),
                (site.audio, AUDIO_TYPE, 8000),
            )
        ):
            peer = hub.peer()
            peer.set_keys(keys[number])
            peer.set_flow(0, Flow(kind, clock))
            peer.set_mode(0, Mode.PASS if number == 0 and index in self._timed else Mode.COUNT)
            line = hub.watch(peer, sock, 2 * index + number)
            line.expect(None, anywhere=True)
            site.peers.append(peer)
            site.lines.append(line)

    @staticmethod
    def _aim(
        index: int, site: Site, ports: list[int], keys: tuple[SrtpKeys | None, SrtpKeys | None]
    ) -> None:
        video_type = VIDEO_TYPES[CLIPS[site.sends or "720p"][0]]
        for number, (sock, kind) in enumerate(((site.video, video_type), (site.audio, AUDIO_TYPE))):
            site.targets.append(
                FanoutTarget(
                    sock.fileno(),
                    (NEAR, ports[number]),
                    1 + 2 * index + number,
                    kind,
                    1000 + index,
                    srtp=keys[number],
                )
            )

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
        hub = cast(Hub, self._hub)
        while not self._stop.is_set():
            time.sleep(DRAIN_EVERY_S)
            is_busy = True
            while is_busy:
                with self._hub_lock:
                    arrivals, is_busy = hub.read()
                now = time.monotonic()
                for arrival in arrivals:
                    self._take(arrival, now)

    def _take(self, arrival: Arrival, now: float) -> None:
        number, is_audio = divmod(arrival.tag, 2)
        if is_audio or arrival.kind is not DatagramKind.RTP:
            return
        site, data = self.sites[number], arrival.data
        has_ended = bool(data[1] & 0x80)
        if self._is_keeping:
            site.kept.append(data)
            site.frames_kept += has_ended
        if has_ended and self._is_measuring:
            site.transits.append((now, int.from_bytes(data[4:8], "big")))

    def measure(self, seconds: float) -> dict[str, object]:
        for site in self.sites:
            site.transits.clear()
        before = [site.counts() for site in self.sites]
        spent = usage()
        self._is_measuring = True
        time.sleep(seconds)
        self._is_measuring = False
        spent = usage() - spent
        got = [
            tuple(now - then for now, then in zip(site.counts(), was, strict=True))
            for site, was in zip(self.sites, before, strict=True)
        ]
        late, expected = 0, 0
        for index in self._timed:
            site_late, site_expected = lateness(self.sites[index].transits, seconds)
            late, expected = late + site_late, expected + site_expected
        return {
            "late": late,
            "expected": expected,
            "video_packets": sum(packets for packets, _, _ in got),
            "audio_packets": sum(packets for _, _, packets in got),
            "fps": sum(frames for _, frames, _ in got) / seconds / max(1, len(got)),
            "far_cores": round(spent.run_s / seconds, 3),
        }

    def keep(self) -> None:
        """Every site's stream from a key frame on, until each has two seconds of it."""
        with self._hub_lock:
            for site in self.sites:
                site.peers[0].set_mode(0, Mode.PASS)
        self._is_keeping = True
        time.sleep(0.2)
        self._ask_keyframes()
        deadline = time.monotonic() + KEEP_AT_MOST_S
        while time.monotonic() < deadline:
            if all(site.frames_kept >= KEEP_FRAMES + 40 for site in self.sites):
                break
            time.sleep(0.1)
        self._is_keeping = False
        with self._hub_lock:
            for site in self.sites:
                site.peers[0].set_mode(0, Mode.COUNT)

    def _ask_keyframes(self) -> None:
        """A PLI (RFC 4585) from the first site without SRTP of each codec."""
        asked: set[str] = set()
        for site in self.sites:
            if site.codec in asked or not site.targets or site.targets[0].srtp is not None:
                continue
            asked.add(site.codec)
            ssrc = site.peers[0].counters(0).ssrc
            words: list[rtcp.RtcpPacket] = [
                rtcp.ReceiverReport(site.targets[0].ssrc, ()),
                rtcp.PictureLoss(site.targets[0].ssrc, ssrc),
            ]
            with contextlib.suppress(OSError):
                site.video.sendto(rtcp.build_compound(words), site.targets[0].address)

    def decode(self) -> int:
        """How many sites' kept streams decode with a picture for every frame."""
        known: dict[tuple[str, bytes], bool] = {}
        decoded = 0
        for site in self.sites:
            packets = [RtpPacket.parse(data) for data in site.kept]
            frames = list(_from_keyframe(packets, site.codec))[:KEEP_FRAMES]
            name = site.codec, hashlib.sha256(b"".join(frames)).digest()
            if name not in known:
                known[name] = decodes(frames, site.codec)
            decoded += known[name]
        return decoded

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        hub = cast(Hub, self._hub)
        for site in self.sites:
            for line in site.lines:
                hub.unwatch(line)
            for target in site.targets:
                target.close()
            site.video.close()
            site.audio.close()
        hub.close()
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


def _from_keyframe(packets: list[RtpPacket], codec: str) -> Iterator[bytes]:
    """Whole frames from the first key frame on; nothing behind a hole."""
    format_ = FORMATS[codec]
    reorder, depacketiser = VideoReorder(starts_frame=format_.starts_frame), format_.depacketiser()
    has_begun = False
    for number, packet in enumerate(packets):
        reorder.insert(packet, number * 1e-4)
        for frame in reorder.frames(number * 1e-4):
            try:
                data = depacketiser.depacketise(frame.payloads)
            except RemoteMediaError:
                return
            if has_begun and frame.is_after_gap:
                return
            has_begun = has_begun or format_.is_keyframe(data)
            if has_begun:
                yield data


def decodes(frames: list[bytes], codec: str) -> bool:
    """Two seconds, a picture for every frame."""
    decoder, pictures = VideoDecoder(codec), 0
    for data in frames:
        try:
            pictures += len(decoder.decode(data))
        except RemoteMediaError:
            return False
    return len(frames) == KEEP_FRAMES == pictures


if __name__ == "__main__":
    sites = Sites()
    serve(cast(Any, sites.answer))
    sys.exit(0)
