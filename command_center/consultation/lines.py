"""How a hall is reached beyond its first address: its other line, then who is on duty there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sip_gateway.messages import Rung, SelfTestDone, SourceBanned

from ..database import new_id
from ..directory.tables import SiteRow
from ..security import Work, service_call
from . import repository
from .model import Seat

BANNED, PARDONED = "source.banned", "source.pardoned"  # events
DUTY_RING_S = 30.0


def rungs_of(member: Seat) -> list[Rung]:
    """The ladder above a hall's own address.

    Telephones are rung when the desk calls the hall; a hall that fell out of the consultation is
    redialled on its lines only.
    """
    rungs = []
    if member.backup_uri:
        rungs.append(Rung(uri=member.backup_uri, is_same_room=True))
    if member.attempts == 0:
        rungs += [_telephone(step) for step in member.ladder[:4]]
    return rungs


def _telephone(step: Mapping[str, Any]) -> Rung:
    ring_timeout_s = float(step.get("ring_timeout_s") or DUTY_RING_S)
    return Rung(number=str(step["number"]), audio_only=True, ring_timeout_s=ring_timeout_s)


def lines_of(site: SiteRow) -> tuple[str, ...]:
    """Static addresses of a hall that has two lines, the private one first; else none."""
    if not site.backup_uri:
        return ()
    own = (site.uri,) if site.address_kind == "static" and site.uri else ()
    return (*own, site.backup_uri)


@service_call(permission=None, audit="site.self_test")
async def keep_self_test(work: Work, told: SelfTestDone) -> None:
    """The newest self-test of a hall, shown in the list of sites."""
    site = await repository.site_of_account(work.session, told.account)
    if site is None:
        return
    site.self_test = {
        "at": work.now.isoformat(),
        **told.model_dump(mode="json", include={"codes", "loss_pct", "video", "audio"}),
    }
    work.session.add(site)
    work.concerns("site", site.id, is_drill=site.is_drill, codes=told.codes)
    work.emit(
        "site.self_tested",
        {"site_id": str(site.id), "name": site.name, "codes": told.codes},
        region_code=site.region_code,
        is_drill=site.is_drill,
    )


@service_call(permission=None, audit="source.ban")
async def note_ban(work: Work, told: SourceBanned) -> None:
    """The gateway shut an address out for scanning or guessing passwords: an alarm."""
    work.concerns("address", told.host, offence=told.offence, ban_s=told.ban_s)
    work.emit(
        BANNED,
        {"host": told.host, "offence": told.offence, "minutes": round(told.ban_s / 60)},
    )


def fresh_test() -> tuple[str, str]:
    """Ids of a self-test's conference and leg."""
    return str(new_id()), str(new_id())
