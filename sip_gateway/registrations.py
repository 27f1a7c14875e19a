"""Registrations of halls: REGISTER in, changes out, kept over a restart if a store is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from .admission import Admission, Challenge
from .errors import RemoteSipError
from .guard import Offence
from .messages import RegistrationChanged
from .ports import RegistrationStore, StoredBinding
from .sip.events import RequestReceived
from .sip.message import Headers
from .sip.registrar import Binding, Registrar, RegistrarLimits
from .sip.transaction import Flow
from .sip.uri import SipUri, parse_sip_uri
from .sip_edge import SipEdge


class Registrations:
    """`announce` gets every change that a roster has to show."""

    def __init__(
        self,
        edge: SipEdge,
        admission: Admission,
        limits: RegistrarLimits,
        announce: Callable[[RegistrationChanged], None],
        store: RegistrationStore | None,
    ) -> None:
        self._edge, self._admission, self._announce = edge, admission, announce
        self._registrar = Registrar(limits)
        self._store = store

    # --- asking ---------------------------------------------------------------------------------

    def contact(self, account: str) -> Binding | None:
        """Where an account is reached now: its newest contact we have a transport for."""
        for binding in self._registrar.bindings(account, self._edge.now()):
            if self._edge.can_reach(binding.flow.transport):
                return binding
        return None

    def snapshot(self) -> list[RegistrationChanged]:
        now = self._edge.now()
        return [self._state(account) for account in self._registrar.accounts(now)]

    def _state(self, account: str) -> RegistrationChanged:
        binding = self.contact(account)
        if binding is None:
            return RegistrationChanged(account=account, is_registered=False)
        return RegistrationChanged(
            account=account,
            is_registered=True,
            contact=str(binding.contact),
            user_agent=binding.user_agent,
        )

    # --- changing -------------------------------------------------------------------------------

    async def register(self, event: RequestReceived) -> None:
        """Authenticate and apply a REGISTER, and answer it."""
        request, host = event.request, event.flow.host
        account = await self._admission.account_by_digest(request, event.flow)
        if isinstance(account, Challenge):
            self._respond(event, account.status, account.headers)
            if account.offence is Offence.CHALLENGED:
                self._edge.blame_challenged(request, host)
            else:
                self._edge.blame(host, account.offence)
            return
        self._edge.guard.praise(host, self._edge.now())
        record = request.to.uri
        if not isinstance(record, SipUri) or record.user != account:
            self._respond(event, 403)
            return
        try:
            outcome = self._registrar.register(account, request, event.flow, self._edge.now())
        except RemoteSipError as error:
            self._respond(event, 503 if error.code == "registrar_full" else 400)
            return
        self._respond(event, outcome.status, outcome.headers)
        if outcome.status == 200 and self._store is not None:
            await self._store.save(account, self._stored(account))
        if outcome.has_changed:
            self._announce(self._state(account))

    def _respond(self, event: RequestReceived, status: int, headers: Headers = ()) -> None:
        self._edge.agent.respond(event.key, event.request, status, self._edge.now(), headers)
        self._edge.pump()

    async def expire(self) -> None:
        """Drop lapsed registrations; call it every second."""
        await self._gone(self._registrar.expire(self._edge.now()))

    async def connection_closed(self, flow: Flow) -> None:
        await self._gone(self._registrar.flow_lost(flow))

    async def _gone(self, accounts: list[str]) -> None:
        for account in accounts:
            self._announce(RegistrationChanged(account=account, is_registered=False))
        if self._store is not None:
            for account in accounts:
                await self._store.save(account, [])

    # --- over a restart -------------------------------------------------------------------------

    def _stored(self, account: str) -> list[StoredBinding]:
        now, wall = self._edge.now(), datetime.now(UTC)
        return [
            StoredBinding(
                account,
                str(binding.contact),
                binding.flow.transport,
                binding.flow.host,
                binding.flow.port,
                wall + timedelta(seconds=binding.expires_at - now),
                binding.user_agent,
                binding.path,
            )
            for binding in self._registrar.bindings(account, now)
        ]

    async def restore(self) -> None:
        """Take back what was stored. Connections are gone: their contacts are dialled afresh."""
        if self._store is None:
            return
        now, wall = self._edge.now(), datetime.now(UTC)
        for stored in await self._store.load():
            remaining = (stored.expires_at - wall).total_seconds()
            if remaining <= 0:
                continue
            try:
                contact = parse_sip_uri(stored.contact)
            except RemoteSipError:
                continue
            flow = Flow(stored.transport, stored.host, stored.port)
            binding = Binding(contact, flow, now + remaining, "", 0, stored.user_agent, stored.path)
            self._registrar.restore(stored.account, binding)
            self._announce(self._state(stored.account))
