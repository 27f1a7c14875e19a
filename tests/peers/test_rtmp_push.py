"""Live out by RTMP: ffmpeg is the platform that receives it, and its file is decoded."""

from __future__ import annotations

import asyncio
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.harness import markers, tones
from tests.harness.processes import PATIENCE_S, Peer, free_port
from tests.video_bridge.node.room import Room
from tests.video_bridge.node.test_node import Node, until
from video_bridge import messages as m
from video_bridge.codecs.picture import Picture

MARKER, TONE, OTHER_TONE = 17, 700.0, 1100.0
TAKEN_S = 6


def marker_planes(marker: int, width: int = 640, height: int = 360) -> Picture:
    bgr = markers.marker_picture(marker, width, height)
    yuv = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    chroma = yuv[height:].reshape(2, height // 2, width // 2)
    return Picture(yuv[:height].copy(), chroma[0].copy(), chroma[1].copy())


async def hall(node: Node, conference: str) -> Room:
    """A hall that shows a marker and sounds."""
    room = Room(colour=(0, 128, 128), tone_hz=TONE)
    room._picture = marker_planes(MARKER)
    leg = await node.add(conference, m.LegKind.RTP, "北厅", remote_host="127.0.0.1")
    await node.client.send(m.LegAnswer(leg_id=leg, streams=room.streams()))
    room.start(node.added)
    await until(lambda: node.told(m.LegUp, leg), PATIENCE_S)
    return room


def decoded(path: Path) -> tuple[list[np.ndarray], np.ndarray, dict[str, str]]:
    """Pictures (BGR), sound (mono, 48 kHz) and codecs of what was stored."""
    pictures: list[np.ndarray] = []
    sound: list[np.ndarray] = []
    resampler = av.AudioResampler("s16", "mono", 48_000)
    with av.open(str(path)) as container:
        codecs = {stream.type: stream.codec_context.name for stream in container.streams}
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures.append(frame.to_ndarray(format="bgr24"))
            else:
                sound += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    return pictures, np.concatenate(sound), codecs


def told(node: Node) -> list[m.LiveFlowing | m.LiveFailed]:
    return [event for event in node.events if isinstance(event, m.LiveFlowing | m.LiveFailed)]


@pytest.mark.timeout(240)
@pytest.mark.peer("ffmpeg", "fonts")
async def test_a_platform_receives_picture_and_sound_by_rtmp(tmp_path: Path) -> None:
    """H.264 and AAC, remuxed; a platform that goes away is told of."""
    node = Node(tmp_path)
    await node.start()
    conference = await node.open()
    room = await hall(node, conference)
    url, stored = f"rtmp://127.0.0.1:{free_port()}/live/key", tmp_path / "stored.flv"
    platform = ["ffmpeg", "-v", "error", "-y", "-listen", "1", "-i", url, "-t", str(TAKEN_S)]
    receiver = Peer([*platform, "-c", "copy", str(stored)], tmp_path / "ffmpeg.log")
    try:
        live = m.LiveStart(conference_id=conference, live_id="live-1", kind="rtmp", target=url)
        await node.client.send(live)
        await until(lambda: receiver.process.poll() is not None, 2 * PATIENCE_S)
        assert m.LiveFlowing in map(type, told(node)), (node.events, receiver.text())
        pictures, sound, codecs = await asyncio.to_thread(decoded, stored)
        assert codecs == {"video": "h264", "audio": "aac"}
        assert pictures[-1].shape[:2] == (720, 1280)
        assert MARKER in markers.find_markers(pictures[-1])
        assert tones.heard(sound, 48_000, [TONE, OTHER_TONE]) == {TONE}
        await until(lambda: isinstance(told(node)[-1], m.LiveFailed), PATIENCE_S)
        assert told(node)[-1].code == "live_target_unreachable"
    finally:
        if receiver.process.poll() is None:
            receiver.process.kill()
            receiver.process.wait()
        await room.stop()
        room.close()
        await node.client.send(m.ConferenceClose(conference_id=conference), timeout_s=30)
        await node.stop()
