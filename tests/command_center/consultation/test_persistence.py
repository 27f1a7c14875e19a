"""Whether and when the desk brings an absent member back by itself."""

from __future__ import annotations

from datetime import timedelta

from command_center.consultation import transitions as t
from command_center.consultation.model import Protocol
from command_center.consultation.persistence import CAMERA_RETRY, Effort, effort_after

from .seats import NOW

WANTED = Effort(is_wanted=True)


def test_a_camera_is_pulled_again_as_long_as_it_is_wanted() -> None:
    """A camera that returns is back within 10 s, hours later too."""
    effort = WANTED
    for _ in range(500):
        effort = effort_after(effort, Protocol.RTSP, t.Refused("camera_unreachable"), NOW)
        assert effort.retry_at == NOW + CAMERA_RETRY
        assert timedelta(seconds=10) > CAMERA_RETRY


def test_a_refused_camera_address_is_not_tried_again() -> None:
    """It will be refused tomorrow as well."""
    effort = effort_after(WANTED, Protocol.RTSP, t.Refused("camera_url_refused"), NOW)
    assert effort == Effort(is_wanted=False)


def test_cameras_come_back_at_once_after_a_nodes_restart() -> None:
    """95 % of legs have media again within 5 s."""
    assert effort_after(WANTED, Protocol.RTSP, t.NodeGone(), NOW).retry_at == NOW


def test_a_busy_room_is_not_called_again_by_itself() -> None:
    """The operator decides; a hall in another meeting is not rung every few seconds."""
    assert effort_after(WANTED, Protocol.SIP, t.Refused("busy"), NOW) == Effort(is_wanted=False)


def test_a_room_that_fell_out_is_redialled_until_it_is_in() -> None:
    """Its network comes back within ten minutes or the operator is asked."""
    effort = effort_after(WANTED, Protocol.SIP, t.WentAway("lost"), NOW)
    assert effort.retry_at is not None
    effort = effort_after(effort, Protocol.SIP, t.Refused("unreachable"), NOW)
    assert effort.is_wanted
    assert effort.retry_at is not None
    assert effort.retry_at - NOW < timedelta(seconds=10)
    assert effort_after(effort, Protocol.SIP, t.Entered(), NOW) == WANTED


def test_a_room_that_hung_up_is_left_alone() -> None:
    """Leaving is a decision of the hall."""
    assert not effort_after(WANTED, Protocol.SIP, t.Left("hung_up"), NOW).is_wanted


def test_phones_come_back_by_themselves() -> None:
    """Nobody can dial a browser."""
    assert not effort_after(WANTED, Protocol.WEBRTC, t.NodeGone(), NOW).is_wanted


def test_registrations_come_and_go_without_changing_what_is_wanted() -> None:
    """A hall that is in and registers anew must still be redialled when it falls out."""
    for event in (t.AccountAbsent("not_registered"), t.AccountPresent()):
        assert effort_after(WANTED, Protocol.SIP, event, NOW) == WANTED


def test_a_room_that_registers_again_is_redialled_at_once() -> None:
    """Its network is back: nobody waits for the next turn."""
    away = effort_after(WANTED, Protocol.SIP, t.WentAway("lost"), NOW)
    later = NOW + timedelta(seconds=60)
    assert effort_after(away, Protocol.SIP, t.AccountPresent(), later).retry_at == later
