"""FFmpeg's own RTP muxer and depacketiser (inside PyAV) as the independent other end."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

import av
import numpy as np

from tests.harness.processes import free_udp_ports
from video_bridge.codecs.picture import Picture
from video_bridge.rtp.packet import RtpPacket, is_rtcp

PAYLOAD_TYPE = 96


def moving_picture(width: int, height: int, step: int) -> Picture:
    """Blocks that move: pictures that differ, with something to code."""
    rng = np.random.default_rng(7)
    blocks = rng.integers(30, 220, ((height + 15) // 16, (width + 15) // 16))
    luma = np.kron(blocks, np.ones((16, 16))).astype(np.uint8)[:height, :width]
    return Picture(
        np.ascontiguousarray(np.roll(luma, 3 * step, axis=1)),
        np.full((height // 2, width // 2), 90 + step % 64, np.uint8),
        np.full((height // 2, width // 2), 150, np.uint8),
    )


def psnr(a: Picture, b: Picture) -> float:
    error = np.mean((a.y.astype(np.float64) - b.y) ** 2)
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def packets_of_ffmpeg(
    codec: str, frames: int, size: tuple[int, int], options: dict[str, str] | None = None
) -> list[RtpPacket]:
    """Encode moving pictures and packetise them with FFmpeg; what arrives on a loopback port."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(0.3)
    port = receiver.getsockname()[1]
    # pkt_size bounds the datagram; a free pair for RTCP is not needed, losing it is fine
    url = f"rtp://127.0.0.1:{port}?pkt_size=1200&rtcpport={port}"
    with av.open(url, "w", format="rtp", options=options or {}) as output:
        stream = output.add_stream(codec, rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 600_000
        if codec == "libx264":
            stream.options = {"tune": "zerolatency", "preset": "ultrafast", "bf": "0"}
        if codec == "libvpx":
            stream.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        for step in range(frames):
            picture = moving_picture(*size, step)
            frame = av.VideoFrame(*size, "yuv420p")
            for index, plane in enumerate((picture.y, picture.u, picture.v)):
                target = np.frombuffer(frame.planes[index], np.uint8)
                line = frame.planes[index].line_size
                target.reshape(-1, line)[:, : plane.shape[1]] = plane
            frame.pts = step
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    packets = []
    with contextlib.suppress(TimeoutError):
        while True:
            data = receiver.recv(2000)
            if not is_rtcp(data):
                packets.append(RtpPacket.parse(data))
    receiver.close()
    return packets


def decoded_by_ffmpeg(
    frames: list[list[bytes]], rtpmap: str, fmtp: str, folder: Path, clock_step: int = 3600
) -> list[av.VideoFrame]:
    """Send payloads as RTP to FFmpeg's SDP demuxer and give what it decodes."""
    port = free_udp_ports()
    payload_type = {"H261/90000": 31, "H263/90000": 34}.get(rtpmap, PAYLOAD_TYPE)
    sdp = folder / "stream.sdp"
    sdp.write_text(
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP {payload_type}\na=rtpmap:{payload_type} {rtpmap}\n"
        + (f"a=fmtp:{payload_type} {fmtp}\n" if fmtp else "")
    )
    done = threading.Event()

    def send() -> None:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sequence = 0
        time.sleep(0.2)
        while not done.is_set():  # again until the demuxer has opened and read its fill
            for number, payloads in enumerate(frames):
                for index, payload in enumerate(payloads):
                    packet = RtpPacket(
                        payload_type,
                        sequence & 0xFFFF,
                        (number * clock_step) & 0xFFFFFFFF,
                        5,
                        payload,
                        marker=index == len(payloads) - 1,
                    )
                    with contextlib.suppress(OSError):
                        sender.sendto(bytes(packet), ("127.0.0.1", port))
                    sequence += 1
                time.sleep(0.004)
        sender.close()

    thread = threading.Thread(target=send)
    thread.start()
    out: list[av.VideoFrame] = []
    try:
        options = {"protocol_whitelist": "file,udp,rtp", "analyzeduration": "300000"}
        with av.open(str(sdp), options=options, timeout=30.0) as source:
            for frame in source.decode(video=0):
                out.append(frame)
                if len(out) >= len(frames):
                    break
    finally:
        done.set()
        thread.join()
    return out
