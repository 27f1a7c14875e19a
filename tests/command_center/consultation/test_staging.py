"""What everybody sees and whose microphone is open, as it follows from the desk's orders."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from command_center.consultation import reconcile as r
from command_center.consultation.control.staging import (
    Picture,
    Scene,
    alone,
    chair_picture,
    closed_by,
    hall_picture,
    sight,
)
from command_center.consultation.model import ParticipantState as S
from command_center.consultation.model import Protocol
from video_bridge.messages import LegState

from .seats import NOW, mirror, seat, wanted

CHAIR, CALLED, OTHER, LATE = (UUID(int=n) for n in (1, 2, 3, 4))
LAYOUT = Picture(arrangement="4", seats=(CHAIR, CALLED, OTHER, None))


def test_a_broadcast_forces_the_halls_and_ends_free_viewing() -> None:
    """All others watch it; whoever watched something else is taken away from it."""
    scene = Scene(halls=LAYOUT, broadcast_id=CALLED)
    assert hall_picture(scene) == alone(CALLED)
    assert sight(scene, OTHER, CHAIR) == ("hall", None)
    freed = replace(scene, broadcast_id=None)
    assert hall_picture(freed) == LAYOUT
    assert sight(freed, OTHER, CHAIR) == ("hall", CHAIR)


def test_a_mosaic_broadcast_forces_the_layout() -> None:
    """广播多画面: nobody watches a single site, everybody the continuous presence."""
    scene = Scene(halls=LAYOUT, is_mosaic_broadcast=True, polling_id=OTHER)
    assert hall_picture(scene) == LAYOUT
    assert sight(scene, OTHER, CHAIR) == ("hall", None)


def test_who_is_broadcast_sees_the_chair_and_not_itself() -> None:
    """A site that stares at itself learns nothing of the meeting."""
    scene = Scene(halls=LAYOUT, chair_id=CHAIR, broadcast_id=CALLED)
    assert sight(scene, CALLED, None) == ("chair", CHAIR)
    without_chair = replace(scene, chair_id=None)
    assert sight(without_chair, CALLED, None) == ("chair", None)
    assert chair_picture(without_chair) == LAYOUT
    of_chair = replace(scene, broadcast_id=CHAIR)
    assert sight(of_chair, CHAIR, None) == ("chair", None)


def test_the_chair_watches_any_site_also_during_a_broadcast() -> None:
    """The vocabulary says so: the chair views any site."""
    scene = Scene(chair_id=CHAIR, broadcast_id=CALLED)
    assert sight(scene, CHAIR, OTHER) == ("hall", OTHER)
    assert sight(scene, CHAIR, None) == ("hall", None)
    own = replace(scene, chair=Picture(arrangement="9"))
    assert sight(own, CHAIR, None) == ("chair", None)


def test_polling_turns_the_halls_or_the_chair_alone() -> None:
    """轮询 of the chair leaves the halls' picture alone."""
    assert hall_picture(Scene(halls=LAYOUT, polling_id=OTHER)) == alone(OTHER)
    scene = Scene(halls=LAYOUT, chair_id=CHAIR, polling_id=OTHER, polling_view="chair")
    assert hall_picture(scene) == LAYOUT
    assert chair_picture(scene) == alone(OTHER)
    assert sight(scene, CHAIR, None) == ("chair", None)


def test_a_roll_call_leaves_two_microphones() -> None:
    """点名: the called site is heard though the desk had muted it, the chair as it was."""
    scene = Scene(chair_id=CHAIR, roll_call_id=CALLED)
    assert closed_by(scene, CALLED, is_muted=True) is None
    assert closed_by(scene, CHAIR, is_muted=False) is None
    assert closed_by(scene, CHAIR, is_muted=True) == "desk"
    assert closed_by(scene, OTHER, is_muted=False) == "roll_call"


def test_the_floor_opens_a_muted_microphone_and_may_close_the_others() -> None:
    """Whether granting mutes the others is a setting."""
    shared = Scene(chair_id=CHAIR, speakers=frozenset({CALLED}))
    assert closed_by(shared, CALLED, is_muted=True) is None
    assert closed_by(shared, OTHER, is_muted=False) is None
    exclusive = replace(shared, is_floor_exclusive=True)
    assert closed_by(exclusive, OTHER, is_muted=False) == "floor"
    assert closed_by(exclusive, CHAIR, is_muted=False) is None


IDS = st.sampled_from([CHAIR, CALLED, OTHER, LATE])


@given(
    mutes=st.dictionaries(IDS, st.booleans()),
    watches=st.dictionaries(IDS, IDS),
    broadcast=st.none() | IDS,
    chair=st.none() | IDS,
    called=IDS,
    speakers=st.frozensets(IDS),
)
def test_cancelling_a_roll_call_restores_everything(
    *,
    mutes: dict[UUID, bool],
    watches: dict[UUID, UUID],
    broadcast: UUID | None,
    chair: UUID | None,
    called: UUID,
    speakers: frozenset[UUID],
) -> None:
    """The node ends with exactly the commands' result that it had before the call."""
    members = [
        seat(
            me.int,
            Protocol.WEBRTC,
            state=S.JOINED,
            microphone_muted=mutes.get(me, False),
            watch_id=watches.get(me),
        )
        for me in (CHAIR, CALLED, OTHER, LATE)
    ]
    scene = Scene(halls=LAYOUT, chair_id=chair, broadcast_id=broadcast, speakers=speakers)
    plan = wanted(*members, scene=scene)
    before = _settled(plan, mirror(*(m.leg_id or "" for m in members)))
    during = _settled(replace(plan, scene=replace(scene, roll_call_id=called)), before)
    after = _settled(plan, during)
    assert after.legs == before.legs
    assert after.told["layout:hall"] == before.told["layout:hall"]


def _settled(plan: r.Wanted, held: r.Mirror) -> r.Mirror:
    """The mirror after the node obeyed."""
    legs, told = dict(held.legs), dict(held.told)
    for command in r.commands_for(plan, held, NOW):
        match command:
            case r.MuteLeg(leg, microphone, speaker):
                legs[leg] = replace(legs[leg], microphone_muted=microphone, speaker_muted=speaker)
            case r.TurnLeg(leg, view, watch):
                legs[leg] = replace(legs[leg], view=view, watch=watch)
            case r.Tell(key, words):
                told[key] = words
    settled = replace(held, legs=legs, told=told)
    assert r.commands_for(plan, settled, NOW) == []
    return settled


def test_a_late_joiner_is_muted_and_sees_what_is_forced() -> None:
    """The order is a row, not a click: it holds for legs that come later."""
    late = seat(4, Protocol.WEBRTC, state=S.JOINED, watch_id=OTHER)
    called = seat(2, Protocol.WEBRTC, state=S.JOINED)
    plan = wanted(called, late, scene=Scene(roll_call_id=CALLED))
    held = mirror("leg-2")
    held = _settled(plan, held)
    joined = replace(held, legs={**held.legs, "leg-4": r.NodeLeg("leg-4", LegState.UP)})
    assert r.commands_for(plan, joined, NOW) == [
        r.MuteLeg("leg-4", microphone_muted=True, speaker_muted=False)
    ]
