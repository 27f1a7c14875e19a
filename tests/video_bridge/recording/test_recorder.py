"""The recorder: its disk may fill, its node may die, its process may be killed."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.harness.processes import PATIENCE_S
from video_bridge.recording import files, wire
from video_bridge.recording.link import RecorderLink
from video_bridge.recording.live import PLAYLIST, Delayed, HlsOut
from video_bridge.recording.playlist import PlaylistEntry, hls_playlist
from video_bridge.recording.recorder import Recorder
from video_bridge.recording.times import MediaTime
from video_bridge.recording.wire import Json, Kind, Parcel

from .pictures import ZERO_US, Taken, pictures, tone

SAID = {"source": "programme", "name": "会商", "codec": "H264"}


def parcels(taken: Taken, index: int, stream: int = 1) -> list[Parcel]:
    sound = [
        Parcel(
            Kind.SOUND, False, stream, taken.wall_us + half * 20_000, 0,
            tone(2 * index + half).astype("<i2").tobytes(),
        )
        for half in (0, 1)
    ]  # fmt: skip
    picture = Parcel(Kind.PICTURE, taken.is_key, stream, taken.wall_us, taken.timestamp, taken.data)
    return [picture, *sound]


def announce(said: Json, stream: int = 1) -> Parcel:
    (parcel,) = wire.Unpacker().feed(wire.pack_json(Kind.STREAM, said, stream))
    return parcel


def events(words: list[Json]) -> list[str]:
    return [str(w.get("code", w["event"])) for w in words if w["event"] != "key"]


def test_a_full_disk_is_told_and_writing_goes_on_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F16: alarm, silence, then on again with the next number; what was closed stays."""
    words: list[Json] = []
    recorder = Recorder(tmp_path, words.append, ZERO_US, minimum_free_bytes=0, segment_s=1.0)
    recorder.take(announce(SAID))
    write, full = os.write, [False]

    def failing(fd: int, data: memoryview) -> int:
        if full[0]:
            raise OSError(errno.ENOSPC, "no space")
        return write(fd, data)

    monkeypatch.setattr(os, "write", failing)
    space = SimpleNamespace(f_bavail=10**6, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda _: space)
    for index, taken in enumerate(pictures("H264", 200)):
        full[0] = 60 <= index < 120
        space.f_bavail = 0 if full[0] else 10**6
        for parcel in parcels(taken, index):
            recorder.take(parcel)
        recorder.tick(taken.wall_us)
    recorder.close()
    told = events(words)
    assert told.count("disk_full") == 1
    assert (
        told.index("writing")
        < told.index("disk_full")
        < len(told) - 1 - told[::-1].index("writing")
    )
    assert "segment" in told[told.index("disk_full") :]
    closed = list(files.manifest(tmp_path))
    assert len({s.sequence for s in closed}) == len(closed)
    assert all((tmp_path / s.file_name).stat().st_size == s.size_bytes for s in closed)


def test_less_than_the_minimum_counts_as_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is left room for the database: recording stops before it is full."""
    words: list[Json] = []
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=100, f_frsize=4096))
    Recorder(tmp_path, words.append, ZERO_US, minimum_free_bytes=1 << 20)
    assert events(words) == ["disk_full"]


def test_numbers_and_zero_go_on_in_a_folder_that_was_begun(tmp_path: Path) -> None:
    """After a restart of node or recorder the recording is one: no file is written over."""
    for start in (0, 10_000_000):
        recorder = Recorder(
            tmp_path, lambda _: None, ZERO_US + start, minimum_free_bytes=0, segment_s=1.0
        )
        recorder.take(announce(SAID))
        for index, taken in enumerate(pictures("H264", 30)):
            later = Taken(taken.data, taken.is_key, taken.timestamp, taken.wall_us + start)
            for parcel in parcels(later, index):
                recorder.take(parcel)
        recorder.close()
    closed = list(files.manifest(tmp_path))
    assert [s.sequence for s in closed] == [1, 2, 3, 4]
    assert closed[2].started_at_ms - closed[0].started_at_ms == 10_000


def test_hls_lists_the_newest_segments_and_forgets_the_old(tmp_path: Path) -> None:
    """A live output of hours takes no more disk than one of a minute."""
    out = HlsOut(tmp_path, lambda _: None, ZERO_US, minimum_free_bytes=0)
    out.take(announce(SAID))
    for index, taken in enumerate(pictures("H264", 25 * 32)):
        for parcel in parcels(taken, index):
            out.take(parcel)
    text = (tmp_path / PLAYLIST).read_text()
    assert text.count("#EXTINF") == 6
    assert "#EXT-X-MEDIA-SEQUENCE:10\n" in text
    assert len(list(tmp_path.glob("*.mp4"))) == 12
    out.close()
    assert (tmp_path / PLAYLIST).read_text().endswith("#EXT-X-ENDLIST\n")


def test_a_hole_in_a_recording_is_a_discontinuity() -> None:
    """A player must not wait for what was never written (RFC 8216, 4.3.2.3)."""
    entries = [
        PlaylistEntry("a.mp4", 10, 100, 0, 6000),
        PlaylistEntry("b.mp4", 10, 100, 6000, 6000),
        PlaylistEntry("c.mp4", 10, 100, 15_000, 6500),
    ]
    text = hls_playlist(entries, first_number=1, is_ended=True)
    assert text.count("#EXT-X-DISCONTINUITY") == 1
    assert "#EXT-X-TARGETDURATION:7" in text
    assert "#EXT-X-BYTERANGE:90@10\nc.mp4" in text
    assert text.endswith("#EXT-X-ENDLIST\n")


def test_times_follow_timestamps_over_their_wrap_and_the_clock_over_jumps() -> None:
    """RTP timestamps wrap after 13 hours and begin anywhere; senders restart them at will."""
    times = MediaTime(0)
    assert times.at(0xFFFFFF00, 1_000_000) == 90_000
    assert times.at(0xFFFFFF00 + 3600 & 0xFFFFFFFF, 1_060_000) == 93_600
    assert times.at(77, 2_000_000) == 180_000
    assert times.at(77, 2_000_000) > 180_000


def test_what_is_delayed_comes_later_and_in_order() -> None:
    """A censor's delay: pictures and sound wait, announcements do not."""
    taken: list[Parcel] = []
    delayed = Delayed(taken.append, 1_000_000)
    first = next(pictures("H264", 1))
    delayed.take(announce(SAID))
    for parcel in parcels(first, 0):
        delayed.take(parcel)
    delayed.tick(ZERO_US + 999_999)
    assert [p.kind for p in taken] == [Kind.STREAM]
    delayed.tick(ZERO_US + 1_020_000)
    assert [p.kind for p in taken] == [Kind.STREAM, Kind.PICTURE, Kind.SOUND, Kind.SOUND]


def test_parcels_come_whole_however_the_socket_cuts_them() -> None:
    """A stream socket keeps no boundaries."""
    data = wire.pack(Kind.PICTURE, b"abc", 7, 123, 0x1_0000_0005, True) + wire.pack(Kind.STOP)
    unpacker = wire.Unpacker()
    found = [parcel for byte in data for parcel in unpacker.feed(bytes([byte]))]
    assert found == [
        Parcel(Kind.PICTURE, True, 7, 123, 5, b"abc"),
        Parcel(Kind.STOP, False, 0, 0, 0, b""),
    ]


async def wait_for(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


def test_a_killed_recorder_is_started_again_and_its_part_is_kept(tmp_path: Path) -> None:
    """F16: told at once, less than the last second lost, and the new one goes on."""

    async def scenario() -> None:
        words: list[Json] = []
        config = {"mode": "record", "target": str(tmp_path), "minimum_free_bytes": 0}
        link = RecorderLink(config, words.append)
        link.announce(1, SAID)
        frames = list(pictures("H264", 50, key_every=25))

        async def feed() -> None:
            for number in itertools.count():
                taken, wall_us = frames[number % 50], time.time_ns() // 1000
                stamp = number * 3600
                link.send(wire.pack(Kind.PICTURE, taken.data, 1, wall_us, stamp, taken.is_key))
                await asyncio.sleep(0.04)

        feeding = asyncio.create_task(feed())
        await wait_for(lambda: any(p.stat().st_size > 1500 for p in files.parts(tmp_path)))
        os.kill(link.process_id or 0, signal.SIGKILL)
        await wait_for(lambda: "recorder_died" in events(words))
        await wait_for(lambda: events(words)[-1] == "writing" and "segment" in events(words))
        feeding.cancel()
        await link.stop()
        closed = list(files.manifest(tmp_path))
        assert [s.sequence for s in closed] == list(range(1, len(closed) + 1))
        assert len(closed) >= 2
        assert closed[0].duration_ms >= 900

    asyncio.run(scenario())
