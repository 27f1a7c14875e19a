"""Who a SIP request is from: digest against the directory, or a known static address."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from .guard import Offence
from .ports import Directory
from .sip.digest import ALGORITHMS, DigestServer, Verdict
from .sip.message import Headers, Request
from .sip.transaction import Flow
from .sip.uri import SipUri

REMEMBERED = 20_000
SIPP_TAG = "SIPpTag"  # sipp scenarios mostly name no User-Agent; it ends at once at SHA-256


@dataclass(frozen=True, slots=True)
class Challenge:
    """Not (rightly) authenticated: answer with `status` and `headers`."""

    status: int
    headers: Headers
    offence: Offence


@dataclass(slots=True)
class ChallengePolicy:
    """Which algorithms to offer a peer.

    RFC 8760 wants SHA-256 offered before MD5, and a peer that knows only MD5 to skip what it does
    not know. Older stacks give up at the first unknown algorithm instead. They are known by name,
    or found out: who asks again without having answered a double challenge gets MD5 alone.
    """

    md5_only_agents: tuple[str, ...]
    _unanswered: OrderedDict[tuple[str, str], float] = field(default_factory=OrderedDict)
    _found_out: OrderedDict[tuple[str, str], None] = field(default_factory=OrderedDict)

    def algorithms(self, request: Request, flow: Flow, now: float) -> tuple[str, ...]:
        agent = (request.get("User-Agent") or "").lower()
        if agent.startswith(self.md5_only_agents) or SIPP_TAG in (request.from_.tag or ""):
            return ("MD5",)
        key = _peer(request, flow)
        if now - self._unanswered.setdefault(key, now) > 0.5:
            self._found_out[key] = None
        for memory in (self._unanswered, self._found_out):
            if len(memory) > REMEMBERED:
                memory.popitem(last=False)
        return ("MD5",) if key in self._found_out else tuple(ALGORITHMS)

    def answered(self, request: Request, flow: Flow) -> None:
        self._unanswered.pop(_peer(request, flow), None)


def _peer(request: Request, flow: Flow) -> tuple[str, str]:
    uri = request.from_.uri
    return flow.host, (uri.user or "") if isinstance(uri, SipUri) else ""


class Admission:
    """Authenticates requests. The answer does not tell whether the user exists."""

    def __init__(
        self,
        directory: Directory,
        *,
        realm: str,
        nonce_life_s: float,
        md5_only_agents: tuple[str, ...],
        now: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._now = now
        self._policy = ChallengePolicy(md5_only_agents)
        self._digest = DigestServer(
            realm, secrets.token_bytes(32), lambda: secrets.token_hex(8), nonce_life_s
        )

    async def account_of_caller(self, request: Request, flow: Flow) -> str | Challenge:
        """The account behind an INVITE: by its static address, else by digest."""
        if self._digest.username(request) is None:
            account = await self._directory.account_at(flow.host)
            if account is not None:
                return account
        return await self.account_by_digest(request, flow)

    async def account_by_digest(self, request: Request, flow: Flow) -> str | Challenge:
        username = self._digest.username(request)
        if username is None:
            return self._challenge(request, flow, is_stale=False)
        self._policy.answered(request, flow)
        credential = await self._directory.credential(username)
        verdict = self._digest.check(request, credential, self._now())
        if verdict is Verdict.ACCEPTED and credential is not None:
            return credential.account
        if verdict is Verdict.REFUSED:
            return Challenge(403, (), Offence.WRONG_PASSWORD)
        return self._challenge(request, flow, is_stale=verdict is Verdict.STALE)

    def _challenge(self, request: Request, flow: Flow, *, is_stale: bool) -> Challenge:
        now = self._now()
        algorithms = self._policy.algorithms(request, flow, now)
        headers = self._digest.challenges(now, is_stale=is_stale, algorithms=algorithms)
        return Challenge(401, tuple(headers), Offence.CHALLENGED)
