"""Whole H.323 calls between two stacks of ours, in the modes that rooms differ in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sip_gateway.h323 import call as c
from sip_gateway.h323 import h245_events as ev
from sip_gateway.h323.errors import LocalH323Error, RemoteH323Error
from sip_gateway.h323.h243_events import Ask, ConferenceAsked, Label, Tell
from sip_gateway.h323.q931 import MessageType, Q931Message

from .calls import ALAW, H264, SLIDES, Wire, connect, exchange, wire

MODES = [(True, True), (True, False), (False, True), (False, False)]


def _open_everything(both: Wire) -> None:
    """Sound and picture both ways, and a presentation of the room."""
    sides = (("caller", both.caller, both.callee), ("callee", both.callee, both.caller))
    for name, sender, receiver in sides:
        other = "callee" if name == "caller" else "caller"
        for session, capability in ((1, ALAW), (2, H264)):
            payload_type = 110 if capability is H264 else None
            number = sender.control_session.open_channel(
                capability, session, ("10.0.0.9", 30001), payload_type
            )
            both.settle()
            offered = both.last(other, ev.ChannelOffered)
            assert isinstance(offered, ev.ChannelOffered)
            assert offered.capability == capability
            receiver.control_session.accept_channel(
                number, ("10.0.0.8", 30002), ("10.0.0.8", 30003), session
            )
            both.settle()
            assert isinstance(both.last(name, ev.ChannelOpen), ev.ChannelOpen)


def _present(both: Wire) -> None:
    room, bridge = both.callee.control_session, both.caller.control_session
    room.token_request(103, 1_000_000, 5)
    both.settle()
    bridge.token_response(103, granted=True)
    bridge.token_owner(103, 2)
    both.settle()
    number = room.open_channel(SLIDES, 3, ("10.0.0.9", 30005), 110)
    both.settle()
    bridge.accept_channel(number, ("10.0.0.8", 30004), ("10.0.0.8", 30005), 3)
    bridge.ask_keyframe(number)
    bridge.limit_bitrate(number, 768_000)
    room.send_digit("7")
    both.settle()


@pytest.mark.parametrize(("caller_tunnels", "callee_tunnels"), MODES)
def test_a_call_connects_in_every_mode(caller_tunnels: bool, callee_tunnels: bool) -> None:
    """Tunnelled when both can, on a connection of its own as soon as one cannot."""
    both = wire(caller_tunnels=caller_tunnels, callee_tunnels=callee_tunnels)
    connect(both)
    assert both.caller.state is both.callee.state is c.CallState.ACTIVE
    assert both.kinds("caller").index("Ringing") < both.kinds("caller").index("Connected")
    assert both.last("callee", c.Incoming) == c.Incoming("省应急管理厅", "440229")
    separate = any(on_control for _, on_control, _ in both.log)
    assert separate is not (caller_tunnels and callee_tunnels)
    assert both.last("caller", ev.RoleDecided) == ev.RoleDecided(is_master=True)
    _open_everything(both)
    _present(both)
    both.callee.release("destinationRejection", 1.0)
    both.settle()
    assert both.last("caller", c.Released) == c.Released("destinationRejection", 16, by_us=False)
    assert both.caller.state is c.CallState.RELEASED


def test_a_busy_room_says_so() -> None:
    """inConf is cause 17 (H.225.0 table 5): the roster shows busy, not failed."""
    both = wire()
    both.caller.dial(
        number="440229",
        source=("10.0.0.1", 40000),
        target=("10.0.0.2", 1720),
        reference=1,
        new_id=lambda: bytes(16),
        now=0.0,
    )
    both.settle()
    both.callee.release("inConf", 0.0)
    both.settle()
    assert both.last("caller", c.Released) == c.Released("inConf", 17, by_us=False)


@pytest.mark.parametrize(
    ("answers", "timer", "limit"),
    [([], "T303", c.T303_S), (["proceed"], "T310", c.T310_S), (["ring"], "T301", c.T301_S)],
)
def test_a_call_nobody_takes_ends_by_its_timer(
    answers: list[str], timer: str, limit: float
) -> None:
    """No SETUP answer, no alerting, no connect: each has its own limit."""
    both = wire()
    both.caller.dial(
        number="",
        source=("10.0.0.1", 40000),
        target=("10.0.0.2", 1720),
        reference=1,
        new_id=lambda: bytes(16),
        now=0.0,
    )
    both.settle()
    for answer in answers:
        getattr(both.callee, answer)(0.0)
        both.settle()
    assert both.caller.deadline() == limit
    assert both.caller.poll(limit - 0.1) == []
    assert both.caller.poll(limit) == [c.Released(timer, None, by_us=True)]


def test_a_message_out_of_state_is_answered_with_status() -> None:
    """Q.931 5.8.4: an ALERTING to an active call disturbs nothing."""
    both = wire()
    connect(both)
    stray = Q931Message(MessageType.SETUP, 4660, False)
    assert both.callee.receive(bytes(stray), 0.0) == []
    (answer,) = both.callee.signalling()
    assert Q931Message.parse(answer).message_type == MessageType.STATUS
    assert both.callee.state is c.CallState.ACTIVE


def test_junk_is_one_remote_error_and_misuse_a_local_one() -> None:
    """The peer's fault and ours are never mixed up."""
    both = wire()
    with pytest.raises(RemoteH323Error):
        both.callee.receive(b"\x08\x02\x00\x01\x05\x7e\x00\x03\x05\xff\xff", 0.0)
    with pytest.raises(LocalH323Error):
        both.callee.answer(0.0)


def _chair(both: Wire) -> None:
    """Every word of H.243: the bridge is the caller, the room asks for the chair and orders."""
    bridge, room = both.caller.control_session, both.callee.control_session
    label = Label(1, 7)
    for ask in Ask:
        if ask not in (Ask.BROADCASTER_END, Ask.MINE_END, Ask.SOURCE_END, Ask.END_CONFERENCE):
            room.conference_ask(ask, label=label, channel=101)
        both.settle()
    for ask in (Ask.BROADCASTER, Ask.MINE, Ask.SOURCE):
        bridge.conference_order(ask, label=label, channel=101)
        bridge.conference_decide(ConferenceAsked(ask, label, wants_answer=True), granted=True)
        bridge.conference_decide(ConferenceAsked(ask, label), granted=False)
    for ask in (Ask.BROADCASTER_END, Ask.MINE_END, Ask.SOURCE_END, Ask.END_CONFERENCE):
        bridge.conference_order(ask, channel=101)
    for granted in (True, False):
        bridge.conference_decide(ConferenceAsked(Ask.CHAIR, wants_answer=True), granted=granted)
    bridge.conference_decide(ConferenceAsked(Ask.DROP, label), granted=False)
    bridge.conference_list([label])
    bridge.conference_names([(label, "翁源县")])
    for ask in (Ask.TERMINAL_NAME, Ask.CHAIR_OWNER, Ask.OWN_NAME):
        bridge.conference_name(ask, label, "翁源县")
    named = {Tell.NUMBER, Tell.JOINED, Tell.LEFT, Tell.SEEING, Tell.FLOOR_ASKED}
    for tell in Tell:
        bridge.conference_tell(tell, label if tell in named else None)
    both.settle()


@pytest.mark.peer("tshark")
@pytest.mark.parametrize(("caller_tunnels", "callee_tunnels"), [(True, True), (False, False)])
def test_every_message_we_send_is_well_formed_to_an_independent_dissector(
    caller_tunnels: bool, callee_tunnels: bool, tmp_path: Path
) -> None:
    """tshark reads whole calls of ours without a malformed or expert mark."""
    both = wire(caller_tunnels=caller_tunnels, callee_tunnels=callee_tunnels)
    both.caller.secure(exchange(1))
    connect(both, exchange(2))
    _open_everything(both)
    _present(both)
    _chair(both)
    for sender, receiver in ((both.caller, both.callee), (both.callee, both.caller)):
        number = sender.control_session.open_channel(
            H264, 2, ("10.0.0.9", 30001), 110, encrypted=True
        )
        both.settle()
        receiver.control_session.accept_channel(number, ("10.0.0.8", 1), ("10.0.0.8", 2), 2)
        both.settle()
    both.caller.release("destinationRejection", 1.0)
    both.settle()
    path = tmp_path / "call.pcap"
    both.write_pcap(path)
    command = ["tshark", "-r", str(path), "-d", "tcp.port==11245,tpkt", "-V"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "openLogicalChannel" in text
    assert "presentationTokenRequest" in text or "genericRequest" in text
    assert "h235Media" in text and "encryptionSync" in text and "dhkey" in text
    assert "makeMeChairResponse" in text and "terminalYouAreSeeing" in text
    for mark in ("Malformed", "Expert Info (Error", "Expert Info (Warning"):
        assert mark not in text, text[max(0, text.find(mark) - 1500) : text.find(mark) + 300]
