"""Two browsers in one conference on a bare media node: the first thing a consultation is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright
from uuid6 import uuid7

from tests.harness.browser import Browser
from tests.harness.processes import crowding
from tests.peers.bare_node import BareNode, eventually
from video_bridge import messages as m

KEYFRAMES = """async () => {
  for (const entry of (await peer.getStats()).values()) {
    if (entry.type === 'inbound-rtp' && entry.kind === 'video') return entry.keyFramesDecoded;
  }
}"""
VIDEO_IN = """async () => {
  for (const entry of (await peer.getStats()).values()) {
    if (entry.type === 'inbound-rtp' && entry.kind === 'video') {
      return [entry.framesDecoded, entry.pliCount];
    }
  }
}"""
TONES = {1: 620.0, 2: 1130.0}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[BareNode]:
    started = BareNode(tmp_path)
    yield started
    started.close()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


def watch_and_return(node: BareNode, watcher: Browser, request: m.LegUpdate, marker: int) -> None:
    """观看会场: the site's own stream, decoded without a hitch, and the whole picture again."""

    def is_alone() -> bool:
        seen = watcher.seen("#programme")
        return set(seen) == {marker} and abs(seen[marker][0] - 0.5) < 0.12

    def is_in_a_pane() -> bool:
        seen = watcher.seen("#programme")
        return marker in seen and abs(seen[marker][0] - 0.5) > 0.12

    eventually(is_in_a_pane, 20, "the whole picture never came")
    asked = watcher.page.evaluate(VIDEO_IN)[1]
    for _ in range(2):
        node.send(request)
        eventually(is_alone, 20, "the site's own stream never came")
        decoded = watcher.page.evaluate(VIDEO_IN)[0]
        eventually(lambda d=decoded: watcher.page.evaluate(VIDEO_IN)[0] > d + 20, 10, "it stands")
        node.send(m.LegUpdate(leg_id=request.leg_id, watch=""))
        eventually(is_in_a_pane, 20, "the whole picture never came back")
    switches = 4
    assert watcher.page.evaluate(VIDEO_IN)[1] - asked < switches, "its decoder had to ask each time"


def out_width(node: BareNode, leg: str) -> int | None:
    streams = node.leg_stats(leg).streams
    return next(s.width for s in streams if (s.media, s.direction) == ("video", "out"))


def join(browser: Browser, node: BareNode, name: str, **options: object) -> str:
    leg = str(uuid7())
    browser.page.goto(node.page_of(name, leg=leg, **options))
    assert browser.page.evaluate("window.joined") == "ok", browser.console
    return leg


@pytest.mark.peer("chromium", "fonts")
def test_two_browsers_see_and_hear_each_other(
    node: BareNode, playwright: Playwright, tmp_path: Path
) -> None:
    """Pictures of both in their panes, the other's tone and never one's own: a conference."""
    first = Browser(playwright, tmp_path / "1", marker=1, tone_hz=TONES[1])
    second = Browser(playwright, tmp_path / "2", marker=2, tone_hz=TONES[2])
    try:
        leg_1 = join(first, node, "翁源县应急管理局")
        node.wait_event(m.LegUp, leg_1)
        leg_2 = join(second, node, "前方救援队")
        node.wait_event(m.LegUp, leg_2)
        for browser in (first, second):
            eventually(lambda b=browser: {1, 2} <= set(b.seen("#programme")), 30, "no two markers")
            seen = browser.seen("#programme")
            assert seen[1][0] < 0.5 < seen[2][0]
        for browser, other in ((first, 2), (second, 1)):
            eventually(
                lambda b=browser, t=TONES[other]: b.heard(list(TONES.values())) == {t},
                why="hears not just the other",
            )
        before = first.frames("#programme")
        first.page.wait_for_timeout(4000)
        assert first.frames("#programme") - before >= 4 * 25 * 0.4 / crowding()
        stats = {leg.leg_id: leg for leg in node.stats().legs}
        streams = {(s.media, s.direction): s for s in stats[leg_1].streams}
        assert streams["video", "in"].codec == streams["video", "out"].codec == "H264"
        assert streams["video", "in"].width == 640
        assert streams["audio", "in"].codec == "opus"
        assert streams["video", "in"].bitrate_bps > 10_000
        assert stats[leg_1].level_dbov is not None and stats[leg_1].level_dbov > -60
        eventually(lambda: out_width(node, leg_1) == 1280, why="never sent the whole picture")
        keyframes, asked = (first.page.evaluate(one) for one in (KEYFRAMES, VIDEO_IN))
        first.page.wait_for_timeout(5000)
        asked_for = first.page.evaluate(VIDEO_IN)[1] - asked[1]
        came = first.page.evaluate(KEYFRAMES) - keyframes
        assert came <= 1 + asked_for, "key frames nobody asked for"
        watch_and_return(node, second, m.LegUpdate(leg_id=leg_2, watch=leg_1), 1)
        second.page.evaluate("peer.close()")
        closed = node.wait_event(m.LegClosed, leg_2, 10)
        assert closed.reason is m.CloseReason.HUNG_UP
        eventually(lambda: node.stats().panes == 1, 10, "pane of the one who left stays")
    finally:
        first.close()
        second.close()


@pytest.mark.peer("chromium", "fonts")
def test_killed_browser_is_shown_lost_within_three_seconds(
    node: BareNode, playwright: Playwright, tmp_path: Path
) -> None:
    """A phone whose process dies says no goodbye; the desk must know before it asks a question."""
    phone = Browser(playwright, tmp_path / "1", marker=1, tone_hz=TONES[1])
    leg = join(phone, node, "前方救援队")
    node.wait_event(m.LegUp, leg)
    eventually(lambda: 1 in node.shows(), 20, "phone never seen")
    phone.kill()
    lost = node.wait_event(m.LegLost, leg)
    assert lost.silent_s <= 3.0 * crowding()
    assert node.leg_stats(leg).state is m.LegState.LOST
    closed = node.wait_event(m.LegClosed, leg, 31)
    assert closed.reason is m.CloseReason.LOST
    assert len(node.happened(m.LegClosed, leg)) == 1


@pytest.mark.peer("chromium", "fonts")
def test_browser_that_takes_only_vp8_gets_it(
    node: BareNode, playwright: Playwright, tmp_path: Path
) -> None:
    """The VP8 rung exists while such a peer is there, and both codecs show the same picture."""
    node.add(leg_id=str(uuid7()), kind=m.LegKind.SYNTHETIC, name="演示摄像机", url="synthetic:东门")
    phone = Browser(playwright, tmp_path / "1", marker=3, tone_hz=TONES[1])
    try:
        leg = join(phone, node, "手机", codec="VP8")
        node.wait_event(m.LegUp, leg)
        eventually(lambda: 3 in phone.seen("#programme"), 30, "own picture not in the programme")
        streams = {(s.media, s.direction): s for s in node.leg_stats(leg).streams}
        assert streams["video", "in"].codec == streams["video", "out"].codec == "VP8"
        watch_and_return(node, phone, m.LegUpdate(leg_id=leg, watch=leg), 3)
    finally:
        phone.close()


@pytest.mark.peer("chromium", "fonts")
def test_watching_browser_stays_up_and_is_missed_when_it_dies(
    node: BareNode, playwright: Playwright, tmp_path: Path
) -> None:
    """A receive-only leg sends no media: STUN alone tells that it lives."""
    node.add(leg_id=str(uuid7()), kind=m.LegKind.SYNTHETIC, name="东门", url="synthetic:东门")
    watcher = Browser(playwright, tmp_path / "1", marker=4, tone_hz=TONES[1])
    leg = join(watcher, node, "观看", publish=False)
    node.wait_event(m.LegUp, leg)
    eventually(lambda: watcher.frames("#programme") > 100, 20, "no pictures")
    watcher.page.wait_for_timeout(6000)
    assert not node.happened(m.LegLost, leg)
    assert node.stats().panes == 1, "a watcher has no pane"
    watcher.kill()
    lost = node.wait_event(m.LegLost, leg)
    assert lost.silent_s <= 3.5 * crowding()


@pytest.mark.peer("chromium", "fonts")
@pytest.mark.timeout(420)
def test_who_states_level_four_is_sent_1080_lines_and_nobody_else_is(
    playwright: Playwright, tmp_path: Path
) -> None:
    """On a private line at once; the other keeps the usual picture, and the rung goes with him."""
    node = BareNode(tmp_path, arguments=("--capacity", "1000000"))
    browser = Browser(playwright, tmp_path / "1")
    try:
        node.add(leg_id=str(uuid7()), kind=m.LegKind.SYNTHETIC, name="东门", url="synthetic:东门")
        legs = [str(uuid7()), str(uuid7())]
        pages = [browser.page, browser.context.new_page()]
        for leg, page, level in zip(legs, pages, ("28", "1f"), strict=True):
            page.goto(node.page_of("值班室", leg=leg, publish=False) + f"&level={level}")
            assert page.evaluate("window.joined") == "ok", browser.console
            node.wait_event(m.LegUp, leg)
            node.send(m.LegUpdate(leg_id=leg, link="private_line"))
        tall = "document.getElementById('programme').videoHeight"
        eventually(lambda: pages[0].evaluate(tall) == 1080, 120, "no picture of 1080 lines")
        eventually(lambda: pages[1].evaluate(tall) == 720, 120, "no usual picture")
        assert out_width(node, legs[0]) == 1920 and out_width(node, legs[1]) == 1280
        node.send(m.LegUpdate(leg_id=legs[0], max_bitrate_bps=2_000_000))
        eventually(lambda: pages[0].evaluate(tall) == 720, 120, "a lower cap changes nothing")
    finally:
        browser.close()
        node.close()
