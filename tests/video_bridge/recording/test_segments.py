"""Segments: each playable by itself, following each other without a hole, found again by hash."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import av
import pytest

from video_bridge.errors import RemoteMediaError
from video_bridge.messages import ClosedSegment
from video_bridge.recording import boxes, files
from video_bridge.recording.segments import SegmentedSource
from video_bridge.recording.sizes import size_of
from video_bridge.recording.sound import AacEncoder

from .pictures import ZERO_US, pictures, tone

SIZES = {"H264": (640, 360), "VP8": (640, 360), "H263": (352, 288), "H261": (176, 144)}


def record(folder: Path, codec: str, count: int = 75) -> list[ClosedSegment]:
    closed: list[ClosedSegment] = []
    source = SegmentedSource(folder, "leg:one", ZERO_US, closed.append, segment_s=1.0)
    source.set_stream("翁源县", codec)
    for taken in pictures(codec, count, size=SIZES[codec]):
        source.picture(
            taken.data, is_key=taken.is_key, timestamp=taken.timestamp, wall_us=taken.wall_us
        )
    source.close()
    return closed


def decoded(path: Path) -> tuple[int, float]:
    """How many pictures decode, and the time of the first."""
    with av.open(str(path)) as container:
        frames = list(container.decode(container.streams.video[0]))
        return len(frames), float(frames[0].time or 0.0)


@pytest.mark.parametrize("codec", ["H264", "VP8", "H263", "H261"])
def test_every_segment_plays_by_itself_and_none_is_missing(codec: str, tmp_path: Path) -> None:
    """A recording is watched segment by segment: 3 s make three files with all 75 pictures."""
    closed = record(tmp_path, codec)
    assert [s.sequence for s in closed] == [1, 2, 3]
    assert {(s.width, s.height) for s in closed} == {SIZES[codec]}
    shown = [decoded(tmp_path / s.file_name) for s in closed]
    assert [count for count, _ in shown] == [25, 25, 25]
    assert [round(at, 2) for _, at in shown] == [0.0, 1.0, 2.0]


def test_segments_follow_each_other_on_the_wall_clock(tmp_path: Path) -> None:
    """The timeline is aligned by each segment's start: where one ends the next begins."""
    closed = record(tmp_path, "H264")
    assert closed[0].started_at_ms == ZERO_US // 1000
    for before, after in itertools.pairwise(closed):
        assert before.started_at_ms + before.duration_ms == after.started_at_ms


def test_one_flipped_bit_is_found_by_the_hash(tmp_path: Path) -> None:
    """Integrity of recordings (GB/T 22239, 8.1.4.7): the hash is of what lies on the disk."""
    segment = record(tmp_path, "H264", 30)[0]
    data = bytearray((tmp_path / segment.file_name).read_bytes())
    assert hashlib.sha256(data).hexdigest() == segment.sha256
    assert hashlib.new("sm3", data).hexdigest() == segment.sm3
    data[len(data) // 2] ^= 1
    assert hashlib.sha256(data).hexdigest() != segment.sha256
    assert hashlib.new("sm3", data).hexdigest() != segment.sm3


def test_segments_joined_behind_one_head_are_one_film(tmp_path: Path) -> None:
    """Times are absolute, so a download is the first file and the others without their heads."""
    closed = record(tmp_path, "H264")
    joined = tmp_path / "joined.mp4"
    parts = [(tmp_path / s.file_name).read_bytes() for s in closed]
    tails = [p[s.head_bytes :] for p, s in zip(parts, closed, strict=True)]
    joined.write_bytes(parts[0][: closed[0].head_bytes] + b"".join(tails))
    assert decoded(joined)[0] == 75


def test_the_programmes_sound_is_aac_beside_the_picture(tmp_path: Path) -> None:
    """The full mix is encoded once and lies in the programme's segments, in time."""
    closed: list[ClosedSegment] = []
    aac = AacEncoder(ZERO_US)
    source = SegmentedSource(
        tmp_path, "programme", ZERO_US, closed.append, segment_s=1.0, aac_config=aac.config
    )
    source.set_stream("会商", "H264")
    for index, taken in enumerate(pictures("H264", 75)):
        source.picture(
            taken.data, is_key=taken.is_key, timestamp=taken.timestamp, wall_us=taken.wall_us
        )
        for half in (0, 1):
            for time, frame in aac.push(tone(2 * index + half), taken.wall_us + half * 20_000):
                source.sound(frame, time)
    source.close()
    seconds = 0.0
    for segment in closed:
        with av.open(str(tmp_path / segment.file_name)) as container:
            frames = list(container.decode(container.streams.audio[0]))
            seconds += sum(frame.samples for frame in frames) / 48_000
            assert abs(float(frames[0].time or 0.0) - (segment.sequence - 1)) < 0.12
    assert 2.8 < seconds <= 3.05


def test_what_a_killed_recorder_left_is_cut_to_its_last_whole_fragment(tmp_path: Path) -> None:
    """kill -9 in the middle of a write loses less than the last second."""
    closed = record(tmp_path, "H264", 25 * 4)
    whole = (tmp_path / closed[0].file_name).read_bytes()
    source = SegmentedSource(tmp_path, "leg:two", ZERO_US, closed.append, segment_s=60.0)
    source.set_stream("", "H264")
    for taken in pictures("H264", 80):
        source.picture(
            taken.data, is_key=taken.is_key, timestamp=taken.timestamp, wall_us=taken.wall_us
        )
    source.abandon()
    (part,) = files.parts(tmp_path)
    part.write_bytes(part.read_bytes() + whole[:777])  # torn
    kept = files.salvage(part, ZERO_US // 1000)
    assert kept is not None
    assert kept.source == "leg:two"
    assert kept.duration_ms >= 2900
    assert decoded(tmp_path / kept.file_name)[0] >= 75
    data = (tmp_path / kept.file_name).read_bytes()
    assert hashlib.sha256(data).hexdigest() == kept.sha256


def test_a_file_cut_anywhere_raises_only_a_remote_error(tmp_path: Path) -> None:
    """A torn file is the disk's word, not ours: nothing but RemoteMediaError may come of it."""
    data = (tmp_path / record(tmp_path, "H264", 30)[0].file_name).read_bytes()
    for size in [*range(0, 1400, 7), *range(1400, len(data), 997)]:
        try:
            found = boxes.span(data[:size])
        except RemoteMediaError:
            continue
        assert found.whole_bytes <= size


def test_nothing_is_kept_of_a_part_without_a_fragment(tmp_path: Path) -> None:
    """A recorder killed in its first second leaves no file that does not play."""
    part = tmp_path / "programme-000001.mp4.part"
    part.write_bytes(b"\0\0\0\x10ftypiso6\0\0\0\0")
    assert files.salvage(part, 0) is None
    assert not list(tmp_path.iterdir())


def test_a_key_frame_is_asked_for_when_the_segment_is_due(tmp_path: Path) -> None:
    """Segments stay short although encoders make few key frames: one is asked for each second."""
    source = SegmentedSource(tmp_path, "leg:x", ZERO_US, lambda _: None, segment_s=2.0)
    source.set_stream("", "H264")
    asked = [
        source.picture(t.data, is_key=t.is_key, timestamp=t.timestamp, wall_us=t.wall_us)
        for t in pictures("H264", 100, key_every=1000)
    ]
    assert [index for index, wish in enumerate(asked) if wish] == [50, 75]
    source.close()


@pytest.mark.parametrize("codec", ["H264", "VP8", "H263", "H261"])
def test_a_pictures_size_is_read_from_its_head(codec: str) -> None:
    """The container's size comes from the stream itself, whoever encoded it."""
    size = (1280, 720) if codec == "H264" else SIZES[codec]
    first = next(pictures(codec, 1, size=size))
    assert size_of(codec, first.data) == size
    for cut in range(len(first.data[:60])):
        try:
            size_of(codec, first.data[:cut])
        except RemoteMediaError:
            continue
