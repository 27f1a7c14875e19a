"""The small pure rules of the desk: turns of polling, keys, the lock, redialling, layouts."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.consultation.control.keypad import KeyOrder, Keypad, press
from command_center.consultation.control.layouts import check
from command_center.consultation.control.lock import may_enter
from command_center.consultation.control.rotation import Turn, next_turn
from command_center.consultation.errors import LocalConsultationError
from command_center.consultation.model import MemberKind, Protocol
from command_center.consultation.model import ParticipantState as S
from command_center.consultation.persistence import Effort, effort_after
from command_center.consultation.schemas import LayoutIn
from command_center.consultation.transitions import (
    AccountPresent,
    Entered,
    FoundUnregistered,
    Refused,
    WentAway,
)

from .seats import NOW

SITES = [UUID(int=n) for n in range(1, 6)]


def test_each_site_has_its_time_and_then_the_next_has() -> None:
    """轮询 is a timed rotation in the order that was chosen."""
    turn, shown = Turn(None, None), []
    for second in range(0, 50, 5):
        now = NOW + timedelta(seconds=second)
        site = next_turn(SITES, set(SITES), turn, 10, now)
        if site != turn.site:
            turn = Turn(site, now)
            shown.append(site)
    assert shown == SITES


def test_a_site_that_leaves_gives_up_its_turn_at_once() -> None:
    """Nobody watches an empty pane for the rest of its time."""
    turn = Turn(SITES[0], NOW)
    assert next_turn(SITES, {SITES[2]}, turn, 10, NOW) == SITES[2]
    assert next_turn(SITES, set(), turn, 10, NOW) is None


@given(
    present=st.sets(st.sampled_from(SITES)),
    current=st.none() | st.sampled_from(SITES),
    seconds=st.integers(0, 30),
)
def test_only_sites_that_are_in_are_shown(
    present: set[UUID], current: UUID | None, seconds: int
) -> None:
    """Whatever happened before, a turn goes to somebody who is there, if anybody is."""
    turn = Turn(current, None if current is None else NOW)
    site = next_turn(SITES, present, turn, 10, NOW + timedelta(seconds=seconds))
    assert (site in present) if present else site is None


def test_star_nine_asks_for_the_floor() -> None:
    """A hall has no page of ours: its remote control must do."""
    keypad, order = press(Keypad(), "*", NOW)
    assert order is None
    keypad, order = press(keypad, "9", NOW + timedelta(seconds=1))
    assert (keypad, order) == (Keypad(), KeyOrder.ASK_FLOOR)


@pytest.mark.parametrize(
    ("digit", "order"),
    [("6", KeyOrder.SELF_MUTE), ("3", KeyOrder.CHAIR), ("5", KeyOrder.MUTE_ALL),
     ("8", KeyOrder.UNMUTE_ALL), ("1", KeyOrder.SIGN_IN), ("0", KeyOrder.WITHDRAW)],
)  # fmt: skip
def test_each_order_has_its_digit(digit: str, order: KeyOrder) -> None:
    """As the card beside the remote control says."""
    keypad, _ = press(Keypad(), "*", NOW)
    assert press(keypad, digit, NOW) == (Keypad(), order)


@pytest.mark.parametrize("keys", ["9", "1*", "*#9", "*29", "99*"])
def test_other_keys_ask_for_nothing(keys: str) -> None:
    """A number dialled by mistake must not raise a hand."""
    keypad, orders = Keypad(), []
    for key in keys:
        keypad, order = press(keypad, key, NOW)
        orders.append(order)
    assert orders == [None] * len(keys)


def test_a_star_is_forgotten_after_some_seconds() -> None:
    """The second key belongs to the first only while somebody presses."""
    keypad, _ = press(Keypad(), "*", NOW)
    assert press(keypad, "9", NOW + timedelta(seconds=10)) == (Keypad(), None)


def test_the_lock_keeps_strangers_out_and_lets_members_back() -> None:
    """A member whose line broke must not be locked out by its own meeting."""
    assert may_enter(is_locked=False, kind=MemberKind.SITE, state=None)
    assert not may_enter(is_locked=True, kind=MemberKind.SITE, state=None)
    assert not may_enter(is_locked=True, kind=MemberKind.PHONE, state=S.LEFT)
    assert may_enter(is_locked=True, kind=MemberKind.PHONE, state=S.LOST)
    assert may_enter(is_locked=True, kind=MemberKind.OPERATOR, state=S.NOT_JOINED)


def test_call_all_absent_tries_as_often_as_it_was_told() -> None:
    """The count, the pause and the giving up are what the operator set."""
    pause = timedelta(seconds=20)
    effort = Effort(is_wanted=True, limit=2, pause=pause)
    for tries in (1, 2):
        effort = effort_after(effort, Protocol.SIP, Refused("no_answer"), NOW)
        assert (effort.attempts, effort.retry_at) == (tries, NOW + pause)
    effort = effort_after(effort, Protocol.SIP, Refused("no_answer"), NOW)
    assert effort.has_given_up
    assert (effort.attempts, effort.retry_at) == (2, None)


def test_a_site_that_says_no_is_not_rung_again() -> None:
    """Nor one whose number is wrong: a further try changes nothing."""
    effort = Effort(is_wanted=True, limit=3, pause=timedelta(seconds=20))
    for reason in ("declined", "not_found", "no_common_codec"):
        assert effort_after(effort, Protocol.SIP, Refused(reason), NOW).has_given_up


def test_an_unregistered_site_is_called_as_soon_as_it_registers() -> None:
    """It waits for its time only as long as it is away."""
    effort = Effort(is_wanted=True, limit=3, pause=timedelta(seconds=20))
    waiting = effort_after(effort, Protocol.SIP, FoundUnregistered("not_registered"), NOW)
    later = NOW + timedelta(seconds=5)
    assert effort_after(waiting, Protocol.SIP, AccountPresent(), later).retry_at == later


def test_once_in_the_tries_are_forgotten() -> None:
    """A site that falls out later is brought back by the usual rule."""
    effort = Effort(is_wanted=True, attempts=2, limit=3, pause=timedelta(seconds=20))
    inside = effort_after(effort, Protocol.SIP, Entered(), NOW)
    assert (inside.attempts, inside.limit) == (0, 0)
    assert effort_after(inside, Protocol.SIP, WentAway("lost"), NOW).is_wanted


@pytest.mark.parametrize(
    ("arrangement", "count", "is_good"),
    [("1", 1, True), ("1", 2, False), ("1+7", 8, True), ("1+7", 9, False), ("25", 25, True)],
)
def test_no_more_seats_than_panes(arrangement: str, count: int, *, is_good: bool) -> None:
    """A seat that no pane shows would be an order that does nothing."""
    seats = [uuid4() for _ in range(count)]
    layout = LayoutIn.model_validate({"arrangement": arrangement, "seats": seats})
    if is_good:
        check(layout, set(seats))
    else:
        with pytest.raises(LocalConsultationError):
            check(layout, set(seats))
