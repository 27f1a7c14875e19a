"""Two H.245 sessions of ours settle capabilities, roles, channels and tokens between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from sip_gateway.h323 import h245_events as ev
from sip_gateway.h323.asn1 import decode_h245, encode_h245
from sip_gateway.h323.capability import MediaCapability, from_h245, to_h245
from sip_gateway.h323.errors import LocalH323Error, RemoteH323Error
from sip_gateway.h323.h245 import KEEP_ALIVE_S, ControlSession

ALAW = MediaCapability("audio", "PCMA")
G722 = MediaCapability("audio", "G722")
H264 = MediaCapability("video", "H264", bitrate_bps=1_500_000)
H263 = MediaCapability("video", "H263", bitrate_bps=384_000, sizes={"qcif": 1, "cif": 1})
H261 = MediaCapability("video", "H261", bitrate_bps=384_000, sizes={"cif": 2})
SLIDES = MediaCapability("content", "H264", bitrate_bps=1_000_000)
ALL = (ALAW, G722, H264, H263, H261, SLIDES)


@dataclass
class Pair:
    """Bridge and room, wired to each other; what each was told."""

    bridge: ControlSession
    room: ControlSession
    told: dict[str, list[ev.ControlEvent]] = field(
        default_factory=lambda: {"bridge": [], "room": []}
    )

    def settle(self, now: float = 0.0) -> None:
        """Carry PDUs both ways until nobody has anything to say."""
        for _ in range(50):
            to_room, to_bridge = self.bridge.outgoing(), self.room.outgoing()
            if not to_room and not to_bridge:
                return
            for pdu in to_room:
                self.told["room"] += self.room.receive(pdu, now)
            for pdu in to_bridge:
                self.told["bridge"] += self.bridge.receive(pdu, now)
        raise AssertionError("they never stop talking")

    def last(self, who: str, kind: type) -> ev.ControlEvent:
        return next(event for event in reversed(self.told[who]) if isinstance(event, kind))


def pair(bridge_type: int = 190, room_type: int = 50, numbers: tuple[int, ...] = (7, 9)) -> Pair:
    supply = iter([*numbers, *range(1000, 9000, 7)])
    made = [
        ControlSession(ALL, content=True, terminal_type=kind, random24=lambda: next(supply))
        for kind in (bridge_type, room_type)
    ]
    both = Pair(made[0], made[1])
    both.bridge.start()
    both.room.start()
    both.settle()
    return both


@pytest.mark.parametrize("capability", ALL, ids=lambda c: f"{c.kind}-{c.codec}")
def test_a_capability_means_the_same_after_the_wire(capability: MediaCapability) -> None:
    """Encoded in a real capability set, not only as a Python value."""
    assert from_h245(to_h245(capability)) == capability


def test_both_sides_learn_all_capabilities() -> None:
    """H.239 and user input too."""
    both = pair()
    for who in ("bridge", "room"):
        told = both.last(who, ev.CapabilitiesReceived)
        assert isinstance(told, ev.CapabilitiesReceived)
        assert told.capabilities.media == ALL
        assert told.capabilities.speaks_h239
        assert told.capabilities.user_input
        assert told.capabilities.best("video", ("H263", "H264")) == replace(H263, sizes={"cif": 1})


@pytest.mark.parametrize(("theirs", "wins"), [(50, True), (240, False)])
def test_the_larger_terminal_type_is_master(theirs: int, wins: bool) -> None:
    """Over rooms the bridge wins, below a larger MCU it yields."""
    both = pair(room_type=theirs)
    assert both.bridge.is_master is wins
    assert both.room.is_master is not wins
    assert both.last("bridge", ev.RoleDecided) == ev.RoleDecided(wins)


def test_equal_types_are_decided_by_numbers_even_after_identical_ones() -> None:
    """Identical numbers are drawn again until they differ (C.2)."""
    both = pair(room_type=190, numbers=(5, 5))
    assert {both.bridge.is_master, both.room.is_master} == {True, False}


def test_a_channel_opens_carries_commands_and_closes() -> None:
    """The life of one video channel from the room to the bridge."""
    both = pair()
    number = both.room.open_channel(H264, 2, ("10.0.0.2", 5003), 110)
    both.settle()
    offered = both.last("bridge", ev.ChannelOffered)
    assert offered == ev.ChannelOffered(number, H264, 2, ("10.0.0.2", 5003), 110)
    both.bridge.accept_channel(number, ("10.0.0.1", 20002), ("10.0.0.1", 20003), 2)
    both.settle()
    opened = both.last("room", ev.ChannelOpen)
    assert opened == ev.ChannelOpen(number, 2, ("10.0.0.1", 20002), ("10.0.0.1", 20003), 110)
    both.bridge.ask_keyframe(number)
    both.bridge.limit_bitrate(number, 512_000)
    both.settle()
    assert both.last("room", ev.KeyframeAsked) == ev.KeyframeAsked(number)
    assert both.last("room", ev.FlowControlled) == ev.FlowControlled(number, 512_000)
    both.bridge.close_channel(number)
    both.settle()
    assert both.last("room", ev.CloseAsked) == ev.CloseAsked(number)
    both.room.close_channel(number)
    both.settle()
    assert both.last("bridge", ev.ChannelClosed) == ev.ChannelClosed(number, by_us=False)
    assert both.last("room", ev.ChannelClosed) == ev.ChannelClosed(number, by_us=True)


def test_a_refused_channel_says_why() -> None:
    """And is gone: it cannot be accepted afterwards."""
    both = pair()
    number = both.room.open_channel(H261, 2, ("10.0.0.2", 5003), None)
    both.settle()
    both.bridge.reject_channel(number, "dataTypeNotSupported")
    both.settle()
    refused = both.last("room", ev.ChannelRefused)
    assert refused == ev.ChannelRefused(number, "dataTypeNotSupported")
    with pytest.raises(LocalH323Error):
        both.bridge.accept_channel(number, ("10.0.0.1", 1), ("10.0.0.1", 2), 2)


def test_holding_is_an_empty_set_and_resuming_a_full_one() -> None:
    """8.4.1: third-party re-routing uses nothing else."""
    both = pair()
    both.bridge.hold()
    both.settle()
    held = both.last("room", ev.CapabilitiesReceived)
    assert isinstance(held, ev.CapabilitiesReceived) and held.capabilities.is_empty
    both.bridge.resume()
    both.settle()
    back = both.last("room", ev.CapabilitiesReceived)
    assert isinstance(back, ev.CapabilitiesReceived) and not back.capabilities.is_empty


def test_the_content_token_is_asked_granted_shown_and_released() -> None:
    """H.239: the bridge arbitrates."""
    both = pair()
    both.room.token_request(103, 1_000_000, 42)
    both.settle()
    assert both.last("bridge", ev.TokenAsked) == ev.TokenAsked(103, 0)
    both.bridge.token_response(103, granted=True)
    both.bridge.token_owner(103, 7)
    both.settle()
    assert both.last("room", ev.TokenAnswered) == ev.TokenAnswered(granted=True)
    assert both.last("room", ev.TokenOwner) == ev.TokenOwner(7)
    both.room.token_release(103)
    both.settle()
    assert both.last("bridge", ev.TokenReleased) == ev.TokenReleased()


def test_digits_and_the_end_reach_the_other_side() -> None:
    """DTMF as signal user input; endSession is answered and final."""
    both = pair()
    both.room.send_digit("5")
    both.settle()
    assert both.last("bridge", ev.UserInput) == ev.UserInput("5")
    both.room.end()
    both.settle()
    assert both.bridge.ended and both.room.ended
    assert both.last("bridge", ev.SessionEnded) == ev.SessionEnded("end_session")


def test_a_silent_peer_is_noticed() -> None:
    """Round-trip requests are the keep-alive; one without answer ends the session."""
    both = pair()
    assert both.bridge.poll(KEEP_ALIVE_S + 1) == []
    both.settle(KEEP_ALIVE_S + 1.5)
    measured = both.last("bridge", ev.RoundTripMeasured)
    assert measured == ev.RoundTripMeasured(0.5)
    both.bridge.poll(40.0)
    both.bridge.outgoing()
    assert both.bridge.poll(80.0) == [ev.SessionEnded("round_trip_timeout")]


def test_an_unknown_request_is_answered_and_harms_nothing() -> None:
    """6.2: functionNotUnderstood, never an error."""
    both = pair()
    request = ("request", ("maintenanceLoopRequest", {"type": ("systemLoop", 0)}))
    assert both.bridge.receive(encode_h245(request), 0.0) == []
    (answer,) = both.bridge.outgoing()
    assert decode_h245(answer)[1][0] == "functionNotUnderstood"


def test_a_request_that_cannot_be_returned_is_the_peers_fault() -> None:
    """An object identifier of no numbers is read but cannot be said: its answer never leaves."""
    room = pair().room
    identifier = ("object", (1, 2, 3))
    request = {"nonStandardData": {"nonStandardIdentifier": identifier, "data": b"x"}}
    said = encode_h245(("request", ("nonStandard", request)))
    room.outgoing()
    with pytest.raises(RemoteH323Error):
        room.receive(said.replace(b"\x02\x2a\x03", b"\x00"), 0.0)
    assert room.outgoing() == []
