"""A hall whose line is cut in the middle of a call: its other line is taken."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sip_gateway.messages import CallState, Dial, Rung
from tests.harness import namespace
from tests.harness.baresip import Baresip
from tests.harness.processes import PATIENCE_S, Peer, crowding
from tests.peers.test_sip_with_node import centre
from tests.sip_gateway.desk import eventually
from video_bridge.messages import LegState

PRIVATE, INTERNET = ("10.8.1.1", "10.8.1.2"), ("10.8.2.1", "10.8.2.2")  # ours, the hall's
BACK_WITHIN_S = 10.0


def run(*command: str) -> None:
    subprocess.run(command, check=True)


@contextlib.contextmanager
def far_network(folder: Path) -> Iterator[tuple[str, ...]]:
    """A network of the hall's own with two lines to ours; how to start a program in it."""
    keeper = Peer(["unshare", "-n", "sleep", "300"], folder / "keeper.log")
    try:
        inside = ("nsenter", "-t", str(keeper.pid), "-n")
        assert namespace.of(keeper.pid)  # unshare has made the network
        for name, (ours, theirs) in (("private", PRIVATE), ("internet", INTERNET)):
            far = f"far-{name}"[:15]
            run("ip", "link", "add", name, "type", "veth", "peer", "name", far)
            run("ip", "link", "set", far, "netns", str(keeper.pid))
            run("ip", "addr", "add", f"{ours}/24", "dev", name)
            run("ip", "link", "set", name, "up")
            run(*inside, "ip", "addr", "add", f"{theirs}/24", "dev", far)
            run(*inside, "ip", "link", "set", far, "up")
        run(*inside, "ip", "link", "set", "lo", "up")
        # baresip listens on its first address only: the second line is a NAT in front of it
        nat = (*inside, "iptables", "-t", "nat")
        first, second = PRIVATE[1], INTERNET[1]
        run(*nat, "-A", "PREROUTING", "-d", second, "-j", "DNAT", "--to-destination", first)
        run(*nat, "-A", "POSTROUTING", "-o", "far-internet", "-j", "SNAT", "--to-source", second)
        yield inside
    finally:
        keeper.kill()


def cut(line: str) -> None:
    """Nothing passes any more, and nobody is told so."""
    run("iptables", "-A", "INPUT", "-i", line, "-j", "DROP")
    run("iptables", "-A", "OUTPUT", "-o", line, "-j", "DROP")


def heal(line: str) -> None:
    """It passes again."""
    run("iptables", "-D", "INPUT", "-i", line, "-j", "DROP")
    run("iptables", "-D", "OUTPUT", "-o", line, "-j", "DROP")


@pytest.mark.peer("baresip")
async def test_a_hall_is_back_over_its_other_line(tmp_path: Path) -> None:
    """The private line is cut in the call: media over the internet within 10 s, one leg."""
    with far_network(tmp_path) as inside:
        settings: dict[str, Any] = {"listen_host": "0.0.0.0", "h323_port": None}
        async with centre(tmp_path, **settings) as (gateway, client, _nodes):
            account = f"<sip:440229@{PRIVATE[0]}>;regint=0;answermode=auto"
            codecs = ";audio_codecs=PCMA;video_codecs=H264"
            hall = await asyncio.to_thread(
                lambda: Baresip(
                    tmp_path / "hall", account + codecs, marker=1, tone_hz=500, prefix=inside
                )
            )
            try:
                line = Rung(uri=f"sip:440229@{INTERNET[1]}:5070", is_same_room=True)
                gateway._dialling.dial(
                    Dial(
                        leg_id="leg-1",
                        conference_id="conf",
                        uri=f"sip:440229@{PRIVATE[1]}:5070",
                        name="翁源县",
                        ladder=[line],
                    )
                )

                async def is_up(host: str) -> bool:
                    call = gateway.calls.of_leg("leg-1")
                    if call is None or call.state is not CallState.CONNECTED:
                        return False
                    stats = await client.stats("conf")
                    legs = [leg for one in stats.conferences for leg in one.legs]
                    assert len(legs) == 1
                    return legs[0].state is LegState.UP and call.remote_host == host

                async def reaches(host: str, timeout_s: float) -> float:
                    began = time.monotonic()
                    while not await is_up(host):
                        assert time.monotonic() - began < timeout_s, hall.peer.text()[-1500:]
                        await asyncio.sleep(0.1)
                    return time.monotonic() - began

                await reaches(PRIVATE[1], PATIENCE_S)
                await asyncio.sleep(2)
                cut("private")
                took_s = await reaches(INTERNET[1], PATIENCE_S)
                assert took_s <= BACK_WITHIN_S * crowding()
                assert took_s > 2  # it was not switched before anything was wrong
                assert len(gateway.calls.live()) == 1
                await eventually(lambda: hall.peer.text().count("Call established") >= 2)
            finally:
                await asyncio.to_thread(hall.close)
