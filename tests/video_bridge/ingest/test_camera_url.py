"""Only cameras are cameras."""

import pytest

from video_bridge.errors import LocalMediaError
from video_bridge.ingest.camera_wire import check_camera_url, fitted_size
from video_bridge.ingest.synthetic import SyntheticMedia, is_silent, synthetic_name, tone_hz


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "http://10.0.0.1/",
        "concat:rtsp://a|file:///b",
        "rtsp:file:///x",
        "rtsp://",
        "rtsp:///x",
        "rtsp://a b/",
        "rtsp://a\n/",
        "rtsp://[::1/",
        "rtsp://h:0/",
        "rtsp://h:port/",
        "rtsp://摄像机/",
        "RTSPX://h/",
        "rtsp://h/" + "x" * 2000,
        "",
    ],
)
def test_what_is_no_camera_is_refused(url: str) -> None:
    """A URL is the way into FFmpeg: files, pages and tricks stop here."""
    with pytest.raises(LocalMediaError) as refused:
        check_camera_url(url)
    assert refused.value.code == "camera_url_refused"


@pytest.mark.parametrize(
    "url",
    ["rtsp://10.0.0.1/live", "rtsps://u:p@cam.example:322/1?x=y", "rtsp://[2001:db8::1]:554/a"],
)
def test_cameras_pass(url: str) -> None:
    """Names, addresses, ports and log-ins as cameras have them."""
    assert check_camera_url(url) == url


def test_password_is_not_in_the_error() -> None:
    """What is refused is logged, its password is not."""
    with pytest.raises(LocalMediaError) as refused:
        check_camera_url("http://admin:secret@10.0.0.1/")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3840, 2160), (1280, 720)),
        ((1920, 1080), (1280, 720)),
        ((704, 576), (704, 576)),
        ((1080, 1920), (404, 720)),
        ((353, 289), (352, 288)),
    ],
)
def test_large_pictures_are_scaled_before_they_travel(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    """A 4K camera must not cost the node more than a 720p one."""
    assert fitted_size(*size) == expected


def test_synthetic_source_is_told_apart_by_its_name() -> None:
    """Two sources differ to eye and ear; a silent one is only seen."""
    assert synthetic_name("synthetic:东门") == "东门"
    assert synthetic_name("synthetic:东门?silent") == "东门" and is_silent("synthetic:东门?silent")
    assert tone_hz("东门") != tone_hz("西门")
    east, west = SyntheticMedia("东门"), SyntheticMedia("西门", has_tone=False)
    first, second = east.newest(0.0), west.newest(0.0)
    assert abs(int(first.picture.u[150, 30]) - int(second.picture.u[150, 30])) > 3
    assert east.tick_audio(0.0).shape == (960,) and west.tick_audio(0.0) is None
    earlier = first.picture.y.copy()
    assert (east.newest(1.0).picture.y != earlier).any(), "the picture moves"
    with pytest.raises(LocalMediaError):
        synthetic_name("synthetic:")
