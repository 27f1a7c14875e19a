"""The self-test number, called by a real room with good, muted and lossy media."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sip_gateway.ports import Admission, Refusal
from tests.harness.processes import PATIENCE_S, wait_until
from tests.sip_gateway.desk import Book, eventually
from video_bridge import WireClient

from .test_sip_with_node import centre, hall

pytestmark = pytest.mark.peer("baresip", "fonts")
CONTACT = "020-83000000"


class TestNumber(Book):
    __test__ = False

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        if number != "8888":
            return Refusal(404, "number_unknown")
        return Admission("test-1", "leg-1", "翁源县应急管理局", self_test_contact=CONTACT)


def lose(port: int, share: float) -> None:
    """Drop a share of what arrives at a port of the node."""
    rule = ["-p", "udp", "--dport", str(port), "-m", "statistic", "--mode", "random"]
    command = ["iptables", "-A", "INPUT", *rule, "--probability", str(share), "-j", "DROP"]
    subprocess.run(command, check=True)


async def test_a_hall_reads_what_is_wrong_and_hears_itself(tmp_path: Path) -> None:
    """Good first, with its own voice after ten seconds; then muted; then with loss."""
    async with centre(tmp_path, book=TestNumber(), h323_port=None) as (gateway, _client, _nodes):
        told: list[dict[str, Any]] = []
        wire = WireClient(
            tmp_path / "gw.sock",
            lambda type_, body: told.append(body) if type_ == "self_test.done" else None,
        )
        await wire.start()
        codecs = "audio_codecs=PCMA;video_codecs=H264"
        room = await asyncio.to_thread(hall, tmp_path, "440229", 1, codecs)

        async def says(code: str) -> None:
            await eventually(lambda: told and code in told[-1]["codes"], 25)

        try:
            await asyncio.to_thread(room.dial, "8888")
            await says("good")
            await eventually(lambda: told[-1]["video"] == "640x360 H264")
            assert told[-1]["account"] == "440229"
            await asyncio.to_thread(wait_until, lambda: 1 in room.seen())

            async def hears_itself() -> None:
                while await asyncio.to_thread(room.heard, [500, 800]) != {500}:
                    await asyncio.sleep(0.5)

            await asyncio.wait_for(hears_itself(), PATIENCE_S)
            await asyncio.to_thread(room.mute)
            await says("quiet")
            await asyncio.to_thread(room.mute)
            await says("good")
            call = gateway.calls.live()[0]
            assert call.local_media is not None and call.local_media.audio_port is not None
            lose(call.local_media.audio_port, 0.25)
            await says("loss")
            await eventually(lambda: told[-1]["loss_pct"] > 5, 15)
            await asyncio.to_thread(room.hang_up)
            await eventually(lambda: told[-1]["is_final"], 10)
        finally:
            await asyncio.to_thread(room.close)
            await wire.stop()
