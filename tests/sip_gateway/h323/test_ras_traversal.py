"""Rooms behind a NAT at our gatekeeper: their registrations, and how they learn of calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip_gateway.h323 import ras
from sip_gateway.h323.gatekeeper import (
    ASK_EVERY_S,
    INDICATE_AGAIN_S,
    INDICATIONS,
    TRAVERSAL_LIFE_S,
    Gatekeeper,
    NotFetched,
    RegistrationAsked,
)
from sip_gateway.h323.h225 import Address, Identity
from sip_gateway.h323.h2351 import Signer, key_of
from sip_gateway.h323.ras_client import CallAdmitted, CallToFetch, RasClient, RegistrationState

from .test_ras import BRIDGE, Net, assert_dissects

HIDDEN: Address = ("192.168.7.10", 1719)
NAT: Address = ("203.0.113.9", 40001)
CALL_ID = bytes(range(16))


def _client(number: str = "440229", *, traverses: bool = True) -> RasClient:
    identity = Identity("翁源县应急管理局", number, is_mcu=False)
    return RasClient(identity, signalling=(HIDDEN[0], 1720), own_ras=HIDDEN, traverses=traverses)


class _NatNet(Net):
    """Every room that asks is let in as the account of its number."""

    signer: Signer | None = None

    def _up(self) -> bool:
        said = self.client.outgoing()
        for pdu in said if not self.is_cut else []:
            self.log.append(pdu)
            for event in self.gatekeeper.receive(pdu, self.source, self.now):
                if isinstance(event, RegistrationAsked):
                    account = event.aliases[-1]
                    self.seen += self.gatekeeper.answer_registration(
                        event, account, self.now, signer=self.signer
                    )
                else:
                    self.seen.append(event)
        return bool(said)


@pytest.fixture
def net() -> _NatNet:
    gatekeeper = Gatekeeper(
        "province", ras_port=1719, signalling_port=1720, own_host=lambda _peer: BRIDGE
    )
    made = _NatNet(gatekeeper, _client(), source=NAT)
    made.client.start(0.0)
    made.run(1)
    return made


def test_a_room_behind_a_nat_is_known_by_where_its_packets_come_from(net: _NatNet) -> None:
    """And refreshes often enough that the NAT does not forget it."""
    endpoint = net.gatekeeper.by_account("440229")
    assert endpoint is not None and endpoint.traverses
    assert (endpoint.ras, endpoint.signalling) == (NAT, (NAT[0], 1720))
    assert net.client.is_traversed
    net.log.clear()
    net.run(60)
    refreshes = [m for m in map(ras.read, net.log) if m.kind == "registrationRequest"]
    assert len(refreshes) >= 60 / TRAVERSAL_LIFE_S
    assert all(m.body["keepAlive"] for m in refreshes)
    net.source = (NAT[0], 50_123)  # the NAT chose another port
    net.run(TRAVERSAL_LIFE_S)
    moved = net.gatekeeper.by_account("440229")
    assert moved is not None and moved.ras == net.source


def test_the_room_is_told_of_a_call_and_fetches_it_once(net: _NatNet) -> None:
    """Lost indications are repeated; a repeated one is answered, and fetched no second time."""
    endpoint = net.gatekeeper.by_account("440229")
    assert endpoint is not None
    net.is_cut = True
    net.gatekeeper.fetch(endpoint, CALL_ID, net.now)
    net.settle()
    net.is_cut = False
    net.told.clear()
    net.run(INDICATE_AGAIN_S)
    assert net.told == [CallToFetch((BRIDGE, 1720), CALL_ID)]
    net.gatekeeper.fetch(endpoint, CALL_ID, net.now)
    net.settle()
    net.run(INDICATE_AGAIN_S * INDICATIONS)
    assert net.told == [CallToFetch((BRIDGE, 1720), CALL_ID)]
    assert not any(isinstance(event, NotFetched) for event in net.seen)


def test_a_call_that_is_not_fetched_is_given_up(net: _NatNet) -> None:
    """The room does not hear, or does not want: whoever waits is told."""
    endpoint = net.gatekeeper.by_account("440229")
    assert endpoint is not None
    net.is_cut = True
    net.gatekeeper.fetch(endpoint, CALL_ID, net.now)
    net.run(INDICATE_AGAIN_S * INDICATIONS + 1)
    assert net.seen[-1] == NotFetched(CALL_ID)
    net.is_cut = False
    net.client.is_traversed = False  # as one that has changed its mind
    net.seen.clear()
    net.gatekeeper.fetch(endpoint, CALL_ID, net.now)
    net.settle()
    assert net.seen == [NotFetched(CALL_ID)]


def test_rooms_behind_one_nat_are_told_apart_by_their_calls(net: _NatNet) -> None:
    """They share an address; who got leave for a call is who calls."""
    first = net.client
    assert net.gatekeeper.by_host(NAT[0]) is not None
    net.client, net.source = _client("440118"), (NAT[0], 40002)
    net.client.start(net.now)
    net.run(1)
    assert net.client.state is RegistrationState.REGISTERED
    assert net.gatekeeper.by_host(NAT[0]) is None
    sequence = net.client.ask_admission("9000", CALL_ID, 7, answering=False)
    net.settle()
    assert net.told[-1] == CallAdmitted(sequence or 0, (BRIDGE, 1720))
    caller = net.gatekeeper.by_call(CALL_ID)
    assert caller is not None and caller.account == "440118"
    net.client.call_ended(CALL_ID, 7, answered=False)
    net.settle()
    assert net.gatekeeper.by_call(CALL_ID) is None
    assert first.state is RegistrationState.REGISTERED


def test_a_room_that_does_not_ask_is_called_directly(net: _NatNet) -> None:
    """The feature is agreed on, never presumed."""
    net.client = _client("440118", traverses=False)
    net.client.start(net.now)
    net.run(1)
    endpoint = net.gatekeeper.by_account("440118")
    assert endpoint is not None and not endpoint.traverses
    assert endpoint.signalling == (HIDDEN[0], 1720)
    assert not net.client.is_traversed


@pytest.mark.peer("tshark")
def test_every_message_of_traversal_passwords_and_questions_dissects(
    net: _NatNet, tmp_path: Path
) -> None:
    """Features, tokens, alternates, SCI, SCR, IRQ and IRR, rejects for each security error."""
    unix_s = 1_800_000_000.0
    keys = [Signer(key_of("password"), lambda: unix_s) for _ in range(2)]
    net.gatekeeper._alternates = (("10.0.0.3", 1719),)
    net.client._signer = keys[0]
    net.signer = keys[1]
    net.client.start(net.now)
    net.run(1)
    endpoint = net.gatekeeper.by_account("440229")
    assert endpoint is not None and endpoint.signer is keys[1]
    net.client.ask_admission("9000", CALL_ID, 7, answering=False)
    net.settle()
    net.gatekeeper.fetch(endpoint, CALL_ID, net.now)
    net.run(ASK_EVERY_S + 1)
    for reason in sorted(ras.SECURITY_ERRORS):
        for kind in ("registration", "admission", "unregistration", "disengage", "bandwidth"):
            net.log.append(ras.reject(f"{kind}Reject", 9, reason))
    kinds = {message.kind for message in map(ras.read, net.log)}
    assert {"serviceControlIndication", "serviceControlResponse"} <= kinds
    assert {"infoRequest", "infoRequestResponse", "admissionConfirm"} <= kinds
    assert_dissects(net.log, tmp_path)
