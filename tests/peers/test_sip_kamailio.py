"""Kamailio in front of the gateway: TLS edge, registrar pass-through; the same call works."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sip_gateway.messages import CallResult
from tests.harness.baresip import Baresip
from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer, is_bound, wait_until
from tests.sip_gateway.desk import PASSWORD, eventually, make_certificate, open_desk

from .test_sip_baresip import connected, media_flows, registered

pytestmark = pytest.mark.peer("baresip", "kamailio")
CONFIG = Path(__file__).parents[1] / "harness" / "kamailio.cfg"
CODECS = "audio_codecs=PCMA;video_codecs=H264"


@contextmanager
def kamailio(folder: Path) -> Iterator[Peer]:
    files = make_certificate(folder)
    text = CONFIG.read_text().replace("ADDRESS", ADDRESS)
    text = text.replace("CERTIFICATE", str(files["certificate_file"]))
    config = folder / "kamailio.cfg"
    config.write_text(text.replace("KEY", str(files["key_file"])))
    command = ["kamailio", "-DD", "-E", "-f", str(config), "-m", "32", "-M", "4"]
    peer = Peer([*command, "-Y", str(folder)], folder / "kamailio.log")
    try:
        wait_until(lambda: is_bound("tcp", 5081), why=peer.text)
        yield peer
    finally:
        peer.kill()


async def test_a_hall_behind_a_tls_edge_registers_dials_and_is_dialled(tmp_path: Path) -> None:
    """Digest passes through, Path brings calls back over the hall's own connection."""
    with kamailio(tmp_path) as edge:
        async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=None) as desk:
            account = (
                f"<sip:440229@{ADDRESS}:5081;transport=tls>;auth_pass={PASSWORD};{CODECS};regint=60"
                ";answermode=auto"
            )
            hall = await asyncio.to_thread(
                Baresip, tmp_path / "hall", account, marker=1, tone_hz=500
            )
            try:
                await registered(desk)
                binding = desk.gateway.registrations.contact("440229")
                assert binding is not None and ":5082" in binding.path[0], edge.text()[-2000:]
                await desk.dial(account="440229")
                await connected(desk, "leg-1")
                await media_flows(desk, "leg-1")
                await asyncio.to_thread(hall.hang_up)
                assert (await desk.ended("leg-1")).result is CallResult.HUNG_UP
                await asyncio.to_thread(hall.dial, "9000")
                await connected(desk, "leg-440229")
                await media_flows(desk, "leg-440229")
                await desk.wire.request("call.hangup", {"leg_id": "leg-440229"})
                assert (await desk.ended("leg-440229")).result is CallResult.REMOVED
                await eventually(lambda: "terminated" in hall.peer.text(), 10)
            finally:
                await asyncio.to_thread(hall.close)
