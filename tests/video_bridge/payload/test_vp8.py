"""VP8 payloads against their RFC, FFmpeg and junk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness.plugin import suite
from video_bridge.codecs.video import VideoDecoder, VideoEncoder
from video_bridge.errors import RemoteMediaError
from video_bridge.payload import vp8
from video_bridge.rtp.reorder import VideoReorder

from .ffmpeg_rtp import decoded_by_ffmpeg, moving_picture, packets_of_ffmpeg

optional_byte = st.none() | st.integers(0, 255)


@given(
    st.builds(
        vp8.Descriptor,
        is_start=st.booleans(),
        partition=st.integers(0, 7),
        is_non_reference=st.booleans(),
        picture_id=st.integers(0, 0x7FFF),
        tl0_picture_index=optional_byte,
        temporal_layer=st.integers(0, 3),
        is_layer_sync=st.booleans(),
        key_index=st.none() | st.integers(0, 31),
    )
)
def test_descriptors_round_trip(descriptor: vp8.Descriptor) -> None:
    """All optional fields of RFC 7741 section 4.2."""
    raw = bytes(descriptor)
    assert vp8.Descriptor.parse(raw + b"rest") == (descriptor, len(raw))
    for size in range(len(raw)):
        with pytest.raises(RemoteMediaError):
            vp8.Descriptor.parse(raw[:size])


def test_a_short_picture_id_is_understood() -> None:
    """Seven bits are legal; we send fifteen."""
    assert vp8.Descriptor.parse(b"\x90\x80\x7f")[0].picture_id == 127
    assert vp8.Descriptor.parse(b"\x90\x80\xff\xfe")[0].picture_id == 0x7FFE
    assert bytes(vp8.Descriptor(True, picture_id=0x8001)) == b"\x90\x80\x80\x01"


@given(st.binary(min_size=1, max_size=3000), st.integers(20, 1200), st.integers(0, 1 << 20))
def test_any_frame_survives_packetisation(frame: bytes, limit: int, picture_id: int) -> None:
    """Equal parts, none larger than asked, the picture id modulo 2^15."""
    payloads = vp8.packetise(frame, picture_id, max_payload=limit)
    assert max(map(len, payloads)) <= limit
    assert len({len(p) for p in payloads[:-1]}) <= 1
    assert [vp8.starts_frame(p) for p in payloads] == [True] + [False] * (len(payloads) - 1)
    depacketiser = vp8.Depacketiser()
    assert depacketiser.depacketise(payloads) == frame
    assert depacketiser.picture_id == picture_id & 0x7FFF


@given(st.lists(st.binary(max_size=12), max_size=5))
def test_any_payloads_give_a_frame_or_a_remote_error(payloads: list[bytes]) -> None:
    """Nothing else leaves the depacketiser."""
    for payload in payloads:
        vp8.starts_frame(payload)
    try:
        frame = vp8.Depacketiser().depacketise(payloads)
    except RemoteMediaError:
        return
    vp8.is_keyframe(frame)


def test_seeds_of_other_projects_raise_only_remote_errors() -> None:
    """RTP seeds and SRTP corpora taken as payloads."""
    for name in ("badinput/webrtc-rtp", "badinput/srtp-libsrtp"):
        for path in suite(name):
            data = path.read_bytes()
            for start in range(min(len(data), 64)):
                try:
                    vp8.Depacketiser().depacketise([data[start : start + 20]])
                except RemoteMediaError:
                    continue


def test_a_frame_without_its_start_is_refused() -> None:
    """Half a frame must not reach the decoder."""
    payloads = vp8.packetise(b"x" * 5000, 3)
    for wrong in (payloads[1:], payloads + payloads, []):
        with pytest.raises(RemoteMediaError):
            vp8.Depacketiser().depacketise(wrong)


def test_frames_of_ffmpeg_are_read() -> None:
    """FFmpeg's muxer packetises, we reorder, depacketise and decode every frame."""
    packets = packets_of_ffmpeg("libvpx", 30, (640, 360))
    reorder = VideoReorder(starts_frame=vp8.starts_frame)
    decoder, depacketiser = VideoDecoder("VP8"), vp8.Depacketiser()
    decoded = 0
    for packet in packets:
        reorder.insert(packet, 0.0)
        for frame in reorder.frames(0.0):
            decoded += len(decoder.decode(depacketiser.depacketise(frame.payloads)))
    assert decoded == 30


def test_ffmpeg_reads_our_frames(tmp_path: Path) -> None:
    """We encode and packetise, FFmpeg's depacketiser and decoder show the picture."""
    encoder = VideoEncoder("VP8", 640, 360, 25, 800_000)
    frames = []
    for step in range(25):
        frame = encoder.encode(moving_picture(640, 360, step), step)
        assert vp8.is_keyframe(frame.data) == frame.is_key
        frames.append(vp8.packetise(frame.data, step + 0x7FF0))
    out = decoded_by_ffmpeg(frames, "VP8/90000", "", tmp_path)
    assert len(out) == 25
    assert (out[-1].width, out[-1].height) == (640, 360)
