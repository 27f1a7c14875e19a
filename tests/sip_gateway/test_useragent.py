"""Two of our own user agents call each other, also over a bad network."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip_gateway.sip.caller import Invitation
from sip_gateway.sip.events import (
    AnswerReceived,
    CallAnswered,
    CallEnded,
    CallEstablished,
    EndCause,
    Event,
    IncomingCall,
    InfoReceived,
    OfferReceived,
)
from sip_gateway.sip.header import Address
from sip_gateway.sip.uri import parse_sip_uri

from .network import Net

OFFER, ANSWER = b"v=0 offer", b"v=0 answer"


def start_call(net: Net, session_id: str = "call-1", body: bytes = OFFER) -> None:
    target = parse_sip_uri("sip:9000@10.0.0.2")
    net.agents["hall"].invite(
        session_id,
        Invitation(
            target,
            net.flow_to("centre"),
            Address(parse_sip_uri("sip:440229@example.org"), "翁源县"),
            Address(target),
            body,
        ),
        net.now,
    )


def answering(net: Net, *, after_ring: bool = True) -> None:
    """The centre takes every call, answers every offer."""

    def react(name: str, event: Event) -> None:
        agent = net.agents[name]
        if isinstance(event, IncomingCall):
            if after_ring:
                agent.ring(event.session_id, net.now)
            agent.answer(event.session_id, ANSWER, net.now)
        elif isinstance(event, OfferReceived):
            agent.accept_offer(event.session_id, ANSWER, net.now)

    net.react = react


def ends(net: Net, name: str) -> list[tuple[EndCause, int | None]]:
    return [(event.cause, event.status) for event in net.of(name, CallEnded)]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_call_is_answered_and_hung_up_by_the_caller(transport: str) -> None:
    """The plain path over both kinds of transport: each side hears each step once."""
    net = Net(transport=transport)
    answering(net)
    start_call(net)
    net.run(5)
    assert [e.body for e in net.of("hall", CallAnswered)] == [ANSWER]
    assert len(net.of("centre", CallEstablished)) == 1
    net.agents["hall"].hang_up("call-1", net.now)
    net.run(1)
    assert ends(net, "centre") == [(EndCause.REMOTE, None)]
    assert ends(net, "hall") == [(EndCause.LOCAL, None)]
    net.run(120)
    assert net.agents["hall"].session_count == net.agents["centre"].session_count == 0


def test_nothing_is_left_behind_after_a_call() -> None:
    """A gateway runs for months: sessions, dialogs, transactions and timers all go."""
    net = Net()
    answering(net)
    start_call(net)
    net.run(5)
    net.agents["hall"].hang_up("call-1", net.now)
    net.run(200)
    for agent in net.agents.values():
        core = agent._core
        assert len(core.transactions) == 0
        assert not core.sessions and not core.dialogs and not core.awaited
        assert not core.by_invite and not core.merged
        assert agent.next_due() is None


def test_a_lost_invite_is_repeated_and_rings_once() -> None:
    """Loss must not lose the call, and repetition must not make a second one."""
    net = Net()
    answering(net)
    lost = iter([True, True, True])
    net.drop = lambda name, data: data.startswith(b"INVITE") and next(lost, False)
    start_call(net)
    net.run(10)
    assert len(net.of("centre", IncomingCall)) == 1
    assert len(net.of("hall", CallAnswered)) == 1
    assert sum(line.startswith("INVITE") for line in net.lines("hall")) == 4


def test_a_lost_ack_makes_the_answer_come_again() -> None:
    """The 2xx is repeated until its ACK arrives, and each repetition is acknowledged."""
    net = Net()
    answering(net)
    lost = iter([True, True])
    net.drop = lambda name, data: data.startswith(b"ACK") and next(lost, False)
    start_call(net)
    net.run(10)
    assert len(net.of("centre", CallEstablished)) == 1
    assert sum(line.startswith("ACK") for line in net.lines("hall")) == 3


def test_an_answer_that_is_never_acknowledged_ends_with_bye() -> None:
    """64*T1 without ACK: the callee hangs up, so that no half call holds a leg."""
    net = Net()
    answering(net)
    net.drop = lambda name, data: data.startswith(b"ACK")
    start_call(net)
    net.run(40)
    assert ends(net, "centre") == [(EndCause.NO_ACK, None)]
    assert ends(net, "hall") == [(EndCause.REMOTE, None)]


def test_nobody_answering_at_all_times_out_after_64_t1() -> None:
    """Timer B: the caller is told after 32 s, not never."""
    net = Net()
    net.drop = lambda name, data: True
    start_call(net)
    net.run(31.5)
    assert ends(net, "hall") == []
    net.run(1)
    assert ends(net, "hall") == [(EndCause.TIMED_OUT, None)]


@pytest.mark.parametrize("status", [404, 480, 486, 488, 603])
def test_a_refusal_reaches_the_caller_with_its_status(status: int) -> None:
    """The roster says busy, declined or unknown by the status."""
    net = Net()

    def react(name: str, event: Event) -> None:
        if isinstance(event, IncomingCall):
            net.agents[name].reject(event.session_id, status, net.now)

    net.react = react
    start_call(net)
    net.run(5)
    assert ends(net, "hall") == [(EndCause.REFUSED, status)]
    assert sum(line.startswith("ACK") for line in net.lines("hall")) == 1


def test_cancel_before_the_answer_ends_both_sides() -> None:
    """CANCEL gets 200, the INVITE 487, and the callee hears that the caller gave up."""
    net = Net()
    net.react = lambda name, event: (
        net.agents[name].ring(event.session_id, net.now)
        if isinstance(event, IncomingCall)
        else None
    )
    start_call(net)
    net.run(2)
    net.agents["hall"].hang_up("call-1", net.now)
    net.run(2)
    assert ends(net, "centre") == [(EndCause.CANCELLED, None)]
    assert "SIP/2.0 487 Request Terminated" in net.lines("centre")
    net.run(100)
    assert net.agents["hall"].session_count == 0


def test_giving_up_before_any_response_waits_with_cancel() -> None:
    """CANCEL before a provisional response could overtake the INVITE (clause 9.1)."""
    net = Net(delay_s=(1.0, 1.0))
    start_call(net)
    net.flush()
    net.agents["hall"].hang_up("call-1", net.now)
    net.flush()
    assert not any(line.startswith("CANCEL") for line in net.lines("hall"))
    net.run(10)
    assert any(line.startswith("CANCEL") for line in net.lines("hall"))
    assert ends(net, "centre") == [(EndCause.CANCELLED, None)]


def test_an_answer_that_crosses_cancel_is_acknowledged_and_hung_up() -> None:
    """The race of clause 9.1: the 2xx wins on the wire, the caller still ends the call."""
    net = Net(delay_s=(0.2, 0.2))
    net.react = lambda name, event: (
        net.agents[name].ring(event.session_id, net.now)
        if isinstance(event, IncomingCall)
        else None
    )
    start_call(net)
    net.run(1)
    incoming = net.of("centre", IncomingCall)[0]
    net.agents["hall"].hang_up("call-1", net.now)
    net.agents["centre"].answer(incoming.session_id, ANSWER, net.now)
    net.run(5)
    assert net.of("hall", CallAnswered) == []
    assert ends(net, "centre") == [(EndCause.REMOTE, None)]
    lines = net.lines("hall")
    assert any(line.startswith("ACK") for line in lines)
    assert any(line.startswith("BYE") for line in lines)


def test_hanging_up_an_answered_call_waits_for_its_ack() -> None:
    """A callee must not send BYE before the ACK (clause 15)."""
    net = Net(delay_s=(0.2, 0.2))
    answering(net)
    start_call(net)
    net.run(0.3)
    session_id = net.of("centre", IncomingCall)[0].session_id
    net.agents["centre"].hang_up(session_id, net.now)
    net.flush()
    assert not any(line.startswith("BYE") for line in net.lines("centre"))
    net.run(3)
    assert ends(net, "hall") == [(EndCause.REMOTE, None)]


def test_an_invite_without_offer_gets_ours_and_the_ack_brings_the_answer() -> None:
    """Many hardware rooms dial without SDP: the 200 offers, the ACK answers."""
    net = Net()
    answering(net)
    start_call(net, body=b"")
    net.run(3)
    assert [e.body for e in net.of("hall", CallAnswered)] == [ANSWER]
    assert len(net.of("centre", CallEstablished)) == 1


def test_a_new_offer_inside_the_call_is_answered() -> None:
    """Hold, resume and moving to another media node are re-INVITEs."""
    net = Net()
    answering(net)
    start_call(net)
    net.run(3)
    net.agents["hall"].offer("call-1", b"v=0 hold", net.now)
    net.run(3)
    assert [e.body for e in net.of("centre", OfferReceived)] == [b"v=0 hold"]
    assert [e.body for e in net.of("hall", AnswerReceived)] == [ANSWER]
    assert ends(net, "hall") == []


def test_offers_that_cross_are_both_settled_in_the_end() -> None:
    """Glare: both get 491, each waits its own time, nobody hangs up (clause 14.1)."""
    net = Net(delay_s=(0.1, 0.1))
    answering(net)
    start_call(net)
    net.run(3)
    callee = net.of("centre", IncomingCall)[0].session_id
    net.agents["hall"].offer("call-1", b"v=0 a", net.now)
    net.agents["centre"].offer(callee, b"v=0 b", net.now)
    net.run(15)
    assert len(net.of("hall", AnswerReceived)) == 1
    assert len(net.of("centre", AnswerReceived)) == 1
    assert ends(net, "hall") == ends(net, "centre") == []


def test_info_reaches_the_other_side_inside_the_call() -> None:
    """Key-frame requests and DTMF travel by INFO."""
    net = Net()
    answering(net)
    start_call(net)
    net.run(3)
    assert net.agents["hall"].info("call-1", "application/dtmf-relay", b"Signal=5", net.now)
    net.run(1)
    got = net.of("centre", InfoReceived)
    assert [(e.content_type, e.body) for e in got] == [("application/dtmf-relay", b"Signal=5")]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), loss=st.floats(0, 0.35), duplication=st.floats(0, 0.3))
def test_loss_and_reordering_never_double_a_call(
    seed: int, loss: float, duplication: float
) -> None:
    """Invariant: one IncomingCall and one end per call at most, and both sides forget it."""
    net = Net(seed=seed, loss=loss, duplication=duplication, delay_s=(0.005, 0.4))
    answering(net)
    start_call(net)
    net.run(40)
    net.agents["hall"].hang_up("call-1", net.now)
    net.run(150)
    assert len(net.of("centre", IncomingCall)) <= 1
    for name in ("hall", "centre"):
        assert len(net.of(name, CallEnded)) <= 1
        assert net.agents[name].session_count == 0
        assert net.agents[name].next_due() is None
    if loss < 0.2:
        assert len(net.of("hall", CallAnswered)) == 1
