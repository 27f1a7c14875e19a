"""Who a SIP request is from: digest against the directory, or a known static address."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from .guard import Offence
from .ports import Directory
from .sip.digest import DigestServer, Verdict
from .sip.message import Headers, Request
from .sip.transaction import Flow


@dataclass(frozen=True, slots=True)
class Challenge:
    """Not (rightly) authenticated: answer with `status` and `headers`."""

    status: int
    headers: Headers
    offence: Offence


class Admission:
    """Authenticates requests. The answer does not tell whether the user exists."""

    def __init__(
        self, directory: Directory, *, realm: str, nonce_life_s: float, now: Callable[[], float]
    ) -> None:
        self._directory = directory
        self._now = now
        self._digest = DigestServer(
            realm, secrets.token_bytes(32), lambda: secrets.token_hex(8), nonce_life_s
        )

    async def account_of_caller(self, request: Request, flow: Flow) -> str | Challenge:
        """The account behind an INVITE: by its static address, else by digest."""
        if self._digest.username(request) is None:
            account = await self._directory.account_at(flow.host)
            if account is not None:
                return account
        return await self.account_by_digest(request)

    async def account_by_digest(self, request: Request) -> str | Challenge:
        username = self._digest.username(request)
        if username is None:
            headers = tuple(self._digest.challenges(self._now()))
            return Challenge(401, headers, Offence.CHALLENGED)
        credential = await self._directory.credential(username)
        verdict = self._digest.check(request, credential, self._now())
        if verdict is Verdict.ACCEPTED and credential is not None:
            return credential.account
        if verdict is Verdict.REFUSED:
            return Challenge(403, (), Offence.WRONG_PASSWORD)
        headers = tuple(self._digest.challenges(self._now(), is_stale=verdict is Verdict.STALE))
        return Challenge(401, headers, Offence.CHALLENGED)
