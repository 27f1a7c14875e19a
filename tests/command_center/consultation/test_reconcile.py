"""What has to be done so that node and gateway hold what the roster says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from command_center.consultation import reconcile as r
from command_center.consultation.control.staging import Picture, Scene
from command_center.consultation.model import ParticipantState, Protocol
from command_center.consultation.transitions import Entered, FellSilent, NodeGone, WentAway
from sip_gateway.messages import CallChanged, CallState
from video_bridge.messages import CloseReason, LegState

from .seats import NOW, mirror, seat, wanted

S = ParticipantState
JOINED, LOST = S.JOINED, S.LOST


def test_a_fresh_node_gets_the_conference_before_its_cameras() -> None:
    """A leg is refused by a node that does not know the conference."""
    camera = seat(1)
    commands = r.commands_for(wanted(camera), mirror(is_conference_open=False), NOW)
    assert commands == [r.OpenConference(), r.PullCamera(camera)]


def test_nothing_is_sent_to_a_node_that_is_away() -> None:
    """Commands would fail one by one; they are made again when it is back."""
    away = r.Mirror(is_gateway_up=True)
    assert r.commands_for(wanted(seat(1), seat(2, Protocol.SIP)), away, NOW) == []


def test_a_room_is_dialled_once() -> None:
    """The mirror knows the call from the moment it is asked for."""
    room = seat(1, Protocol.SIP, account="440229")
    assert r.commands_for(wanted(room), mirror(), NOW) == [r.DialRoom(room)]
    assert r.commands_for(wanted(room), mirror(calls=("leg-1",)), NOW) == []


def test_a_room_that_is_in_is_not_dialled_again_while_its_call_is_unknown() -> None:
    """A gateway that came back tells its calls first; until then nobody hears a second ring."""
    room = seat(1, Protocol.SIP, state=JOINED)
    assert r.commands_for(wanted(room), mirror(), NOW) == []


def test_legs_and_calls_of_nobody_are_ended() -> None:
    """One hall never has two legs: what a new leg replaced goes."""
    commands = r.commands_for(
        wanted(seat(1, Protocol.SIP, state=JOINED)),
        mirror("leg-1", "old", "stray", calls=("leg-1", "old")),
        NOW,
    )
    assert commands == [r.EndCall("old"), r.RemoveLeg("stray", CloseReason.REPLACED)]


def test_a_playing_leg_of_the_same_member_is_nobodys_orphan() -> None:
    """A client may publish by WHIP and play by WHEP with one link."""
    member = seat(1, Protocol.WEBRTC, state=JOINED, viewer_leg_id="watching")
    assert r.commands_for(wanted(member), mirror("leg-1", "watching"), NOW) == []


def test_mutes_hold_for_later_legs() -> None:
    """A site muted by the desk that falls out and comes back is still muted."""
    camera = seat(1, state=JOINED, microphone_muted=True)
    assert r.commands_for(wanted(camera), mirror("leg-1"), NOW) == [
        r.MuteLeg("leg-1", microphone_muted=True, speaker_muted=False)
    ]


def test_an_attempt_waits_for_its_time_and_its_wires() -> None:
    """A camera that does not answer is not asked in a tight loop."""
    camera = seat(1, leg_id=None, retry_at=NOW + timedelta(seconds=1))
    assert r.commands_for(wanted(camera), mirror(), NOW) == []
    later = NOW + timedelta(seconds=1)
    assert r.commands_for(wanted(camera), mirror(), later) == [r.Attempt(camera)]
    room = replace(camera, protocol=Protocol.SIP)
    assert r.commands_for(wanted(room), mirror(is_gateway_up=False), later) == []


def test_layout_names_only_legs_that_are_there() -> None:
    """The pane of a member that is out shows its name and state, and fills when it returns."""
    members = (seat(1, state=JOINED), seat(2, Protocol.WEBRTC, leg_id=None, state=S.LEFT))
    picture = Picture(panes=2, seats=(UUID(int=2), UUID(int=1)))
    plan = wanted(*members, scene=Scene(halls=picture), notes={S.LEFT: "已离会"})
    held = mirror("leg-1")
    commands = r.commands_for(plan, held, NOW)
    told = {c.key: c.words for c in commands if isinstance(c, r.Tell)}
    assert [c.key for c in commands if isinstance(c, r.Tell)] == ["placeholders", "layout:hall"]
    (absent,) = told["placeholders"].items  # type: ignore[union-attr]
    assert (absent.seat_id, absent.note) == (str(UUID(int=2)), "已离会")
    assert told["layout:hall"].seats == [absent.seat_id, "leg-1"]  # type: ignore[union-attr]
    done = replace(held, told={**held.told, **told})
    assert r.commands_for(plan, done, NOW) == []


def test_a_layout_is_sent_again_to_a_node_that_may_have_forgotten() -> None:
    """After a reconnection nobody knows what the node shows."""
    commands = r.commands_for(wanted(), mirror(told={}), NOW)
    assert [c.key for c in commands if isinstance(c, r.Tell)] == [
        "placeholders",
        "layout:hall",
        "overlay",
    ]


def test_closing_ends_calls_and_conference_and_then_asks_for_nothing() -> None:
    """Closing is designed: nothing of it outlives the consultation."""
    over = wanted(seat(1, leg_id=None, is_wanted=False), is_open=False)
    commands = r.commands_for(over, mirror("leg-1", calls=("leg-1",)), NOW)
    assert commands == [r.EndCall("leg-1"), r.CloseConference()]
    assert r.commands_for(over, mirror(is_conference_open=False), NOW) == []


LEGS = st.sets(st.sampled_from([f"leg-{n}" for n in range(1, 6)] + ["stray", "old"]))


@given(legs=LEGS, calls=LEGS, protocols=st.lists(st.sampled_from(list(Protocol)), max_size=5))
def test_executed_commands_leave_nothing_to_do(
    legs: set[str], calls: set[str], protocols: list[Protocol]
) -> None:
    """Reconciling is idempotent: whatever was held before, one round brings both to rest."""
    members = [seat(n, p, account="a", url="synthetic:x") for n, p in enumerate(protocols, 1)]
    plan = wanted(*members)
    held = mirror(*legs, calls=tuple(calls))
    for _ in range(2):
        held = _execute(held, r.commands_for(plan, held, NOW))
    assert r.commands_for(plan, held, NOW) == []


def _execute(held: r.Mirror, commands: list[r.Command]) -> r.Mirror:
    """What node and gateway do when told."""
    legs, calls = dict(held.legs), dict(held.calls)
    for command in commands:
        match command:
            case r.PullCamera(member):
                leg_id = member.leg_id or ""
                legs[leg_id] = r.NodeLeg(leg_id, LegState.UP)
            case r.DialRoom(member):
                leg_id = member.leg_id or ""
                calls[leg_id] = CallChanged(
                    leg_id=leg_id, conference_id="c", state=CallState.DIALLING
                )
            case r.EndCall(leg_id):
                calls.pop(leg_id)
                legs.pop(leg_id, None)
            case r.RemoveLeg(leg_id):
                legs.pop(leg_id)
            case r.Tell(key, words):
                held = replace(held, told={**held.told, key: words})
    return replace(held, legs=legs, calls=calls)


# --- what was missed -----------------------------------------------------------------------


def _missed(*members: object, held: r.Mirror, restarted: bool = False) -> list[object]:
    found = r.missed_events(members, held, taken_at=NOW, node_restarted=restarted)  # type: ignore[arg-type]
    return [event for _, event in found]


def test_a_restarted_node_lost_every_leg() -> None:
    """Cameras are added again, phones told to rejoin: both begin with this event."""
    members = [seat(1, state=JOINED), seat(2, Protocol.WEBRTC, state=JOINED)]
    assert _missed(*members, held=mirror(), restarted=True) == [NodeGone("node_restarted")] * 2


def test_a_room_keeps_its_call_over_a_nodes_restart() -> None:
    """The gateway gives it a new leg by re-INVITE; hanging up would throw the hall out."""
    room = seat(1, Protocol.SIP, state=JOINED)
    held = mirror(calls=("leg-1",))
    assert _missed(room, held=held, restarted=True) == [NodeGone("node_restarted")]
    assert r.commands_for(wanted(replace(room, state=LOST)), held, NOW) == []


def test_a_room_without_call_after_a_gateways_restart_is_away() -> None:
    """Its leg on the node is an orphan now and the room is redialled."""
    room = seat(1, Protocol.SIP, state=JOINED)
    assert _missed(room, held=mirror("leg-1")) == [WentAway("gateway_restarted")]


def test_nothing_is_missed_of_a_gateway_that_is_away() -> None:
    """A web process that cannot ask must not declare halls gone."""
    room = seat(1, Protocol.SIP, state=JOINED)
    assert _missed(room, held=mirror("leg-1", is_gateway_up=False)) == []


def test_states_follow_legs_that_changed_unseen() -> None:
    """A web process that was down shows at once what is, not what was."""
    up, silent = seat(1, state=LOST), seat(2, state=JOINED)
    held = mirror("leg-1", "leg-2")
    legs = {**held.legs, "leg-2": r.NodeLeg("leg-2", LegState.LOST)}
    assert _missed(up, silent, held=replace(held, legs=legs)) == [
        Entered(),
        FellSilent("no_media"),
    ]


def test_a_snapshot_older_than_the_change_says_nothing() -> None:
    """A leg made while the snapshot was taken is not missing from it."""
    fresh = seat(1, Protocol.WEBRTC, state=JOINED, changed_at=NOW - timedelta(seconds=1))
    assert _missed(fresh, held=mirror(), restarted=True) == []


def test_a_phone_that_does_not_rejoin_is_offline_after_a_while() -> None:
    """It was told to post a new session; lost for ever would be a stale roster."""
    told = seat(1, Protocol.WEBRTC, state=LOST, leg_id=None, is_wanted=False)
    lately = replace(told, changed_at=NOW - timedelta(seconds=20))
    long_ago = replace(told, changed_at=NOW - timedelta(seconds=40))
    assert _missed(lately, held=mirror()) == []
    assert _missed(long_ago, held=mirror()) == [WentAway("connection_lost")]


def test_without_a_node_nobody_is_shown_as_in() -> None:
    """Halls keep their calls, but nobody sees or hears anybody."""
    members = [seat(1, Protocol.SIP, state=JOINED), seat(2, state=LOST)]
    assert [event for _, event in r.without_node(members)] == [NodeGone("media_node_unreachable")]


def test_a_polled_site_that_left_is_due_at_once_but_not_during_a_roll_call() -> None:
    """Its turn goes on at once; while a site is called the rotation stands still."""
    left = seat(1, state=S.OFFLINE, leg_id=None)
    plan = wanted(left, scene=Scene(polling_id=UUID(int=1)), next_change=NOW + timedelta(minutes=1))
    assert plan.is_due(NOW)
    called = replace(plan, scene=replace(plan.scene, roll_call_id=UUID(int=2)))
    assert not called.is_due(NOW)
    assert called.is_due(NOW + timedelta(minutes=1))
