"""Who may register at our gatekeeper: by address, by number where that is allowed, by password."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .h323.gatekeeper import RegistrationAsked
from .h323.h2351 import Signer, token_of
from .ports import Credential, Directory

MAX_SIGNERS = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """`account` None: refused. `signer`: the room has shown its password (H.235.1)."""

    account: str | None = None
    signer: Signer | None = None
    refusal: str = "securityDenial"


class Doorkeeper:
    """Keeps what was heard of each account's password, so that nothing counts twice."""

    def __init__(
        self, directory: Directory, *, is_open: bool, clock: Callable[[], float] = time.time
    ) -> None:
        """`is_open`: a number alone will do, in closed nets."""
        self._directory, self._is_open, self._clock = directory, is_open, clock
        self._signers: dict[str, Signer] = {}

    async def judge(self, asked: RegistrationAsked) -> Verdict:
        """A password that is shown must be right, even where none is asked for."""
        at_address = await self._directory.account_at(asked.source[0])
        verdict = Verdict()
        shown = token_of(asked.request.body)
        if shown is not None:
            verdict = Verdict(refusal="securityIntegrityFailed")  # a stranger's, too
        for account in asked.aliases if at_address is None else (at_address,):
            credential = await self._directory.credential(account)
            if credential is not None and credential.h235_key is not None and shown is not None:
                verdict = self._shown(asked, credential, credential.h235_key)
            elif _may_be_silent(credential) and (
                at_address is not None or (self._is_open and credential is not None)
            ):
                verdict = Verdict(account)
            if verdict.account is not None:
                break
        return verdict

    def _shown(self, asked: RegistrationAsked, credential: Credential, key: bytes) -> Verdict:
        signer = self._signers.get(credential.account)
        if signer is None or signer.key != key:
            if len(self._signers) >= MAX_SIGNERS:
                del self._signers[next(iter(self._signers))]
            signer = self._signers[credential.account] = Signer(key, self._clock)
        request = asked.request
        objection = signer.objection(request.pdu, request.body, asked.source)
        if objection is not None:
            return Verdict(refusal=objection)
        return Verdict(credential.account, signer)


def _may_be_silent(credential: Credential | None) -> bool:
    """Whether a room may come in without its password."""
    return credential is None or not credential.shows_password
