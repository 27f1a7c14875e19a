"""Encode once, send to many: who stands on which rung, and when key frames come."""

import itertools

import pytest

from video_bridge.allocation import RungKey, Screen, steps_for
from video_bridge.allocation.rungs import H261_QCIF, H264_180P, LOW_FPS
from video_bridge.codecs.video import VideoDecoder
from video_bridge.payload import h264, vp8
from video_bridge.streams.video_formats import video_format
from video_bridge.video.ladder import (
    KEYFRAME_EVERY_DEAF_S,
    KEYFRAME_EVERY_S,
    KEYFRAME_PAUSE_S,
    SINGLE_NAL_SIZE,
    KeyframeWish,
    Rung,
)
from video_bridge.video.picture import blank


def test_many_wishes_make_one_key_frame() -> None:
    """Fifty phones that join at once must not make fifty key frames."""
    wish = KeyframeWish()
    for _ in range(50):
        wish.want()
    assert wish.take(1.0)
    wish.want()
    assert not wish.take(1.0 + KEYFRAME_PAUSE_S - 0.1)
    assert wish.take(1.0 + KEYFRAME_PAUSE_S), "the later wish is not forgotten"
    assert not wish.take(9.0)


def keyframes(rung: Rung, count: int, fps: int = 25) -> list[int]:
    found = []
    picture = blank(1280, 720, (90, 128, 128))
    depacketiser = h264.Depacketiser()
    for number in range(count):
        payloads = rung.encode(picture, number / fps)
        if h264.is_keyframe(depacketiser.depacketise(payloads)):
            found.append(number)
    return found


def test_key_frames_come_when_asked_and_for_those_who_cannot_ask() -> None:
    """A room without feedback sees a picture within seconds; others cost no key frames."""
    rung = Rung(RungKey("H264", 320, 180, 300_000))
    assert keyframes(rung, 140) == [0]
    deaf = Rung(RungKey("H264", 320, 180, 300_000))
    deaf.has_deaf_leg = True
    assert keyframes(deaf, 140) == [0, round(KEYFRAME_EVERY_DEAF_S * 25)]
    slow = Rung(RungKey("H264", 320, 180, 300_000))
    assert keyframes(slow, 60, fps=4) == [0, round(KEYFRAME_EVERY_S * 4)]


def test_single_nal_rung_fits_each_slice_into_a_packet() -> None:
    """Old rooms know no fragments."""
    rung = Rung(RungKey("H264", 640, 360, 1_500_000, 0))
    import numpy as np

    picture = blank(1280, 720)
    picture.y[:] = np.random.default_rng(1).integers(16, 235, picture.y.shape)
    payloads = rung.encode(picture, 0.0)
    assert max(map(len, payloads)) <= SINGLE_NAL_SIZE + 160
    assert {payload[0] & 0x1F for payload in payloads} <= {1, 5, 6, 7, 8}
    decoded = VideoDecoder("H264").decode(h264.Depacketiser().depacketise(payloads))
    assert (decoded[0].width, decoded[0].height) == (640, 360)


def test_vp8_rung_decodes() -> None:
    """The second codec of browsers."""
    rung = Rung(RungKey("VP8", 640, 360, 500_000))
    payloads = rung.encode(blank(1280, 720, (120, 90, 200)), 0.0)
    (picture,) = VideoDecoder("VP8").decode(vp8.Depacketiser().depacketise(payloads))
    assert abs(int(picture.v[90, 160]) - 200) < 4


@pytest.mark.parametrize("codec", ["H263", "H263-1998", "H261"])
def test_old_rooms_get_the_programme_undistorted_in_cif(codec: str) -> None:
    """Rooms of twenty years ago see 16:9 between two bars, not a stretched picture."""
    key = steps_for(codec, 1, Screen())[0]
    payloads = Rung(key).encode(blank(1280, 720, (120, 90, 200)), 0.0)
    frame = video_format(codec).depacketiser().depacketise(payloads)
    assert video_format(codec).starts_frame(payloads[0]) and video_format(codec).is_keyframe(frame)
    (picture,) = VideoDecoder(codec).decode(frame)
    assert (picture.width, picture.height) == (352, 288)
    assert abs(int(picture.y[144, 176]) - 120) < 5 and abs(int(picture.v[72, 88]) - 200) < 5
    assert picture.y[10, 176] < 30 and picture.y[280, 176] < 30


def test_slow_rung_takes_three_pictures_of_five() -> None:
    """A satellite line's small rung has 15 pictures a second, evenly spread."""
    due = [H264_180P.is_due(tick) for tick in range(1, 51)]
    assert sum(due) == 2 * LOW_FPS
    assert due[:25] == due[25:]
    assert not any(first is second is False for first, second in itertools.pairwise(due))


def test_smallest_old_rung_is_a_whole_quarter_picture() -> None:
    """QCIF is what the oldest rooms and lines can take."""
    payloads = Rung(H261_QCIF).encode(blank(1280, 720, (120, 90, 200)), 0.0)
    frame = video_format("H261").depacketiser().depacketise(payloads)
    (picture,) = VideoDecoder("H261").decode(frame)
    assert (picture.width, picture.height) == (176, 144)
    assert abs(int(picture.y[72, 88]) - 120) < 6 and picture.y[4, 88] < 30
