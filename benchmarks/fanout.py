"""Fan-out: what it costs to send one rung's packets to many receivers, per delivered packet.

Ours, its Python twin, aiortc's own sender and Janus's streaming plugin send the same packets with
the same SRTP suite over the same veth pair, in turn. Receivers drain and count; the first one's
packets are opened, so that unreadable ones would show. CPU is user and system time of the sending
process alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import cast

from video_bridge.datapath import SrtpProfile

from . import fanout_janus
from .fanout_sender import FPS, PAYLOADS
from .network import Child, FarSide, enter, is_inside

RECEIVERS = 50
SECONDS = 6.0
PACKETS_PER_SECOND = FPS * len(PAYLOADS)
MAX_WAIT_PCT = 5.0
TRIES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--receivers", type=int, default=RECEIVERS)
    parser.add_argument(
        "--suite", default="AEAD_AES_128_GCM", choices=[p.suite for p in SrtpProfile]
    )
    parser.add_argument(
        "--rivals", default="ours,python_twin,aiortc,janus", help="which to run, by comma"
    )


def run(arguments: argparse.Namespace) -> dict[str, object]:
    if not is_inside():
        return _run_inside(arguments)
    seconds = arguments.seconds or SECONDS
    rivals = arguments.rivals.split(",")
    notes: list[str] = []
    figures: dict[str, dict[str, float] | None] = {}
    kinds = {"ours": "ours", "python_twin": "twin", "aiortc": "aiortc"}
    for name, kind in kinds.items():
        if name in rivals:
            figures[name] = _best(name, partial(_try, kind, arguments, seconds), notes)
    if "janus" in rivals:
        try:
            attempt = partial(fanout_janus.measure, arguments.receivers, arguments.suite, seconds)
            figures["janus"] = _best("janus", attempt, notes)
        except fanout_janus.UnavailableError as error:
            figures["janus"] = None
            notes.append(f"janus: {error}")
    return _object(arguments, seconds, figures, notes)


def _run_inside(arguments: argparse.Namespace) -> dict[str, object]:
    words = ["fanout", "--json", "--receivers", str(arguments.receivers)]
    words += ["--suite", arguments.suite, "--rivals", arguments.rivals]
    if arguments.seconds:
        words += ["--seconds", str(arguments.seconds)]
    done = enter(words)
    if done.returncode:
        raise SystemExit(done.returncode)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    for added in ("benchmark", "machine"):
        result.pop(added)
    return result


def _best(name: str, attempt: Callable[[], dict[str, float]], notes: list[str]) -> dict[str, float]:
    """One try on a quiet machine, else the best of three, and say so."""
    tries: list[dict[str, float]] = []
    for number in range(TRIES):
        _say(f"{name}, try {number + 1}")
        tries.append(attempt())
        if tries[-1]["cpu_wait_pct"] < MAX_WAIT_PCT:
            return tries[-1]
    notes.append(f"{name}: best of {TRIES}, the machine was busy")
    return min(tries, key=lambda figures: figures["us_per_packet"])


def _try(kind: str, arguments: argparse.Namespace, seconds: float) -> dict[str, float]:
    profile = SrtpProfile.from_suite(arguments.suite)
    keys = [
        (os.urandom(profile.key_size).hex(), os.urandom(profile.salt_size).hex())
        for _ in range(arguments.receivers)
    ]
    sink = FarSide("fanout_sink")
    sender = Child([sys.executable, "-m", "benchmarks.fanout_sender", kind])
    try:
        ports = sink.ask(do="open", count=arguments.receivers)["ports"]
        sink.ask(do="keys", suite=profile.suite, key=keys[0][0], salt=keys[0][1])
        sender.ask(do="open", suite=profile.suite, ports=ports, keys=keys)
        sender.ask(do="send", seconds=1.0)  # warm: ARP, caches, the loop
        before = cast(dict[str, int], sink.ask(do="count"))
        sent = cast(dict[str, float], sender.ask(do="send", seconds=seconds))
        after = cast(dict[str, int], sink.ask(do="count"))
    finally:
        sender.close()
        sink.close()
    delivered = after["received"] - before["received"]
    if after["refused"] or not after["verified"]:
        raise RuntimeError(f"{kind}: receivers could not open the packets: {after}")
    return {
        "us_per_packet": 1e6 * sent["cpu_s"] / max(1, delivered),
        "delivered_pct": 100.0 * delivered / max(1.0, sent["sent"]),
        "cpu_wait_pct": sent["cpu_wait_pct"],
        "is_c": float(str(sent["datapath"]) == "c"),
    }


def _object(
    arguments: argparse.Namespace,
    seconds: float,
    figures: dict[str, dict[str, float] | None],
    notes: list[str],
) -> dict[str, object]:
    def us(name: str) -> float | None:
        found = figures.get(name)
        return round(found["us_per_packet"], 2) if found else None

    ours = figures.get("ours") or {}
    for name in ("ours", "python_twin", "aiortc", "janus"):
        if name not in figures:
            notes.append(f"{name}: not asked for")
    result: dict[str, object] = {
        "receivers": arguments.receivers,
        "suite": arguments.suite,
        "seconds": seconds,
        "packets_per_second_each": PACKETS_PER_SECOND,
        "datapath": "c" if ours.get("is_c") else "python",
        "ours_us_per_packet": us("ours"),
        "python_twin_us_per_packet": us("python_twin"),
        "aiortc_us_per_packet": us("aiortc"),
        "janus_us_per_packet": us("janus"),
        "delivered_pct": round(ours["delivered_pct"], 2) if ours else None,
        "rivals_delivered_pct": {
            name: round(found["delivered_pct"], 2)
            for name, found in figures.items()
            if found and name != "ours"
        },
        "cpu_wait_pct": {
            name: round(found["cpu_wait_pct"], 1) for name, found in figures.items() if found
        },
    }
    if own := ours.get("us_per_packet"):
        result["receivers_per_core"] = round(1e6 / own / PACKETS_PER_SECOND)
        for name in ("aiortc", "janus"):
            if other := figures.get(name):
                result[f"{name}_ratio"] = round(other["us_per_packet"] / own, 2)
    result["notes"] = notes
    return result


def _say(text: str) -> None:
    print(f"fanout: {text}", file=sys.stderr, flush=True)
