"""Passwords at a gatekeeper: our client and our gatekeeper, liars and repeaters between them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from sip_gateway.h323 import asn1, ras
from sip_gateway.h323.errors import RemoteH323Error
from sip_gateway.h323.gatekeeper import Gatekeeper, RegistrationAsked
from sip_gateway.h323.h225 import Identity
from sip_gateway.h323.h2351 import WINDOW_S, Signer, key_of, token_of
from sip_gateway.h323.ras_client import CallAdmitted, RasClient, RegistrationMoved
from sip_gateway.h323_passwords import Doorkeeper
from sip_gateway.ports import Credential
from tests.sip_gateway.desk import PASSWORD, Book

from .test_ras import BRIDGE, ROOM, STRANGER, Net

KEY = key_of(PASSWORD)
ANSWER = ras.information_request(7)


class _Book(Book):
    """Its accounts have told their password; `shows` says who must show it."""

    shows = False

    async def credential(self, username: str) -> Credential | None:
        known = await super().credential(username)
        return known and replace(known, h235_key=KEY, shows_password=self.shows)


@dataclass
class _Guarded(Net):
    """Registrations are judged by the doorkeeper, as in the gateway."""

    book: _Book = field(default_factory=_Book)
    unix_s: float = 1_800_000_000.0

    def __post_init__(self) -> None:
        self.doorkeeper = Doorkeeper(self.book, is_open=False, clock=lambda: self.unix_s)

    def run(self, seconds: float) -> None:
        self.unix_s += seconds
        super().run(seconds)

    def _up(self) -> bool:
        said = self.client.outgoing()
        for pdu in said if not self.is_cut else []:
            self.say(pdu)
        return bool(said)

    def say(self, pdu: bytes) -> None:
        self.log.append(pdu)
        for event in self.gatekeeper.receive(pdu, self.source, self.now):
            if isinstance(event, RegistrationAsked):
                found = asyncio.run(self.doorkeeper.judge(event))
                self.seen += self.gatekeeper.answer_registration(
                    event, found.account, self.now, signer=found.signer, refusal=found.refusal
                )

    def answers(self) -> list[ras.RasMessage]:
        return [ras.read(pdu) for pdu, _to in self.gatekeeper.outgoing()]


def _net(password: str | None = PASSWORD) -> _Guarded:
    gatekeeper = Gatekeeper(
        "province", ras_port=1719, signalling_port=1720, own_host=lambda _peer: BRIDGE
    )
    identity = Identity("翁源县应急管理局", "440229", is_mcu=False)
    made = _Guarded(gatekeeper, RasClient(identity, signalling=(ROOM, 1720), own_ras=(ROOM, 1719)))
    if password is not None:
        made.client._signer = Signer(key_of(password), lambda: made.unix_s)
    made.client.start(0.0)
    return made


def test_a_room_with_its_password_registers_from_anywhere_and_all_is_signed() -> None:
    """The password stands for the address; discovery alone goes without token."""
    net = _net()
    net.run(200)
    assert net.told == [RegistrationMoved(True)]
    sequence = net.client.ask_admission("9000", bytes(range(16)), 7, answering=False)
    net.settle()
    assert net.told[-1] == CallAdmitted(sequence or 0, (BRIDGE, 1720))
    net.client.stop()
    net.settle()
    assert net.gatekeeper.endpoints() == []
    kinds = {m.kind for m in map(ras.read, net.log) if token_of(m.body) is None}
    assert kinds == {"gatekeeperConfirm"}
    assert {"registrationConfirm", "admissionConfirm", "unregistrationConfirm"} <= {
        m.kind for m in map(ras.read, net.log)
    }


@pytest.mark.parametrize(
    ("password", "reason"), [("wrong", "securityIntegrityFailed"), (None, "securityDenial")]
)
def test_a_wrong_and_a_missing_password_are_refused_with_the_true_reason(
    password: str | None, reason: str
) -> None:
    """Whoever sets a room up must see which of both it is."""
    net = _net(password)
    net.run(5)
    assert net.told == [RegistrationMoved(False, reason)]
    assert net.gatekeeper.endpoints() == []


def test_a_known_address_is_not_enough_where_the_site_must_show_its_password() -> None:
    """Policy per site: off, its address lets it in."""
    for shows, is_in in ((False, True), (True, False)):
        net = _net(None)
        net.book.static, net.book.shows = {ROOM: "440229"}, shows
        net.run(5)
        assert net.told == [
            RegistrationMoved(True) if is_in else RegistrationMoved(False, "securityDenial")
        ]


def test_a_clock_that_is_wrong_is_named() -> None:
    """The commonest fault of all: the room's clock was never set."""
    net = _net()
    net.client._signer = Signer(KEY, lambda: net.unix_s - WINDOW_S - 10)
    net.run(5)
    assert net.told == [RegistrationMoved(False, "securityWrongSyncTime")]


def test_what_was_heard_before_counts_no_second_time() -> None:
    """An old registration from another address would lead the room's calls there."""
    net = _net()
    net.run(1)
    registration = next(p for p in net.log if ras.read(p).kind == "registrationRequest")
    net.say(registration)  # not answered in time, says the room, and repeats itself
    (answer,) = net.answers()
    assert answer.kind == "registrationConfirm"
    for source in ((STRANGER, 1719), net.source):
        net.source = source
        net.client.ask_admission("9000", bytes(16), 7, answering=False)
        net.settle()
        net.say(registration)
        (answer,) = net.answers()
        assert (answer.kind, answer.reason) == ("registrationReject", "securityReplay")
    known = net.gatekeeper.by_account("440229")
    assert known is not None and known.ras == (ROOM, 1719)


def test_nobody_speaks_for_a_room_with_a_password() -> None:
    """Its identifier and its address are no secrets."""
    net = _net()
    net.run(1)
    endpoint = net.gatekeeper.by_account("440229")
    assert endpoint is not None
    forged = ras.unregistration_request(9, endpoint.endpoint_id, endpoint.signalling)
    for pdu in (forged, Signer(key_of("wrong"), lambda: net.unix_s).signed(
        forged, sender="440229", recipient="province"
    )):  # fmt: skip
        net.say(pdu)
        (answer,) = net.answers()
        assert answer.kind == "unregistrationReject"
        assert answer.reason == "securityIntegrityFailed"
    assert net.gatekeeper.by_account("440229") is endpoint


def test_a_client_with_a_password_believes_no_unsigned_gatekeeper() -> None:
    """A forged goodbye would take a room off the net."""
    net = _net()
    net.run(1)
    forged = asn1.encode_ras(
        ("unregistrationRequest", {
            "requestSeqNum": 1, "callSignalAddress": [ras.ip_address((ROOM, 1720))],
        })
    )  # fmt: skip
    assert net.client.receive(forged, net.now) == []
    assert net.client.outgoing() == []


def test_every_octet_of_a_signed_message_counts() -> None:
    """Whatever is changed on the way is refused, or is no message any more."""
    room, keeper = (Signer(KEY, lambda: 1000.0) for _ in range(2))
    signed = room.signed(ANSWER, sender="00000001", recipient="province")
    assert keeper.objection(signed, ras.read(signed).body, None) is None
    for at in range(len(signed)):
        changed = signed[:at] + bytes([signed[at] ^ 0x10]) + signed[at + 1 :]
        try:
            body = ras.read(changed).body
        except RemoteH323Error:
            continue
        assert keeper.objection(changed, body, None) == "securityIntegrityFailed", at
