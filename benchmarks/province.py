"""Province: a media node with all of a province's halls in one consultation.

The node runs in its own process as it does in the product; sites are RTP legs at the far end of a
veth pair, each sending picture and sound and getting the programme. CPU is that of the node and its
children. A late tick is a frame whose last packet came more than 40 ms after its time, or never.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import cast

import uuid6

from video_bridge import messages as m
from video_bridge.client import NodeClient
from video_bridge.datapath import SrtpProfile

from .machine import usage
from .network import FAR, NEAR, FarSide, enter, is_inside

SITES = 144
SECONDS = 20.0
SETTLE_S = 6.0
VISIBLE = {"9x720p": (9, "720p"), "4x720p": (4, "720p"), "9x360p": (9, "360p")}
HIDDEN = "360p"
PORTS = "20000-31999"
SRTP_PROFILE = SrtpProfile.AES_CM_128_HMAC_SHA1_80  # of every other site, by SDES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sites", type=int, default=SITES)
    parser.add_argument("--visible", default="9x720p", choices=sorted(VISIBLE))
    parser.add_argument(
        "--curve", default="10,50,144", help="receivers for the curve, by comma; empty for none"
    )


def run(arguments: argparse.Namespace) -> dict[str, object]:
    if not is_inside():
        return _run_inside(arguments)
    seconds = arguments.seconds or SECONDS
    counts = [int(text) for text in arguments.curve.split(",") if text]
    curve = []
    measured: dict[str, object] = {}
    for receivers in [*[c for c in counts if c != arguments.sites], arguments.sites]:
        sites = min(receivers, arguments.sites)
        print(f"province: {sites} sites, {receivers} receivers", file=sys.stderr, flush=True)
        measured = asyncio.run(_measure(sites, receivers, arguments.visible, seconds))
        curve.append({key: measured[key] for key in ("receivers", "cpu_cores", "late_ticks_pct")})
    curve.sort(key=lambda point: cast(int, point["receivers"]))
    measured.pop("receivers")
    return {
        "visible": arguments.visible,
        "seconds": seconds,
        **measured,
        "curve": curve,
        "starved_ticks_pct": None,
        "notes": ["starved_ticks_pct: the node does not tell its ticks' waits; see cpu_wait_pct"],
    }


def _run_inside(arguments: argparse.Namespace) -> dict[str, object]:
    words = ["province", "--json", "--sites", str(arguments.sites)]
    words += ["--visible", arguments.visible, "--curve", arguments.curve]
    if arguments.seconds:
        words += ["--seconds", str(arguments.seconds)]
    done = enter(words)
    if done.returncode:
        raise SystemExit(done.returncode)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    for added in ("benchmark", "machine"):
        result.pop(added)
    return result


async def _measure(sites: int, receivers: int, visible: str, seconds: float) -> dict[str, object]:
    panes, kind = VISIBLE[visible]
    kinds: list[str | None] = [kind if i < panes else HIDDEN for i in range(sites)]
    kinds += [None] * (receivers - sites)
    far = FarSide("province_sites")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "node.sock")
        node = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "video_bridge.node", "--socket", str(path), "--node-id",
            "bench", "--rtp-ports", PORTS, "--media-address", NEAR, "--log-level", "warning",
            stdin=subprocess.PIPE,
        )  # fmt: skip
        client = NodeClient(path, lambda event: None)
        try:
            await client.start()
            await client.wait_connected(20)
            ports = cast(list[list[int]], (await _ask(far, do="open", kinds=kinds))["ports"])
            keys = [_keys() if i % 2 else None for i in range(receivers)]
            nodes = await _add_legs(client, kinds, ports, keys, panes)
            await _ask(far, do="start", ports=nodes, keys=keys)
            await asyncio.sleep(SETTLE_S)
            before, began = _usage_of(node.pid), time.monotonic()
            got = await _ask(far, do="measure", seconds=seconds)
            used, wall = _usage_of(node.pid), time.monotonic() - began
            rss_kb = _status_kb(node.pid, "VmRSS")
            decoded = (await _ask(far, do="decode"))["decoded"]
            await _ask(far, do="stop")
        finally:
            await client.stop()
            node.terminate()
            await asyncio.wait_for(node.wait(), 20)
            far.close()
    run_s, wait_s = used[0] - before[0], used[1] - before[1]
    late, expected = cast(int, got["late"]), cast(int, got["expected"])
    return {
        "sites": sites,
        "receivers": receivers,
        "fps": round(cast(float, got["fps"]), 2),
        "cpu_cores": round(run_s / wall, 3),
        "late_ticks_pct": round(100 * late / max(1, expected), 2),
        "decoded_sites": decoded,
        "rss_mb": round(rss_kb / 1024),
        "packets_out_per_s": round(
            (cast(int, got["video_packets"]) + cast(int, got["audio_packets"])) / seconds
        ),
        "cpu_wait_pct": round(100 * wait_s / max(1e-9, run_s + wait_s), 1),
    }


async def _ask(far: FarSide, **words: object) -> dict[str, object]:
    return await asyncio.to_thread(lambda: far.ask(**words))


def _keys() -> list[str]:
    """Key and salt as hexadecimal: of the site's video, the node's, of the site's audio, ours."""
    return [os.urandom(SRTP_PROFILE.key_size + SRTP_PROFILE.salt_size).hex() for _ in range(4)]


async def _add_legs(
    client: NodeClient,
    kinds: list[str | None],
    ports: list[list[int]],
    keys: list[list[str] | None],
    panes: int,
) -> list[list[int]]:
    """Open the conference and put every site on it; the node's video and audio ports of each."""
    conference = str(uuid6.uuid7())
    await client.send(m.ConferenceOpen(conference_id=conference, title="全省会商 benchmark"))
    legs, nodes = [], []
    for index, (kind, (video, audio)) in enumerate(zip(kinds, ports, strict=True)):
        leg = str(uuid6.uuid7())
        legs.append(leg)
        added = await client.add_leg(
            m.LegAdd(
                conference_id=conference,
                leg_id=leg,
                kind=m.LegKind.RTP,
                name=f"第{index + 1}会场",
                publish=kind is not None,
                remote_host=FAR,
            )
        )
        nodes.append([cast(int, added.video_port), cast(int, added.audio_port)])
        streams = _streams(kind, video, audio, keys[index])
        await client.send(m.LegAnswer(leg_id=leg, streams=streams))
    seats = [*legs[:panes], *[None] * panes][:panes]
    await client.send(m.LayoutSet(conference_id=conference, panes=panes, seats=seats))
    return nodes


def _srtp(keys: list[str] | None, first: int) -> m.SrtpKeys | None:
    if keys is None:
        return None
    theirs, ours = (base64.b64encode(bytes.fromhex(k)).decode() for k in keys[first : first + 2])
    return m.SrtpKeys(suite=SRTP_PROFILE.suite, send=ours, receive=theirs)


def _streams(kind: str | None, video: int, audio: int, keys: list[str] | None) -> list[m.RtpStream]:
    """H.264 and G.711, RTCP on the same port."""
    common = {"remote_host": FAR, "receive": kind is not None}
    return [
        m.RtpStream(
            media="video", codec="H264", payload_type=96, clock_rate=90_000, remote_port=video,
            remote_rtcp_port=video, profile_level_id="42e01f", rtcp_feedback=["nack pli"],
            srtp=_srtp(keys, 0),
            **common,  # type: ignore[arg-type]
        ),
        m.RtpStream(
            media="audio", codec="PCMA", payload_type=8, clock_rate=8000, remote_port=audio,
            remote_rtcp_port=audio, srtp=_srtp(keys, 2),
            **common,  # type: ignore[arg-type]
        ),
    ]  # fmt: skip


def _usage_of(pid: int) -> tuple[float, float]:
    """Run and wait seconds of the node and its children (decoders of cameras)."""
    total = [usage(p) for p in (pid, *_children(pid)) if os.path.exists(f"/proc/{p}")]  # noqa: PTH110
    return sum(u.run_s for u in total), sum(u.wait_s for u in total)


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(p) for p in (task / "children").read_text(encoding="ascii").split()]
        except OSError:
            continue
    return found + list(itertools.chain.from_iterable(map(_children, found)))


def _status_kb(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    return 0
