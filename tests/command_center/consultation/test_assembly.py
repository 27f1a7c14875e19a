"""What H.323 rooms are told of their conference, when, and what a bridge above is sent."""

from __future__ import annotations

from dataclasses import replace

from command_center.consultation import reconcile as r
from command_center.consultation.control.assembly import assembly_of
from command_center.consultation.control.staging import Scene
from command_center.consultation.model import ParticipantState, Protocol
from sip_gateway.messages import BridgeRole, CallChanged, CallState, ConferenceTell
from video_bridge.messages import LegState

from .seats import NOW, mirror, seat, wanted

JOINED = ParticipantState.JOINED
ROOM = replace(seat(1, Protocol.SIP, state=JOINED), ordinal=0)
ABSENT = replace(seat(2, Protocol.SIP), ordinal=4)
NUMBERLESS = replace(seat(3, Protocol.SIP), ordinal=192)


def test_members_keep_their_numbers_and_the_193rd_has_none() -> None:
    """By the place on the roster; who is not in has no leg."""
    scene = Scene(
        chair_id=ROOM.participant_id,
        broadcast_id=ABSENT.participant_id,
        waiting=(ROOM.participant_id,),
    )
    told = assembly_of(scene, "conf", [ROOM, ABSENT, NUMBERLESS])
    assert [(one.number, one.leg_id) for one in told.terminals] == [(1, "leg-1"), (5, None)]
    assert (told.chair, told.shown) == (str(ROOM.participant_id), str(ABSENT.participant_id))
    assert told.is_forced
    assert told.floor == [str(ROOM.participant_id)]
    assert not assembly_of(Scene(), "conf", []).is_forced
    assert assembly_of(Scene(is_mosaic_broadcast=True), "conf", []).is_forced


def _told(held: r.Mirror) -> list[ConferenceTell]:
    commands = r.commands_for(wanted(ROOM), held, NOW)
    return [command.words for command in commands if isinstance(command, r.TellRooms)]


def test_rooms_are_told_once_and_only_where_one_speaks_h323() -> None:
    """What was told is remembered until the gateway is lost."""
    call = CallChanged(leg_id="leg-1", conference_id="conf", state=CallState.CONNECTED)
    by_sip = replace(mirror(), calls={"leg-1": call})
    assert _told(by_sip) == []
    by_h323 = replace(by_sip, calls={"leg-1": call.model_copy(update={"remote": "h323:10.0.0.9"})})
    (told,) = _told(by_h323)
    assert _told(replace(by_h323, told_rooms=told)) == []


def test_a_bridge_above_is_sent_the_rest() -> None:
    """Also while something is broadcast; what it asked to see it is sent while viewing is free."""
    bridge = replace(ROOM, bridge_role=BridgeRole.UPPER, watch_id=ABSENT.participant_id)
    shown = replace(ABSENT, state=JOINED, leg_id="leg-2")
    legs = {leg: r.NodeLeg(leg, LegState.UP) for leg in ("leg-1", "leg-2")}
    held = replace(mirror(), legs=legs)
    for scene, watch in ((Scene(), "leg-2"), (Scene(broadcast_id=shown.participant_id), "")):
        commands = r.commands_for(replace(wanted(bridge, shown), scene=scene), held, NOW)
        turned = [c for c in commands if isinstance(c, r.TurnLeg) and c.leg_id == "leg-1"]
        assert turned == [r.TurnLeg("leg-1", "rest", watch)]
