"""Addresses that gateway or log-in shut out for scanning or guessing: an alarm of the duty desk.

What happened is read from the outbox, so that a page opened later and a restarted web process show
the same alarms as a page that heard them live.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyAddress

from sip_gateway.messages import SourcePardon
from video_bridge import VideoBridgeError

from ..database.tables import EventRow
from ..security import SPRAY, LogIn, Permission, Work, service_call
from ..web import Context, route
from . import repository
from .errors import LocalConsultationError
from .lines import BANNED, PARDONED
from .settings import ConsultationSettings
from .switchboard import Switchboard

SHOWN_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Ban:
    """One address shut out: why, since when, until when."""

    host: str
    offence: str
    since: datetime
    until: datetime
    pardoned_at: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        return self.pardoned_at is None and now < self.until


def bans_of(told: Iterable[EventRow]) -> list[Ban]:
    """The newest ban of each address, from events in their order; the newest address first."""
    bans: dict[str, Ban] = {}
    for event in told:
        host = str(event.body["host"])
        if event.type == BANNED:
            until = event.at + timedelta(minutes=float(event.body["minutes"]))
            bans.pop(host, None)
            bans[host] = Ban(host, str(event.body["offence"]), event.at, until)
        elif host in bans:
            known = bans[host]
            bans[host] = Ban(host, known.offence, known.since, known.until, event.at)
    return list(reversed(bans.values()))


class SourceBanOut(BaseModel):
    """`tell` is whom to ring: the hall's own office, else who looks after the network."""

    host: str
    offence: str
    since: AwareDatetime
    until: AwareDatetime
    is_active: bool
    pardoned_at: AwareDatetime | None
    site_id: UUID | None = Field(description="the hall that is known at this address")
    site_name: str
    tell: str


class SourceBansOut(BaseModel):
    items: list[SourceBanOut]


def _written(value: object) -> object:
    """An address is written out: a number would be taken for one, too."""
    if not isinstance(value, str):
        raise ValueError("an address is text")
    return value


class PardonIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    host: Annotated[IPvAnyAddress, BeforeValidator(_written)]


@route("GET", "/source-bans", access=Permission.CONSULTATION_READ, reply=SourceBansOut)
async def list_bans(ctx: Context[None]) -> SourceBansOut:
    """Addresses shut out within the last day, the newest first."""
    now, session = ctx.work.now, ctx.work.session
    held = ctx.service(Switchboard).banned
    sprayed = ctx.service(LogIn).guard.banned(now)
    told = await repository.events_since(session, (BANNED, PARDONED), now - SHOWN_FOR)
    contact = ctx.service(ConsultationSettings).network_contact
    items = []
    for ban in bans_of(told):
        hall = await repository.site_seen_at(session, ban.host)
        tell = await repository.own_contact(session, hall) if hall is not None else contact
        items.append(
            SourceBanOut(
                host=ban.host,
                offence=ban.offence,
                since=ban.since,
                until=ban.until,
                is_active=ban.is_active(now)
                and (ban.host in sprayed if ban.offence == SPRAY else _is_held(ban.host, held)),
                pardoned_at=ban.pardoned_at,
                site_id=hall.id if hall is not None else None,
                site_name=hall.name if hall is not None else "",
                tell=tell,
            )
        )
    return SourceBansOut(items=items)


def _is_held(host: str, held: set[str] | None) -> bool:
    return held is None or host in held


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="source.pardon")
async def pardon(work: Work, host: str) -> None:
    """Say that the address may speak again."""
    work.concerns("address", host)
    work.emit(PARDONED, {"host": host})


@route("POST", "/source-bans/pardon", access=pardon, body=PardonIn)
async def post_pardon(ctx: Context[PardonIn]) -> None:
    """Let a banned address speak again. Raises `gateway_unreachable`."""
    host = str(ctx.body.host)
    await pardon(ctx.work, host)
    switchboard = ctx.service(Switchboard)
    was_sprayed = ctx.service(LogIn).guard.pardon(host)
    if was_sprayed and host not in (switchboard.banned or ()):
        return
    order = SourcePardon(host=host)
    try:
        await switchboard.gateway.request(
            order.type, order.model_dump(mode="json", exclude={"type"}), timeout_s=5.0
        )
    except VideoBridgeError as error:
        raise LocalConsultationError("gateway_unreachable") from error


ROUTES = [list_bans, post_pardon]
