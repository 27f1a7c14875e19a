"""sipvicious against the gateway: banned within 10 s, nothing learnt, an alarm told."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer, crowding
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
            [*command, "--maximumtime", "60", "-b", ADDRESS, ADDRESS], tmp_path / "scan.log"
        )
        try:
            banned = await eventually(
                lambda: [body for type_, body in desk.events if type_ == "source.banned"], 10
            )
            assert time.monotonic() - began < 10 * crowding()
            assert banned[0]["host"] == ADDRESS and desk.gateway.snapshot().banned == [ADDRESS]
            answered = desk.gateway.edge.counters["datagrams"]
            counters = desk.gateway.edge.counters
            await eventually(lambda: counters["shut_out"] > 20)  # it goes on, and nobody listens
            assert counters["datagrams"] == answered
        finally:
            if scan.process.poll() is None:
                scan.kill()
        assert "440229" not in scan.text() and "9000" not in scan.text()
        assert desk.book.admitted == [] and not desk.node.legs
