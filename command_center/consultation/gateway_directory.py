"""What the gateway asks: who may call, as which leg they enter, where rooms are registered.

It runs in the gateway's process with a pool of its own. A number nobody may enter and a number that
does not exist get the same answer.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sip_gateway.dial_plan import LOBBY_NUMBER, SELF_TEST_NUMBER, Inside, Nowhere
from sip_gateway.ports import Admission, Credential, Refusal, StoredBinding, Trunk

from ..database import new_id
from ..directory.tables import SipBindingRow, SiteRow
from ..security import SYSTEM, Actor, ActorKind, Desk, Work, service_call
from . import repository, roster
from .control import repository as orders
from .control.lock import may_enter
from .control.refusal import refused_by_lock
from .line_in_use import uri_host
from .lines import fresh_test, lines_of
from .lobby import TRUNK_ACCOUNT, enter, lobby_for
from .model import MemberKind, ParticipantState, Protocol, bridge_role_of, srtp_policy_of
from .numbering import repository as numbering
from .numbering.plans import plan_of
from .pins import is_pin
from .schemas import MemberIn
from .tables import ConsultationRow, ParticipantRow
from .transitions import Started

LOCKED = Refusal(403, "consultation_locked")
_STATUS = {"number_barred": 403, "site_not_in_consultation": 480}  # of numbers that lead nowhere


@service_call(permission=None, audit="call.admit")
async def admit(work: Work, account: str, number: str) -> Admission | Refusal:
    """An authenticated room dialled `number`; its digest or its address is the permission.

    The room takes its place on the roster (or a new one) with a new leg; a leg or call it had
    before is replaced, so that one hall never has two.
    """
    site = await repository.site_of_account(work.session, account)
    plan = await plan_of(work.session, None if site is None else site.region_code)
    if site is None:
        return lobby_for(None, number, plan)
    led = plan.incoming(number)
    if led == Inside(SELF_TEST_NUMBER):
        return await _self_test(work, site)
    if led == Inside(LOBBY_NUMBER):
        return lobby_for(site, number, plan)
    row = led if isinstance(led, Nowhere) else await _consultation(work, led)
    if isinstance(row, Nowhere):
        work.concerns("number", row.number, refused=row.code, rule=row.match)
        return Refusal(_STATUS.get(row.code, 404), row.code, row.number)
    participant = await repository.participant_of_site(work.session, row.id, site.id)
    state = None if participant is None else ParticipantState(participant.state)
    is_locked = await orders.is_locked(work.session, row.id)
    if not may_enter(is_locked=is_locked, kind=MemberKind.SITE, state=state):
        await refused_by_lock(work, row, site.name)
        return LOCKED
    if participant is None:
        member = MemberIn(kind=MemberKind.SITE, site_id=site.id)
        participant = await roster.add_member(work, row, member)
    admission = await _enter(work, row, participant)
    policy = srtp_policy_of(site.srtp_policy)
    role = bridge_role_of(site.bridge_role)
    return replace(admission, lines=lines_of(site), srtp_policy=policy, bridge_role=role)


async def _consultation(work: Work, led: Inside) -> ConsultationRow | Nowhere:
    """By its own number, or by that of a hall which is in it."""
    row = await repository.open_by_dial_number(work.session, led.number)
    if row is not None:
        return row
    called = await numbering.site_of_number(work.session, led.number)
    if called is None:
        return Nowhere("number_unknown", led.number)
    row = await numbering.consultation_of_site(work.session, called.id)
    return row or Nowhere("site_not_in_consultation", led.number)


async def _self_test(work: Work, site: SiteRow) -> Admission:
    """A conference of its own; nobody's roster knows of it."""
    conference_id, leg_id = fresh_test()
    contact = await repository.superior_contact(work.session, site)
    policy = srtp_policy_of(site.srtp_policy)
    return Admission(
        conference_id, leg_id, site.name, self_test_contact=contact, srtp_policy=policy
    )


async def _enter(work: Work, row: ConsultationRow, participant: ParticipantRow) -> Admission:
    participant.leg_id = str(new_id())
    participant.protocol = Protocol.SIP.value
    participant.is_incoming, participant.is_wanted = True, True
    participant.attempts, participant.retry_at = 0, None
    was_in = participant.state == ParticipantState.JOINED.value
    await roster.apply(work, row, participant, Started())
    if not was_in:
        await roster.note(work, row, "dialled_in", name=participant.name)
    work.concerns("participant", participant.id, is_drill=row.is_drill, number=row.dial_number)
    return Admission(str(row.id), participant.leg_id or "", participant.name)


class GatewayDirectory:
    """Implements `sip_gateway.ports.Directory` and `RegistrationStore` on the database."""

    def __init__(self, desk: Desk, trunk: Trunk | None = None) -> None:
        self._desk = desk
        self._trunk = trunk

    async def credential(self, username: str) -> Credential | None:
        if not username or len(username) > 64 or "\x00" in username:
            return None
        async with self._desk.database.session() as session:
            row = await repository.sip_account(session, username)
            site = await repository.site_of_account(session, username)
        if row is None:
            return None
        return Credential(
            row.account,
            row.realm,
            row.ha1_md5,
            row.ha1_sha256,
            h235_key=bytes.fromhex(row.h235_key) if row.h235_key is not None else None,
            shows_password=site is not None and site.shows_h323_password,
        )

    async def account_at(self, host: str) -> str | None:
        if self._trunk is not None and host == uri_host(self._trunk.uri):
            return TRUNK_ACCOUNT
        async with self._desk.database.session() as session:
            return await repository.account_of_host(session, host)

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        actor = Actor(id=f"sip:{account}"[:64], name=account, kind=ActorKind.SYSTEM)
        async with self._desk.work(actor) as work:
            return await admit(work, account, number)

    async def enter(
        self, account: str, caller: str, number: str, pin: str | None
    ) -> Admission | None:
        if pin is None:
            admitted = await self.admit(account, number)
            if isinstance(admitted, Refusal) or admitted.lobby is not None:
                return None
            return admitted
        actor = Actor(id=f"sip:{account}"[:64], name=caller[:60], kind=ActorKind.SYSTEM)
        async with self._desk.work(actor) as work:
            return await enter(work, caller, number, pin, partial(is_pin, self._desk))

    async def trunk(self) -> Trunk | None:
        return self._trunk

    # --- registrations over a restart -----------------------------------------------------

    async def load(self) -> list[StoredBinding]:
        async with self._desk.database.session() as session:
            rows = await repository.sip_bindings(session)
        return [
            StoredBinding(
                account=row.account,
                contact=row.contact,
                transport=row.transport,
                host=row.host,
                port=row.port,
                expires_at=row.expires_at,
                user_agent=row.user_agent,
                path=tuple(row.path),
            )
            for row in rows
        ]

    async def save(self, account: str, bindings: list[StoredBinding]) -> None:
        async with self._desk.work(SYSTEM) as work:
            await repository.drop_sip_bindings(work.session, account)
            for binding in bindings:
                work.session.add(
                    SipBindingRow(
                        id=new_id(),
                        account=account,
                        contact=binding.contact[:1000],
                        transport=binding.transport,
                        host=binding.host,
                        port=binding.port,
                        expires_at=binding.expires_at,
                        user_agent=(binding.user_agent or "")[:500] or None,
                        path=list(binding.path),
                    )
                )
