"""Recordings and live output in a real browser: hls.js plays what the recorder wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp import web
from playwright.sync_api import Browser

from tests.harness.loop import LoopThread
from tests.video_bridge.recording.pictures import ZERO_US, Taken, pictures
from tests.video_bridge.recording.test_recorder import announce, parcels
from video_bridge import PlaylistEntry, hls_playlist
from video_bridge.recording import files
from video_bridge.recording.live import HlsOut
from video_bridge.recording.recorder import Recorder

HLS_JS = Path(__file__).parents[2] / "command_center/console/node_modules/hls.js/dist"
SAID = {"source": "programme", "name": "会商", "codec": "H264"}
PAGE = """<!doctype html><video muted></video><script src="/js/hls.light.min.js"></script><script>
const video = document.querySelector('video');
window.problems = [];
const hls = new Hls();
hls.on(Hls.Events.ERROR, (_event, problem) => window.problems.push(problem.details));
hls.loadSource('/films/' + location.hash.slice(1));
hls.attachMedia(video);
video.play();
</script>"""
SECONDS = 10


def feed(recorder: Recorder, frames: list[Taken], first: int = 0) -> None:
    recorder.take(announce(SAID))
    for index, taken in enumerate(frames, first):
        for parcel in parcels(taken, index):
            recorder.take(parcel)


def killed_recording(folder: Path) -> None:
    """Ten seconds, whose recorder died after the sixth; the next one went on a second later."""
    frames = list(pictures("H264", 25 * SECONDS, size=(640, 360)))
    first = Recorder(folder, lambda _: None, ZERO_US, minimum_free_bytes=0, segment_s=2.0)
    feed(first, frames[:165])
    for source in first._sources.values():
        source.abandon()
    second = Recorder(folder, lambda _: None, ZERO_US, minimum_free_bytes=0, segment_s=2.0)
    feed(second, frames[175:], 175)
    second.close()
    entries = [
        PlaylistEntry(s.file_name, s.head_bytes, s.size_bytes, s.started_at_ms, s.duration_ms)
        for s in sorted(files.manifest(folder), key=lambda s: s.sequence)
    ]
    (folder / "film.m3u8").write_text(hls_playlist(entries, first_number=1, is_ended=True))


def live_output(folder: Path) -> None:
    out = HlsOut(folder, lambda _: None, ZERO_US, minimum_free_bytes=0)
    feed(out, list(pictures("H264", 25 * SECONDS, size=(640, 360))))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The films, hls.js and a page, on a port of their own."""
    folder = tmp_path_factory.mktemp("films")
    for name, make in (("killed", killed_recording), ("live", live_output)):
        (folder / name).mkdir()
        make(folder / name)

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/", page)
        app.router.add_static("/films", folder)
        app.router.add_static("/js", HLS_JS)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    loop = LoopThread()
    runner = loop.do(start())
    yield SimpleNamespace(url=f"http://127.0.0.1:{runner.addresses[0][1]}/", folder=folder)
    loop.do(runner.cleanup())
    loop.close()


@pytest.mark.parametrize("film", ["killed/film.m3u8", "live/live.m3u8"])
def test_the_browser_plays_what_was_recorded(
    served: SimpleNamespace, browser: Browser, film: str
) -> None:
    """A recording whose recorder was killed plays over the hole to its end; so does live HLS."""
    page = browser.new_page()
    page.goto(f"{served.url}#{film}")
    page.wait_for_function("document.querySelector('video').videoWidth === 640", timeout=60_000)
    start = page.evaluate("document.querySelector('video').currentTime")
    page.evaluate("document.querySelector('video').playbackRate = 4")
    page.wait_for_function(
        f"document.querySelector('video').currentTime >= {start} + 5"
        " || document.querySelector('video').ended",
        timeout=60_000,
    )
    decoded = "document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames"
    assert page.evaluate(decoded) > 50
    assert "bufferAppendError" not in page.evaluate("window.problems")
    page.close()


def test_a_segment_alone_plays_in_the_browser(served: SimpleNamespace, browser: Browser) -> None:
    """The salvaged file of a killed recorder is a film of its own, although it begins late."""
    page = browser.new_page()
    page.goto(f"{served.url}films/killed/programme-000003.mp4")
    page.wait_for_function("document.querySelector('video')?.videoWidth === 640", timeout=60_000)
    page.evaluate("document.querySelector('video').play()")
    page.wait_for_function("document.querySelector('video').ended", timeout=60_000)
    page.close()
