"""H.323 call set-up: 20 calls at once by fast start, again and again, against the gateway process.

From SETUP sent to CONNECT with its channels received. CPU is the gateway process's own; the media
node only answers. No other Python speaks H.323, so there is no rival to name.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sip_gateway.h323 import h245_events as ev
from sip_gateway.h323.call import CallEvent, Connected, H323Call, Released
from sip_gateway.h323.capability import MediaCapability
from sip_gateway.h323.fast_start import propose
from sip_gateway.h323.h225 import Identity
from sip_gateway.h323.h245 import ControlSession
from sip_gateway.transports.tpkt import TpktConnection, connect
from video_bridge.rtp.h235 import H235Cipher

from .machine import usage
from .network import enter, is_inside
from .sip import part
from .sip_parts import ADDRESS, H323_PORT

AT_ONCE = 20
ROUNDS = 5
HOLD_S = 0.5
H235_PACKETS = 20_000
CAN = (
    MediaCapability("audio", "PCMA"),
    MediaCapability("video", "H264", bitrate_bps=1_500_000),
)
_references = itertools.count(1)


class Caller:
    """One call: up, held for a moment, hung up."""

    def __init__(self) -> None:
        control = ControlSession(
            CAN, content=False, terminal_type=50, random24=lambda: secrets.randbits(24)
        )
        self._core = H323Call(Identity("演示", is_mcu=False), control)
        self._up = asyncio.Event()
        self._has_media = False
        self.failed = False

    async def run(self) -> float:
        """Seconds from SETUP to CONNECT."""
        connection = await connect(ADDRESS, H323_PORT)
        connection.on_pdu = lambda pdu: self._receive(connection, pdu)
        rtp = (ADDRESS, 40_000)
        addresses = {"audio": (1, rtp, rtp), "video": (2, rtp, rtp)}
        proposals = propose(
            CAN,
            addresses,  # type: ignore[arg-type]
            {"H264": 110},
            self._core.control_session.new_number,
        )
        self._core.dial(
            number="9000",
            source=connection.local,
            target=(ADDRESS, H323_PORT),
            reference=next(_references),
            new_id=lambda: secrets.token_bytes(16),
            now=0.0,
            proposals=proposals,
        )
        began = time.monotonic()
        connection.send(self._core.signalling())
        try:
            await asyncio.wait_for(self._up.wait(), 10)
        except TimeoutError:
            self.failed = True
        took = time.monotonic() - began
        await asyncio.sleep(HOLD_S)
        self.failed |= not self._has_media
        self._core.release("destinationRejection", 0.0)
        connection.send(self._core.signalling())
        connection.close()
        return took

    def _receive(self, connection: TpktConnection, pdu: bytes) -> None:
        for event in self._core.receive(pdu, 0.0):
            self._take(event)
        connection.send(self._core.signalling())

    def _take(self, event: CallEvent) -> None:
        match event:
            case Connected():
                self._up.set()
            case ev.FastStarted(sending=sending, receiving=receiving):
                self._has_media = len(sending) == len(receiving) == 2
            case Released():
                self.failed = True
                self._up.set()
            case ev.ChannelOffered(number=number):
                self._core.control_session.reject_channel(number, "dataTypeNotSupported")
            case _:
                pass


async def _round() -> tuple[list[float], int]:
    callers = [Caller() for _ in range(AT_ONCE)]
    times = await asyncio.gather(*(caller.run() for caller in callers))
    return list(times), sum(caller.failed for caller in callers)


def _h235_us() -> tuple[float, float]:
    """CPU of one packet of 1,200 octets, encrypted and decrypted."""
    cipher, packet = H235Cipher(bytes(16)), bytes([0x80, 96]) + bytes(10 + 1200)
    sealed = cipher.protect(packet)
    took = []
    for work, data in ((cipher.protect, packet), (cipher.unprotect, sealed)):
        began = time.process_time()
        for _ in range(H235_PACKETS):
            work(data)
        took.append(round(1e6 * (time.process_time() - began) / H235_PACKETS, 1))
    return took[0], took[1]


async def _rounds(count: int) -> tuple[list[float], int]:
    times: list[float] = []
    failed = 0
    for number in range(count):
        took, bad = await _round()
        times += took
        failed += bad
        print(f"round {number + 1} of {count}: slowest {max(took):.3f} s", file=sys.stderr)
    return times, failed


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Figures as docs/benchmarks.md names them."""
    if not is_inside():
        done = enter([sys.argv[1], *sys.argv[2:]] if "--json" in sys.argv else ["h323", "--json"])
        if done.returncode:
            raise SystemExit(done.returncode)
        found: dict[str, object] = json.loads(done.stdout.strip().splitlines()[-1])
        return {k: v for k, v in found.items() if k not in ("benchmark", "machine")}
    for words in (["link", "set", "lo", "up"], ["addr", "add", f"{ADDRESS}/32", "dev", "lo"]):
        subprocess.run(["ip", *words], check=True)
    rounds = max(1, round((arguments.seconds or ROUNDS) / 1.0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with part("node", folder), part("h323", folder) as pid:
            asyncio.run(_rounds(1))  # warm
            before = usage(pid)
            times, failed = asyncio.run(_rounds(rounds))
            spent = usage(pid) - before
    protect_us, unprotect_us = _h235_us()
    notes = ["no rival: no other Python H.323 is known"]
    if spent.wait_pct >= 5:
        notes.append("the machine was busy: threads waited for a processor")
    return {
        "calls": len(times),
        "at_once": AT_ONCE,
        "failed": failed,
        "setup_p50_ms": round(1000 * statistics.median(times), 1),
        "setup_p95_ms": round(1000 * sorted(times)[int(len(times) * 0.95) - 1], 1),
        "cpu_ms_per_call": round(1000 * spent.run_s / max(1, len(times)), 2),
        "h235_protect_us": protect_us,
        "h235_unprotect_us": unprotect_us,
        "cpu_wait_pct": round(spent.wait_pct, 1),
        "notes": notes,
    }
