"""The peers themselves work here: what later tests conclude from them can be trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.harness.baresip import Baresip
from tests.harness.browser import Browser
from tests.harness.processes import wait_until

_PAGE = """
<video autoplay playsinline></video>
<script>
navigator.mediaDevices.getUserMedia({
  video: true, audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false},
}).then((stream) => { document.querySelector('video').srcObject = stream; });
</script>
"""


@pytest.mark.peer("baresip")
def test_two_halls_see_and_hear_each_other(tmp_path: Path) -> None:
    """Without any bridge between them, so a failing bridge test is the bridge's fault."""
    account = "<sip:{0}@10.9.9.9:{1}>;regint=0;audio_codecs=PCMA;video_codecs=H264"
    hall = Baresip(
        tmp_path / "a", account.format("a", 5070), marker=1, tone_hz=500, port=5070, control=4444
    )
    other = Baresip(
        tmp_path / "b",
        account.format("b", 5080) + ";answermode=auto",
        marker=2,
        tone_hz=800,
        port=5080,
        control=4445,
    )
    try:
        hall.dial("sip:b@10.9.9.9:5080")
        wait_until(lambda: hall.heard([500, 800]) == {800}, 15)
        wait_until(lambda: other.heard([500, 800]) == {500}, 15)
        wait_until(lambda: 2 in hall.seen())
        wait_until(lambda: 1 in other.seen())
    finally:
        hall.close()
        other.close()


@pytest.mark.peer("chromium")
def test_a_phone_shows_its_marker_and_sounds_its_tone(tmp_path: Path) -> None:
    """The fake camera and microphone of the browser carry our marker and our tone."""
    with sync_playwright() as playwright:
        phone = Browser(playwright, tmp_path / "phone", marker=5, tone_hz=700)
        phone.page.route(
            "http://127.0.0.1/", lambda route: route.fulfill(body=_PAGE, content_type="text/html")
        )
        phone.page.goto("http://127.0.0.1/")
        wait_until(lambda: 5 in phone.seen(), 15)
        wait_until(lambda: phone.heard([500, 700]) == {700})
        phone.close()
