"""Serves the built console; every page of it is one file, the router is in the browser."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

_MISSING = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>应急指挥</title>
<body style="font-family:sans-serif;max-width:40em;margin:4em auto;line-height:1.8">
<h1>控制台尚未构建</h1><p>接口已在 <code>/api/v1</code> 运行。请在项目目录执行
<code>make setup</code> 构建控制台，然后刷新本页。</p>
<p>The console is not built yet. The API is up at <code>/api/v1</code>; run
<code>make setup</code> in the project's folder, then reload.</p></body></html>"""


def _file_under(root: Path, path: str) -> Path | None:
    """The file that `path` names inside of `root`; None for anything else, also for nonsense."""
    try:
        file = (root / path).resolve()
        return file if path and file.is_relative_to(root) and file.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


def add_console(app: web.Application, dist: Path) -> None:
    """Files of `dist` under their names, `index.html` for everything else outside /api."""
    root = dist.resolve()

    async def serve(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path.startswith(("api/", "socket.io/")) or "\x00" in path:
            raise web.HTTPNotFound
        file = _file_under(root, path)
        if file is not None:
            response = web.FileResponse(file)
            if path.startswith("assets/"):
                response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
            return response
        if path.startswith("assets/"):
            raise web.HTTPNotFound
        index = root / "index.html"
        if index.is_file():
            return web.FileResponse(index, headers={"Cache-Control": "no-cache"})
        return web.Response(text=_MISSING, content_type="text/html", status=503)

    app.router.add_get("/{path:.*}", serve)
