"""F4: a hall's network is gone for a minute; the desk brings the hall back, into one call."""

from __future__ import annotations

import asyncio
import contextlib
import time
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sip_gateway.messages import GatewaySnapshot
from tests.faults.test_hall_network import PRIVATE, cut, far_network, heal
from tests.harness import markers
from tests.harness.baresip import Baresip
from tests.harness.processes import PATIENCE_S, crowding
from tests.harness.product import Product
from tests.scenarios import story
from video_bridge import NodeClient, NodeUnreachableError, WireClient

AWAY_S = 60.0
REDIALLED_WITHIN_S = 10.0


class Centre:
    """The product, and how many legs and calls it had at one time at most."""

    def __init__(self, product: Product, consultation: dict[str, Any]) -> None:
        self.consultation, self.api = consultation, product.api()
        run = product.folder / "var" / "run"
        self.node = NodeClient(run / "node-1.sock", lambda event: None)
        self.gateway = WireClient(run / "gateway.sock", lambda type_, body: None)
        self.legs: list[int] = []
        self.calls: list[int] = []

    async def count(self) -> None:
        """Until cancelled: legs on the node and calls of the gateway, four times a second."""
        while True:
            stats = await self.node.stats(self.consultation["id"])
            self.legs.append(sum(len(one.legs) for one in stats.conferences))
            told = GatewaySnapshot.model_validate(await self.gateway.request("snapshot", {}))
            self.calls.append(len(told.calls))
            await asyncio.sleep(0.25)

    async def state(self) -> str:
        found = await asyncio.to_thread(story.members, self.api, self.consultation)
        return str(found[0]["state"])

    async def shows_the_hall(self) -> bool:
        """Whether its marker is in the programme."""
        with contextlib.suppress(NodeUnreachableError):
            picture = await self.node.picture(self.consultation["id"], 1280)
            pixels = np.frombuffer(b64decode(picture.jpeg_base64), np.uint8)
            return story.HALL in markers.find_markers(cv2.imdecode(pixels, cv2.IMREAD_COLOR))
        return False


async def reaches(what: str, check: Any, timeout_s: float = PATIENCE_S) -> float:
    """Wait for an awaitable truth; the seconds it took."""
    began = time.monotonic()
    while not await check():
        assert time.monotonic() - began < timeout_s, f"{what}: not in time"
        await asyncio.sleep(0.1)
    return time.monotonic() - began


@contextlib.asynccontextmanager
async def in_consultation(folder: Path, product: Product, hall: Baresip) -> AsyncIterator[Centre]:
    """The hall is a member and is counted."""
    await reaches("registers", lambda: said(hall, "200 OK"))
    api = product.api()
    incident = story.file_report(api)
    site = story.site_of(api, story.COUNTY)
    opened = api.post(
        f"/incidents/{incident['id']}/consultations",
        {"title": "会商", "members": [{"kind": "site", "site_id": site["id"]}]},
    )
    centre = Centre(product, opened)
    await centre.node.start()
    await centre.gateway.start()
    await centre.node.wait_connected(PATIENCE_S)
    await centre.gateway.wait_connected(PATIENCE_S)
    counting = asyncio.create_task(centre.count())
    try:
        yield centre
        assert not counting.done(), counting.exception()
    finally:
        counting.cancel()
        await asyncio.wait([counting])
        await centre.node.stop()
        await centre.gateway.stop()


async def said(hall: Baresip, words: str, times: int = 1) -> bool:
    return hall.peer.text().count(words) >= times


@pytest.mark.timeout(400)
@pytest.mark.peer("baresip", "fonts")
async def test_a_hall_whose_network_was_gone_is_redialled(tmp_path: Path) -> None:
    """Nobody does anything: shown as gone, dialled within 10 s of its return, never two legs."""
    with far_network(tmp_path) as inside:
        product = await asyncio.to_thread(Product, tmp_path / "product")
        password = product.credentials()[story.COUNTY]
        account = f"<sip:{story.COUNTY}@{PRIVATE[0]}>;auth_pass={password};answermode=auto"
        hall = await asyncio.to_thread(
            lambda: Baresip(
                tmp_path / "hall",
                f"{account};audio_codecs=PCMA;video_codecs=H264",
                marker=story.HALL,
                tone_hz=story.HALL_TONE,
                prefix=inside,
            )
        )
        try:
            async with in_consultation(tmp_path, product, hall) as centre:
                await reaches("is shown", centre.shows_the_hall)

                async def is_joined() -> bool:
                    return await centre.state() == "joined"

                await reaches("is told as joined", is_joined)
                cut("private")
                ends = time.monotonic() + AWAY_S

                async def is_lost() -> bool:
                    return await centre.state() == "lost"

                await reaches("is told as lost", is_lost)
                await asyncio.sleep(max(0.0, ends - time.monotonic()))
                assert await centre.state() != "joined"
                heal("private")
                took_s = await reaches("is called", lambda: said(hall, "Call established", 2))
                assert took_s < REDIALLED_WITHIN_S * crowding()
                await reaches("is shown again", centre.shows_the_hall)
                # the hall still had its side of the call that ended while it was away
                await reaches("leaves its old call", lambda: said(hall, " terminated"))
                assert hall.peer.text().count("Call established") == 2
                assert hall.peer.text().count(" terminated") == 1
                await reaches("is told as joined", is_joined)
                assert max(centre.legs) == 1 and max(centre.calls) == 1
                assert min(centre.legs) == 0  # its leg was freed meanwhile
        finally:
            await asyncio.to_thread(hall.close)
            await asyncio.to_thread(product.close)
