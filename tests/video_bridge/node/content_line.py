"""A room's content line without signalling: sends a page of one colour, decodes what comes."""

from __future__ import annotations

import asyncio
import socket

from video_bridge import messages as m
from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import VideoDecoder, VideoEncoder
from video_bridge.errors import RemoteMediaError
from video_bridge.payload import h264
from video_bridge.rtp import rtcp
from video_bridge.rtp.packet import RtpPacket, is_rtcp
from video_bridge.rtp.reorder import VideoReorder

TYPE = 98


class ContentLine:
    """`stream()` is its end of the negotiation; `pages` what it decoded."""

    def __init__(self, ssrc: int = 0x51DE0) -> None:
        self.pages: list[Picture] = []
        self._ssrc = ssrc
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.setblocking(False)
        self._tasks: list[asyncio.Task[None]] = []
        self._force_key = True
        self._rtcp_port = 0

    def stream(self) -> m.RtpStream:
        port = self._socket.getsockname()[1]
        return m.RtpStream(
            media="content", codec="H264", payload_type=TYPE, clock_rate=90_000,
            remote_host="127.0.0.1", remote_port=port, remote_rtcp_port=port,
            profile_level_id="428028", rtcp_feedback=["nack pli"],
        )  # fmt: skip

    def present(
        self, port: int, colour: tuple[int, int, int], size: tuple[int, int] = (1280, 720)
    ) -> None:
        """Send a page of this colour to the node's content port until `stop`."""
        self._tasks.append(asyncio.create_task(self._send(port, Picture.blank(*size, *colour))))
        self.watch(port)

    def watch(self, port: int) -> None:
        self._rtcp_port = port + 1
        self._tasks.append(asyncio.create_task(self._receive()))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._socket.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _send(self, port: int, page: Picture) -> None:
        encoder = VideoEncoder("H264", page.width, page.height, 5, 400_000)
        sequence = 0
        for number in range(100_000):
            frame = encoder.encode(page, number, force_keyframe=self._force_key)
            self._force_key = False
            payloads = h264.packetise(frame.data)
            for index, payload in enumerate(payloads):
                marker = index == len(payloads) - 1
                packet = RtpPacket(TYPE, sequence, number * 18_000, self._ssrc, payload, marker)
                self._socket.sendto(bytes(packet), ("127.0.0.1", port))
                sequence = (sequence + 1) & 0xFFFF
            await asyncio.sleep(0.2)

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        reorder = VideoReorder(starts_frame=h264.starts_frame)
        depacketiser, decoder = h264.Depacketiser(), VideoDecoder("H264")
        while True:
            data = await loop.sock_recv(self._socket, 2048)
            if is_rtcp(data):
                asked = (isinstance(p, rtcp.PictureLoss) for p in rtcp.parse_compound(data))
                self._force_key = any(asked) or self._force_key
                continue
            reorder.insert(RtpPacket.parse(data), loop.time())
            for received in reorder.frames(loop.time()):
                unit = depacketiser.depacketise(received.payloads)
                try:
                    self.pages += decoder.decode(unit)
                except RemoteMediaError:
                    continue
