"""A browser, the built console and the stand-in server, for every test of a page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.console.stand_in import StandIn
from tests.harness import packages
from tests.harness.loop import LoopThread
from tests.harness.processes import free_port

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 60_000  # a busy machine is slow, not wrong
expect.set_options(timeout=PATIENCE_MS)
FLAGS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-gpu",  # the map says that it cannot be drawn; it has a test of its own
]


class Served:
    """The stand-in on a port of its own, in a thread with its own event loop."""

    def __init__(self, state: StandIn) -> None:
        self.state = state
        self._loop = LoopThread()
        self._runner: web.AppRunner | None = None
        self.port = free_port()  # kept while the server is away
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; after `stop` on the same port as before."""
        self._loop.do(self._start())

    async def _start(self) -> None:
        self.state.renew_sockets()
        self._runner = web.AppRunner(self.state.application(), shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()

    def stop(self) -> None:
        """Be gone, as a server that was killed."""
        if self._runner is not None:
            self._loop.do(self._stop(self._runner))
            self._runner = None

    async def _stop(self, runner: web.AppRunner) -> None:
        await runner.cleanup()
        await self.state.sio.shutdown()

    def emit(self, kind: str, **ids: Any) -> None:
        """Tell the pages that something happened."""
        self._loop.do(self.state.emit(kind, **ids))

    def close(self) -> None:
        self.stop()
        self._loop.close()


@pytest.fixture(scope="package")
def built_console() -> None:
    """Build the console once; nothing is done when it is up to date."""
    script = ROOT / "command_center" / "console" / "build.py"
    subprocess.run([sys.executable, str(script)], check=True, timeout=600)


@pytest.fixture(scope="package")
def browser(built_console: None) -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(packages.apt_line(packages.PEERS["chromium"][0]))
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def server() -> Iterator[Served]:
    served = Served(StandIn())
    yield served
    served.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    found = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    found.set_default_timeout(PATIENCE_MS)
    yield found
    found.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails its test when a script of it threw or broke the security policy."""
    found = context.new_page()
    faults: list[str] = []
    found.on("pageerror", lambda error: faults.append(str(error)))
    found.on(
        "console",
        lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None,
    )
    yield found
    assert not faults, faults
