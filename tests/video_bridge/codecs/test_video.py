"""Video decoders and encoders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.video_bridge.payload.ffmpeg_rtp import moving_picture, psnr
from video_bridge.codecs.picture import Picture
from video_bridge.codecs.video import VideoDecoder, VideoEncoder
from video_bridge.errors import LocalMediaError, RemoteMediaError
from video_bridge.payload import h264, vp8

SIZES = {"H264": (640, 360), "VP8": (640, 360), "H263": (352, 288), "H261": (352, 288)}


@pytest.mark.parametrize("codec", SIZES)
def test_every_frame_comes_out_at_once_and_looks_the_same(codec: str) -> None:
    """No look-ahead and no hidden frame: a frame of delay is 40 ms at every site."""
    width, height = SIZES[codec]
    encoder, decoder = VideoEncoder(codec, width, height, 25, 1_000_000), VideoDecoder(codec)
    for step in range(10):
        picture = moving_picture(width, height, step)
        (shown,) = decoder.decode(encoder.encode(picture, step).data)
        assert (shown.width, shown.height) == (width, height)
        assert shown.u.shape == (height // 2, width // 2)
        assert psnr(shown, picture) > 28


@pytest.mark.parametrize(
    ("codec", "is_key"), [("H264", h264.is_keyframe), ("VP8", vp8.is_keyframe)]
)
def test_a_key_frame_comes_when_forced_and_not_before_its_time(codec: str, is_key: object) -> None:
    """Key frames on demand; a new receiver decodes from it alone."""
    encoder = VideoEncoder(codec, 640, 360, 25, 600_000, keyframe_every_s=10)
    frames = [
        encoder.encode(moving_picture(640, 360, step), step, force_keyframe=step == 20)
        for step in range(30)
    ]
    assert [f.pts for f in frames if f.is_key] == [0, 20]
    assert [f.pts for f in frames if is_key(f.data)] == [0, 20]
    fresh = VideoDecoder(codec)
    assert len(fresh.decode(frames[20].data)) == 1


def test_h264_is_constrained_baseline_with_its_parameter_sets_in_band() -> None:
    """What browsers and old rooms share; WHEP players join in the middle."""
    encoder = VideoEncoder("H264", 1280, 720, 25, 1_500_000, level="3.1")
    for step in (0, 1):
        frame = encoder.encode(moving_picture(1280, 720, step), step, force_keyframe=True)
        units = h264.split_annexb(frame.data)
        kinds = [unit[0] & 0x1F for unit in units]
        assert kinds[:2] == [7, 8]
        assert 5 in kinds
        profile = h264.ProfileLevelId(*units[0][1:4])
        assert profile.profile == "constrained-baseline"
        assert profile.level_idc == 31


@pytest.mark.parametrize("limit", [600, 1200])
def test_slices_keep_to_their_limit(limit: int) -> None:
    """Peers of packetisation mode 0 take nothing larger than a packet."""
    encoder = VideoEncoder("H264", 640, 360, 25, 2_000_000, max_slice_bytes=limit)
    for step in range(5):
        frame = encoder.encode(moving_picture(640, 360, step), step, force_keyframe=step == 3)
        assert max(map(len, h264.split_annexb(frame.data))) <= limit


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_the_bit_rate_is_kept(codec: str) -> None:
    """Noise costs what it may and no more: a hall's line is narrow."""
    rng = np.random.default_rng(1)
    encoder = VideoEncoder(codec, 640, 360, 25, 500_000)
    sizes = []
    for step in range(100):
        picture = moving_picture(640, 360, step)
        noisy = Picture(
            (picture.y + rng.integers(0, 30, picture.y.shape, np.uint8)), picture.u, picture.v
        )
        sizes.append(len(encoder.encode(noisy, step).data))
    assert sum(sizes[25:]) * 8 / 3 < 500_000 * 1.3


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_after_junk_a_key_frame_is_decoded_again(codec: str) -> None:
    """One bad peer frame must not end the decoder."""
    encoder, decoder = VideoEncoder(codec, 640, 360, 25, 600_000), VideoDecoder(codec)
    decoder.decode(encoder.encode(moving_picture(640, 360, 0), 0).data)
    with pytest.raises(RemoteMediaError):
        decoder.decode(
            b"\x00\x00\x00\x01\x65" + b"\xff" * 50 if codec == "H264" else b"\x10\x02\x00"
        )
    frame = encoder.encode(moving_picture(640, 360, 1), 1, force_keyframe=True)
    assert len(decoder.decode(frame.data)) == 1
    assert decoder.errors == 1


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SIZES)), st.binary(max_size=200), st.integers(0, 400))
def test_damaged_frames_raise_only_remote_errors(codec: str, junk: bytes, at: int) -> None:
    """Real frames with a piece overwritten, and pure junk."""
    width, height = SIZES[codec]
    decoder = VideoDecoder(codec)
    key = VideoEncoder(codec, width, height, 25, 300_000).encode(
        moving_picture(width, height, 0), 0
    )
    for unit in (key.data[:at] + junk + key.data[at + len(junk) :], junk, key.data[:at]):
        try:
            decoder.decode(unit)
        except RemoteMediaError:
            continue


def test_only_known_codecs_reach_ffmpeg() -> None:
    """The allow-list: FFmpeg has hundreds of decoders, some with holes."""
    for codec in ("AV1", "h264", "mjpeg", ""):
        with pytest.raises(LocalMediaError):
            VideoDecoder(codec)
        with pytest.raises(LocalMediaError):
            VideoEncoder(codec, 640, 360, 25, 1000)


def test_impossible_sizes_are_refused_at_once() -> None:
    """H.261 knows QCIF and CIF only; H.264 4:2:0 needs even sides; a picture must fit."""
    for codec, width, height in (("H261", 640, 360), ("H264", 641, 360), ("H264", 0, 0)):
        with pytest.raises(LocalMediaError):
            VideoEncoder(codec, width, height, 25, 500_000)
    encoder = VideoEncoder("H264", 640, 360, 25, 500_000)
    with pytest.raises(LocalMediaError):
        encoder.encode(Picture.blank(320, 180), 0)


def test_a_picture_outlives_its_decoder() -> None:
    """Planes are views that keep FFmpeg's memory alive while somebody looks."""
    encoder, decoder = VideoEncoder("H264", 640, 360, 25, 600_000), VideoDecoder("H264")
    (first,) = decoder.decode(encoder.encode(moving_picture(640, 360, 0), 0).data)
    before = first.y.copy()
    for step in range(1, 30):
        decoder.decode(encoder.encode(moving_picture(640, 360, step), step).data)
    del decoder
    assert np.array_equal(first.y, before)


def test_a_reset_decoder_waits_for_a_key_frame() -> None:
    """After a switch of source, old references would show as ghosts."""
    encoder, decoder = VideoEncoder("VP8", 640, 360, 25, 600_000), VideoDecoder("VP8")
    decoder.decode(encoder.encode(moving_picture(640, 360, 0), 0).data)
    decoder.reset()
    with pytest.raises(RemoteMediaError):
        decoder.decode(encoder.encode(moving_picture(640, 360, 1), 1).data)
