"""How a participant's state follows from what node, gateway and desk report."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.consultation import transitions as t
from command_center.consultation.model import ParticipantState as S
from command_center.consultation.model import Standing
from sip_gateway.messages import CallChanged, CallResult, CallState
from video_bridge.messages import CloseReason, LegClosed, LegLost, LegUp

EVENTS = [
    t.Started, t.Rang, t.Entered, t.FellSilent, t.WentAway, t.Left, t.Refused,
    t.FoundUnregistered, t.AccountAbsent, t.AccountPresent, t.NodeGone,
]  # fmt: skip


def _closed(reason: CloseReason, detail: str | None = None) -> LegClosed:
    return LegClosed(conference_id="c", leg_id="l", reason=reason, detail=detail)


def _ended(result: CallResult) -> CallChanged:
    return CallChanged(leg_id="l", conference_id="c", state=CallState.ENDED, result=result)


def test_the_common_life_of_a_room() -> None:
    """Dialled, rings, is in, falls silent, comes back, hangs up."""
    standing = Standing(S.NOT_JOINED)
    seen = []
    for event in (
        t.Started(), t.Rang(), t.Entered(), t.FellSilent("no_media"), t.Entered(),
        t.Left("hung_up"),
    ):  # fmt: skip
        standing = t.step(standing, event)
        seen.append((standing.state, standing.reason_code))
    assert seen == [
        (S.DIALLING, None),
        (S.RINGING, None),
        (S.JOINED, None),
        (S.LOST, "no_media"),
        (S.JOINED, None),
        (S.LEFT, "hung_up"),
    ]


@pytest.mark.parametrize("result", [*CallResult])
def test_every_call_result_has_its_state(result: CallResult) -> None:
    """A typed end of a call must never leave a hall shown as in."""
    event = t.from_gateway(_ended(result))
    assert event is not None
    for state in (S.DIALLING, S.RINGING, S.JOINED, S.LOST):
        after = t.step(Standing(state), event)
        assert after.state in (S.LEFT, S.FAILED, S.OFFLINE, S.UNREGISTERED)
        assert after.reason_code == result.value


@pytest.mark.parametrize("reason", [*CloseReason])
def test_every_close_reason_has_its_meaning(reason: CloseReason) -> None:
    """A leg ends with exactly one reason and each must be readable on the roster."""
    event = t.from_node(_closed(reason))
    if reason is CloseReason.REPLACED:
        assert event is None
        return
    assert event is not None
    assert t.step(Standing(S.JOINED), event).state in (S.LEFT, S.FAILED, S.OFFLINE, S.LOST)


def test_not_registered_is_not_a_failure() -> None:
    """未注册 and 入会失败 are two states: the operator does different things about them."""
    event = t.from_gateway(_ended(CallResult.NOT_REGISTERED))
    assert event is not None
    assert t.step(Standing(S.DIALLING), event).state is S.UNREGISTERED
    standing = t.step(Standing(S.UNREGISTERED, "not_registered"), t.AccountPresent())
    assert standing == Standing(S.NOT_JOINED)


def test_a_registration_lost_does_not_end_a_call() -> None:
    """A hall that forgets to register again keeps its picture."""
    assert t.step(Standing(S.JOINED), t.AccountAbsent("x")) == Standing(S.JOINED)


def test_a_rooms_leg_does_not_end_its_call() -> None:
    """The gateway takes the leg down before it tells how the call ended: busy stays busy."""
    closed = _closed(CloseReason.REMOVED)
    assert t.from_node_of_room(closed, S.RINGING) is None
    up = LegUp(conference_id="c", leg_id="l")
    assert t.from_node_of_room(up, S.RINGING) is None
    assert isinstance(t.from_node_of_room(up, S.LOST), t.Entered)


def test_a_lost_camera_says_why() -> None:
    """The reason on the roster is the node's detail, not a guess."""
    event = t.from_node(
        LegLost(conference_id="c", leg_id="l", silent_s=3, detail="camera_unreachable")
    )
    assert event is not None
    assert t.step(Standing(S.JOINED), event) == Standing(S.LOST, "camera_unreachable")


@given(
    state=st.sampled_from(S),
    kinds=st.lists(st.sampled_from(EVENTS), max_size=12),
    reason=st.none() | st.just("some_reason"),
)
def test_no_order_of_events_is_unknown_to_the_table_but_silence_of_the_absent(
    state: S, kinds: list[type[t.Event]], reason: str | None
) -> None:
    """Wires repeat and overtake; only silence of a member that is not there makes no sense."""
    standing = Standing(state)
    for kind in kinds:
        if kind not in t.TRANSITIONS[standing.state]:
            assert kind is t.FellSilent
            continue
        standing = t.step(standing, kind(reason))
        assert standing.state is not S.JOINED or standing.reason_code is None
