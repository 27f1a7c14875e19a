"""What a room orders by its keys, and what is said to it: the remote control is all it has."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.consultation.switchboard import Switchboard
from sip_gateway.messages import CallState, DtmfPressed
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, site_member, until
from video_bridge import LegKind
from video_bridge.messages import LegAdd

__all__ = ["gateway", "node", "server", "stage", "switchboard"]


async def test_keys_mute_take_the_chair_and_rule_where_allowed(
    stage: Stage, switchboard: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each key twice undoes itself; *5 without the chair is refused aloud."""
    said: list[tuple[str, str]] = []
    say = switchboard.node.say

    async def listening(leg_id: str, prompt: str) -> float:
        said.append((leg_id, prompt))
        return await say(leg_id, prompt)

    monkeypatch.setattr(switchboard.node, "say", listening)
    hall = await stage.registered_hall("曲江区应急管理局")
    other = await stage.registered_hall("武江区应急管理局")
    opened = await stage.open(site_member(hall), site_member(other))
    await stage.dialled_leg(opened, 2)
    names = {row["name"]: row["id"] for row in opened["participants"]}
    dials = [one for one in stage.gateway.dialled() if one.conference_id == opened["id"]]
    leg_id = next(one.leg_id for one in dials if one.name == hall.name)
    for one in dials:
        await switchboard.node.add_leg(
            LegAdd(
                conference_id=opened["id"],
                leg_id=one.leg_id,
                kind=LegKind.RTP,
                name=one.name,
                media=["audio"],
            )
        )
        stage.gateway.call(one.leg_id, opened["id"], CallState.CONNECTED)
    await stage.reaches(opened, "joined", at=0)
    await stage.reaches(opened, "joined", at=1)

    async def row_of(name: str) -> dict[str, Any]:
        rows = (await stage.read(opened))["participants"]
        return next(row for row in rows if row["id"] == names[name])

    async def press(digit: str, prompt: str) -> None:
        count = len(said)
        for key in f"*{digit}":
            stage.gateway.press(DtmfPressed(leg_id=leg_id, conference_id=opened["id"], digit=key))

        async def is_said() -> bool:
            return said[count:] == [(leg_id, prompt)]

        await until(is_said)

    async def is_closed_at_node(wanted: bool) -> bool:
        legs = await stage.legs_on_node(opened) or []
        return [leg.microphone_muted for leg in legs if leg.leg_id == leg_id] == [wanted]

    await press("6", "muted")
    assert (await row_of(hall.name))["is_self_muted"]
    await until(lambda: is_closed_at_node(True))
    await press("6", "unmuted")
    await until(lambda: is_closed_at_node(False))
    await press("5", "not_allowed")
    await press("3", "chair_taken")
    assert (await stage.read(opened))["control"]["chair_id"] == names[hall.name]
    await press("5", "all_muted")
    assert (await row_of(other.name))["microphone_muted"]
    assert not (await row_of(hall.name))["microphone_muted"]
    await press("8", "all_unmuted")
    assert not (await row_of(other.name))["microphone_muted"]
    await press("3", "chair_released")
    await press("9", "floor_asked")
    await press("0", "floor_withdrawn")
