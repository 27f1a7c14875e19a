"""What the desk is shown of its lines: who was shut out, and by which way each hall came."""

from __future__ import annotations

from typing import Any

from command_center.security import SYSTEM
from sip_gateway.messages import CallChanged, CallState, SourceBanned
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, site_member, until

__all__ = ["gateway", "node", "server", "stage", "switchboard"]
INTERNET = "sip:room@203.0.113.7:5060"
HALL, STRANGER = "198.51.100.67", "198.51.100.68"


async def test_the_desk_reads_who_was_shut_out_and_lets_him_in_again(stage: Stage) -> None:
    """Address, reason, end, whom to tell; a hall that forgot its password is pardoned."""
    hall = await stage.hall("始兴县应急管理局")
    async with stage.desk.work(SYSTEM) as work:
        hall.trusted_host = HALL
        work.session.add(hall)
    for host, offence in ((HALL, "wrong_password"), (STRANGER, "scanner")):
        told = SourceBanned(host=host, offence=offence, ban_s=900)
        stage.gateway._broadcast("source.banned", told)

    async def read() -> dict[str, dict[str, Any]]:
        items = (await (await stage.officer.get("/source-bans")).json())["items"]
        return {one["host"]: one for one in items}

    async def both() -> bool:
        return {HALL, STRANGER} <= set(await read())

    await until(both)
    found = await read()
    assert found[HALL]["site_name"] == "始兴县应急管理局"
    assert found[HALL]["tell"].startswith("始兴县应急管理局")
    stranger = found[STRANGER]
    assert (stranger["offence"], stranger["site_id"]) == ("scanner", None)
    assert stranger["is_active"] and stranger["until"] > stranger["since"]
    pardoned = {"host": HALL}
    answer = await stage.officer.request("POST", "/source-bans/pardon", json=pardoned)
    assert answer.status == 204
    assert ("source.pardon", pardoned) in stage.gateway.asked
    found = await read()
    assert not found[HALL]["is_active"] and found[STRANGER]["is_active"]
    bad = await stage.officer.request("POST", "/source-bans/pardon", json={"host": "nobody"})
    assert bad.status == 422


async def test_the_roster_says_by_which_protocol_and_line_a_hall_is_reached(stage: Stage) -> None:
    """So that the desk sees at a glance that a hall came by its backup."""
    hall = await stage.registered_hall("仁化县应急管理局")
    ladder = [{"name": "值班室", "number": "07516350000"}]
    lines = {"backup_uri": INTERNET, "ladder": ladder}
    link = {"link": "private_line", "max_bitrate_bps": 2_000_000}
    for path, body in (("lines", lines), ("link", link)):
        answer = await stage.officer.request("PUT", f"/sites/{hall.id}/{path}", json=body)
        assert answer.status == 200
    opened = await stage.open(site_member(hall))
    leg_id = await stage.dialled_leg(opened)

    async def shows(signalling: str, line: str) -> bool:
        row = (await stage.read(opened))["participants"][0]
        found = (row["signalling"], row["line"], row["link"])
        return bool(found == (signalling, line, "private_line"))

    for remote, signalling, line in (
        ("sip:440224@10.1.2.3:5060", "sip", "first"),
        (INTERNET, "sip", "backup"),
        ("sip:07516350000@trunk.example", "sip", "telephone"),
        ("h323:440224@10.1.2.3:1720", "h323", "first"),
    ):
        call = CallChanged(
            leg_id=leg_id, conference_id=opened["id"], state=CallState.RINGING, remote=remote
        )
        stage.gateway._broadcast("call.state", call)
        await until(lambda expected=(signalling, line): shows(*expected))
    items = (await (await stage.officer.get("/sites?q=仁化县应急管理局")).json())["items"]
    (site,) = [one for one in items if one["id"] == str(hall.id)]
    assert (site["link"], site["backup_uri"], site["protocol"]) == ("private_line", INTERNET, "sip")
    assert site["ladder"][0]["number"] == "07516350000"
