"""Roles, regions and password rules: what an account may be."""

from __future__ import annotations

import itertools

import pytest

from command_center.security.accounts import check_roles
from command_center.security.actor import SYSTEM, Actor, ActorKind
from command_center.security.errors import PasswordTooWeakError, RolesConflictError
from command_center.security.passwords import Passwords, check_rules
from command_center.security.permissions import (
    ADMINISTRATORS,
    ROLE_PERMISSIONS,
    Permission,
    Role,
)


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(ADMINISTRATORS, 2)))
def test_holding_two_administrator_roles_is_refused(one: Role, other: Role) -> None:
    """Three people (GB/T 22239-2019): who makes accounts must not give rights or erase traces."""
    check_roles(frozenset({one}))
    with pytest.raises(RolesConflictError):
        check_roles(frozenset({one, other}))


def test_an_administrator_does_not_work_at_the_duty_desk() -> None:
    """And a field team's role comes by join link only."""
    for roles in ({Role.SYSTEM_ADMIN, Role.DUTY_OFFICER}, {Role.FIELD_TEAM}):
        with pytest.raises(RolesConflictError):
            check_roles(frozenset(roles))


def test_every_role_has_its_permissions_written_down() -> None:
    """A role that the table forgets could do nothing, or a new permission be held by nobody."""
    assert set(ROLE_PERMISSIONS) == set(Role)
    held = frozenset().union(*ROLE_PERMISSIONS.values())
    assert set(Permission) == held


@pytest.mark.parametrize(
    "password", ["Short1!", "alllowercase1", "ONLYUPPER123", "x" * 129, "Chenshiyi-2026"]
)
def test_weak_passwords_are_refused(password: str) -> None:
    """Length, three kinds of characters, and not the log-in name."""
    with pytest.raises(PasswordTooWeakError):
        check_rules(password, "chenshiyi")


async def test_a_missing_account_verifies_as_slowly_and_never_succeeds() -> None:
    """The decoy is hashed with the same cost, and knowing its text opens nothing."""
    passwords = Passwords(quick=True)
    stored = await passwords.hash("Yanshi-2026!")
    assert await passwords.verify(stored, "Yanshi-2026!")
    assert not await passwords.verify(stored, "yanshi-2026!")
    assert not await passwords.verify(None, "no account has this password")
    assert not await passwords.verify("not a hash", "x")


@pytest.mark.parametrize(
    ("own", "row", "sees"),
    [
        ("440000", "440229113", True),
        ("440200", "440229", True),
        ("440200", "441800", False),
        ("440229", "440229113", True),
        ("440229", "440200", False),
        ("", "110000", True),
    ],
)
def test_a_region_covers_what_lies_in_it(own: str, row: str, sees: bool) -> None:
    """'440000' is Guangdong, '440200' Shaoguan: trailing pairs of zeros stand for everything."""
    actor = Actor(id="1", name="x", kind=ActorKind.USER, region_code=own)
    assert actor.covers(row) is sees


def test_a_field_team_covers_no_region_and_the_system_all() -> None:
    """A join link gives a consultation and a team, never a region's rows."""
    team = Actor(id="1", name="x", kind=ActorKind.FIELD_TEAM, region_code="")
    assert not team.covers("440229")
    assert SYSTEM.covers(None)
