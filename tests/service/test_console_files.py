"""The built console: one page for every address, and nothing outside of its folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from yarl import URL

from command_center.web.console import add_console
from command_center.web.middlewares import guard


@pytest.fixture
async def base(tmp_path: Path) -> AsyncIterator[str]:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<title>console</title>")
    (dist / "assets" / "app-1.js").write_text("let a")
    (tmp_path / "secret.txt").write_text("secret")
    app = web.Application(middlewares=[guard])
    add_console(app, dist)
    server = TestServer(app)
    await server.start_server()
    yield f"http://127.0.0.1:{server.port}"
    await server.close()


async def test_every_page_is_the_one_file_and_assets_are_kept_for_long(base: str) -> None:
    """The router is in the browser; a reload of any page must find it."""
    async with ClientSession() as session:
        for path in ("/", "/incidents/1", "/m/token"):
            answer = await session.get(base + path)
            assert "console" in await answer.text()
            assert answer.headers["Cache-Control"] == "no-cache"
        asset = await session.get(base + "/assets/app-1.js")
        assert "immutable" in asset.headers["Cache-Control"]
        assert (await session.get(base + "/assets/gone.js")).status == 404
        assert (await session.get(base + "/api/v1/nothing")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2fetc%2fpasswd",
        "/" + "a" * 3000,
        "/%00",
        "/%ff%fe",
        "/" + "a/" * 900,
    ],
)
async def test_no_path_leads_outside_or_to_an_error(base: str, path: str) -> None:
    """Traversal, names too long for the file system, bytes that are no text."""
    async with ClientSession() as session:
        answer = await session.get(URL(base + path, encoded=True))
        assert answer.status < 500
        text = await answer.text()
        assert "secret" not in text
        assert "root:" not in text


async def test_without_a_build_the_page_says_what_to_do(tmp_path: Path) -> None:
    """A blank page would look like a broken installation."""
    app = web.Application(middlewares=[guard])
    add_console(app, tmp_path / "nothing")
    server = TestServer(app)
    await server.start_server()
    async with ClientSession() as session:
        answer = await session.get(f"http://127.0.0.1:{server.port}/")
        assert answer.status == 503
        assert "make setup" in await answer.text()
    await server.close()
