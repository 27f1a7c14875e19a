"""Latency: from a source frame's last packet to the programme frame that first shows it.

Four halls send numbered pictures at 25.1 frames a second, so that their phase drifts over the
programme's; one of them flashes and beeps at the same instant. A watcher reads the numbers out of
the programme it is sent. Times are the kernel's, of packets.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import cast

from video_bridge import messages as m

from .media_node import MediaNode, percentile
from .network import FAR, FarSide, enter, is_inside

SECONDS = 20.0
SETTLE_S = 4.0
VISIBLE = 4
TRIES = 3
MAX_WAIT_PCT = 5.0


def run(arguments: argparse.Namespace) -> dict[str, object]:
    if not is_inside():
        words = ["latency", "--json"]
        if arguments.seconds:
            words += ["--seconds", str(arguments.seconds)]
        done = enter(words)
        if done.returncode:
            raise SystemExit(done.returncode)
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return {k: v for k, v in found.items() if k not in ("benchmark", "machine")}
    tries = []
    for number in range(TRIES):
        print(f"latency: try {number + 1}", file=sys.stderr, flush=True)
        tries.append(asyncio.run(_measure(arguments.seconds or SECONDS)))
        if cast(float, tries[-1]["cpu_wait_pct"]) < MAX_WAIT_PCT:
            return {**tries[-1], "notes": []}
    best = min(tries, key=lambda found: cast(float, found["added_p95_ms"] or 1e9))
    return {**best, "notes": [f"best of {TRIES}, the machine was busy"]}


async def _measure(seconds: float) -> dict[str, object]:
    far = FarSide("latency_sites")
    try:
        async with MediaNode("延迟 latency") as node:
            ports = cast(
                list[list[int]],
                (await _ask(far, do="open", sites=VISIBLE + 1))["ports"],
            )
            theirs = []
            for index, (video, audio) in enumerate(ports):
                added = await node.add_leg(f"第{index + 1}会场", FAR, publish=index < VISIBLE)
                streams = _streams(video, audio, sends=index < VISIBLE)
                await node.client.send(m.LegAnswer(leg_id=added.leg_id, streams=streams))
                theirs.append([added.video_port, added.audio_port])
            await _ask(far, do="start", ports=theirs)
            await asyncio.sleep(SETTLE_S)
            before = node.usage()
            got = await _ask(far, do="measure", seconds=seconds)
            used = node.usage() - before
    finally:
        far.close()
    added_ms = cast(list[float], got["added_ms"])
    offsets = [abs(offset) for offset in cast(list[float], got["offset_ms"])]
    return {
        "seconds": seconds,
        "visible": VISIBLE,
        "frames": len(added_ms),
        "added_p50_ms": _rounded(percentile(added_ms, 0.5)),
        "added_p95_ms": _rounded(percentile(added_ms, 0.95)),
        "added_max_ms": _rounded(max(added_ms, default=None)),
        "flashes": len(offsets),
        "av_offset_p50_ms": _rounded(percentile(cast(list[float], got["offset_ms"]), 0.5)),
        "av_offset_p95_ms": _rounded(percentile(offsets, 0.95)),
        "sent_frames": got["sent"],
        "cpu_wait_pct": round(used.wait_pct, 1),
        "far_wait_pct": got["wait_pct"],
    }


async def _ask(far: FarSide, **words: object) -> dict[str, object]:
    return await asyncio.to_thread(lambda: far.ask(**words))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _streams(video: int, audio: int, *, sends: bool) -> list[m.RtpStream]:
    return [
        m.RtpStream(
            media="video", codec="H264", payload_type=96, clock_rate=90_000, remote_host=FAR,
            remote_port=video, remote_rtcp_port=video, profile_level_id="42e01f",
            rtcp_feedback=["nack pli"], receive=sends, send=not sends,
        ),
        m.RtpStream(
            media="audio", codec="PCMA", payload_type=8, clock_rate=8000, remote_host=FAR,
            remote_port=audio, remote_rtcp_port=audio, receive=sends, send=not sends,
        ),
    ]  # fmt: skip
