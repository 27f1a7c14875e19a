"""Browsers and rooms that reach a bare node over a bad line."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from aiohttp import web

from tests.faults.line import Line
from tests.peers.bare_node import BareNode
from video_bridge import messages as m

_CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host\r\n")


class FarNode(BareNode):
    """Every browser that joins has a `Line` of its own, kept in `lines` by leg id."""

    def __init__(self, folder: Path) -> None:
        self.lines: dict[str, Line] = {}
        super().__init__(folder)

    async def _offer(self, request: web.Request) -> web.Response:
        """The browser knows the node only by its line, and the node the browser by what comes."""
        query = request.query
        offer = re.sub(r"a=candidate:.*\r\n", "", await request.text())
        added = await self.client.add_leg(
            m.LegAdd(
                conference_id=self.conference_id,
                leg_id=query["leg"],
                kind=m.LegKind.WEBRTC,
                name=query["name"],
                publish=query.get("publish") == "1",
                offer_sdp=offer,
                **self.extra,
            )
        )
        answer = added.answer_sdp or ""
        host, port = next(c for c in _CANDIDATE.findall(answer) if c[0] == "127.0.0.1")
        line = await asyncio.to_thread(Line, (host, int(port)))
        self.lines[query["leg"]] = line
        answer = _CANDIDATE.sub("", answer).replace(
            "a=end-of-candidates",
            f"a=candidate:1 1 udp 2130706431 127.0.0.1 {line.port} typ host\r\na=end-of-candidates",
        )
        return web.Response(text=answer, content_type="application/sdp")

    extra: dict[str, object] = {}  # noqa: RUF012 - set for the next joins

    def close(self) -> None:
        for line in self.lines.values():
            line.close()
        super().close()
