"""Calls through a NAT: the types of H.460.18 and H.460.19, whole calls of two stacks of ours."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip_gateway.h323 import call as c
from sip_gateway.h323 import h245_events as ev
from sip_gateway.h323.errors import RemoteH323Error
from sip_gateway.h323.h460 import KEEP_ALIVE_S, KEEP_ALIVE_TYPE, Role
from sip_gateway.h323.h460_per import IncomingCallIndication, TraversalParameters

from .calls import ALAW, Wire, connect, wire

CALL_ID = bytes(range(16))
SIGNALLING = ("203.0.113.5", 1720)

addresses = st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 65535))
indications = st.builds(IncomingCallIndication, addresses, st.binary(min_size=16, max_size=16))
parameters = st.builds(
    TraversalParameters,
    st.none() | addresses,
    st.none() | st.integers(0, 127),
    st.none() | st.integers(1, 2**32 - 1),
)


def test_the_octets_are_those_of_aligned_per() -> None:
    """Worked out by hand from X.691; tshark reads them below."""
    assert bytes(IncomingCallIndication(SIGNALLING, CALL_ID)).hex() == (
        "00" "cb007105" "06b8" "00" + CALL_ID.hex()
    )  # fmt: skip
    whole = TraversalParameters(("203.0.113.5", 30000), 127, 19)
    # 0 000111 | unicast iPAddress 0000000 | octets | 1111111 00 | octets 12 (19 - 1)
    assert bytes(whole).hex() == "0e00" "cb007105" "7530" "fe00" "12"  # fmt: skip
    assert bytes(TraversalParameters(payload_type=127)).hex() == "05fc"


@given(indications)
def test_an_indication_survives(indication: IncomingCallIndication) -> None:
    """Round trip."""
    assert IncomingCallIndication.parse(bytes(indication)) == indication


@given(parameters)
def test_parameters_survive(given_parameters: TraversalParameters) -> None:
    """Round trip, every combination of options."""
    assert TraversalParameters.parse(bytes(given_parameters)) == given_parameters


def test_multiplexed_channels_of_others_are_read_over() -> None:
    """A peer that can multiplex says so in the same parameters; we do without."""
    address = "cb007105"
    bits = "0111111" + "0" * 7
    made = _packed(bits, address + "7530") + _packed("0" * 7, address + "7531")
    made += _packed("11", "01020304") + _packed("0" * 7, address + "7532")
    made += _packed("111111100", "12")
    assert TraversalParameters.parse(made) == TraversalParameters(("203.0.113.5", 30002), 127, 19)


def _packed(bits: str, octets: str) -> bytes:
    """Bits up to an octet's border, then octets."""
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") + bytes.fromhex(octets)


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    """Nothing but RemoteH323Error leaves the parsers."""
    for kind in (IncomingCallIndication, TraversalParameters):
        with contextlib.suppress(RemoteH323Error):
            kind.parse(octets)


# --- whole calls ------------------------------------------------------------------------------


def _fetched(*, caller_tunnels: bool = True, callee_tunnels: bool = True) -> Wire:
    """The room behind the NAT opens the connection and names the call; then comes SETUP."""
    both = wire(caller_tunnels=caller_tunnels, callee_tunnels=callee_tunnels)
    both.callee.fetch(CALL_ID)
    both.settle()
    assert both.told["caller"] == [c.Fetched(CALL_ID)]
    both.caller.traverse(Role.SERVER)
    connect(both)
    return both


def _open_both_ways(both: Wire) -> tuple[ev.ChannelOpen, ev.ChannelOffered]:
    """Sound both ways; what the server knows of its own channel, and the client of it."""
    sides = (("callee", both.caller, both.callee), ("caller", both.callee, both.caller))
    for other, sender, receiver in sides:
        number = sender.control_session.open_channel(ALAW, 1, ("10.0.0.9", 30001), None)
        both.settle()
        offered = both.last(other, ev.ChannelOffered)
        assert isinstance(offered, ev.ChannelOffered)
        receiver.control_session.accept_channel(number, ("10.0.0.8", 2), ("10.0.0.8", 3), 1)
        both.settle()
    opened, offered = (both.last("caller", ev.ChannelOpen), both.last("callee", ev.ChannelOffered))
    assert isinstance(opened, ev.ChannelOpen) and isinstance(offered, ev.ChannelOffered)
    return opened, offered


@pytest.mark.parametrize(("caller_tunnels", "callee_tunnels"), [(True, True), (False, False)])
def test_a_fetched_call_agrees_on_keep_alives(caller_tunnels: bool, callee_tunnels: bool) -> None:
    """The server says where they go and how often, the client what they look like."""
    both = _fetched(caller_tunnels=caller_tunnels, callee_tunnels=callee_tunnels)
    assert both.caller.state is both.callee.state is c.CallState.ACTIVE
    roles = [side.control_session.traversal for side in (both.caller, both.callee)]
    assert roles == [Role.SERVER, Role.CLIENT]
    opened, offered = _open_both_ways(both)
    assert opened.traversal == TraversalParameters(payload_type=KEEP_ALIVE_TYPE)
    assert offered.traversal == TraversalParameters(("10.0.0.9", 30000), interval_s=KEEP_ALIVE_S)


def test_the_client_opens_the_control_connection() -> None:
    """Nobody reaches the room from outside: the server asks by startH245 (H.460.18)."""
    both = _fetched(caller_tunnels=False, callee_tunnels=False)
    assert "ConnectControl" in both.kinds("callee")
    assert "ConnectControl" not in both.kinds("caller")
    first = next(raw for from_caller, on_control, raw in both.log if on_control and not from_caller)
    assert CALL_ID in first  # it says which call the connection is for


def test_a_client_that_calls_out_is_answered_as_one() -> None:
    """From inside, the call goes out as any other; media agree on the NAT all the same."""
    both = wire()
    both.caller.traverse(Role.CLIENT)
    connect(both)
    roles = [side.control_session.traversal for side in (both.caller, both.callee)]
    assert roles == [Role.CLIENT, Role.SERVER]


def test_a_far_end_without_h460_gets_plain_media() -> None:
    """Offered, not answered: addresses count as ever."""
    both = wire()
    both.caller.traverse(Role.SERVER)
    both.caller.dial(
        number="9000",
        source=("10.0.0.1", 40000),
        target=("10.0.0.2", 1720),
        reference=1,
        new_id=lambda: CALL_ID,
        now=0.0,
    )
    both.settle()
    both.callee.traversal = None  # as a room that knows nothing of it
    both.callee.answer(0.0)
    both.settle()
    assert both.caller.control_session.traversal is None


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("tunnels", [True, False])
def test_every_message_of_a_call_through_a_nat_dissects(tunnels: bool, tmp_path: Path) -> None:
    """Features, fetching, the identification and the traversal parameters, without a mark."""
    both = _fetched(caller_tunnels=tunnels, callee_tunnels=tunnels)
    _open_both_ways(both)
    both.caller.release("destinationRejection", 1.0)
    both.settle()
    path = tmp_path / "call.pcap"
    both.write_pcap(path)
    command = ["tshark", "-r", str(path), "-d", "tcp.port==11245,tpkt", "-V"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for word in ("keepAliveChannel", "keepAlivePayloadType: 127", "keepAliveInterval: 15"):
        assert word in text, word
    for mark in ("Malformed", "Expert Info (Error", "Expert Info (Warning"):
        assert mark not in text, text[max(0, text.find(mark) - 1500) : text.find(mark) + 300]
