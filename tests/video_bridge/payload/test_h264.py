"""H.264 payloads against their RFC, FFmpeg and junk."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.harness.plugin import suite
from video_bridge.codecs.video import VideoDecoder, VideoEncoder
from video_bridge.errors import LocalMediaError, RemoteMediaError
from video_bridge.payload import h264
from video_bridge.rtp.reorder import VideoReorder

from .ffmpeg_rtp import decoded_by_ffmpeg, moving_picture, packets_of_ffmpeg

# a NAL unit neither holds a start code nor ends in zero (emulation prevention, trailing bits)
nal_units = st.builds(
    lambda kind, body: bytes((0x60 | kind,)) + body.replace(b"\x00", b"\x01") + b"\x80",
    st.sampled_from([1, 5, 6, 7, 8, 9]),
    st.binary(max_size=400),
)


@given(st.lists(nal_units, min_size=1, max_size=8), st.integers(20, 300))
def test_any_access_unit_survives_packetisation(units: list[bytes], limit: int) -> None:
    """Single units, STAP-A and FU-A in any mixture, none larger than asked."""
    access_unit = h264.join_annexb(units)
    payloads = h264.packetise(access_unit, max_payload=limit)
    assert max(map(len, payloads)) <= limit
    assert h264.Depacketiser().depacketise(payloads) == access_unit


def test_fragments_are_of_equal_size() -> None:
    """UDP segmentation offload sends runs of one size; only the last may be shorter."""
    unit = bytes([0x65]) + bytes([7]) * 10_000
    payloads = h264.packetise(h264.join_annexb([unit]), max_payload=1200)
    sizes = [len(p) for p in payloads]
    assert len(set(sizes[:-1])) == 1
    assert 0 <= sizes[0] - sizes[-1] < len(sizes)
    assert payloads[0][1] == 0x80 | 5
    assert payloads[-1][1] == 0x40 | 5
    assert {p[0] for p in payloads} == {0x60 | 28}


def test_parameter_sets_share_a_packet() -> None:
    """SPS and PPS before a key frame cost one packet, with the highest NRI."""
    units = [b"\x67\x42\xe0\x1f\x95", b"\x28\xce\x3c\x80", bytes([0x65]) + b"\x55" * 3000]
    payloads = h264.packetise(h264.join_annexb(units))
    assert payloads[0][0] == 0x60 | 24
    assert payloads[0][1:3] == b"\x00\x05"
    assert h264.is_keyframe(h264.join_annexb(units))


def test_mode_0_sends_single_units_only() -> None:
    """A peer without packetization-mode=1 cannot read anything else."""
    encoder = VideoEncoder("H264", 640, 360, 25, 800_000, max_slice_bytes=900)
    frame = encoder.encode(moving_picture(640, 360, 0), 0)
    payloads = h264.packetise(frame.data, mode=0)
    assert {p[0] & 0x1F for p in payloads} <= {5, 6, 7, 8}
    assert max(map(len, payloads)) <= 1200
    with pytest.raises(LocalMediaError):
        h264.packetise(h264.join_annexb([b"\x65" + b"\x11" * 1300]), mode=0)


def test_both_start_codes_are_understood() -> None:
    """Three and four bytes, with zeros after a unit."""
    stream = b"\x00\x00\x00\x01\x67\x42\x00\x00\x01\x68\xce\x00\x00\x00\x00\x01\x65\x88"
    assert h264.split_annexb(stream) == [b"\x67\x42", b"\x68\xce", b"\x65\x88"]
    assert h264.split_annexb(b"no start code") == []


def test_payloads_cut_anywhere_raise_only_remote_errors() -> None:
    """Every truncation of every payload of a real key frame's first packets."""
    units = [b"\x67\x42\xe0\x1f\x95", b"\x68\xce\x3c\x80", b"\x65" + b"\x55" * 300]
    payloads = h264.packetise(h264.join_annexb(units), max_payload=120)
    for index, payload in enumerate(payloads):
        for size in range(len(payload)):
            cut = [*payloads[:index], payload[:size], *payloads[index + 1 :]]
            try:
                h264.Depacketiser().depacketise(cut)
            except RemoteMediaError:
                continue
        for wrong in (payloads[:index], payloads[index + 1 :]):
            try:
                h264.Depacketiser().depacketise(wrong)
            except RemoteMediaError:
                continue


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_payloads_give_an_access_unit_or_a_remote_error(payloads: list[bytes]) -> None:
    """Nothing else leaves the depacketiser."""
    for payload in payloads:
        h264.starts_frame(payload)
    try:
        unit = h264.Depacketiser().depacketise(payloads)
    except RemoteMediaError:
        return
    h264.is_keyframe(unit)


def test_seeds_of_other_projects_raise_only_remote_errors() -> None:
    """RTP seeds and SRTP corpora taken as payloads."""
    for name in ("badinput/webrtc-rtp", "badinput/srtp-libsrtp"):
        for path in suite(name):
            data = path.read_bytes()
            for start in range(0, min(len(data), 64), 4):
                for kind in (24, 25, 26, 27, 28, 29, data[start] & 0x1F):
                    payload = bytes((kind,)) + data[start:]
                    try:
                        h264.Depacketiser().depacketise([payload, payload])
                    except RemoteMediaError:
                        continue


def test_a_lost_middle_fragment_would_not_pass_as_whole_when_the_end_is_missing() -> None:
    """FU-A without its end or start is refused."""
    payloads = h264.packetise(h264.join_annexb([b"\x65" + b"\x55" * 5000]))
    for wrong in (payloads[:-1], payloads[1:], payloads + payloads[:1], payloads[:1] * 2):
        with pytest.raises(RemoteMediaError):
            h264.Depacketiser().depacketise(wrong)


def test_the_first_packet_of_a_frame_is_known() -> None:
    """After a loss playback starts at a frame's beginning, never inside it."""
    encoder = VideoEncoder("H264", 640, 360, 25, 800_000, max_slice_bytes=700)
    for step in range(3):
        frame = encoder.encode(moving_picture(640, 360, step), step)
        for limit in (1200, 300):
            payloads = h264.packetise(frame.data, max_payload=limit)
            starts = [h264.starts_frame(p) for p in payloads]
            assert starts[0]
            if not frame.is_key:
                assert sum(starts) == 1


def test_a_fragmented_parameter_set_or_sei_begins_a_frame() -> None:
    """Some encoders put kilobytes of SEI in front of a picture."""
    for kind in (6, 7, 9):
        payloads = h264.packetise(h264.join_annexb([bytes([kind]) + b"\x11" * 3000]))
        assert [h264.starts_frame(p) for p in payloads] == [True, False, False]
    assert not h264.starts_frame(b"\x7c\x9c\x7c")  # a fragment of a fragment: junk


def test_frames_of_ffmpeg_are_read() -> None:
    """FFmpeg's muxer packetises, we reorder, depacketise and decode every frame."""
    packets = packets_of_ffmpeg("libx264", 30, (640, 360))
    reorder = VideoReorder(starts_frame=h264.starts_frame)
    decoder, depacketiser = VideoDecoder("H264"), h264.Depacketiser()
    decoded = 0
    for packet in packets:
        reorder.insert(packet, 0.0)
        for frame in reorder.frames(0.0):
            decoded += len(decoder.decode(depacketiser.depacketise(frame.payloads)))
    assert decoded == 30


@pytest.mark.parametrize("mode", [0, 1])
def test_ffmpeg_reads_our_frames(mode: int, tmp_path: Path) -> None:
    """We encode and packetise, FFmpeg's depacketiser and decoder show the picture."""
    encoder = VideoEncoder(
        "H264", 640, 360, 25, 800_000, max_slice_bytes=1100 if mode == 0 else None
    )
    frames = [
        h264.packetise(encoder.encode(moving_picture(640, 360, i), i).data, mode=mode)
        for i in range(25)
    ]
    out = decoded_by_ffmpeg(frames, "H264/90000", f"packetization-mode={mode}", tmp_path)
    assert len(out) == 25
    assert (out[-1].width, out[-1].height) == (640, 360)
    assert not any(frame.is_corrupt for frame in out[-10:])


@pytest.mark.parametrize(
    ("text", "profile", "blocks"),
    [
        ("42e01f", "constrained-baseline", 3600),
        ("42001f", "baseline", 3600),
        ("42801E", "baseline", 1620),
        ("4D401F", "main", 3600),
        ("640028", "high", 8192),
        ("42f00b", "constrained-baseline", 99),
        ("42e00a", "constrained-baseline", 99),
    ],
)
def test_profile_level_id_is_understood(text: str, profile: str, blocks: int) -> None:
    """The answer must not promise more than the peer's level (RFC 6184 section 8.1)."""
    parsed = h264.ProfileLevelId.parse(text)
    assert (parsed.profile, parsed.max_frame_macroblocks) == (profile, blocks)
    assert str(parsed) == text.lower()


def test_a_level_bounds_size_and_rate() -> None:
    """3.1 carries 720p at 30, 3.0 does not."""
    assert h264.ProfileLevelId.parse("42e01f").allows(1280, 720, 30)
    assert not h264.ProfileLevelId.parse("42e01f").allows(1280, 720, 31)
    assert not h264.ProfileLevelId.parse("42e01e").allows(1280, 720, 25)
    assert h264.ProfileLevelId.parse("42e01e").allows(640, 360, 30)


@given(st.text("0123456789abcdefABCDEF xZ٣é", max_size=8))
def test_any_profile_text_is_judged(text: str) -> None:
    """It comes from the peer's SDP."""
    try:
        h264.ProfileLevelId.parse(text).allows(640, 360, 25)
    except RemoteMediaError:
        return


@given(st.text("ABCDwxyz0189+/=, é", max_size=60))
def test_any_parameter_set_text_is_judged(text: str) -> None:
    """It comes from the peer's SDP."""
    try:
        h264.parse_sprop_parameter_sets(text)
    except RemoteMediaError:
        return


def test_parameter_sets_round_trip() -> None:
    """Some cameras give SPS and PPS in SDP only."""
    units = [b"\x67\x42\xe0\x1f\x95", b"\x68\xce\x3c\x80"]
    assert h264.parse_sprop_parameter_sets(h264.build_sprop_parameter_sets(units)) == units
