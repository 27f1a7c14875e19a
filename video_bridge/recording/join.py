"""`python -m video_bridge.recording.join OUT`: segments named on stdin, one a line, to one file.

MP4 is remuxed by PyAV (index first, times from zero); Matroska segments are put behind each other,
for each is a head and clusters with absolute times.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av

CLUSTER = b"\x1f\x43\xb6\x75"
PART = ".part"


def join_mp4(out: Path, segments: Sequence[Path]) -> None:
    with av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as target:
        streams: dict[str, Any] = {}
        last: dict[str, int] = {}
        zero_s: float | None = None
        for path in segments:
            with av.open(str(path)) as source:
                for stream in source.streams:
                    if stream.type not in streams:
                        streams[stream.type] = target.add_stream_from_template(stream)
                for packet in source.demux():
                    if packet.pts is None or packet.dts is None or packet.time_base is None:
                        continue
                    kind = packet.stream.type
                    if kind not in streams:
                        continue
                    at = float(packet.dts * packet.time_base)
                    zero_s = at if zero_s is None else zero_s
                    shift = round(zero_s / float(packet.time_base))
                    packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                    if packet.dts < 0 or packet.dts <= last.get(kind, -1):
                        continue
                    last[kind] = packet.dts
                    packet.stream = streams[kind]
                    target.mux(packet)


def join_matroska(out: Path, segments: Sequence[Path]) -> None:
    with out.open("wb") as target:
        for index, path in enumerate(segments):
            data = path.read_bytes()
            start = 0 if index == 0 else data.find(CLUSTER)
            if start >= 0:
                target.write(data[start:])


def main() -> int:
    out = Path(sys.argv[1])
    part = out.with_name(out.name + PART)
    segments = [Path(line) for line in sys.stdin.read().splitlines() if line]
    os.nice(10)
    join = join_mp4 if out.suffix == ".mp4" else join_matroska
    try:
        join(part, segments)
        part.rename(out)
    finally:
        part.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
