"""H.235.6 between two stacks of ours: a shared secret, and a key for each channel."""

from __future__ import annotations

import pytest

from sip_gateway.h323 import call as c
from sip_gateway.h323 import h245_events as ev
from sip_gateway.h323.asn1 import encode_h235_key
from sip_gateway.h323.capability import MediaCapability
from sip_gateway.h323.errors import RemoteH323Error
from sip_gateway.h323.h235 import DH_2048, PRIME, MediaKeys

from .calls import ALAW, H264, SLIDES, Wire, exchange, wire

ADDRESS = ("10.0.0.9", 30001)


def _connect(both: Wire, *, caller: bool = True, callee: bool = True) -> None:
    """A call in which either side may want encryption."""
    if caller:
        both.caller.secure(exchange(1))
    both.caller.dial(
        number="440229",
        source=("10.0.0.1", 40000),
        target=("10.0.0.2", 1720),
        reference=4660,
        new_id=lambda: bytes(range(16)),
        now=0.0,
    )
    both.settle()
    if callee:
        both.callee.secure(exchange(2))
    both.callee.ring(0.0)
    both.callee.answer(0.0)
    both.settle()


def _open(both: Wire, capability: MediaCapability, *, by_caller: bool) -> tuple[bytes, bytes]:
    """One encrypted channel; the keys that the sender and the receiver have of it."""
    sender, receiver = both.caller, both.callee
    told = "callee"
    if not by_caller:
        sender, receiver, told = receiver, sender, "caller"
    number = sender.control_session.open_channel(capability, 2, ADDRESS, 110, encrypted=True)
    both.settle()
    offered = both.last(told, ev.ChannelOffered)
    assert isinstance(offered, ev.ChannelOffered)
    assert (offered.capability, offered.is_encrypted) == (capability, True)
    receiver.control_session.accept_channel(number, ADDRESS, ADDRESS, 2)
    both.settle()
    sent = sender.control_session.key_of(number, ours=True)
    received = receiver.control_session.key_of(number, ours=False)
    assert sent is not None and received is not None
    return sent, received


def test_each_channel_has_a_key_of_its_own_that_both_sides_know() -> None:
    """Given by the master, for channels in either direction; the capability set says we can."""
    both = wire()
    _connect(both)
    told = both.last("callee", ev.CapabilitiesReceived)
    assert isinstance(told, ev.CapabilitiesReceived) and told.capabilities.encrypts
    assert told.capabilities.media == (ALAW, H264, SLIDES)  # each is still told plainly too
    keys = [
        _open(both, capability, by_caller=by_caller)
        for capability in (ALAW, H264, SLIDES)
        for by_caller in (True, False)
    ]
    assert all(sent == received and len(sent) == 16 for sent, received in keys)
    assert len({sent for sent, _ in keys}) == 6


@pytest.mark.parametrize(("caller", "callee"), [(True, False), (False, True), (False, False)])
def test_a_side_alone_that_encrypts_has_no_keys(caller: bool, callee: bool) -> None:
    """The call stands; whether that is enough is the site's policy."""
    both = wire()
    _connect(both, caller=caller, callee=callee)
    assert both.caller.state is both.callee.state is c.CallState.ACTIVE
    assert not both.caller.has_keys and not both.callee.has_keys
    told = both.last("callee", ev.CapabilitiesReceived)
    assert isinstance(told, ev.CapabilitiesReceived) and not told.capabilities.encrypts


def test_the_group_is_the_one_of_rfc_3526() -> None:
    """A safe prime of 2,048 bits, by Fermat's test; its first and last 64 bits are ones."""
    assert PRIME.bit_length() == 2048
    assert PRIME >> 1984 == PRIME & (1 << 64) - 1 == (1 << 64) - 1
    for base in (2, 3, 5):
        assert pow(base, PRIME - 1, PRIME) == 1
        assert pow(base, PRIME // 2 - 1, PRIME // 2) == 1


@pytest.mark.parametrize("half", [0, 1, PRIME - 1, PRIME, PRIME + 1])
def test_a_half_key_that_betrays_the_secret_is_refused(half: int) -> None:
    """Its powers are one of two numbers, whatever our own key is."""
    ours = exchange(1)
    token = {"tokenOID": DH_2048, "dhkey": {"halfkey": (half, 2048)}}
    with pytest.raises(RemoteH323Error):
        ours.agree([token])


def test_a_key_of_another_make_is_one_remote_error() -> None:
    """Unknown kinds, missing vectors, wrong sizes, junk."""
    keys = MediaKeys(bytes(16), bytes)
    good = {"algorithmOID": (2, 16, 840, 1, 101, 3, 4, 1, 2), "paramS": {"iv16": bytes(16)}}
    for sync in (
        b"\xff\xff",
        encode_h235_key(("secureChannel", (5, 8))),
        encode_h235_key(("secureSharedSecret", good)),
        encode_h235_key(("secureSharedSecret", {**good, "encryptedSessionKey": b"short"})),
        encode_h235_key(("secureSharedSecret", {**good, "paramS": {}})),
    ):
        with pytest.raises(RemoteH323Error):
            keys.read({"synchFlag": 0, "h235Key": sync})
