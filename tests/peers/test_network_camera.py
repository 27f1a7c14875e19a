"""A real RTSP camera in a conference: seen, heard, missed when it dies, back when it returns."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from uuid6 import uuid7

from tests.harness import markers
from tests.harness.camera import Camera
from tests.harness.processes import wait_until
from tests.peers.bare_node import BareNode, eventually
from video_bridge import LocalMediaError
from video_bridge import messages as m


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BareNode]:
    started = BareNode(tmp_path)
    yield started
    started.close()


def camera_processes(node: BareNode) -> list[int]:
    """Decoder processes of the node."""
    children = Path(f"/proc/{node.peer.pid}/task/{node.peer.pid}/children").read_text().split()
    return [int(child) for child in children]


@pytest.mark.peer("camera", "fonts")
def test_camera_is_decoded_by_nobody_and_survives_its_own_death(
    node: BareNode, tmp_path: Path
) -> None:
    """The decoder owns nothing, and what kills camera or decoder leaves the conference whole."""
    camera = Camera(tmp_path, marker=7, tone_hz=900.0)
    other = str(uuid7())
    node.add(leg_id=other, kind=m.LegKind.SYNTHETIC, name="东门", url="synthetic:东门")
    leg = str(uuid7())
    node.add(leg_id=leg, kind=m.LegKind.RTSP, name="化工园区摄像机", url=camera.url)
    node.wait_event(m.LegUp, leg, 15)
    eventually(lambda: 7 in node.shows(), 10, "camera not seen")
    assert markers.pane_of(node.shows()[7], 2, 1) == 1
    eventually(lambda: (node.leg_stats(leg).level_dbov or -127) > -40, 5, "camera not heard")
    codecs = {s.media: s.codec for s in node.leg_stats(leg).streams}
    assert codecs == {"video": "H264", "audio": "PCMA"}
    (pid,) = camera_processes(node)
    status = Path(f"/proc/{pid}/status").read_text()
    if os.geteuid() == 0:
        assert "Uid:\t65534\t65534\t65534\t65534" in status
    assert "NoNewPrivs:\t1" in status
    assert camera.url not in Path(f"/proc/{pid}/cmdline").read_text()

    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: camera_processes(node) not in ([], [pid]), 5)
    eventually(lambda: node.leg_stats(leg).state is m.LegState.UP and 7 in node.shows(), 8)

    node.events.clear()
    camera.kill()
    lost = node.wait_event(m.LegLost, leg, 4)
    assert lost.detail == "camera_unreachable"
    assert node.leg_stats(other).state is m.LegState.UP
    camera.restart()
    node.wait_event(m.LegUp, leg, 10)
    eventually(lambda: 7 in node.shows(), 5, "camera not seen again")

    node.events.clear()
    os.kill(camera.peer.pid, signal.SIGSTOP)
    node.wait_event(m.LegLost, leg, 4)
    os.kill(camera.peer.pid, signal.SIGCONT)
    node.wait_event(m.LegUp, leg, 10)
    node.send(m.LegRemove(leg_id=leg))
    wait_until(lambda: not camera_processes(node), 5)
    camera.kill()


@pytest.mark.peer("camera", "fonts")
def test_camera_that_is_none_gets_a_clear_reason(node: BareNode) -> None:
    """Files, pages and silence are not cameras; each is refused or given up by name."""
    for url in (
        "file:///etc/passwd",
        "http://127.0.0.1/",
        "concat:a|b",
        "rtsp:///nohost",
        "rtsp://h h/",
        "rtspfile:/x",
        "rtsp://127.0.0.1:99999/",
    ):
        with pytest.raises(LocalMediaError) as refused:
            node.add(leg_id=str(uuid7()), kind=m.LegKind.RTSP, name="坏", url=url)
        assert refused.value.code == "camera_url_refused"
    leg = str(uuid7())
    node.add(leg_id=leg, kind=m.LegKind.RTSP, name="无", url="rtsp://127.0.0.1:9/none")
    closed = node.wait_event(m.LegClosed, leg, 22)
    assert (closed.reason, closed.detail) == (m.CloseReason.TIMED_OUT, "camera_unreachable")
