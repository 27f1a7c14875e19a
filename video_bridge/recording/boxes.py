"""Fragmented MP4 as bytes: a head that opens it, then fragments that can each be decoded.

ISO/IEC 14496-12 (boxes), 14496-15 (avcC), 14496-14 (esds). Times of a fragment are absolute on
the track's clock, so that files written one after the other join without an edit.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..errors import RemoteMediaError
from ..payload import h264

VIDEO_CLOCK = 90_000
AUDIO_CLOCK = 48_000
VIDEO_TRACK, AUDIO_TRACK = 1, 2
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_IS_SYNC, _IS_NOT_SYNC = 0x02000000, 0x01010000  # 8.8.3.1: depends on no other / on others
_TRUN_FLAGS = 0x000701  # data offset; duration, size and flags of each sample


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture (length-prefixed NAL units) or one AAC frame; duration on its track's clock."""

    data: bytes
    duration: int
    is_key: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """Samples of one track that follow each other; `start` on the track's clock."""

    track: int
    start: int
    samples: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class Span:
    """What a file holds of its first track: first time, end, and bytes up to the last whole
    fragment."""

    start: int
    end: int
    whole_bytes: int
    head_bytes: int


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)


def length_prefixed(access_unit: bytes) -> bytes:
    """Annex B to the form of files (14496-15, 5.3.3): each NAL unit after its four-byte length."""
    units = h264.split_annexb(access_unit)
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units)


def parameter_sets(access_unit: bytes) -> tuple[bytes, bytes] | None:
    """The first SPS and PPS of an access unit; None when it lacks one."""
    sps = pps = None
    for unit in h264.split_annexb(access_unit):
        kind = unit[0] & 0x1F
        if kind == h264.NAL_SPS and sps is None:
            sps = unit
        elif kind == h264.NAL_PPS and pps is None:
            pps = unit
    return None if sps is None or pps is None or len(sps) < 4 else (sps, pps)


def head(sps: bytes, pps: bytes, size: tuple[int, int], *, aac_config: bytes | None) -> bytes:
    """ftyp and moov of a file with one H.264 track and, with `aac_config`, one of AAC."""
    tracks = [_video_track(sps, pps, size)]
    extends = [_extends(VIDEO_TRACK)]
    if aac_config is not None:
        tracks.append(_audio_track(aac_config))
        extends.append(_extends(AUDIO_TRACK))
    movie = _full(
        b"mvhd", 0, 0,
        struct.pack(">IIIIIH10x", 0, 0, 1000, 0, 0x10000, 0x0100),
        _MATRIX, bytes(24), struct.pack(">I", 3),
    )  # fmt: skip
    kinds = _box(b"ftyp", b"iso6", struct.pack(">I", 0x200), b"iso6cmfcmp41")
    return kinds + _box(b"moov", movie, *tracks, _box(b"mvex", *extends))


def _extends(track: int) -> bytes:
    return _full(b"trex", 0, 0, struct.pack(">IIIII", track, 1, 0, 0, 0))


def _track(track: int, clock: int, shape: tuple[int, int], volume: int, media: bytes) -> bytes:
    header = _full(
        b"tkhd", 0, 3,
        struct.pack(">IIIII8xHHHH", 0, 0, track, 0, 0, 0, 0, volume, 0),
        _MATRIX, struct.pack(">II", shape[0] << 16, shape[1] << 16),
    )  # fmt: skip
    times = _full(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, clock, 0, 0x55C4, 0))
    return _box(b"trak", header, _box(b"mdia", times, media))


def _media(handler: bytes, header: bytes, entry: bytes) -> bytes:
    """Handler, header and an empty sample table with one description."""
    reference = _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1)))
    table = _box(
        b"stbl",
        _full(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        _full(b"stts", 0, 0, bytes(4)),
        _full(b"stsc", 0, 0, bytes(4)),
        _full(b"stsz", 0, 0, bytes(8)),
        _full(b"stco", 0, 0, bytes(4)),
    )
    words = _full(b"hdlr", 0, 0, bytes(4), handler, bytes(12), b"\0")
    return words + _box(b"minf", header, reference, table)


def _video_track(sps: bytes, pps: bytes, size: tuple[int, int]) -> bytes:
    config = _box(
        b"avcC",
        bytes([1, sps[1], sps[2], sps[3], 0xFF, 0xE1]),
        struct.pack(">H", len(sps)) + sps,
        b"\x01" + struct.pack(">H", len(pps)) + pps,
    )
    entry = _box(
        b"avc1",
        struct.pack(">6xH16xHHIIIH32xHh", 1, *size, 0x480000, 0x480000, 0, 1, 24, -1),
        config,
    )
    header = _full(b"vmhd", 0, 1, bytes(8))
    return _track(VIDEO_TRACK, VIDEO_CLOCK, size, 0, _media(b"vide", header, entry))


def _audio_track(aac_config: bytes) -> bytes:
    specific = b"\x05" + bytes([len(aac_config)]) + aac_config
    decoder = struct.pack(">BB3xII", 0x40, 0x15, 96_000, 64_000) + specific
    decoder = b"\x04" + bytes([len(decoder)]) + decoder
    elementary = struct.pack(">HB", AUDIO_TRACK, 0) + decoder + b"\x06\x01\x02"
    descriptor = _full(b"esds", 0, 0, b"\x03" + bytes([len(elementary)]) + elementary)
    entry = _box(b"mp4a", struct.pack(">6xH8xHH4xI", 1, 1, 16, AUDIO_CLOCK << 16), descriptor)
    header = _full(b"smhd", 0, 0, bytes(4))
    return _track(AUDIO_TRACK, AUDIO_CLOCK, (0, 0), 0x0100, _media(b"soun", header, entry))


def fragment(number: int, runs: Sequence[Run]) -> bytes:
    """One moof and its mdat; runs without samples are left out."""
    runs = [run for run in runs if run.samples]
    size = len(_moof(number, runs, 0))
    payload = b"".join(sample.data for run in runs for sample in run.samples)
    return _moof(number, runs, size + 8) + _box(b"mdat", payload)


def _moof(number: int, runs: Sequence[Run], offset: int) -> bytes:
    parts = [_full(b"mfhd", 0, 0, struct.pack(">I", number))]
    for run in runs:
        rows = b"".join(
            struct.pack(">III", s.duration, len(s.data), _IS_SYNC if s.is_key else _IS_NOT_SYNC)
            for s in run.samples
        )
        parts.append(
            _box(
                b"traf",
                _full(b"tfhd", 0, 0x020000, struct.pack(">I", run.track)),
                _full(b"tfdt", 1, 0, struct.pack(">Q", run.start)),
                _full(b"trun", 0, _TRUN_FLAGS, struct.pack(">Ii", len(run.samples), offset), rows),
            )
        )
        offset += sum(len(sample.data) for sample in run.samples)
    return _box(b"moof", *parts)


# --- reading back what was written ---------------------------------------------------------------


def span(data: bytes) -> Span:
    """What `data` holds of its first track, up to the last whole fragment.

    For a file whose writer was killed. Raises RemoteMediaError `recording_malformed` when it holds
    no whole fragment.
    """
    start: int | None = None
    end = whole = head_bytes = 0
    pending: tuple[int, int] | None = None
    for kind, at, size in _boxes(data, 0, len(data)):
        if kind == b"moof":
            head_bytes = head_bytes or at
            pending = _first_run(data, at + 8, at + size)
        elif kind == b"mdat" and pending is not None:
            start = pending[0] if start is None else start
            end, whole = pending[1], at + size
            pending = None
    if start is None:
        raise RemoteMediaError("recording_malformed", size=len(data))
    return Span(start, end, whole, head_bytes)


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, offset and size of each whole box."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > end:
            return
        yield kind, at, size
        at += size


def _first_run(data: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Start and end of the first track's run in a moof."""
    for kind, box, size in _boxes(data, at, end):
        if kind != b"traf":
            continue
        inner = {k: (o, s) for k, o, s in _boxes(data, box + 8, box + size)}
        if b"tfdt" not in inner or b"trun" not in inner:
            return None
        (start,) = struct.unpack_from(">Q", data, inner[b"tfdt"][0] + 12)
        run, run_size = inner[b"trun"]
        (count,) = struct.unpack_from(">I", data, run + 12)
        if run_size < 20 + 12 * count:
            return None
        durations = (struct.unpack_from(">I", data, run + 20 + 12 * i)[0] for i in range(count))
        return start, start + sum(durations)
    return None
