"""Province: a media node with all of a province's halls in one consultation.

The node runs in its own process as it does in the product; sites are RTP legs at the far end of a
veth pair, each sending picture and sound and getting the programme: every other one by SRTP, every
twelfth an old room with H.263. CPU is that of the node and its children. A late tick ended more
than 40 ms after its time, as the node counts them; ticks whose threads waited over 5 ms for a
processor are counted apart. `late_frames_pct` is what some of the sites saw themselves.
Of several runs the dearest is told, and all are listed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import sys
import time
from typing import cast

from video_bridge import messages as m
from video_bridge.datapath import SrtpProfile

from .media_node import MediaNode
from .network import FAR, FarSide, enter, is_inside

SITES = 144
SECONDS = 60.0
CURVE_SECONDS = 8.0
SETTLE_S = 6.0
TRIES = 3
MAX_WAIT_PCT = 5.0
VISIBLE = {"9x720p": (9, "720p"), "25x360p": (25, "360p"), "9x360p": (9, "360p")}
HIDDEN = "360p"
OLD_EVERY, OLD_FROM = 12, 30  # no visible site among them
SRTP_PROFILE = SrtpProfile.AES_CM_128_HMAC_SHA1_80  # of every other site, by SDES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sites", type=int, default=SITES)
    parser.add_argument("--visible", default="9x720p", choices=sorted(VISIBLE))
    parser.add_argument(
        "--curve",
        default="10,50,144,500,1754",
        help="receivers for the curve, by comma; empty for none",
    )
    parser.add_argument("--runs", type=int, default=1, help="how often the whole is measured")


def run(arguments: argparse.Namespace) -> dict[str, object]:
    if not is_inside():
        return _run_inside(arguments)
    seconds = arguments.seconds or SECONDS
    notes: list[str] = []
    runs = [_best(arguments, seconds, notes) for _ in range(max(1, arguments.runs))]
    measured = max(runs, key=lambda found: cast(float, found["cpu_cores"]))
    curve = [_point(measured)]
    counts = [int(text) for text in arguments.curve.split(",") if text]
    for receivers in counts:
        if receivers != arguments.sites:
            found = _measured(
                min(receivers, arguments.sites), receivers, arguments.visible,
                min(seconds, CURVE_SECONDS),
            )  # fmt: skip
            curve.append(_point(found))
    curve.sort(key=lambda point: cast(int, point["receivers"]))
    return {
        "visible": arguments.visible,
        "seconds": seconds,
        **measured,
        "runs": [_point(found) for found in runs] if len(runs) > 1 else [],
        "curve": curve,
        "notes": sorted(set(notes)),
    }


def _point(measured: dict[str, object]) -> dict[str, object]:
    names = ("receivers", "cpu_cores", "late_ticks_pct", "starved_ticks_pct", "fps", "cpu_wait_pct")
    return {name: measured[name] for name in names}


def _best(arguments: argparse.Namespace, seconds: float, notes: list[str]) -> dict[str, object]:
    """One try on a quiet machine, else the one whose threads waited least of three."""
    tries: list[dict[str, object]] = []
    for _ in range(TRIES):
        tries.append(_measured(arguments.sites, arguments.sites, arguments.visible, seconds))
        if cast(float, tries[-1]["cpu_wait_pct"]) < MAX_WAIT_PCT:
            return tries[-1]
    notes.append(f"best of {TRIES}, the machine was busy")
    return min(tries, key=lambda found: cast(float, found["cpu_wait_pct"]))


def _run_inside(arguments: argparse.Namespace) -> dict[str, object]:
    words = ["province", "--json", "--sites", str(arguments.sites)]
    words += ["--visible", arguments.visible, "--curve", arguments.curve]
    words += ["--runs", str(arguments.runs)]
    if arguments.seconds:
        words += ["--seconds", str(arguments.seconds)]
    done = enter(words)
    if done.returncode:
        raise SystemExit(done.returncode)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    for added in ("benchmark", "machine"):
        result.pop(added)
    return result


def _measured(sites: int, receivers: int, visible: str, seconds: float) -> dict[str, object]:
    print(f"province: {sites} sites, {receivers} receivers", file=sys.stderr, flush=True)
    return asyncio.run(_measure(sites, receivers, visible, seconds))


async def _measure(sites: int, receivers: int, visible: str, seconds: float) -> dict[str, object]:
    panes, kind = VISIBLE[visible]
    codecs = ["H263" if _is_old(i, panes) else "H264" for i in range(receivers)]
    kinds: list[str | None] = [
        kind if i < panes else "cif" if _is_old(i, panes) else HIDDEN for i in range(sites)
    ]
    kinds += [None] * (receivers - sites)
    keys = [_keys() if i % 2 else None for i in range(receivers)]
    far = FarSide("province_sites")
    try:
        async with MediaNode("全省会商 benchmark") as node:
            opened = await _ask(far, do="open", kinds=kinds, codecs=codecs)
            ports = cast(list[list[int]], opened["ports"])
            theirs = await _add_legs(node, kinds, codecs, ports, keys, panes)
            await _ask(far, do="start", ports=theirs, keys=keys)
            await asyncio.sleep(SETTLE_S)
            ticks, before, began = await _ticks(node), node.usage(), time.monotonic()
            got = await _ask(far, do="measure", seconds=seconds)
            used, wall = node.usage() - before, time.monotonic() - began
            ticks = [now - then for now, then in zip(await _ticks(node), ticks, strict=True)]
            rss_mb = node.rss_mb()
            decoded = (await _ask(far, do="decode"))["decoded"]
            await _ask(far, do="stop")
    finally:
        far.close()
    packets = cast(int, got["video_packets"]) + cast(int, got["audio_packets"])
    late, expected = cast(int, got["late"]), cast(int, got["expected"])
    return {
        "sites": sites,
        "receivers": receivers,
        "fps": round(cast(float, got["fps"]), 2),
        "cpu_cores": round(used.run_s / wall, 3),
        "late_ticks_pct": round(100 * ticks[1] / max(1, ticks[0]), 2),
        "starved_ticks_pct": round(100 * ticks[2] / max(1, ticks[0]), 2),
        "late_frames_pct": round(100 * late / max(1, expected), 2),
        "decoded_sites": decoded,
        "rss_mb": rss_mb,
        "packets_out_per_s": round(packets / seconds),
        "cpu_wait_pct": round(used.wait_pct, 1),
        "far_cpu_cores": got["far_cores"],
    }


def _is_old(index: int, panes: int) -> bool:
    return index >= panes and index >= OLD_FROM and index % OLD_EVERY == 0


async def _ticks(node: MediaNode) -> list[int]:
    """All, late and starved ticks so far."""
    (told,) = (await node.client.stats(node.conference_id)).conferences
    return [told.ticks, told.late_ticks, told.starved_ticks]


async def _ask(far: FarSide, **words: object) -> dict[str, object]:
    return await asyncio.to_thread(lambda: far.ask(**words))


def _keys() -> list[str]:
    """Key and salt of: site's video, node's video, site's audio, node's audio."""
    size = SRTP_PROFILE.key_size + SRTP_PROFILE.salt_size
    return [os.urandom(size).hex() for _ in range(4)]


async def _add_legs(  # noqa: PLR0917 - one list for each thing that differs by site
    node: MediaNode,
    kinds: list[str | None],
    codecs: list[str],
    ports: list[list[int]],
    keys: list[list[str] | None],
    panes: int,
) -> list[list[int]]:
    """Put every site into the conference; the node's video and audio ports of each."""
    legs, theirs = [], []
    for index, (kind, (video, audio)) in enumerate(zip(kinds, ports, strict=True)):
        added = await node.add_leg(f"第{index + 1}会场", FAR, publish=kind is not None)
        legs.append(added.leg_id)
        theirs.append([cast(int, added.video_port), cast(int, added.audio_port)])
        streams = _streams(kind is not None, codecs[index], video, audio, keys[index])
        await node.client.send(m.LegAnswer(leg_id=added.leg_id, streams=streams))
    seats = [*legs[:panes], *[None] * panes][:panes]
    await node.client.send(m.LayoutSet(conference_id=node.conference_id, panes=panes, seats=seats))
    return theirs


def _srtp(keys: list[str] | None, first: int) -> m.SrtpKeys | None:
    if keys is None:
        return None
    theirs, ours = (base64.b64encode(bytes.fromhex(k)).decode() for k in keys[first : first + 2])
    return m.SrtpKeys(suite=SRTP_PROFILE.suite, send=ours, receive=theirs)


def _streams(
    sends: bool, codec: str, video: int, audio: int, keys: list[str] | None
) -> list[m.RtpStream]:
    """H.264 or H.263, and G.711; RTCP on the same port."""
    is_old = codec == "H263"
    return [
        m.RtpStream(
            media="video", codec="H263" if is_old else "H264", payload_type=34 if is_old else 96,
            clock_rate=90_000, remote_host=FAR, remote_port=video, remote_rtcp_port=video,
            profile_level_id=None if is_old else "42e01f", rtcp_feedback=["nack pli"],
            receive=sends, srtp=_srtp(keys, 0),
        ),
        m.RtpStream(
            media="audio", codec="PCMA", payload_type=8, clock_rate=8000, remote_host=FAR,
            remote_port=audio, remote_rtcp_port=audio, receive=sends, srtp=_srtp(keys, 2),
        ),
    ]  # fmt: skip
