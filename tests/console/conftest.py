"""A browser, the built console and the stand-in server, for every test of a page."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.console.stand_in import StandIn
from tests.harness import packages

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
FLAGS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--disable-gpu",  # the map says that it cannot be drawn; it has a test of its own
]


async def end_tasks() -> None:
    """End what a library leaves running (the pings of Socket.IO)."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def end_loop(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    """A loop that is left with tasks crashes the interpreter when it collects them at its end."""
    asyncio.run_coroutine_threadsafe(end_tasks(), loop).result(timeout=30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(timeout=30)
    loop.close()


class Served:
    """The stand-in on a port of its own, in a thread with its own event loop."""

    def __init__(self, state: StandIn) -> None:
        self.state = state
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine on the server's loop and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    def start(self) -> None:
        """Listen; after `stop` on the same port as before."""
        self.call(self._start())

    async def _start(self) -> None:
        self.state.renew_sockets()
        self._runner = web.AppRunner(self.state.application(), shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    def stop(self) -> None:
        """Be gone, as a server that was killed."""
        if self._runner is not None:
            self.call(self._stop(self._runner))
            self._runner = None

    async def _stop(self, runner: web.AppRunner) -> None:
        await runner.cleanup()
        await self.state.sio.shutdown()
        await end_tasks()

    def emit(self, kind: str, **ids: str | None) -> None:
        """Tell the pages that something happened."""
        self.call(self.state.emit(kind, **ids))

    def close(self) -> None:
        self.stop()
        end_loop(self._loop, self._thread)


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
    found.set_default_timeout(15_000)
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
