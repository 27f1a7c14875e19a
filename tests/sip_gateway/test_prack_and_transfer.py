"""Reliable 18x (RFC 3262), INVITE with Replaces (RFC 3891), REFER inside a call (RFC 3515)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip_gateway.messages import CallResult, CallState
from sip_gateway.sip.caller import Invitation
from sip_gateway.sip.events import CallAnswered, CallEnded, EndCause, Event, IncomingCall
from sip_gateway.sip.header import Address
from sip_gateway.sip.uri import parse_sip_uri

from .desk import Desk, eventually, open_desk
from .network import Net


def invite_requiring_100rel(net: Net) -> None:
    target = parse_sip_uri("sip:9000@10.0.0.2")
    caller = Address(parse_sip_uri("sip:440229@example.org"))
    headers = (("Require", "100rel"),)
    invitation = Invitation(
        target, net.flow_to("centre"), caller, Address(target), b"v=0", headers=headers
    )
    net.agents["hall"].invite("call-1", invitation, net.now)


def ringing(net: Net) -> None:
    def react(name: str, event: Event) -> None:
        if isinstance(event, IncomingCall):
            net.agents[name].ring(event.session_id, net.now)

    net.react = react


@pytest.mark.parametrize("seed", range(20))
def test_a_reliable_ring_is_acknowledged_over_a_bad_network(seed: int) -> None:
    """A fifth of the packets lost: the 180 stops being repeated, the call is then answered."""
    net = Net(seed=seed, loss=0.2)
    ringing(net)
    invite_requiring_100rel(net)
    net.run(25)
    assert net.of("centre", CallEnded) == []
    rung = [line for line in net.lines("centre") if " 180 " in line]
    net.run(10)
    assert [line for line in net.lines("centre") if " 180 " in line] == rung
    session_id = net.of("centre", IncomingCall)[0].session_id
    net.agents["centre"].answer(session_id, b"v=0", net.now)
    net.run(20)
    assert len(net.of("hall", CallAnswered)) == 1


def test_a_ring_that_nobody_acknowledges_ends_the_call() -> None:
    """After 64*T1 the INVITE gets a final answer, so that nothing hangs."""
    net = Net()
    net.drop = lambda sender, data: data.startswith(b"PRACK")
    ringing(net)
    invite_requiring_100rel(net)
    net.run(40)
    assert [event.cause for event in net.of("centre", CallEnded)] == [EndCause.NO_ACK]
    assert [event.status for event in net.of("hall", CallEnded)] == [504]


async def dialog_of(desk: Desk, account: str) -> str:
    """The Replaces value that names the call of this account, as the other end sees it."""
    call = desk.gateway.calls.of_leg(f"leg-{account}")
    assert call is not None
    dialog = desk.gateway.edge.agent._core.sessions[call.session_id].dialog
    assert dialog is not None
    return f"{dialog.call_id};to-tag={dialog.local.tag};from-tag={dialog.remote.tag}"


async def test_a_call_takes_the_place_of_another_in_its_conference(tmp_path: Path) -> None:
    """A phone in a hall hands its call to the room system: the old leg goes once the new is up."""
    async with open_desk(tmp_path) as desk:
        phone, room = await desk.room(), await desk.room(account="440118")
        phone.call()
        await eventually(
            lambda: CallState.CONNECTED in [call.state for call in desk.states("leg-440229")]
        )
        room.call(headers=(("Replaces", await dialog_of(desk, "440229")),))
        assert (await desk.ended("leg-440229")).result is CallResult.HUNG_UP
        await eventually(lambda: phone.of(CallEnded))
        assert phone.of(CallEnded)[0].cause is EndCause.REMOTE
        await eventually(lambda: list(desk.node.legs) == ["leg-440118"])


@pytest.mark.parametrize(
    ("value", "status"),
    [("nothing;to-tag=1;from-tag=2", 481), ("nothing", 400), ("a;to-tag=1", 400)],
)
async def test_replaces_that_names_no_call_is_refused(
    tmp_path: Path, value: str, status: int
) -> None:
    """And nobody who is not admitted to the conference learns whether a call exists."""
    async with open_desk(tmp_path) as desk:
        room = await desk.room()
        room.call(headers=(("Replaces", value),))
        await eventually(lambda: room.of(CallEnded))
        assert room.of(CallEnded)[0].status == status
        stranger = await desk.room(password="wrong")
        stranger.call(headers=(("Replaces", value),))
        await eventually(lambda: stranger.of(CallEnded))
        assert stranger.of(CallEnded)[0].status == 403
