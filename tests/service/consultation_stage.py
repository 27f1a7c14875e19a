"""The consultation room over a real database and a real media node; the gateway is scripted.

The scripted gateway speaks the gateway's control wire and remembers what it was told; SIP itself is
tried by the peer tests.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel

from command_center.consultation.switchboard import Switchboard
from command_center.directory import (
    CameraRow,
    OrganisationRow,
    SipAccountRow,
    SiteRow,
    digest_secrets,
)
from command_center.security import SYSTEM, Desk
from sip_gateway.messages import (
    CallChanged,
    CallResult,
    CallState,
    ContentReleased,
    ContentRequested,
    Dial,
    DtmfPressed,
    GatewaySnapshot,
    RegistrationChanged,
)
from tests.harness.processes import PATIENCE_S
from tests.service.conftest import Person
from tests.service.reports import report
from video_bridge import WireServer
from video_bridge.messages import LegStats

ROOT = Path(__file__).parents[2]


class Node:
    """A media node in a process of its own that may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "node.sock"
        self._log = (folder / "node.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        first = 40_000 + os.getpid() % 200 * 100
        argv = [sys.executable, "-m", "video_bridge.node", "--socket", str(self.socket)]
        argv += ["--rtp-ports", f"{first}-{first + 99}", "--log-level", "warning"]
        self.process = subprocess.Popen(argv, stdout=self._log, stderr=self._log, cwd=ROOT)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@dataclass
class ScriptedGateway:
    """Answers the control wire; `tell` makes a call or registration change."""

    socket: Path
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    calls: dict[str, CallChanged] = field(default_factory=dict)
    registered: set[str] = field(default_factory=set)

    async def start(self) -> None:
        self._server = WireServer(self.socket, self._answer, lambda: {"ports": {}})
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()

    async def _answer(self, type_: str, body: dict[str, Any]) -> dict[str, Any]:
        if type_ == "snapshot":
            snapshot = GatewaySnapshot(
                calls=list(self.calls.values()),
                registrations=[
                    RegistrationChanged(account=account, is_registered=True)
                    for account in sorted(self.registered)
                ],
            )
            return snapshot.model_dump(mode="json")
        self.asked.append((type_, body))
        if type_ == "call.hangup":
            self.end(body["leg_id"], CallResult.REMOVED)
        return {}

    def dialled(self) -> list[Dial]:
        return [Dial.model_validate(body) for type_, body in self.asked if type_ == "call.dial"]

    def hung_up(self) -> list[str]:
        return [body["leg_id"] for type_, body in self.asked if type_ == "call.hangup"]

    def call(self, leg_id: str, conference_id: str, state: CallState) -> None:
        changed = CallChanged(leg_id=leg_id, conference_id=conference_id, state=state)
        self.calls[leg_id] = changed
        self._broadcast("call.state", changed)

    def end(self, leg_id: str, result: CallResult) -> None:
        known = self.calls.pop(leg_id, None)
        conference_id = known.conference_id if known else self._conference_of(leg_id)
        self._broadcast(
            "call.state",
            CallChanged(
                leg_id=leg_id, conference_id=conference_id, state=CallState.ENDED, result=result
            ),
        )

    def _conference_of(self, leg_id: str) -> str:
        return next((d.conference_id for d in self.dialled() if d.leg_id == leg_id), "")

    def register(self, account: str, *, is_registered: bool = True) -> None:
        (self.registered.add if is_registered else self.registered.discard)(account)
        told = RegistrationChanged(account=account, is_registered=is_registered)
        self._broadcast("registration", told)

    def press(self, pressed: DtmfPressed) -> None:
        self._broadcast("call.dtmf", pressed)

    def room_says(self, words: ContentRequested | ContentReleased) -> None:
        self._broadcast(words.type, words)

    def _broadcast(self, type_: str, body: BaseModel) -> None:
        self._server.broadcast(type_, body.model_dump(mode="json", exclude={"type"}))


@dataclass
class Stage:
    """Everything a test of the desk needs."""

    desk: Desk
    node: Node
    gateway: ScriptedGateway
    switchboard: Switchboard
    officer: Person

    async def hall(self, name: str = "翁源县应急管理局", *, uri: str | None = None) -> SiteRow:
        """A hall with an account; with `uri` at a static address."""
        account = f"a{uuid4().hex[:8]}"
        place = {"region_code": "440229", "longitude": 114.13, "latitude": 24.35}
        organisation = OrganisationRow(name=name, tier="county", **place)
        secrets = digest_secrets(account, "password")
        site = SiteRow(
            organisation_id=organisation.id,
            name=name,
            tier="county",
            account=account,
            address_kind="static" if uri else "registered",
            uri=uri,
            **place,
        )
        async with self.desk.work(SYSTEM) as work:
            work.session.add(organisation)
            await work.session.flush()
            work.session.add(site)
            work.session.add(
                SipAccountRow(
                    account=account,
                    realm=secrets.realm,
                    ha1_md5=secrets.ha1_md5,
                    ha1_sha256=secrets.ha1_sha256,
                )
            )
        return site

    async def registered_hall(self, name: str = "翁源县应急管理局") -> SiteRow:
        site = await self.hall(name)
        self.gateway.register(site.account or "")
        await until(lambda: self._is_registered(site.account or ""))
        return site

    async def _is_registered(self, account: str) -> bool:
        async with self.desk.database.session() as session:
            row = await session.get(SipAccountRow, account)
        return row is not None and row.is_registered

    async def camera(self, url: str = "synthetic:C02 液氯库北") -> CameraRow:
        row = CameraRow(
            name="C02 液氯库北",
            url=url,
            region_code="440229",
            longitude=113.861,
            latitude=24.401,
        )
        async with self.desk.work(SYSTEM) as work:
            work.session.add(row)
        return row

    async def incident(self) -> dict[str, Any]:
        answer = await self.officer.post("/incidents", report())
        assert answer.status == 201, await answer.text()
        found: dict[str, Any] = (await answer.json())["incident"]
        return found

    async def open(self, *members: dict[str, Any]) -> dict[str, Any]:
        incident = await self.incident()
        answer = await self.officer.post(
            f"/incidents/{incident['id']}/consultations",
            {"title": "液氯泄漏会商", "members": list(members)},
        )
        assert answer.status == 201, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found

    async def legs_on_node(self, consultation: dict[str, Any]) -> list[LegStats] | None:
        """What the node holds of a consultation; None: it does not know it."""
        snapshot = await self.switchboard.node.snapshot()
        for conference in snapshot.conferences:
            if conference.conference_id == consultation["id"]:
                return conference.legs
        return None

    async def read(self, consultation: dict[str, Any]) -> dict[str, Any]:
        answer = await self.officer.get(f"/consultations/{consultation['id']}")
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found

    async def member(self, consultation: dict[str, Any], at: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = (await self.read(consultation))["participants"][at]
        return found

    async def reaches(
        self,
        consultation: dict[str, Any],
        state: str,
        *,
        at: int = 0,
        timeout_s: float = PATIENCE_S,
    ) -> dict[str, Any]:
        """Wait until a member is in this state."""
        found: dict[str, Any] = {"seen": []}

        async def is_there() -> bool:
            found.update(await self.member(consultation, at))
            if found["state"] not in found["seen"][-1:]:
                found["seen"].append(found["state"])
            return bool(found["state"] == state)

        await until(is_there, timeout_s, lambda: f"not {state}: {found}")
        return found

    async def link(self, consultation: dict[str, Any], **wish: Any) -> dict[str, Any]:
        answer = await self.officer.post(
            f"/consultations/{consultation['id']}/join-tokens", {"name": "手机", **wish}
        )
        assert answer.status == 201, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found

    async def dialled_leg(self, consultation: dict[str, Any], count: int = 1) -> str:
        """The leg of the newest dialling for this consultation."""

        async def has_dialled() -> bool:
            return len(self._dials(consultation)) >= count

        await until(has_dialled)
        return self._dials(consultation)[-1].leg_id

    def _dials(self, consultation: dict[str, Any]) -> list[Dial]:
        return [d for d in self.gateway.dialled() if d.conference_id == consultation["id"]]


async def until(
    truth: Callable[[], Awaitable[bool]],
    timeout_s: float = PATIENCE_S,
    words: Callable[[], str] = lambda: "it never became true",
) -> None:
    deadline = time.monotonic() + max(timeout_s, PATIENCE_S)
    while not await truth():
        assert time.monotonic() < deadline, words()
        await asyncio.sleep(0.05)


def site_member(site: SiteRow) -> dict[str, Any]:
    return {"kind": "site", "site_id": str(site.id)}


def camera_member(camera: CameraRow) -> dict[str, Any]:
    return {"kind": "camera", "camera_id": str(camera.id)}


def as_id(text: str) -> UUID:
    return UUID(text)
