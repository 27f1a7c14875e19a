"""The transaction tables: no gaps for anything a peer can send, and the RFC's timers."""

from __future__ import annotations

import pytest

from sip_gateway.errors import LocalSipError
from sip_gateway.sip.message import Request, response_to
from sip_gateway.sip.parser import parse_datagram
from sip_gateway.sip.transaction import (
    FIRST_STATE,
    TABLES,
    Event,
    Flow,
    Kind,
    State,
    Transaction,
)
from sip_gateway.sip.transactions import (
    ClientTimedOut,
    RequestArrived,
    ResponseArrived,
    TransactionBroke,
    Transactions,
)
from sip_gateway.sip.uri import SipUri

UDP = Flow("udp", "10.0.0.2", 5060)
TCP = Flow("tcp", "10.0.0.2", 5060, 1)

FROM_PEERS = {
    Kind.INVITE_CLIENT: {Event.PROVISIONAL, Event.SUCCESS, Event.FAILURE},
    Kind.CLIENT: {Event.PROVISIONAL, Event.SUCCESS, Event.FAILURE},
    Kind.INVITE_SERVER: {Event.REQUEST, Event.ACK},
    Kind.SERVER: {Event.REQUEST},
}


def request(method: str, branch: str = "z9hG4bK1") -> Request:
    headers = (
        ("Via", f"SIP/2.0/UDP 10.0.0.1:5060;branch={branch}"),
        ("Max-Forwards", "70"),
        ("From", "<sip:a@10.0.0.1>;tag=1"),
        ("To", "<sip:b@10.0.0.2>"),
        ("Call-ID", "c1"),
        ("CSeq", f"1 {method}"),
    )
    return Request(headers, method=method, uri=SipUri("10.0.0.2", "b"))


@pytest.mark.parametrize("kind", list(Kind))
def test_tables_have_no_gap_for_what_a_peer_or_the_transport_can_cause(kind: Kind) -> None:
    """A remote peer can never drive a machine into LocalSipError."""
    for state, row in TABLES[kind].items():
        missing = (FROM_PEERS[kind] | {Event.TRANSPORT_FAILED}) - row.keys()
        assert not missing, (kind, state, missing)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_state_is_reachable_and_leads_to_the_end(kind: Kind) -> None:
    """No dead rows in a table, and no state that a machine never leaves."""
    table = TABLES[kind]
    reached, todo = set(), [FIRST_STATE[kind]]
    while todo:
        state = todo.pop()
        if state not in reached:
            reached.add(state)
            todo += [step.state for step in table.get(state, {}).values()]
    assert reached == {*table, State.TERMINATED}


def test_what_is_not_in_the_table_raises() -> None:
    """A mistake of ours is loud."""
    machine = Transaction(("s",), Kind.SERVER, request("INFO"), UDP, State.COMPLETED)
    with pytest.raises(LocalSipError):
        machine.step(Event.PROVISIONAL)


def sending_times(layer: Transactions, start: float, end: float) -> list[float]:
    """When something is sent while nobody answers."""
    times = []
    for _ in layer.outbox:
        times.append(start)
    layer.outbox.clear()
    while (due := layer.next_due()) is not None and due <= end:
        upcalls = layer.advance(due)
        times += [round(due - start, 3)] * len(layer.outbox)
        layer.outbox.clear()
        if any(isinstance(u, ClientTimedOut) for u in upcalls):
            times.append(-round(due - start, 3))
    return times


def test_invite_is_repeated_at_doubling_times_until_32_s() -> None:
    """Timers A and B: 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, then a time-out at 32."""
    layer = Transactions()
    layer.send_request(request("INVITE"), UDP, 0.0)
    assert sending_times(layer, 0.0, 100.0) == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, -32.0]
    assert len(layer) == 0


def test_other_requests_are_repeated_at_most_every_4_s() -> None:
    """Timers E and F."""
    layer = Transactions()
    layer.send_request(request("INFO"), UDP, 0.0)
    assert sending_times(layer, 0.0, 100.0) == [
        0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5, -32.0,
    ]  # fmt: skip


def test_nothing_is_repeated_over_a_reliable_transport() -> None:
    """TCP repeats by itself; only the time-out remains."""
    layer = Transactions()
    layer.send_request(request("INVITE"), TCP, 0.0)
    assert sending_times(layer, 0.0, 100.0) == [0.0, -32.0]


def test_a_failure_is_acknowledged_and_its_repetitions_too() -> None:
    """Timer D keeps the client transaction for 32 s so that lost ACKs are sent again."""
    layer = Transactions()
    invite = request("INVITE")
    layer.send_request(invite, UDP, 0.0)
    layer.outbox.clear()
    busy = response_to(invite, 486, to_tag="x")
    first = layer.receive(busy, UDP, 1.0)
    again = layer.receive(busy, UDP, 2.0)
    assert [type(u) for u in first] == [ResponseArrived] and again == []
    acks = [parse_datagram(out.data) for out in layer.outbox]
    assert [ack.method for ack in acks if isinstance(ack, Request)] == ["ACK", "ACK"]
    assert acks[0].top_via == invite.top_via and acks[0].to.tag == "x"
    layer.advance(34.0)
    assert len(layer) == 0


def test_a_server_repeats_its_failure_until_the_ack() -> None:
    """Timers G, H and I."""
    layer = Transactions()
    (arrived,) = layer.receive(request("INVITE"), UDP, 0.0)
    assert isinstance(arrived, RequestArrived) and arrived.key is not None
    layer.respond(arrived.key, response_to(arrived.request, 486, to_tag="x"), 0.0)
    assert sending_times(layer, 0.0, 4.0) == [0.0, 0.5, 1.5, 3.5]
    layer.receive(request("ACK"), UDP, 4.5)
    layer.advance(20.0)
    assert layer.outbox == [] and len(layer) == 0


def test_a_repeated_request_is_answered_again_without_waking_anybody() -> None:
    """Timer J: INFO with a lost response is not executed twice."""
    layer = Transactions()
    (arrived,) = layer.receive(request("INFO"), UDP, 0.0)
    assert isinstance(arrived, RequestArrived) and arrived.key is not None
    layer.respond(arrived.key, response_to(arrived.request, 200, to_tag="x"), 0.0)
    assert layer.receive(request("INFO"), UDP, 1.0) == []
    assert len(layer.outbox) == 2 and layer.outbox[0].data == layer.outbox[1].data


def test_a_branch_without_content_is_matched_the_old_way() -> None:
    """RFC 4475 badbranch and RFC 2543 rooms: Call-ID, CSeq and tag tell requests apart."""
    layer = Transactions()
    assert len(layer.receive(request("OPTIONS", "z9hG4bK"), UDP, 0.0)) == 1
    assert layer.receive(request("OPTIONS", "z9hG4bK"), UDP, 0.1) == []


def test_responses_go_to_where_the_request_came_from() -> None:
    """received and rport (RFC 3581): a room behind a translator hears us."""
    layer = Transactions()
    behind = Flow("udp", "198.51.100.7", 40001)
    wanting = request("OPTIONS").headers[1:]
    via = ("Via", "SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bK9;rport")
    (arrived,) = layer.receive(
        Request((via, *wanting), method="OPTIONS", uri=SipUri("10.0.0.2")), behind, 0.0
    )
    assert isinstance(arrived, RequestArrived) and arrived.key is not None
    layer.respond(arrived.key, response_to(arrived.request, 200, to_tag="x"), 0.0)
    assert layer.outbox[0].flow == behind
    top = parse_datagram(layer.outbox[0].data).top_via
    assert (top.param("received"), top.param("rport")) == ("198.51.100.7", "40001")


def test_a_broken_transport_is_told_once() -> None:
    """The call ends at once instead of after 32 s."""
    layer = Transactions()
    layer.send_request(request("INVITE"), TCP, 0.0)
    assert [type(u) for u in layer.transport_failed(TCP, 1.0)] == [TransactionBroke]
    assert len(layer) == 0 and layer.next_due() is None
