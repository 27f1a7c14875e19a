"""Which addresses a camera may have."""

from __future__ import annotations

import pytest

from command_center.consultation.camera_url import camera_protocol
from command_center.consultation.errors import LocalConsultationError
from command_center.consultation.model import Protocol


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("rtsp://10.1.2.3/live", Protocol.RTSP),
        ("rtsps://user:word@camera.example:322/1?x=y", Protocol.RTSP),
        ("rtsp://[2001:db8::1]:8554/a", Protocol.RTSP),
        ("synthetic:C02 液氯库北", Protocol.SYNTHETIC),
    ],
)
def test_network_cameras_and_drawn_ones_are_taken(url: str, protocol: Protocol) -> None:
    """The two kinds a node can pull."""
    assert camera_protocol(url) is protocol


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "http://10.1.2.3/live",
        "concat:rtsp://a|file:///etc/passwd",
        "rtsp:/etc/passwd",
        "rtsp://",
        "rtsp://host:99999/",
        "rtsp://host:0/",
        "rtsp://ho st/",
        "rtsp://host/\n",
        "RTSP://host/",
        "synthetic:",
        "synthetic: ",
        "",
        "rtsp://" + "a" * 3000,
        "rtsp://[::1/",
        "subfile,,start,0,end,9,,:rtsp://a",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    """A camera's address reaches a media library that would also open files and other hosts."""
    with pytest.raises(LocalConsultationError) as caught:
        camera_protocol(url)
    assert caught.value.code == "camera_url_refused"
