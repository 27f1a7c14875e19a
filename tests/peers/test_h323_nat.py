"""A bridge of ours behind a real NAT (iptables), registered with another of ours in the open.

H.460.18 and H.460.19 between our own two stacks: nobody outside can reach the one inside, which
registers by password (H.235.1), takes calls and makes them, with picture and sound both ways.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sip_gateway.h323.h2351 import key_of
from sip_gateway.h323_passwords import Doorkeeper
from sip_gateway.messages import Dial
from sip_gateway.ports import Credential
from tests.harness.nat import OUTSIDE, ROUTER, Nat
from tests.peers.behind_nat import ABOVE, ABOVE_HZ, ACCOUNT, BELOW, BELOW_HZ, SLIDE, heard, share
from tests.peers.h323_bridge import CONFERENCE, Bridge
from tests.sip_gateway.desk import PASSWORD, Book
from tests.video_bridge.node.room import Room
from tests.video_bridge.node.test_node import until
from video_bridge import messages as m

START_S = 240.0  # of a process with a node, on a crowded machine


class _Strict(Book):
    """Address and number alone let nobody register."""

    async def credential(self, username: str) -> Credential | None:
        known = await super().credential(username)
        return known and replace(known, h235_key=key_of(PASSWORD), shows_password=True)


class Inside:
    """The bridge behind the NAT, a process of its own; `seen` is its newest report."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.seen: dict[str, Any] = {"registered": False, "calls": {}, "sees": 0.0, "hears": 0.0}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, nat: Nat, folder: Path, gatekeeper: str) -> Inside:
        folder.mkdir()
        command = nat.inside(sys.executable, "-m", "tests.peers.behind_nat")
        pipe = asyncio.subprocess.PIPE
        return cls(
            await asyncio.create_subprocess_exec(
                *command, str(folder), gatekeeper, OUTSIDE, stdin=pipe, stdout=pipe
            )
        )

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if line.startswith(b"{"):  # not what its gateway logs
                self.seen = json.loads(line)

    def dial(self, number: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n".encode())

    async def stop(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.close()
        code = await asyncio.wait_for(self._process.wait(), 60)
        await self._reading
        return code


@pytest.fixture
async def outside(tmp_path: Path) -> AsyncIterator[tuple[Bridge, Nat]]:
    """A bridge in the open; who is behind the router it learns by password alone."""
    with Nat() as nat:
        folder = tmp_path / "outside"
        folder.mkdir()
        bridge = Bridge(folder, listen_host="0.0.0.0")
        bridge.book = _Strict()
        bridge.gateway.h323._directory = bridge.book
        bridge.gateway.h323.ras._doorkeeper = Doorkeeper(bridge.book, is_open=False)
        await bridge.start()
        yield bridge, nat
        await bridge.stop()


@pytest.mark.timeout(480)
@pytest.mark.peer("namespace")
async def test_a_room_behind_a_nat_is_called_and_calls(
    outside: tuple[Bridge, Nat], tmp_path: Path
) -> None:
    """It registers, fetches a call, calls out, sees slides; H.245 on its own connection."""
    bridge, nat = outside
    slides = Room(colour=SLIDE, tone_hz=300.0)
    room, media = bridge.endpoint("省厅大厅", ABOVE, ABOVE_HZ, content=slides)
    await bridge.dial("leg-room", await room.listen())
    keeper = bridge.gateway.h323.ras
    inside = await Inside.start(nat, tmp_path / "inside", f"{OUTSIDE}:{keeper.port}")
    await until(lambda: inside.seen["registered"], START_S)
    endpoint = keeper.room(ACCOUNT)
    assert endpoint is not None and endpoint.traverses and endpoint.signer is not None
    assert endpoint.ras[0] == ROUTER  # where its packets come from, not where it says it is

    request = Dial(leg_id="leg-in", conference_id=CONFERENCE, account=ACCOUNT, name="翁源")
    body = request.model_dump(mode="json", exclude={"type"})
    await bridge.wire.request("call.dial", body)
    await _meet(inside, media)
    called = bridge.gateway.h323.room_of("leg-in")
    assert called is not None and called.signalling.host == ROUTER
    await bridge.wire.request("call.hangup", {"leg_id": "leg-in"})
    await until(lambda: inside.seen["calls"].get("leg-440229") == "ended")
    await until(lambda: share(media, BELOW) < 0.02 and inside.seen["sees"] < 0.02)

    inside.dial("9000")
    await _meet(inside, media)
    assert bridge.book.admitted == [(ACCOUNT, "9000")]
    await _present(bridge, inside, f"leg-{ACCOUNT}")
    assert await inside.stop() == 0
    await until(lambda: keeper.room(ACCOUNT) is None)  # it said goodbye


async def _present(bridge: Bridge, inside: Inside, leg_id: str) -> None:
    """Slides go in through a port from which nothing but keep-alives ever came out."""
    bridge.endpoints[0].present()
    await until(lambda: bridge.told("content.requested") == ["leg-room"])
    await bridge.node.client.send(m.ContentSet(conference_id=CONFERENCE, leg_id="leg-room"))
    await bridge.content("decide", "leg-room", granted=True)
    await bridge.content("offer", leg_id, on=True, holder="省厅大厅")
    await until(lambda: inside.seen["sees_slides"] > 0.9)


async def _meet(inside: Inside, media: Room) -> None:
    """Picture and sound, both ways."""
    await until(lambda: share(media, BELOW) > 0.05 and inside.seen["sees"] > 0.05)
    await until(lambda: heard(media, BELOW_HZ) > 0.5 and inside.seen["hears"] > 0.5)
