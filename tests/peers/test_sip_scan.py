"""sipvicious against the gateway: banned within 10 s, nothing learnt, an alarm told."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer
from tests.sip_gateway.desk import eventually, open_desk

pytestmark = pytest.mark.peer("namespace")


@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
async def test_a_scan_is_banned_and_learns_no_number(tmp_path: Path, method: str) -> None:
    """The range holds a real account and a real number: both look like the unknown ones."""
    scanner = Path(sys.executable).with_name("sipvicious_svwar")
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=None) as desk:
        began = time.monotonic()
        command = [str(scanner), "-m", method, "-e", "440200-440260,8990-9010", "--force"]
        scan = Peer(
            [*command, "--maximumtime", "15", "-b", ADDRESS, ADDRESS], tmp_path / "scan.log"
        )
        try:
            banned = await eventually(
                lambda: [body for type_, body in desk.events if type_ == "source.banned"], 10
            )
            assert time.monotonic() - began < 10
            assert banned[0]["host"] == ADDRESS and desk.gateway.snapshot().banned == [ADDRESS]
            answered = desk.gateway.edge.counters["datagrams"]
            await asyncio.sleep(3)  # it goes on, and nobody listens
            assert desk.gateway.edge.counters["datagrams"] == answered
            assert desk.gateway.edge.counters["shut_out"] > 0
        finally:
            if scan.process.poll() is None:
                scan.kill()
        assert "440229" not in scan.text() and "9000" not in scan.text()
        assert desk.book.admitted == [] and not desk.node.legs
