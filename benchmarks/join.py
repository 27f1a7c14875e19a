"""Join: how long from a click or an INVITE until somebody is in.

Phones and screens join the whole product, started as a user starts it, by WHIP and WHEP (RFC 9725)
with aiortc as client: from the POST to the first frame that the node, or the client, has decoded.
Rooms call a gateway with a media node behind it: from INVITE to 200 and from SETUP to CONNECT.
One after another, each gone before the next comes; everything inside a network namespace.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sip_gateway import Gateway, GatewaySettings
from sip_gateway.settings import GuardSettings

from .join_clients import H323Caller, SipCaller, WebJoins
from .machine import usage
from .media_node import MediaNode, percentile
from .network import enter, is_inside
from .sip_parts import ADDRESS, Book

JOINS = 20
CONFERENCE = "conf"  # the one that Book admits to
SECONDS_A_JOIN = 1.5  # with what surrounds it: `--seconds` chooses their number


def run(arguments: argparse.Namespace) -> dict[str, object]:
    if not is_inside():
        words = ["join", "--json"]
        if arguments.seconds:
            words += ["--seconds", str(arguments.seconds)]
        done = enter(words)
        if done.returncode:
            raise SystemExit(done.returncode)
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return {k: v for k, v in found.items() if k not in ("benchmark", "machine")}
    for command in (["link", "set", "lo", "up"], ["addr", "add", f"{ADDRESS}/32", "dev", "lo"]):
        subprocess.run(["ip", *command], check=True)
    joins = max(3, round((arguments.seconds or JOINS * 4 * SECONDS_A_JOIN) / 4 / SECONDS_A_JOIN))
    before = usage()
    notes: list[str] = []
    result = {**asyncio.run(_rooms(joins, notes)), **_web(joins, notes)}
    wait_pct = (usage() - before).wait_pct
    if wait_pct >= 5:
        notes.append("the machine was busy: this process waited for a processor")
    return {"joins": joins, **result, "cpu_wait_pct": round(wait_pct, 1), "notes": notes}


def _figures(name: str, times: list[float | None], notes: list[str]) -> dict[str, object]:
    """Median and p95 in milliseconds; a join that failed counts as never."""
    good = [1000 * found for found in times if found is not None]
    failed = len(times) - len(good)
    if failed:
        notes.append(f"{name}: {failed} of {len(times)} never came")
    middle, most = percentile(good, 0.5), percentile(good, 0.95)
    return {
        f"{name}_p50_ms": None if middle is None else round(middle, 1),
        f"{name}_p95_ms": None if most is None or failed > len(times) // 20 else round(most, 1),
    }


# --- rooms ------------------------------------------------------------------------------------


async def _rooms(joins: int, notes: list[str]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        async with MediaNode("入会 join", CONFERENCE) as node:
            settings = GatewaySettings(
                listen_host="0.0.0.0",  # noqa: S104 - inside the namespace
                udp_port=5060,
                tcp_port=None,
                tls_port=None,
                bfcp_port=None,
                h323_port=1720,
                guard=GuardSettings(exempt_sources=("10.77.0.0/24", "127.0.0.0/8")),
            )
            gateway = Gateway(settings, Book(), node.path, Path(name, "gateway.sock"))
            await gateway.start()
            try:
                sip = await _each("sip", joins, SipCaller(ADDRESS, 5060).join)
                h323 = await _each("h323", joins, H323Caller(1720).join)
            finally:
                await gateway.stop()
    return {
        **_figures("sip_answer", sip, notes),
        **_figures("h323_connect", h323, notes),
    }


async def _each(name: str, joins: int, join: Callable[[], Awaitable[float]]) -> list[float | None]:
    found: list[float | None] = []
    for number in range(joins + 1):
        print(f"join: {name} {number}", file=sys.stderr, flush=True)
        try:
            took: float | None = await asyncio.wait_for(join(), 20)
        except (TimeoutError, ConnectionError):
            took = None
        if number:  # the first one opens files and loads modules
            found.append(took)
    return found


# --- phones and screens -----------------------------------------------------------------------


def _web(joins: int, notes: list[str]) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        started = time.monotonic()
        web = WebJoins(Path(name))
        print(f"join: product up after {time.monotonic() - started:.1f} s", file=sys.stderr)
        try:
            whip, whep = asyncio.run(_web_joins(web, joins))
        finally:
            web.close()
    return {
        **_figures("whip_first_frame", whip, notes),
        **_figures("whep_first_frame", whep, notes),
    }


async def _web_joins(web: WebJoins, joins: int) -> tuple[list[float | None], list[float | None]]:
    await web.start()
    try:
        return await _each("whip", joins, web.whip), await _each("whep", joins, web.whep)
    finally:
        await web.stop()
