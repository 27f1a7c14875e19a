"""The registrar (RFC 3261 clause 10, Path RFC 3327): which account is reachable over which flow.

It trusts its caller to have authenticated the account. Contacts are dialled over the flow that
registered them, so rooms behind an address translator are reached (RFC 5626's idea).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import RemoteSipError
from .header import Address, parse_number
from .message import Headers, Request
from .transaction import Flow
from .uri import SipUri


@dataclass(frozen=True, slots=True)
class RegistrarLimits:
    """Seconds and counts."""

    default_expires_s: int = 3600
    minimum_expires_s: int = 60
    maximum_expires_s: int = 7200
    contacts_per_account: int = 8
    accounts: int = 20_000


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of an account."""

    contact: SipUri
    flow: Flow
    expires_at: float
    call_id: str
    cseq: int
    user_agent: str | None = None
    path: tuple[str, ...] = ()
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class RegistrationOutcome:
    """What to answer, and whether the account's registration changed."""

    status: int
    headers: Headers = ()
    has_changed: bool = False


@dataclass(slots=True)
class Registrar:
    limits: RegistrarLimits = field(default_factory=RegistrarLimits)
    _bindings: dict[str, list[Binding]] = field(default_factory=dict)

    # --- asking ----------------------------------------------------------------------------

    def bindings(self, account: str, now: float) -> list[Binding]:
        """Live contacts of an account, the newest first."""
        live = [b for b in self._bindings.get(account, ()) if b.expires_at > now]
        return sorted(live, key=lambda b: b.expires_at, reverse=True)

    def accounts(self, now: float) -> list[str]:
        return [account for account in self._bindings if self.bindings(account, now)]

    def account_of(self, flow: Flow, now: float) -> str | None:
        """The account that registered over exactly this flow."""
        for account in self._bindings:
            if any(b.flow == flow for b in self.bindings(account, now)):
                return account
        return None

    def next_expiry(self) -> float | None:
        return min((b.expires_at for bs in self._bindings.values() for b in bs), default=None)

    # --- changing --------------------------------------------------------------------------

    def register(
        self, account: str, request: Request, flow: Flow, now: float
    ) -> RegistrationOutcome:
        """Apply an authenticated REGISTER. Raises RemoteSipError for what breaks the rules."""
        values = request.get_all("Contact")
        if not values:
            return self._answer(account, request, now, has_changed=False)
        if any(value.strip() == "*" for value in values):
            if len(values) > 1 or request.number("Expires") != 0:
                raise RemoteSipError("contact_star_misused")
            had = bool(self.bindings(account, now))
            self._bindings.pop(account, None)
            return self._answer(account, request, now, has_changed=had)
        before = {str(b.contact) for b in self.bindings(account, now)}
        wanted: list[tuple[Address, int]] = []
        for contact in request.contacts:
            expires = self._expires(contact, request)
            if 0 < expires < self.limits.minimum_expires_s:
                floor = str(self.limits.minimum_expires_s)
                return RegistrationOutcome(423, (("Min-Expires", floor),))
            wanted.append((contact, min(expires, self.limits.maximum_expires_s)))
        self._replace(account, wanted, request, flow, now)
        after = {str(b.contact) for b in self.bindings(account, now)}
        return self._answer(account, request, now, has_changed=before != after)

    def restore(self, account: str, binding: Binding) -> None:
        """Put back a binding that was stored before a restart."""
        self._bindings.setdefault(account, []).append(binding)

    def expire(self, now: float) -> list[str]:
        """Drop what lapsed; returns the accounts that have no contact any more."""
        return self._drop(lambda binding: binding.expires_at <= now)

    def flow_lost(self, flow: Flow) -> list[str]:
        """A connection closed: contacts behind it cannot be reached. Returns accounts now gone."""
        if flow.connection == 0:
            return []
        return self._drop(lambda binding: binding.flow == flow)

    def _drop(self, is_gone: Callable[[Binding], bool]) -> list[str]:
        gone: list[str] = []
        for account, bindings in list(self._bindings.items()):
            kept = [b for b in bindings if not is_gone(b)]
            if len(kept) == len(bindings):
                continue
            self._bindings[account] = kept
            if not kept:
                del self._bindings[account]
                gone.append(account)
        return gone

    def _expires(self, contact: Address, request: Request) -> int:
        text = contact.param("expires")
        if text is None:
            header = request.number("Expires")
            return self.limits.default_expires_s if header is None else header
        return parse_number(text, "number_malformed", 2**32 - 1)

    def _replace(
        self,
        account: str,
        wanted: list[tuple[Address, int]],
        request: Request,
        flow: Flow,
        now: float,
    ) -> None:
        kept = self.bindings(account, now)
        call_id, cseq = request.call_id, request.cseq.number
        for contact, expires in wanted:
            uri = contact.sip
            instance = contact.param("+sip.instance")
            for old in [b for b in kept if _is_same(b, uri, instance)]:
                if old.call_id == call_id and cseq <= old.cseq:
                    raise RemoteSipError("cseq_out_of_order", cseq=cseq)
                kept.remove(old)
            if expires:
                kept.append(
                    Binding(
                        uri,
                        flow,
                        now + expires,
                        call_id,
                        cseq,
                        (request.get("User-Agent") or "")[:120] or None,
                        tuple(request.get_all("Path")),
                        instance,
                    )
                )
        if len(kept) > self.limits.contacts_per_account:
            kept = sorted(kept, key=lambda b: b.expires_at)[-self.limits.contacts_per_account :]
        if account not in self._bindings and len(self._bindings) >= self.limits.accounts:
            raise RemoteSipError("registrar_full")
        if kept:
            self._bindings[account] = kept
        else:
            self._bindings.pop(account, None)

    def _answer(
        self, account: str, request: Request, now: float, *, has_changed: bool
    ) -> RegistrationOutcome:
        headers = [
            ("Contact", f"<{b.contact}>;expires={int(b.expires_at - now)}")
            for b in self.bindings(account, now)
        ]
        if request.has_option("Supported", "path"):
            headers += [("Path", value) for value in request.get_all("Path")]
        return RegistrationOutcome(200, tuple(headers), has_changed)


def _is_same(binding: Binding, uri: SipUri, instance: str | None) -> bool:
    if instance is not None and binding.instance == instance:
        return True
    return binding.contact.is_equivalent(uri)
