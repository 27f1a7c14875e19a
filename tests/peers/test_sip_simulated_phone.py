"""The simulated telephone (pyVoIP): it registers, dials in, is heard, and hears the hall."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import tones
from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer, wait_until
from tests.peers.test_sip_with_node import centre, hall
from tests.sip_gateway.desk import PASSWORD, Book, eventually

pytestmark = pytest.mark.peer("baresip")
CODECS = "audio_codecs=PCMA;video_codecs=H264"
OWN_HZ, HALL_HZ = 800, 500
TRUSTED = "10.9.9.10"


class TrustingBook(Book):
    """Knows the telephone by its address, as a hall with `trusted_host` is known."""

    async def account_at(self, host: str) -> str | None:
        return "440118" if host == TRUSTED else await super().account_at(host)


def telephone(folder: Path, number: str, *words: str) -> Peer:
    """Plays its own tone and keeps what it hears in `heard.wav`."""
    subprocess.run(["ip", "addr", "replace", f"{TRUSTED}/32", "dev", "lo"], check=True)
    (folder / "password").write_text(PASSWORD)
    tone = tones.write_wav(folder / "own.wav", OWN_HZ, 8000)
    command = [sys.executable, "-m", "sip_gateway.simulated_phone", "--server", ADDRESS]
    command += ["--own-address", TRUSTED, "--account", "440118", "--number", number]
    command += ["--password-file", str(folder / "password"), "--play", str(tone)]
    command += ["--heard", str(folder / "heard.wav"), *words]
    return Peer(command, folder / "telephone.log")


@pytest.mark.timeout(300)
async def test_the_telephone_talks_with_a_hall(tmp_path: Path) -> None:
    async with centre(tmp_path, book=TrustingBook()) as (gateway, _node, _nodes):
        room = await asyncio.to_thread(hall, tmp_path, "440229", 1, CODECS)
        phone = telephone(tmp_path, "9000", "--seconds", "15")
        try:
            await asyncio.to_thread(room.dial, "9000")
            await asyncio.to_thread(wait_until, lambda: "answered" in phone.text(), 60, phone.text)
            await asyncio.to_thread(
                wait_until, lambda: OWN_HZ in room.heard([OWN_HZ]), 60, phone.text
            )
            await asyncio.to_thread(wait_until, lambda: "ended" in phone.text(), 60, phone.text)
            await eventually(lambda: len(gateway.calls.live()) == 1, 30)
        finally:
            await asyncio.to_thread(room.close)
            if phone.process.poll() is None:
                phone.kill()
        samples, rate = tones.read_wav(tmp_path / "heard.wav")
        assert tones.tone_strength(samples, rate, HALL_HZ) > tones.tone_strength(
            samples, rate, OWN_HZ
        )
        assert HALL_HZ in tones.heard(samples, rate, [HALL_HZ, OWN_HZ])


@pytest.mark.timeout(120)
async def test_a_number_that_refuses_ends_it_with_words(tmp_path: Path) -> None:
    async with centre(tmp_path, book=TrustingBook()):
        phone = telephone(tmp_path, "8999")
        await asyncio.to_thread(phone.process.wait, 60)
        assert phone.process.returncode == 1
        assert "the number refuses" in phone.text()
