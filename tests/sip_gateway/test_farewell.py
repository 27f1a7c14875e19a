"""A call that ended while its room could not hear: the room is told when it is back."""

from __future__ import annotations

from sip_gateway.sip.events import CallEnded, EndCause, IncomingCall

from .network import Net
from .test_useragent import answering, ends, start_call


def byes(net: Net) -> int:
    return sum(line.startswith("BYE") for line in net.lines("centre"))


def in_a_call_that_ended_unheard() -> Net:
    """The hall's network goes, the centre hangs up and says so until it gives up."""
    net = Net()
    answering(net)
    start_call(net)
    net.run(5)
    session = net.of("centre", IncomingCall)[0].session_id
    net.drop = lambda name, data: True
    net.agents["centre"].hang_up(session, net.now)
    net.run(40)
    assert net.agents["centre"].session_count == 0
    assert net.agents["hall"].session_count == 1
    net.drop = lambda name, data: False
    return net


def test_a_room_that_is_back_is_told_that_its_old_call_is_over() -> None:
    """It calls again: its old call ends, once, and the new one stays."""
    net = in_a_call_that_ended_unheard()
    before = byes(net)
    start_call(net, "call-2")
    net.run(5)
    assert byes(net) == before + 1
    assert ends(net, "hall") == [(EndCause.REMOTE, None)]
    assert net.of("hall", CallEnded)[0].session_id == "call-1"
    assert net.agents["hall"].has_session("call-2")
    net.run(10)
    assert byes(net) == before + 1


def test_an_hour_later_nobody_is_told_any_more() -> None:
    """By then the room has ended its side, and another may have its address."""
    net = in_a_call_that_ended_unheard()
    before = byes(net)
    net.agents["hall"].hang_up("call-1", net.now)  # so that no refresh speaks for it
    net.drop = lambda name, data: True
    net.run(3700)
    net.drop = lambda name, data: False
    start_call(net, "call-2")
    net.run(5)
    assert byes(net) == before
