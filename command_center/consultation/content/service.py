"""The content token: asked for, given back, taken back (收回双流令牌), locked (锁定演示)."""

from __future__ import annotations

from uuid import UUID

from ...security import Permission, Work, service_call
from ...security.actor import ActorKind
from .. import repository as rosters
from .. import roster
from ..errors import LocalConsultationError
from ..model import ParticipantState, Protocol
from ..service import open_consultation_row, require_sight
from ..tables import ConsultationRow, ParticipantRow
from . import repository
from .schemas import ContentOut, ContentSiteOut
from .tables import ContentRow
from .token import Token

PRESENTING = frozenset({Protocol.WEBRTC.value, Protocol.SIP.value})


@service_call(permission=Permission.CONSULTATION_JOIN, audit="content.request")
async def request_content(work: Work, consultation_id: UUID, *, can_wait: bool) -> ContentOut:
    """The caller wants to present. Raises `content_held` and `content_locked` with a name,
    `content_not_in` for who is not in, `publish_not_allowed`."""
    row = await open_consultation_row(work, consultation_id)
    if work.actor.kind is ActorKind.FIELD_TEAM and not work.actor.can_publish:
        raise LocalConsultationError("publish_not_allowed")
    return await _request(work, row, await _oneself(work, row), can_wait=can_wait)


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="content.request_for")
async def request_content_for(
    work: Work, consultation_id: UUID, participant_id: UUID, *, can_wait: bool
) -> ContentOut:
    """A room wants to present (BFCP, H.239): told by the gateway."""
    row = await open_consultation_row(work, consultation_id)
    who = await rosters.participant(work.session, consultation_id, participant_id)
    return await _request(work, row, who, can_wait=can_wait)


@service_call(permission=Permission.CONSULTATION_JOIN, audit="content.release")
async def release_content(work: Work, consultation_id: UUID) -> ContentOut:
    """The caller presents no more. Without the token nothing changes."""
    row = await open_consultation_row(work, consultation_id)
    return await _release(work, row, (await _oneself(work, row)).id)


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="content.release_for")
async def release_content_for(
    work: Work, consultation_id: UUID, participant_id: UUID
) -> ContentOut:
    """A room presents no more, or who held the token is lost or gone."""
    row = await open_consultation_row(work, consultation_id)
    return await _release(work, row, participant_id)


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="content.take_back")
async def take_content_back(work: Work, consultation_id: UUID) -> ContentOut:
    """收回双流令牌: whoever holds it loses it; the next in the queue is granted."""
    row = await open_consultation_row(work, consultation_id)
    content = await _content(work, row)
    if content.holder_id is not None:
        name = await repository.name_of(work.session, content.holder_id)
        await roster.note(work, row, "content_taken_back", name=name)
        return await _release(work, row, content.holder_id)
    return await shown(work, row)


@service_call(permission=Permission.CONSULTATION_CONTROL, audit="content.lock")
async def lock_content(
    work: Work, consultation_id: UUID, participant_id: UUID | None
) -> ContentOut:
    """锁定演示 to one site, or with None to first come. Raises `participant_not_found`."""
    row = await open_consultation_row(work, consultation_id)
    if participant_id is not None:
        site = await rosters.participant(work.session, consultation_id, participant_id)
        await roster.note(work, row, "content_locked", name=site.name)
    content = await _content(work, row)
    return await _store(work, row, content, token_of(content).lock(participant_id))


async def read_content(work: Work, consultation_id: UUID) -> ContentOut:
    """Who presents. Raises `consultation_not_found`."""
    row = await rosters.consultation(work.session, consultation_id)
    require_sight(work.actor, row)
    return await shown(work, row)


def token_of(row: ContentRow) -> Token:
    return Token(row.holder_id, tuple(map(UUID, row.queue)), row.locked_to)


async def _content(work: Work, row: ConsultationRow) -> ContentRow:
    """The caller holds the consultation's lock."""
    found = await repository.content_of(work.session, row.id)
    return found or ContentRow(consultation_id=row.id, is_drill=row.is_drill)


async def _oneself(work: Work, row: ConsultationRow) -> ParticipantRow:
    """The caller's own line on the roster. Raises `content_not_in`."""
    actor, found = work.actor, None
    if actor.kind is ActorKind.FIELD_TEAM and actor.participant_id is not None:
        found = await rosters.participant(work.session, row.id, actor.participant_id)
    elif actor.kind is ActorKind.USER:
        found = await rosters.participant_of_user(work.session, row.id, UUID(actor.id))
    if found is None:
        raise LocalConsultationError("content_not_in")
    return found


async def _request(
    work: Work, row: ConsultationRow, who: ParticipantRow, *, can_wait: bool
) -> ContentOut:
    is_in = who.state == ParticipantState.JOINED.value and who.leg_id is not None
    if not is_in or who.protocol not in PRESENTING:
        raise LocalConsultationError("content_not_in")
    content = await _content(work, row)
    try:
        token = token_of(content).request(who.id, can_wait=can_wait)
    except LocalConsultationError as error:
        of = UUID(str(error.fields["participant_id"]))
        name = await repository.name_of(work.session, of)
        raise LocalConsultationError(error.code, holder=name, participant_id=str(of)) from None
    if token.holder == who.id and content.leg_id not in (None, who.leg_id):
        content.leg_id = who.leg_id  # it came back by another leg and asks anew
    return await _store(work, row, content, token)


async def _release(work: Work, row: ConsultationRow, participant_id: UUID) -> ContentOut:
    content = await _content(work, row)
    return await _store(work, row, content, token_of(content).release(participant_id))


async def _store(work: Work, row: ConsultationRow, content: ContentRow, token: Token) -> ContentOut:
    """Write the token and tell everybody what changed."""
    work.concerns("consultation", row.id, is_drill=row.is_drill)
    is_same = token == token_of(content)
    if token.holder != content.holder_id:
        await _hand_over(work, row, content, token)
    content.queue = [str(one) for one in token.queue]
    content.locked_to = token.locked_to
    work.session.add(content)
    await work.session.flush()
    told = await shown(work, row)
    if not is_same:
        roster.tell(work, row, "content.updated", told.model_dump(mode="json"))
    return told


async def _hand_over(work: Work, row: ConsultationRow, content: ContentRow, token: Token) -> None:
    if content.holder_id is not None:
        name = await repository.name_of(work.session, content.holder_id)
        await roster.note(work, row, "content_ended", name=name)
    content.holder_id, content.leg_id, content.granted_at = token.holder, None, None
    if token.holder is None:
        return
    who = await rosters.participant(work.session, row.id, token.holder)
    content.leg_id, content.granted_at = who.leg_id, work.now
    work.concerns("consultation", row.id, is_drill=row.is_drill, holder=who.name)
    await roster.note(work, row, "content_began", name=who.name)


async def shown(work: Work, row: ConsultationRow) -> ContentOut:
    """The token as pages show it."""
    content = await repository.content_of(work.session, row.id)
    names = {p.id: p.name for p in await rosters.participants(work.session, row.id)}
    token = Token() if content is None or row.state != "open" else token_of(content)

    def site(of: UUID | None) -> ContentSiteOut | None:
        return None if of not in names else ContentSiteOut(participant_id=of, name=names[of])

    return ContentOut(
        consultation_id=row.id,
        holder=site(token.holder),
        granted_at=None if content is None or token.holder is None else content.granted_at,
        queue=[found for one in token.queue if (found := site(one)) is not None],
        locked_to=site(token.locked_to),
    )
