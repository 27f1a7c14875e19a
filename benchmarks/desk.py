"""Desk: many consoles of the whole product, each with its live socket, before one incident.

First one console adds remarks to the timeline, one after another: from the request to the event at
every other console. Then all of them read what a console reads when it is opened, at once and again
and again. Memory is what the web process grew by while the consoles came. Inside a namespace.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import socketio

from tests.harness.product import Api, Product
from tests.scenarios import story

from .machine import usage
from .media_node import children, percentile
from .network import enter, is_inside

CONSOLES = 100
ACTS = 40
SECONDS = 15.0
HEARD_WITHIN_S = 20.0
BUSY_PCT = 5.0
MAX_REFUSALS = 50
AT_ONCE = 10  # consoles that come at the same time
TOLD = "timeline.added"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--consoles", type=int, default=CONSOLES)


def run(arguments: argparse.Namespace) -> dict[str, object]:
    if not is_inside():
        words = ["desk", "--json", "--consoles", str(arguments.consoles)]
        if arguments.seconds:
            words += ["--seconds", str(arguments.seconds)]
        done = enter(words)
        if done.returncode:
            raise SystemExit(done.returncode)
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return {k: v for k, v in found.items() if k not in ("benchmark", "machine")}
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as name:
        product = Product(Path(name, "product"))
        try:
            return _measured(product, arguments.consoles, arguments.seconds or SECONDS)
        finally:
            product.close()


def _measured(product: Product, consoles: int, seconds: float) -> dict[str, object]:
    api = product.api()
    incident = story.file_report(api)
    story.activate(api, incident)
    web = _web_process(product.peer.process.pid)
    before, spent = _memory_mb(web), usage()
    desk = Desk(product.base, _cookie(api), str(incident["id"]))
    found = asyncio.run(desk.measure(consoles, seconds, web))
    grown_mb = float(str(found.pop("web_mb"))) - before
    wait_pct = (usage() - spent).wait_pct
    notes = ["all consoles share one session: logging in is not measured"]
    if wait_pct >= BUSY_PCT:
        notes.append("the machine was busy: this process waited for a processor")
    return {
        "consoles": consoles,
        "seconds": seconds,
        **found,
        "mb_per_100_consoles": round(100 * grown_mb / consoles, 1),
        "cpu_wait_pct": round(wait_pct, 1),
        "notes": notes,
    }


class Desk:
    """Consoles over one session's cookie."""

    def __init__(self, base: str, cookie: str, incident_id: str) -> None:
        self._base = base
        self._headers = {"Cookie": cookie, "X-CSRF": "1"}
        self._incident = f"/api/v1/incidents/{incident_id}"
        self._ears: list[socketio.AsyncClient] = []
        self._refusals = 0
        self._missing = 0
        self._all_heard = asyncio.Event()
        self._heard_s: list[float] = []
        self._acted_at = 0.0

    async def measure(self, consoles: int, seconds: float, web: int) -> dict[str, object]:
        """Events first, then requests; what the web process took while all were there."""
        connector = aiohttp.TCPConnector(limit=consoles)
        try:
            async with aiohttp.ClientSession(
                self._base, headers=self._headers, connector=connector
            ) as http:
                for start in range(0, consoles, AT_ONCE):
                    count = min(AT_ONCE, consoles - start)
                    await asyncio.gather(*(self._connect() for _ in range(count)))
                _say(f"{consoles} consoles are there")
                web_mb = _memory_mb(web)
                lost = await self._act(http, consoles)
                _say("all read at once")
                took, refused = await self._read(http, consoles, seconds)
        finally:
            await asyncio.gather(*(ear.disconnect() for ear in self._ears))
        return {
            "connect_refusals": self._refusals,
            "acts": ACTS,
            "events_expected": ACTS * consoles,
            "events_lost": lost,
            "event_p50_ms": _ms(self._heard_s, 0.5),
            "event_p95_ms": _ms(self._heard_s, 0.95),
            "requests": len(took),
            "requests_failed": refused,
            "rps": round(len(took) / seconds, 1),
            "api_p50_ms": _ms(took, 0.5),
            "api_p95_ms": _ms(took, 0.95),
            "web_mb": web_mb,
        }

    async def _connect(self) -> None:
        """As a browser does: a refused one comes again."""
        while True:
            ear = socketio.AsyncClient(reconnection=False)
            ear.on("event", self._hear)
            ear.on("connect_error", lambda why: _say(f"refused: {why}"))
            try:
                # a copy: the client takes the cookie out of what it is given
                await ear.connect(self._base, headers=dict(self._headers), wait_timeout=60)
            except socketio.exceptions.ConnectionError:
                self._refusals += 1
                if self._refusals > MAX_REFUSALS:
                    raise
                await asyncio.sleep(1)
            else:
                self._ears.append(ear)
                return

    def _hear(self, event: dict[str, object]) -> None:
        if event["type"] == TOLD and self._missing:
            self._heard_s.append(time.monotonic() - self._acted_at)
            self._missing -= 1
            if not self._missing:
                self._all_heard.set()

    async def _act(self, http: aiohttp.ClientSession, consoles: int) -> int:
        """How many events never came."""
        lost = 0
        for number in range(ACTS):
            self._all_heard.clear()
            self._missing, self._acted_at = consoles, time.monotonic()
            note = {"text": f"第{number + 1}次记录"}
            async with http.post(f"{self._incident}/timeline", json=note) as reply:
                reply.raise_for_status()
            try:
                await asyncio.wait_for(self._all_heard.wait(), HEARD_WITHIN_S)
            except TimeoutError:
                lost += self._missing
        self._missing = 0
        return lost

    async def _read(
        self, http: aiohttp.ClientSession, consoles: int, seconds: float
    ) -> tuple[list[float], int]:
        """Seconds that each request took, and how many were refused."""
        pages = ["/api/v1/incidents", self._incident, f"{self._incident}/timeline"]
        end, took, refused = time.monotonic() + seconds, list[float](), 0

        async def one(first: int) -> None:
            nonlocal refused
            number = first
            while time.monotonic() < end:
                began = time.monotonic()
                async with http.get(pages[number % len(pages)]) as reply:
                    await reply.read()
                    refused += reply.status != 200
                took.append(time.monotonic() - began)
                number += 1

        await asyncio.gather(*(one(first) for first in range(consoles)))
        return took, refused


def _cookie(api: Api) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in api.jar)


def _web_process(pid: int) -> int:
    """The web process among the product's."""
    for child in children(pid):
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if words[0].endswith((b"python", b"python3")) and b"web" in words and b"--" not in words:
            return child
    raise RuntimeError("the product has no web process")


def _memory_mb(pid: int) -> float:
    """What is its own, in memory."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1]) / 1024
    return 0.0


def _ms(seconds: Sequence[float], share: float) -> float | None:
    found = percentile(list(seconds), share)
    return None if found is None else round(1000 * found, 1)


def _say(text: str) -> None:
    print(f"desk: {text}", file=sys.stderr, flush=True)
