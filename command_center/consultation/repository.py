"""Queries of the consultation room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from sip_gateway.messages import BridgeRole, SrtpPolicy
from video_bridge.messages import Link

from ..database.tables import EventRow
from ..directory.tables import (
    CameraRow,
    ExpertRow,
    OrganisationRow,
    SipAccountRow,
    SipBindingRow,
    SiteRow,
)
from .errors import LocalConsultationError
from .model import bridge_role_of, link_of, srtp_policy_of
from .tables import (
    DIAL_NUMBER_SEQUENCE,
    DRILL_DIAL_NUMBER_SEQUENCE,
    DRILL_NUMBER_SEQUENCE,
    NUMBER_SEQUENCE,
    ConsultationRow,
    ParticipantRow,
)

_STATIC = "static-"  # stands for the account of a static room that has none


@dataclass(frozen=True, slots=True)
class SiteAddress:
    """A site and how its room is reached now."""

    site: SiteRow
    organisation: OrganisationRow | None
    is_registered: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A participant with what its leg needs from the directory."""

    row: ParticipantRow
    url: str | None = None
    account: str | None = None
    uri: str | None = None
    backup_uri: str | None = None
    srtp_policy: SrtpPolicy | None = None
    bridge_role: BridgeRole | None = None
    ladder: Sequence[Mapping[str, Any]] = ()
    link: Link = "internet"
    max_bitrate_bps: int | None = None


async def next_numbers(session: AsyncSession, *, is_drill: bool) -> tuple[int, int]:
    """The running number and the dial number of a new consultation."""
    number = DRILL_NUMBER_SEQUENCE if is_drill else NUMBER_SEQUENCE
    dial = DRILL_DIAL_NUMBER_SEQUENCE if is_drill else DIAL_NUMBER_SEQUENCE
    row = (await session.execute(select(number.next_value(), dial.next_value()))).one()
    return int(row[0]), int(row[1])


async def consultation(
    session: AsyncSession, consultation_id: UUID, *, lock: bool = False
) -> ConsultationRow:
    """Raises LocalConsultationError(`consultation_not_found`)."""
    query = select(ConsultationRow).where(col(ConsultationRow.id) == consultation_id)
    if lock:
        query = query.with_for_update()
    row: ConsultationRow | None = (await session.scalars(query)).one_or_none()
    if row is None:
        raise LocalConsultationError("consultation_not_found")
    return row


async def consultations(
    session: AsyncSession, *, region_prefix: str, state: str, limit: int
) -> Sequence[ConsultationRow]:
    """Newest first; `state` is open, closed or all."""
    query = select(ConsultationRow).where(
        or_(
            col(ConsultationRow.region_code).startswith(region_prefix),
            col(ConsultationRow.region_code) == "",
        )
    )
    if state != "all":
        query = query.where(col(ConsultationRow.state) == state)
    return (
        await session.scalars(query.order_by(col(ConsultationRow.opened_at).desc()).limit(limit))
    ).all()


async def open_consultation_ids(session: AsyncSession) -> list[UUID]:
    query = select(col(ConsultationRow.id)).where(col(ConsultationRow.state) == "open")
    return list((await session.scalars(query)).all())


async def open_of_incident(session: AsyncSession, incident_id: UUID) -> ConsultationRow | None:
    query = select(ConsultationRow).where(
        col(ConsultationRow.incident_id) == incident_id, col(ConsultationRow.state) == "open"
    )
    return (await session.scalars(query)).first()


async def open_by_dial_number(session: AsyncSession, number: str) -> ConsultationRow | None:
    query = select(ConsultationRow).where(
        col(ConsultationRow.dial_number) == number, col(ConsultationRow.state) == "open"
    )
    row: ConsultationRow | None = (await session.scalars(query.with_for_update())).one_or_none()
    return row


async def participants(session: AsyncSession, consultation_id: UUID) -> Sequence[ParticipantRow]:
    """The roster in its order."""
    query = select(ParticipantRow).where(
        col(ParticipantRow.consultation_id) == consultation_id,
        col(ParticipantRow.removed_at).is_(None),
    )
    return (await session.scalars(query.order_by(col(ParticipantRow.ordinal)))).all()


async def participant(
    session: AsyncSession, consultation_id: UUID, participant_id: UUID, *, lock: bool = True
) -> ParticipantRow:
    """Locked for a change. Raises LocalConsultationError(`participant_not_found`)."""
    query = select(ParticipantRow).where(
        col(ParticipantRow.id) == participant_id,
        col(ParticipantRow.consultation_id) == consultation_id,
        col(ParticipantRow.removed_at).is_(None),
    )
    if lock:
        query = query.with_for_update()
    row: ParticipantRow | None = (await session.scalars(query)).one_or_none()
    if row is None:
        raise LocalConsultationError("participant_not_found")
    return row


async def participant_of_leg(session: AsyncSession, leg_id: str) -> ParticipantRow | None:
    """Whose leg this is now, locked; None for legs of the past."""
    query = select(ParticipantRow).where(
        or_(col(ParticipantRow.leg_id) == leg_id, col(ParticipantRow.viewer_leg_id) == leg_id)
    )
    row: ParticipantRow | None = (await session.scalars(query.with_for_update())).one_or_none()
    return row


async def participant_of_site(
    session: AsyncSession, consultation_id: UUID, site_id: UUID
) -> ParticipantRow | None:
    return await _present(session, consultation_id, col(ParticipantRow.site_id) == site_id)


async def participant_of_user(
    session: AsyncSession, consultation_id: UUID, user_id: UUID
) -> ParticipantRow | None:
    return await _present(session, consultation_id, col(ParticipantRow.user_id) == user_id)


async def participant_of_camera(
    session: AsyncSession, consultation_id: UUID, camera_id: UUID
) -> ParticipantRow | None:
    return await _present(session, consultation_id, col(ParticipantRow.camera_id) == camera_id)


async def participant_of_team(
    session: AsyncSession, consultation_id: UUID, team_id: UUID
) -> ParticipantRow | None:
    return await _present(session, consultation_id, col(ParticipantRow.team_id) == team_id)


async def _present(
    session: AsyncSession, consultation_id: UUID, condition: object
) -> ParticipantRow | None:
    query = select(ParticipantRow).where(
        col(ParticipantRow.consultation_id) == consultation_id,
        col(ParticipantRow.removed_at).is_(None),
        condition,  # type: ignore[arg-type]
    )
    row: ParticipantRow | None = (await session.scalars(query.with_for_update())).first()
    return row


async def next_ordinal(session: AsyncSession, consultation_id: UUID) -> int:
    query = select(func.max(ParticipantRow.ordinal)).where(
        col(ParticipantRow.consultation_id) == consultation_id
    )
    last = (await session.execute(query)).scalar_one()
    return 0 if last is None else int(last) + 1


async def members(session: AsyncSession, consultation_id: UUID) -> list[Member]:
    """The roster with camera addresses, accounts and static addresses."""
    query = (
        select(ParticipantRow, col(CameraRow.url), col(SiteRow.account), SiteRow)
        .outerjoin(CameraRow, col(CameraRow.id) == col(ParticipantRow.camera_id))
        .outerjoin(SiteRow, col(SiteRow.id) == col(ParticipantRow.site_id))
        .where(
            col(ParticipantRow.consultation_id) == consultation_id,
            col(ParticipantRow.removed_at).is_(None),
        )
        .order_by(col(ParticipantRow.ordinal))
        .execution_options(populate_existing=True)
    )
    found = []
    for row, url, account, site in await session.execute(query):
        is_static = site is not None and site.address_kind == "static"
        found.append(
            Member(
                row,
                url=row.url or url,
                account=None if is_static else account,
                uri=site.uri if is_static else None,
                link=link_of(site.link if site is not None else None),
                max_bitrate_bps=site.max_bitrate_bps if site is not None else None,
                backup_uri=site.backup_uri if site is not None else None,
                srtp_policy=srtp_policy_of(site.srtp_policy if site is not None else None),
                bridge_role=bridge_role_of(site.bridge_role if site is not None else None),
                ladder=site.ladder if site is not None else (),
            )
        )
    return found


async def participants_of_account(session: AsyncSession, account: str) -> list[ParticipantRow]:
    """Members of open consultations whose hall uses this account, locked."""
    query = (
        select(ParticipantRow)
        .join(SiteRow, col(SiteRow.id) == col(ParticipantRow.site_id))
        .join(ConsultationRow, col(ConsultationRow.id) == col(ParticipantRow.consultation_id))
        .where(
            col(SiteRow.account) == account,
            col(SiteRow.address_kind) == "registered",
            col(ConsultationRow.state) == "open",
            col(ParticipantRow.removed_at).is_(None),
        )
        .with_for_update(of=ParticipantRow)
    )
    return list((await session.scalars(query)).all())


# --- directory, as this room needs it ------------------------------------------------------


async def site_addresses(
    session: AsyncSession, site_ids: Iterable[UUID] | None = None
) -> list[SiteAddress]:
    """Sites with their organisation and registration; all when no ids are given."""
    query = (
        select(SiteRow, OrganisationRow, col(SipAccountRow.is_registered))
        .outerjoin(OrganisationRow, col(OrganisationRow.id) == col(SiteRow.organisation_id))
        .outerjoin(SipAccountRow, col(SipAccountRow.account) == col(SiteRow.account))
        .order_by(col(SiteRow.region_code), col(SiteRow.id))
    )
    if site_ids is not None:
        query = query.where(col(SiteRow.id).in_(list(site_ids)))
    return [
        SiteAddress(site, organisation, bool(is_registered))
        for site, organisation, is_registered in await session.execute(query)
    ]


async def superior_contact(session: AsyncSession, site: SiteRow) -> str:
    """Whom a hall rings for help: the name and number of the organisation above its own."""
    own = await session.get(OrganisationRow, site.organisation_id)
    above = await session.get(OrganisationRow, own.parent_id) if own and own.parent_id else own
    return f"{above.name} {above.phone}".strip() if above else ""


async def sites(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, SiteRow]:
    """Halls by their id."""
    if not ids:
        return {}
    query = select(SiteRow).where(col(SiteRow.id).in_(ids))
    return {site.id: site for site in await session.scalars(query)}


async def own_contact(session: AsyncSession, site: SiteRow) -> str:
    """Who is rung about a hall: the name and number of its own organisation."""
    own = await session.get(OrganisationRow, site.organisation_id)
    return f"{own.name} {own.phone}".strip() if own else ""


async def site_seen_at(session: AsyncSession, host: str) -> SiteRow | None:
    """The hall that is known at this address: by setting, or by where it registered from."""
    query = (
        select(SiteRow)
        .outerjoin(SipBindingRow, col(SipBindingRow.account) == col(SiteRow.account))
        .where(or_(col(SiteRow.trusted_host) == host, col(SipBindingRow.host) == host))
        .order_by(col(SiteRow.id))
    )
    return (await session.scalars(query)).first()


async def events_since(
    session: AsyncSession, types: Sequence[str], since: datetime
) -> Sequence[EventRow]:
    """Events of these types, in their order."""
    query = (
        select(EventRow)
        .where(col(EventRow.type).in_(types), col(EventRow.at) >= since)
        .order_by(col(EventRow.seq))
    )
    return (await session.scalars(query)).all()


async def owner_of_telephone(session: AsyncSession, number: str) -> str | None:
    """The hall whose call ladder or office has this number, with whose telephone it is."""
    ladders = await session.scalars(
        select(SiteRow).where(col(SiteRow.ladder).contains([{"number": number}]))
    )
    hall = ladders.first()
    if hall is not None:
        step = next(step for step in hall.ladder if step["number"] == number)
        return f"{hall.name} {step.get('name', '')}".strip()
    bare = func.regexp_replace(col(OrganisationRow.phone), r"[ \-()]", "", "g")
    offices = await session.scalars(
        select(OrganisationRow).where(bare == number).order_by(col(OrganisationRow.id))
    )
    office = offices.first()
    return office.name if office is not None else None


async def participant_of_number(
    session: AsyncSession, consultation_id: UUID, number: str | None
) -> ParticipantRow | None:
    if number is None:
        return None
    return await _present(session, consultation_id, col(ParticipantRow.number) == number)


async def site_of_account(session: AsyncSession, account: str) -> SiteRow | None:
    condition = col(SiteRow.account) == account
    if account.startswith(_STATIC):
        try:
            condition = col(SiteRow.id) == UUID(account.removeprefix(_STATIC))
        except ValueError:
            return None
    return (await session.scalars(select(SiteRow).where(condition))).first()


async def site_at_host(session: AsyncSession, host: str) -> SiteRow | None:
    """The static room whose calls come from this address."""
    query = select(SiteRow).where(
        col(SiteRow.trusted_host) == host, col(SiteRow.address_kind) == "static"
    )
    return (await session.scalars(query)).first()


async def account_of_host(session: AsyncSession, host: str) -> str | None:
    """The account name of the static room at this trusted address."""
    site = await site_at_host(session, host)
    return None if site is None else site.account or f"{_STATIC}{site.id}"


async def sip_account(session: AsyncSession, account: str) -> SipAccountRow | None:
    return await session.get(SipAccountRow, account)


async def registered_accounts(session: AsyncSession) -> Sequence[SipAccountRow]:
    query = select(SipAccountRow).where(col(SipAccountRow.is_registered).is_(True))
    return (await session.scalars(query)).all()


async def camera(session: AsyncSession, camera_id: UUID) -> CameraRow | None:
    return await session.get(CameraRow, camera_id)


async def cameras(session: AsyncSession) -> Sequence[CameraRow]:
    return (await session.scalars(select(CameraRow).order_by(col(CameraRow.id)))).all()


async def team_name(session: AsyncSession, team_id: UUID) -> str | None:
    from resource_dispatch import Team  # the gateway process enters here too: keep it light

    team = await session.get(Team, team_id)
    return None if team is None else team.name


async def team_for(
    session: AsyncSession, team_id: UUID, *, is_drill: bool
) -> tuple[UUID, str] | None:
    """Id and name of the team that takes part: in a drill a real team's copy, which has the drill's
    orders and none of the real ones. None for an unknown team, and for a copy outside of drills.
    """
    from resource_dispatch import Team, copy_of

    team = await session.get(Team, team_id)
    if team is not None and is_drill and not team.is_drill:
        team = await copy_of(session, team)
    return None if team is None or team.is_drill != is_drill else (team.id, team.name)


async def experts(session: AsyncSession) -> Sequence[ExpertRow]:
    return (await session.scalars(select(ExpertRow).order_by(col(ExpertRow.id)))).all()


@dataclass(frozen=True, slots=True)
class HeldLeg:
    """A member of an open consultation who has a leg."""

    consultation_id: UUID
    region_code: str
    participant_id: UUID
    leg_id: str | None
    viewer_leg_id: str | None


async def legs_of_open(session: AsyncSession) -> list[HeldLeg]:
    """Everybody in an open consultation who has a leg."""
    query = (
        select(ParticipantRow, col(ConsultationRow.region_code))
        .join(ConsultationRow, col(ParticipantRow.consultation_id) == col(ConsultationRow.id))
        .where(
            col(ConsultationRow.state) == "open",
            col(ParticipantRow.removed_at).is_(None),
            or_(
                col(ParticipantRow.leg_id).is_not(None),
                col(ParticipantRow.viewer_leg_id).is_not(None),
            ),
        )
    )
    return [
        HeldLeg(row.consultation_id, region_code, row.id, row.leg_id, row.viewer_leg_id)
        for row, region_code in await session.execute(query)
    ]


async def sip_bindings(session: AsyncSession) -> Sequence[SipBindingRow]:
    return (await session.scalars(select(SipBindingRow).order_by(col(SipBindingRow.id)))).all()


async def drop_sip_bindings(session: AsyncSession, account: str) -> None:
    await session.execute(delete(SipBindingRow).where(col(SipBindingRow.account) == account))
