"""RAS between our own client and our own gatekeeper, over time and against strangers."""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sip_gateway.h323 import asn1, ras
from sip_gateway.h323.errors import RemoteH323Error
from sip_gateway.h323.gatekeeper import (
    ASK_EVERY_S,
    GRACE_S,
    LIFE_S,
    Gatekeeper,
    GatekeeperEvent,
    Gone,
    Registered,
    RegistrationAsked,
)
from sip_gateway.h323.h225 import Address, Identity
from sip_gateway.h323.ras_client import (
    CallAdmitted,
    CallRefused,
    ClientEvent,
    RasClient,
    RegistrationMoved,
    RegistrationState,
)

ROOM, STRANGER, BRIDGE = "10.0.0.2", "10.0.0.66", "10.0.0.1"


@dataclass
class Net:
    """A gatekeeper that knows the room at ROOM, and the room's client."""

    gatekeeper: Gatekeeper
    client: RasClient
    source: Address = (ROOM, 1719)
    now: float = 0.0
    is_cut: bool = False
    told: list[ClientEvent] = field(default_factory=list)
    seen: list[GatekeeperEvent] = field(default_factory=list)
    log: list[bytes] = field(default_factory=list)

    def settle(self) -> None:
        for _ in range(20):
            if not (self._up() | self._down()):
                return
        raise AssertionError("they never stop talking")

    def _up(self) -> bool:
        said = self.client.outgoing()
        for pdu in said if not self.is_cut else []:
            self.log.append(pdu)
            events = self.gatekeeper.receive(pdu, self.source, self.now)
            for event in events:
                if isinstance(event, RegistrationAsked):
                    account = "440229" if event.source[0] == ROOM else None
                    events += self.gatekeeper.answer_registration(event, account, self.now)
            self.seen += events
        return bool(said)

    def _down(self) -> bool:
        said = self.gatekeeper.outgoing()
        for pdu, _to in said if not self.is_cut else []:
            self.log.append(pdu)
            self.told += self.client.receive(pdu, self.now)
        return bool(said)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 1.0
            self.told += self.client.poll(self.now)
            self.seen += self.gatekeeper.expire(self.now)
            self.settle()


@pytest.fixture
def net() -> Net:
    gatekeeper = Gatekeeper(
        "province", ras_port=1719, signalling_port=1720, own_host=lambda _peer: BRIDGE
    )
    identity = Identity("翁源县应急管理局", "440229", is_mcu=False)
    client = RasClient(identity, signalling=(ROOM, 1720), own_ras=(ROOM, 1719))
    made = Net(gatekeeper, client)
    client.start(0.0)
    return made


def test_a_room_registers_and_stays_by_lightweight_refreshes(net: Net) -> None:
    """Ten lives long: one registration, no gap (H.225.0 7.9.1)."""
    net.run(LIFE_S * 10)
    assert net.told == [RegistrationMoved(True)]
    (registered,) = net.seen[1:]
    assert isinstance(registered, Registered)
    assert registered.endpoint.account == "440229"
    assert registered.endpoint.signalling == (ROOM, 1720)
    assert "440229" in registered.endpoint.aliases
    full = [m for m in map(ras.read, net.log) if m.kind == "registrationRequest"]
    assert [bool(m.body["keepAlive"]) for m in full[:3]] == [False, True, True]


def test_a_room_that_falls_silent_is_gone_and_comes_back(net: Net) -> None:
    """Its number must not lead to nobody; a gatekeeper that forgot wants the whole again."""
    net.run(1)
    net.is_cut = True
    net.run(LIFE_S + GRACE_S + 1)
    assert isinstance(net.seen[-1], Gone)
    assert net.gatekeeper.by_account("440229") is None
    net.is_cut = False
    net.run(10)
    assert isinstance(net.seen[-1], Registered)
    assert net.client.state is RegistrationState.REGISTERED


def test_calls_get_leave_and_the_right_address(net: Net) -> None:
    """A consultation's number leads to the bridge, a room's number to that room."""
    net.run(1)
    for number, address in (("9000", (BRIDGE, 1720)), ("440229", (ROOM, 1720))):
        sequence = net.client.ask_admission(number, bytes(16), 7, answering=False)
        net.settle()
        assert net.told[-1] == CallAdmitted(sequence or 0, address)
    net.client.call_ended(bytes(16), 7, answered=False)
    net.settle()
    assert ras.read(net.log[-1]).kind == "disengageConfirm"
    net.client.stop()
    net.settle()
    assert ras.read(net.log[-1]).kind == "unregistrationConfirm"
    assert net.gatekeeper.endpoints() == []


def test_a_stranger_is_refused_and_speaks_for_nobody(net: Net) -> None:
    """Neither may it register, nor ask in the name of a room from another address."""
    net.run(1)
    net.source = (STRANGER, 1719)
    sequence = net.client.ask_admission("9000", bytes(16), 7, answering=False)
    net.settle()
    assert net.told[-1] == CallRefused(sequence or 0, "callerNotRegistered")
    net.client.stop()
    net.settle()
    assert net.gatekeeper.by_account("440229") is not None
    net.client.start(net.now)
    net.settle()
    assert net.told[-1] == RegistrationMoved(False, "securityDenial")


def test_junk_is_a_remote_error_and_unknown_requests_are_answered(net: Net) -> None:
    """XRS for what is lawful but not ours, an error for what does not decode."""
    for junk in (b"", b"\x00", b"\xff" * 50):
        with pytest.raises(RemoteH323Error):
            net.gatekeeper.receive(junk, (STRANGER, 1719), 0.0)
    location = ras.encode_ras(("locationRequest", {
        "requestSeqNum": 9, "destinationInfo": [("dialledDigits", "1")],
        "replyAddress": ras.ip_address((STRANGER, 1719)),
    }))  # fmt: skip
    net.gatekeeper.receive(location, (STRANGER, 1719), 0.0)
    ((answer, to),) = net.gatekeeper.outgoing()
    assert (ras.read(answer).kind, to) == ("unknownMessageResponse", (STRANGER, 1719))


@pytest.mark.peer("tshark")
def test_every_message_dissects_in_tshark(net: Net, tmp_path: Path) -> None:
    """Another implementation reads what we write without a mark."""
    net.run(LIFE_S)
    net.client.ask_admission("9000", bytes(range(16)), 7, answering=False)
    net.settle()
    net.client.receive(_information_request(), net.now)
    net.client.call_ended(bytes(range(16)), 7, answered=False)
    net.settle()
    net.source = (STRANGER, 1719)
    net.client.ask_admission("9000", bytes(16), 7, answering=True)
    net.client.stop()
    net.settle()
    net.client.start(net.now)
    net.settle()
    assert_dissects(net.log, tmp_path)


def assert_dissects(log: list[bytes], folder: Path) -> None:
    """tshark knows every one of these messages and marks none."""
    capture = folder / "ras.pcap"
    with capture.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for number, pdu in enumerate(log):
            udp = struct.pack("!HHHH", 1719, 1719, 8 + len(pdu), 0) + pdu
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0)
            packet = ip + b"\x0a\0\0\x02\x0a\0\0\x01" + udp
            out.write(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)
    fields = ["-T", "fields", "-e", "h225.RasMessage", "-e", "_ws.malformed", "-e", "_ws.expert"]
    done = subprocess.run(
        ["tshark", "-r", str(capture), *fields], capture_output=True, text=True, check=True
    )
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert len(lines) == len(log)
    assert all(line[0] for line in lines)
    assert [line for line in lines if any(line[1:])] == []


def _information_request() -> bytes:
    """About every call."""
    body = {"callReferenceValue": 0, "callIdentifier": {"guid": bytes(16)}}
    return asn1.encode_ras(("infoRequest", {"requestSeqNum": 77, **body}))


def _naming(pdu: bytes, alternates: list[Address]) -> bytes:
    """A gatekeeper's answer with alternates, the last of them first by priority."""
    kind, body = asn1.decode_ras(pdu)
    named = [
        {
            "rasAddress": ("ipAddress", {"ip": bytes(map(int, host.split("."))), "port": port}),
            "needToRegister": True,
            "priority": len(alternates) - place,
        }
        for place, (host, port) in enumerate(alternates)
    ]
    return asn1.encode_ras((kind, {**body, "alternateGatekeeper": named}))


def test_a_silent_gatekeeper_gives_way_to_its_alternates(net: Net) -> None:
    """In their order of priority, and back to the first; the room stays called by its number."""
    first, second, third = ("10.0.0.1", 1719), ("10.0.0.3", 1719), ("10.0.0.4", 1719)
    net.client.gatekeeper = net.client._first = first
    for pdu in net.client.outgoing():
        net.gatekeeper.receive(pdu, net.source, 0.0)
    for pdu, _to in net.gatekeeper.outgoing():
        net.client.receive(_naming(pdu, [third, second]), 0.0)
    net.run(1)
    assert net.client.state is RegistrationState.REGISTERED
    assert net.client.gatekeeper == first
    net.is_cut = True
    turned = []
    for _ in range(int(LIFE_S) + 60):
        net.run(1)
        if not turned or turned[-1] != net.client.gatekeeper:
            turned.append(net.client.gatekeeper)
    assert turned[:4] == [first, second, third, first]
    assert net.told[1] == RegistrationMoved(False, "silent")
    net.is_cut = False
    net.run(5)
    assert net.told[-1] == RegistrationMoved(True)


def test_our_gatekeeper_asks_for_calls_and_forgets_those_that_are_over(net: Net) -> None:
    """A room that lost power within a call never says that it ended (H.225.0 7.15)."""
    net.run(1)
    first, second = bytes(range(16)), bytes(range(1, 17))
    for call_id in (first, second):
        net.client.ask_admission("9000", call_id, 7, answering=False)
        net.settle()
    net.run(ASK_EVERY_S + 1)
    assert [net.gatekeeper.by_call(one) is not None for one in (first, second)] == [True, True]
    del net.client._calls[first]
    net.run(ASK_EVERY_S + 1)
    assert [net.gatekeeper.by_call(one) is not None for one in (first, second)] == [False, True]
    asked = [m for m in map(ras.read, net.log) if m.kind == "infoRequest"]
    assert len(asked) == 2
    net.client.call_ended(second, 7, answered=False)
    net.settle()
    net.run(ASK_EVERY_S * 2)
    assert len([m for m in map(ras.read, net.log) if m.kind == "infoRequest"]) == 2


def test_our_gatekeeper_names_its_alternates(net: Net) -> None:
    """When it falls silent its rooms turn to the next one, in its order (H.323 7.2.6)."""
    first, second, third = ("10.0.0.1", 1719), ("10.0.0.3", 1719), ("10.0.0.4", 1719)
    net.client.gatekeeper = net.client._first = first
    net.gatekeeper._alternates = (second, third)
    net.run(1)
    assert net.client.state is RegistrationState.REGISTERED
    net.is_cut = True
    turned = []
    for _ in range(int(LIFE_S) + 60):
        net.run(1)
        if not turned or turned[-1] != net.client.gatekeeper:
            turned.append(net.client.gatekeeper)
    assert turned[:4] == [first, second, third, first]


def test_the_gatekeeper_may_ask_which_calls_there_are(net: Net) -> None:
    """IRQ gets IRR with the calls that it gave leave for, until they end (H.225.0 7.15)."""
    net.run(1)
    call_id = bytes(range(16))
    net.client.ask_admission("9000", call_id, 7, answering=False)
    net.settle()

    def reported() -> list[bytes]:
        net.client.receive(_information_request(), net.now)
        (answer,) = map(ras.read, net.client.outgoing())
        assert (answer.kind, answer.sequence) == ("infoRequestResponse", 77)
        return [one["callIdentifier"]["guid"] for one in answer.body.get("perCallInfo", [])]

    assert reported() == [call_id]
    net.client.call_ended(call_id, 7, answered=False)
    net.settle()
    assert reported() == []
