"""The peers themselves work here: what later tests conclude from them can be trusted."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from playwright.sync_api import sync_playwright
from pytest import approx

from tests.harness.baresip import Baresip
from tests.harness.browser import Browser
from tests.harness.processes import wait_until
from tests.harness.tones import keyed_tone
from tests.harness.wire_ear import RATE, Stream, delay_s
from video_bridge.codecs.g711 import encode_alaw

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


def _on_the_wire(tones: dict[float, float], *, jitter_s: float = 0.01) -> Stream:
    """Packets of keyed tones, each begun so many seconds late, as they come off a line."""
    late = Random(1)
    sound = np.zeros(RATE * 8, np.int16)
    for tone, begin_s in tones.items():
        begin = round(begin_s * RATE)
        sound[begin:] += keyed_tone(tone, RATE, 8.0, 0.2)[: len(sound) - begin]
    stream = Stream()
    for number in range(50, 350):
        arrival = 1000 + number * 0.02 + late.random() * jitter_s
        payload = encode_alaw(sound[number * 160 : number * 160 + 160])
        stream.arrivals.append((arrival, (2**32 - 9000 + number * 160) % 2**32, payload))
    return stream


def test_the_ear_finds_a_known_delay_among_other_tones() -> None:
    """What long calls conclude from it can be trusted, timestamps that roll over included."""
    source, sink = _on_the_wire({700.0: 0.0}), _on_the_wire({700.0: 0.087, 1100.0: 0.2})
    assert abs(delay_s(source, sink, 700.0) - 0.087) < 0.003
    shares = [[one.keying(tone)[1] for tone in (700.0, 1100.0)] for one in (source, sink)]
    assert shares == [[approx(1, abs=0.1), approx(0, abs=0.01)], [approx(0.5, abs=0.1)] * 2]
