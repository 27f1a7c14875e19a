"""A soft phone of another family: linphonec with VP8 and Opus, dialled at its address."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from sip_gateway.messages import CallResult, CallState
from tests.harness import tones
from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer, is_bound
from tests.sip_gateway.desk import eventually, open_desk

pytestmark = pytest.mark.peer("linphone")
PORT = 5090
CONFIG = f"""[sip]
sip_port={PORT}
sip_tcp_port=0
sip_tls_port=0

[video]
enabled=1
capture=1
display=0
automatically_initiate=1
automatically_accept=1
size=vga

[rtp]
audio_rtp_port=31000
video_rtp_port=31010

[net]
stun_server=
firewall_policy=0
"""


class Linphone:
    """linphonec reading its commands from a pipe."""

    def __init__(self, folder: Path) -> None:
        (folder / ".local/share/linphone").mkdir(parents=True)
        (folder / "linphonerc").write_text(CONFIG)
        self._pipe = folder / "commands"
        os.mkfifo(self._pipe)
        command = f"exec linphonec -c {folder}/linphonerc -a -V -C < {self._pipe}"
        self.peer = Peer(["sh", "-c", command], folder / "linphone.log", {"HOME": str(folder)})
        self._input = self._pipe.open("w")
        self.say("soundcard use files")

    def say(self, words: str) -> None:
        self._input.write(words + "\n")
        self._input.flush()

    def close(self) -> None:
        if self.peer.process.poll() is None:
            self.peer.kill()
        self._input.close()


async def test_linphone_is_dialled_held_and_hung_up(tmp_path: Path) -> None:
    """Opus and VP8 agreed, media arrives, pause and resume reach the node."""
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=5060) as desk:
        phone = await asyncio.to_thread(Linphone, tmp_path / "phone")
        try:
            await eventually(lambda: is_bound("udp", PORT))
            await desk.dial(uri=f"sip:linphone@{ADDRESS}:{PORT}")

            def connected() -> bool:
                return [one.state for one in desk.states("leg-1")][-1:] == [CallState.CONNECTED]

            await eventually(connected, 15)
            assert desk.states("leg-1")[-1].codecs == ["opus", "VP8"], phone.peer.text()[-2000:]
            leg = desk.node.legs["leg-1"]
            phone.say(f"play {tones.write_wav(tmp_path / 'tone.wav', 600, 16000)}")
            await eventually(lambda: leg.packets["audio"] > 20, 15)
            phone.say("pause")
            await eventually(lambda: leg.holds == [True], 10)
            await eventually(lambda: "is now paused" in phone.peer.text(), 10)
            phone.say("resume")
            await eventually(lambda: leg.holds == [True, False], 10)
            assert leg.answers[-1].streams[0].send
            phone.say("terminate")
            assert (await desk.ended("leg-1", 10)).result is CallResult.HUNG_UP
        finally:
            await asyncio.to_thread(phone.close)
