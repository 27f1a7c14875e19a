"""A bridge of ours behind a NAT: a gateway that registers with one outside, a node and a room.

`python -m tests.peers.behind_nat FOLDER GATEKEEPER ACCOUNT_HOST`: what it sees comes as a line of
JSON on its output several times a second; each line of its input is a number to dial outside.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sip_gateway.h323.ras_client import RegistrationState
from sip_gateway.messages import Dial
from sip_gateway.ports import Admission, Refusal
from tests.peers.h323_bridge import CONFERENCE, Bridge
from tests.sip_gateway.desk import PASSWORD, Book
from tests.video_bridge.node.room import Room, strength
from video_bridge import messages as m

ABOVE, BELOW = (60, 200, 90), (120, 90, 220)  # what the rooms outside and inside show
ABOVE_HZ, BELOW_HZ = 700.0, 1100.0
SLIDE = (90, 60, 200)
REPORT_EVERY_S = 0.2
ACCOUNT = "440118"


class _Open(Book):
    """Every number leads into the conference, our own among them."""

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        return Admission(CONFERENCE, f"leg-{account}", "省厅")


def share(media: Room, colour: tuple[int, int, int]) -> float:
    """How much of the newest picture has this colour."""
    if not media.pictures:
        return 0.0
    picture = media.pictures[-1]
    near = [
        np.abs(plane.astype(int) - wanted) < 14
        for plane, wanted in ((picture.u, colour[1]), (picture.v, colour[2]))
    ]
    return float(np.mean(near[0] & near[1]))


def heard(media: Room, frequency: float) -> float:
    sound = media.heard()[-48_000:]
    return strength(sound, frequency) if len(sound) else 0.0


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


class Inside:
    def __init__(self, folder: Path, gatekeeper: str, outside: str) -> None:
        self._granted = 0
        self.bridge = Bridge(
            folder,
            listen_host="0.0.0.0",
            h323_gatekeeper=gatekeeper,
            h323_number=ACCOUNT,
            h323_password_file=_file(folder / "password", PASSWORD),
            h323_traversal=True,
            h323_tunnelling=False,
        )
        self.bridge.book = _Open()
        self.bridge.book.static = {outside: "440229"}
        self.bridge.gateway.h323._directory = self.bridge.book

    async def start(self) -> None:
        await self.bridge.start()
        self.slides = Room(colour=SLIDE, tone_hz=300.0)
        room, self.media = self.bridge.endpoint("翁源", BELOW, BELOW_HZ, content=self.slides)
        await self.bridge.dial("leg-room", await room.listen())

    def report(self) -> dict[str, Any]:
        client = self.bridge.gateway.h323.ras.client
        states = [(b["leg_id"], b["state"]) for t, b in self.bridge.events if t == "call.state"]
        return {
            "registered": client is not None and client.state is RegistrationState.REGISTERED,
            "calls": dict(states),
            "sees": share(self.media, ABOVE),
            "hears": heard(self.media, ABOVE_HZ),
            "sees_slides": share(self.slides, SLIDE),
        }

    async def follow_content(self) -> None:
        """What its roof does when the bridge outside presents."""
        for leg_id in self.bridge.told("content.requested")[self._granted :]:
            self._granted += 1
            content = m.ContentSet(conference_id=CONFERENCE, leg_id=leg_id)
            await self.bridge.node.client.send(content)
            await self.bridge.content("decide", leg_id, granted=True)
            await self.bridge.content("offer", "leg-room", on=True, holder="省厅")

    async def dial(self, number: str) -> None:
        request = Dial(
            leg_id=f"leg-{number}", conference_id=CONFERENCE, uri=f"h323:{number}", name="省厅"
        )
        body = request.model_dump(mode="json", exclude={"type"})
        await self.bridge.wire.request("call.dial", body)


async def main(folder: Path, gatekeeper: str, outside: str) -> None:
    inside = Inside(folder, gatekeeper, outside)
    await inside.start()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    reports = asyncio.create_task(_report(inside))
    while line := (await reader.readline()).decode().strip():
        await inside.dial(line)
    reports.cancel()
    await inside.bridge.stop()


async def _report(inside: Inside) -> None:
    while True:
        await inside.follow_content()
        print(json.dumps(inside.report()), flush=True)
        await asyncio.sleep(REPORT_EVERY_S)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
