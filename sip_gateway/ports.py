"""What the gateway needs from above; `command_center/bootstrap.py` hands it in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .messages import BridgeRole, SrtpPolicy

_WORDS = {
    "number_unknown": "{number} is no consultation, service or hall",
    "number_barred": "{number} is barred by the dial plan",
    "number_emptied": "the dial plan leaves nothing of {number}",
    "number_malformed": "that is no number",
    "site_not_in_consultation": "the hall {number} is in no consultation",
}


@dataclass(frozen=True, slots=True)
class Credential:
    """Secrets of one account (RFC 8760): hex HA1 = H(username:realm:password).

    `h235_key` is SHA-1 of the password, for H.323 rooms (H.235.1); None: it was never told.
    `shows_password`: an H.323 room of it is not let in by its address or number alone.
    """

    account: str
    realm: str
    ha1_md5: str
    ha1_sha256: str
    h235_key: bytes | None = None
    shows_password: bool = False


@dataclass(frozen=True, slots=True)
class Lobby:
    """The caller waits and is asked by keys for what is missing."""

    number: str | None  # the consultation it dialled; None: it is asked for that too
    needs_pin: bool = True


@dataclass(frozen=True, slots=True)
class Admission:
    """The caller may enter this conference as this leg."""

    conference_id: str
    leg_id: str
    name: str
    self_test_contact: str | None = None  # it is a self-test; whom to ring when something is wrong
    srtp_policy: SrtpPolicy | None = None  # of its media; None: as the gateway is set
    bridge_role: BridgeRole | None = None  # it is another MCU and no room
    lobby: Lobby | None = None  # not in yet: a conference of its own, with a PIN to enter by
    lines: tuple[str, ...] = ()  # other addresses of this room, for when its line is cut


@dataclass(frozen=True, slots=True)
class Refusal:
    """The caller may not enter; `sip_status` is 404, 403, 486, 603 or 480."""

    sip_status: int
    code: str
    number: str = ""  # that leads nowhere, as the dial plan has it

    @property
    def words(self) -> str:
        """What the one who dialled is told, in words that any signalling carries."""
        told = _WORDS.get(self.code)
        number = self.number if self.number.isascii() else ""
        return f"{self.code}: {told.format(number=number)}" if told else self.code


@dataclass(frozen=True, slots=True)
class Trunk:
    """Where telephone numbers are dialled: sip:host:port, with credentials if it asks."""

    uri: str
    username: str | None = None
    password: str | None = None


class Directory(Protocol):
    """Who may call and be called."""

    async def credential(self, username: str) -> Credential | None:
        """Digest secrets of an account, None when unknown (the answer on the wire is the same)."""

    async def account_at(self, host: str) -> str | None:
        """The account of a room at a static, trusted address; None when the address is unknown."""

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        """An authenticated account dialled `number`: which conference, as which leg?"""

    async def enter(
        self, account: str, caller: str, number: str, pin: str | None
    ) -> Admission | None:
        """A caller in the lobby keyed this in; None: wrong, and not said which of both."""

    async def trunk(self) -> Trunk | None:
        """The telephone trunk, None when none is configured."""


@dataclass(frozen=True, slots=True)
class StoredBinding:
    """One registered contact, as it outlives a restart of the gateway."""

    account: str
    contact: str
    transport: str
    host: str
    port: int
    expires_at: datetime
    user_agent: str | None = None
    path: tuple[str, ...] = ()


class RegistrationStore(Protocol):
    """Keeps registrations over a restart, so that no hall is forgotten until it registers anew."""

    async def load(self) -> list[StoredBinding]:
        """Every binding that was saved last."""

    async def save(self, account: str, bindings: list[StoredBinding]) -> None:
        """Replace what is stored of an account; an empty list removes it."""
