"""Accounts over the API: three administrators, none of whom can be another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from command_center.database import Database
from command_center.security import Role

from .conftest import PASSWORD, Person, SignIn
from .test_live import Connect, connect

__all__ = ["connect"]  # pytest finds the fixture by its name in the module
OWN = "Benren-2026!"


@dataclass
class Office:
    """The administrators, and somebody who is not logged in."""

    system: Person
    security: Person
    stranger: Person

    async def make(self, username: str, region_code: str = "440200") -> dict[str, Any]:
        body = {"username": username, "display_name": "新人", "region_code": region_code}
        answer = await self.system.post("/accounts", body)
        assert answer.status == 201, await answer.text()
        made: dict[str, Any] = await answer.json()
        return made

    async def enter(self, username: str, password: str) -> dict[str, Any]:
        answer = await self.stranger.post("/session", {"username": username, "password": password})
        assert answer.status == 200, await answer.text()
        user: dict[str, Any] = (await answer.json())["user"]
        return user


@pytest.fixture
async def office(sign_in: SignIn, stranger: Person) -> Office:
    return Office(await sign_in(Role.SYSTEM_ADMIN), await sign_in(Role.SECURITY_ADMIN), stranger)


async def code(answer: Any) -> tuple[int, str]:
    return answer.status, (await answer.json()).get("code", "")


async def test_a_new_person_gets_an_account_then_a_password_of_his_own_then_a_role(
    office: Office,
) -> None:
    """One administrator makes the account, the other gives the role, and neither can be him."""
    made = await office.make("newcomer")
    account, first = made["account"], made["password"]
    assert (account["roles"], account["must_change_password"]) == ([], True)
    user = await office.enter("newcomer", first)
    assert (user["owes"], user["permissions"]) == (["password"], [])
    assert await code(await office.stranger.get("/incidents")) == (403, "permission_denied")

    path = f"/accounts/{account['id']}/roles"
    early = await office.security.request("PUT", path, json={"roles": ["audit_admin"]})
    assert await code(early) == (409, "password_not_own")
    given = await office.security.request("PUT", path, json={"roles": ["duty_officer"]})
    assert (await given.json())["roles"] == ["duty_officer"]
    assert await code(await office.stranger.get("/incidents")) == (403, "permission_denied")

    for old, fresh, expected in (
        ("Falsch-2026!", OWN, (422, "old_password_wrong")),
        (first, first, (422, "password_too_weak")),
        (first, "newcomer-2026A", (422, "password_too_weak")),
    ):
        body = {"old": old, "new": fresh}
        answer = await office.stranger.request("PUT", "/session/password", json=body)
        assert await code(answer) == expected
    body = {"old": first, "new": OWN}
    answer = await office.stranger.request("PUT", "/session/password", json=body)
    user = (await answer.json())["user"]
    assert user["owes"] == []
    assert "incident.report" in user["permissions"]
    assert (await office.stranger.get("/incidents")).status == 200


async def test_the_first_password_is_kept_nowhere(office: Office, database: Database) -> None:
    """Not in the audit, and not for a repeated request: it is told once."""
    made = await office.system.post(
        "/accounts",
        {"username": "told.once", "display_name": "新人", "region_code": "440200"},
        headers={"Idempotency-Key": "told-once"},
    )
    password = (await made.json())["password"]
    async with database.session() as session:
        for table in ("audit", "idempotency_key", "event", "account"):
            rows = await session.execute(text(f"SELECT t::text FROM {table} t"))  # noqa: S608
            assert not [row for row in rows.scalars() if password in row]


async def test_shutting_an_account_ends_its_sessions_at_once(
    office: Office, connect: Connect, sign_in: SignIn
) -> None:
    """On HTTP and on the socket; opening it again does not bring the old session back."""
    person = await sign_in(name="leaver")
    ear = await connect(person)
    found = (await (await office.system.get("/accounts?q=leaver")).json())["items"]
    assert [(one["open_sessions"], one["is_enabled"]) for one in found] == [(1, True)]
    shut = await office.system.post(f"/accounts/{found[0]['id']}/disable")
    assert (await shut.json())["is_enabled"] is False
    assert (await person.get("/session")).status == 401
    await ear.gone.wait()
    body = {"username": "duty_officer_440000leaver", "password": PASSWORD}
    assert (await office.stranger.post("/session", body)).status == 401
    await office.system.post(f"/accounts/{found[0]['id']}/enable")
    assert (await person.get("/session")).status == 401
    assert (await office.stranger.post("/session", body)).status == 200


async def test_an_account_that_guessing_locked_is_opened_again(
    office: Office, sign_in: SignIn
) -> None:
    """The person at the telephone does not wait for the quarter of an hour."""
    await sign_in(name="unlucky")
    body = {"username": "duty_officer_440000unlucky", "password": "Falsch-2026!"}
    for _ in range(5):
        await office.stranger.post("/session", body)
    found = (await (await office.system.get("/accounts?q=unlucky")).json())["items"][0]
    assert found["locked_until"]
    opened = await office.system.post(f"/accounts/{found['id']}/enable")
    assert (await opened.json())["locked_until"] is None
    assert (await office.stranger.post("/session", {**body, "password": PASSWORD})).status == 200


async def test_a_new_password_ends_sessions_and_is_owed_a_change(
    office: Office, sign_in: SignIn
) -> None:
    """And `end-sessions` alone leaves the password as it is."""
    person = await sign_in(name="forgot")
    found = (await (await office.system.get("/accounts?q=forgot")).json())["items"][0]
    ended = await office.system.post(f"/accounts/{found['id']}/end-sessions")
    assert (await ended.json())["open_sessions"] == 0
    assert (await person.get("/session")).status == 401
    body = {"username": "duty_officer_440000forgot", "password": PASSWORD}
    assert (await office.stranger.post("/session", body)).status == 200
    made = await (await office.system.post(f"/accounts/{found['id']}/password")).json()
    assert (await office.stranger.get("/session")).status == 401
    user = await office.enter("duty_officer_440000forgot", made["password"])
    assert user["owes"] == ["password"]


async def test_no_administrator_can_become_another_one_or_undo_himself(office: Office) -> None:
    """An administrator's password is made on the machine alone; own roles and locks are refused."""
    rows = (await (await office.system.get("/accounts?limit=2000")).json())["items"]
    by_role = {row["roles"][0]: row["id"] for row in rows if len(row["roles"]) == 1}
    system, security = by_role["system_admin"], by_role["security_admin"]
    refused = await office.system.post(f"/accounts/{security}/password")
    assert await code(refused) == (409, "administrator_protected")
    for path in ("disable", "end-sessions", "password"):
        answer = await office.system.post(f"/accounts/{system}/{path}")
        assert await code(answer) == (409, "own_account")
    body = {"roles": ["commander"]}
    answer = await office.security.request("PUT", f"/accounts/{security}/roles", json=body)
    assert await code(answer) == (409, "own_account")
    both = {"roles": ["system_admin", "duty_officer"]}
    answer = await office.security.request("PUT", f"/accounts/{system}/roles", json=both)
    assert await code(answer) == (409, "roles_conflict")


async def test_a_citys_administrator_reaches_his_citys_accounts_only(
    office: Office, sign_in: SignIn
) -> None:
    """Another city's account is not found, and none is made or moved there."""
    theirs = (await office.make("elsewhere", "441800"))["account"]["id"]
    own = (await office.make("here", "440229"))["account"]["id"]
    city = await sign_in(Role.SYSTEM_ADMIN, region_code="440200")
    listed = (await (await city.get("/accounts")).json())["items"]
    assert {row["region_code"][:4] for row in listed} == {"4402"}
    for path in ("disable", "enable", "password", "end-sessions"):
        assert (await city.post(f"/accounts/{theirs}/{path}")).status == 404
    body = {"username": "smuggled", "display_name": "新人", "region_code": "441800"}
    assert (await city.post("/accounts", body)).status == 404
    moved = await city.request("PATCH", f"/accounts/{own}", json={"region_code": "441800"})
    assert moved.status == 404
    named = await city.request("PATCH", f"/accounts/{own}", json={"display_name": "改名"})
    assert (await named.json())["display_name"] == "改名"


async def test_an_old_password_is_announced_and_then_owed(
    office: Office, sign_in: SignIn, database: Database
) -> None:
    """GB/T 22239-2019, 8.1.4.1: 90 days; at the next log-in, never in the middle of a shift."""
    person = await sign_in(name="aged")
    for days, left, owes in ((80, 9, []), (91, 0, ["password"])):
        async with database.session() as session, session.begin():
            await session.execute(
                text(
                    "UPDATE account SET password_changed_at = now() - make_interval(days => :d)"
                    " WHERE username LIKE '%aged'"
                ),
                {"d": days},
            )
        assert (await person.get("/incidents")).status == 200
        user = await office.enter("duty_officer_440000aged", PASSWORD)
        assert (user["password_days_left"], user["owes"]) == (left, owes)


async def test_the_audit_is_narrowed_down(office: Office, sign_in: SignIn) -> None:
    """By person, action, outcome, object and time: who did what to this account?"""
    made = (await office.make("audited"))["account"]
    await office.system.post(f"/accounts/{made['id']}/disable")
    auditor = await sign_in(Role.AUDIT_ADMIN)

    async def found(query: str) -> list[tuple[str, str]]:
        answer = await auditor.get(f"/audit?{query}")
        assert answer.status == 200, await answer.text()
        return [(row["action"], row["outcome"]) for row in (await answer.json())["items"]]

    assert await found(f"about={made['id']}") == [
        ("account.disable", "done"),
        ("account.create", "done"),
    ]
    assert await found(f"about={made['id']}&action=account.create") == [("account.create", "done")]
    assert await found(f"about={made['id']}&outcome=refused") == []
    assert await found(f"about={made['id']}&actor=nobody") == []
    assert await found(f"about={made['id']}&until=2020-01-01T00:00:00%2B08:00") == []
    assert len(await found(f"about={made['id']}&since=2020-01-01T00:00:00%2B08:00")) == 2
    assert (await auditor.get("/audit?since=yesterday")).status == 422
