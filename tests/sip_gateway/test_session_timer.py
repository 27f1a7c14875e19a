"""Session timers (RFC 4028): refreshed in both roles, and a vanished far end is noticed."""

from __future__ import annotations

import pytest

from sip_gateway.sip import callee
from sip_gateway.sip.events import CallAnswered, CallEnded, EndCause, IncomingCall
from sip_gateway.sip.message import Request, Response
from sip_gateway.sip.session_timer import Interval, Refresher, answer, is_too_small, read, settled
from sip_gateway.sip.uri import SipUri

from .network import Net
from .test_useragent import answering, ends, start_call


def invite(**headers: str) -> Request:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(tuple(names.items()), method="INVITE", uri=SipUri("c"))


def count(net: Net, sender: str, method: str) -> int:
    return sum(line.startswith(method) for line in net.lines(sender))


def test_the_caller_refreshes_by_update_at_half_time() -> None:
    """Both ends know UPDATE: no description is sent again."""
    net = Net()
    answering(net)
    start_call(net)
    net.run(4000)
    assert count(net, "hall", "UPDATE") == 4
    assert count(net, "hall", "INVITE") == 1
    assert ends(net, "hall") == ends(net, "centre") == []


def test_a_peer_without_update_is_refreshed_by_re_invite() -> None:
    """The same description goes out again, and the call stays as it is."""
    net = Net()
    answering(net)
    start_call(net)
    net.run(5)
    session = net.agents["hall"]._session("call-1")
    session.allows_update = False
    net.run(1000)
    assert count(net, "hall", "UPDATE") == 0
    assert count(net, "hall", "INVITE") == 2
    assert ends(net, "hall") == []


def test_a_caller_that_vanished_is_noticed() -> None:
    """Nothing of it arrives any more: the callee hangs up before the interval ends."""
    net = Net()
    answering(net)
    start_call(net)
    net.run(5)
    net.drop = lambda name, data: name == "hall"
    net.run(1760)
    assert ends(net, "centre") == []
    net.run(20)
    assert ends(net, "centre") == [(EndCause.EXPIRED, None)]


def test_a_callee_that_vanished_is_noticed_at_the_refresh() -> None:
    """The refresh times out after 32 s and ends the call."""
    net = Net()
    answering(net)
    start_call(net)
    net.run(5)
    net.drop = lambda name, data: True
    net.run(940)
    assert ends(net, "hall") == [(EndCause.TIMED_OUT, None)]


def test_a_too_short_interval_is_422_and_tried_again_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Our INVITE asks for less than the far end's minimum: it follows, with one call made."""
    net = Net()
    answering(net)
    monkeypatch.setattr(callee, "MIN_SE_S", 3600)
    monkeypatch.setattr(
        callee, "is_too_small", lambda request: (read(request) or (0, ""))[0] < 3600
    )
    start_call(net)
    net.run(5)
    assert "SIP/2.0 422 Session Interval Too Small" in net.lines("centre")
    assert len(net.of("hall", CallAnswered)) == 1
    assert len(net.of("centre", IncomingCall)) == 1
    assert net.of("hall", CallEnded) == []


@pytest.mark.parametrize(
    ("headers", "expected", "interval"),
    [
        ({}, None, None),
        ({"Supported": "timer"}, "1800;refresher=uac", Interval(1800, Refresher.THEM)),
        (
            {"Supported": "timer", "Session_Expires": "600;refresher=uas"},
            "600;refresher=uas",
            Interval(600, Refresher.US),
        ),
        (
            {"Supported": "timer", "Session_Expires": "600"},
            "600;refresher=uac",
            Interval(600, Refresher.THEM),
        ),
        ({"Session_Expires": "40"}, "90;refresher=uas", Interval(90, Refresher.US)),
    ],
)
def test_our_answer_follows_the_table_of_clause_9(
    headers: dict[str, str], expected: str | None, interval: Interval | None
) -> None:
    """Who refreshes, by what the caller knows and wants."""
    got, agreed = answer(invite(**headers))
    assert dict(got).get("Session-Expires") == expected
    assert agreed == interval


def test_only_a_peer_that_knows_timers_gets_422() -> None:
    """Another could not do anything with it."""
    assert is_too_small(invite(Supported="timer", Session_Expires="30"))
    assert not is_too_small(invite(Session_Expires="30"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("1800;refresher=uac", Interval(1800, Refresher.US)),
        ("1800;refresher=uas", Interval(1800, Refresher.THEM)),
        ("1800", Interval(1800, Refresher.US)),
        ("1", None),
        ("x", None),
    ],
)
def test_an_answer_settles_who_refreshes(value: str | None, expected: Interval | None) -> None:
    """Absurd values are no timer, never an exception."""
    headers = (("Session-Expires", value),) if value else ()
    assert settled(Response(headers, status=200)) == expected
