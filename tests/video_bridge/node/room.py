"""A room without signalling: sends a colour and a tone over RTP, decodes what comes back."""

from __future__ import annotations

import asyncio
import itertools
import socket
import time

import numpy as np

from video_bridge import messages as m
from video_bridge.codecs.audio import audio_decoder, audio_encoder
from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import EncodedFrame, VideoDecoder, VideoEncoder
from video_bridge.errors import RemoteMediaError
from video_bridge.payload import dtmf, h261, h263, h264
from video_bridge.rtp import rtcp
from video_bridge.rtp.packet import RtpPacket, is_rtcp
from video_bridge.rtp.reorder import VideoReorder
from video_bridge.streams.video_formats import FORMATS

VIDEO_TYPE, AUDIO_TYPE, DTMF_TYPE = 97, 97, 101  # one number on both ports, as baresip has it


def _socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.setblocking(False)
    return sock


class Room:
    """Sends to a node's ports from `start` until `stop`; what it got is in the lists."""

    def __init__(
        self,
        *,
        colour: tuple[int, int, int],
        tone_hz: float,
        mode: int = 1,
        codec: m.VideoCodec = "H264",
        size: tuple[int, int] | None = None,
    ) -> None:
        self.video_socket, self.audio_socket = _socket(), _socket()
        self.pictures: list[Picture] = []
        self.sound: list[np.ndarray] = []
        self.reports: list[rtcp.RtcpPacket] = []
        self.nal_types: set[int] = set()
        self.keyframes = 0
        self.keyframes_asked = 0
        self.decode_errors = 0
        self.mode = mode
        self.video_type, self.audio_type = VIDEO_TYPE, AUDIO_TYPE  # what is sent
        self._tone_hz = tone_hz
        self._size = size or ((640, 360) if codec == "H264" else (352, 288))
        self._encoder = VideoEncoder(codec, *self._size, 25, 384_000)
        self._decoder = VideoDecoder(codec)
        self._picture = Picture.blank(*self._size, *colour)
        self._codec, self._format = codec, FORMATS[codec]
        self._reorder = VideoReorder(starts_frame=self._format.starts_frame)
        self._audio_encoder, self._audio_decoder = audio_encoder("PCMA"), audio_decoder("PCMA")
        self._tasks: list[asyncio.Task[None]] = []
        self._force_key = True

    def streams(self, **fields: object) -> list[m.RtpStream]:
        """What signalling would have settled."""
        video = {"profile_level_id": "42801f", "rtcp_feedback": ["nack pli"], **fields}
        return [
            m.RtpStream(
                media="audio", codec="PCMA", payload_type=AUDIO_TYPE, clock_rate=8000,
                remote_host="127.0.0.1", remote_port=self.audio_socket.getsockname()[1],
                telephone_event_type=DTMF_TYPE,
            ),
            m.RtpStream(
                media="video", codec="H264", payload_type=VIDEO_TYPE, clock_rate=90_000,
                remote_host="127.0.0.1", remote_port=self.video_socket.getsockname()[1],
                remote_rtcp_port=self.video_socket.getsockname()[1],
                packetization_mode=self.mode, **video,
            ),
        ]  # fmt: skip

    def start(self, added: m.LegAdded) -> None:
        self.added = added
        for job in (self._send_video, self._send_audio, self._receive_video, self._receive_audio):
            self._tasks.append(asyncio.create_task(job()))

    def listen(self) -> None:
        """Take pictures, without sending any unless it does already."""
        if self._tasks:
            return
        self.added = m.LegAdded(leg_id="", video_port=self.video_socket.getsockname()[1])
        self._tasks.append(asyncio.create_task(self._receive_video()))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def press(self, digit: str) -> None:

        for number, payload in enumerate(dtmf.packetise(digit)):
            packet = RtpPacket(DTMF_TYPE, 60_000 + number, 777, 0xA0D10, payload)
            self.audio_socket.sendto(bytes(packet), ("127.0.0.1", self.added.audio_port))

    async def _send_video(self) -> None:
        sequence = 0
        for number in itertools.count():
            frame = self._encoder.encode(self._picture, number, force_keyframe=self._force_key)
            self._force_key = False
            payloads = self._packetise(frame)
            for index, payload in enumerate(payloads):
                marker = index == len(payloads) - 1
                packet = RtpPacket(
                    self.video_type, sequence, number * 3600, 0x71DE0, payload, marker
                )
                self.video_socket.sendto(bytes(packet), ("127.0.0.1", self.added.video_port))
                sequence = (sequence + 1) & 0xFFFF
            await asyncio.sleep(0.04)

    async def _send_audio(self) -> None:
        began = time.monotonic()
        for number in itertools.count():
            t = (np.arange(960) + 960 * number) / 48_000
            frame = (np.sin(2 * np.pi * self._tone_hz * t) * 9000).astype(np.int16)
            payload = self._audio_encoder.encode(frame)
            packet = RtpPacket(self.audio_type, number & 0xFFFF, number * 160, 0xA0D10, payload)
            self.audio_socket.sendto(bytes(packet), ("127.0.0.1", self.added.audio_port))
            await asyncio.sleep(max(0, began + 0.02 * (number + 1) - time.monotonic()))

    async def _receive_video(self) -> None:
        loop = asyncio.get_running_loop()
        depacketiser = self._format.depacketiser()
        while True:
            data = await loop.sock_recv(self.video_socket, 2048)
            if is_rtcp(data):
                self._take_rtcp(data)
                continue
            packet = RtpPacket.parse(data)
            self.nal_types.add(packet.payload[0] & 0x1F)
            self._reorder.insert(packet, loop.time())
            for frame in self._reorder.frames(loop.time()):
                unit = depacketiser.depacketise(frame.payloads)
                self.keyframes += self._format.is_keyframe(unit)
                try:
                    self.pictures += self._decoder.decode(unit)
                except RemoteMediaError:  # a busy machine dropped the frame before
                    self.decode_errors += 1
                    self.send_pli()

    def _packetise(self, frame: EncodedFrame) -> list[bytes]:
        if self._codec == "H263":
            return h263.packetise(frame.data, frame.macroblocks)
        if self._codec == "H261":
            return h261.packetise(frame.data, is_intra=frame.is_key)
        return h264.packetise(frame.data)

    def _take_rtcp(self, data: bytes) -> None:
        for packet in rtcp.parse_compound(data):
            self.reports.append(packet)
            if isinstance(packet, rtcp.PictureLoss):
                self.keyframes_asked += 1
                self._force_key = True

    async def _receive_audio(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            data = await loop.sock_recv(self.audio_socket, 2048)
            if not is_rtcp(data):
                self.sound.append(self._audio_decoder.decode(RtpPacket.parse(data).payload))

    def force_key(self) -> None:
        """The next picture is a whole one."""
        self._force_key = True

    def send_pli(self) -> None:
        """Ask the node for a key frame on its RTCP port."""
        self._send_rtcp(rtcp.PictureLoss(0x71DE0, self._reorder._ssrc or 0))

    def ask_for_less(self, bitrate_bps: int) -> None:
        """TMMBR (RFC 5104 clause 4.2.1)."""
        self._send_rtcp(rtcp.RateLimit(0x71DE0, ((self._reorder._ssrc or 0, bitrate_bps, 40),)))

    def _send_rtcp(self, packet: rtcp.RtcpPacket) -> None:
        data = rtcp.build_compound([rtcp.ReceiverReport(0x71DE0, ()), packet])
        self.video_socket.sendto(data, ("127.0.0.1", self.added.video_port + 1))

    def heard(self) -> np.ndarray:
        return np.concatenate(self.sound) if self.sound else np.zeros(0, np.int16)

    def close(self) -> None:
        self.video_socket.close()
        self.audio_socket.close()


def strength(samples: np.ndarray, hertz: float) -> float:
    """Share of the signal's power within 20 Hz of a frequency (48 kHz)."""
    if not len(samples):
        return 0.0
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    bins = np.fft.rfftfreq(len(samples), 1 / 48_000)
    return float(power[np.abs(bins - hertz) < 20].sum() / max(power.sum(), 1.0))
