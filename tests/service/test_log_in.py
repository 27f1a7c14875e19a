"""Logging in, and what a stranger learns from failing to."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from command_center.database import Database

from .conftest import PASSWORD, Person, SignIn


async def test_a_session_names_its_user_and_ends_on_log_out(sign_in: SignIn) -> None:
    """The console builds its menus from this answer and must lose it at once."""
    person = await sign_in()
    user = (await (await person.get("/session")).json())["user"]
    assert user["roles"] == ["duty_officer"]
    assert "incident.report" in user["permissions"]
    assert (await person.request("DELETE", "/session")).status == 204
    assert (await person.get("/session")).status == 401


async def test_unknown_user_and_wrong_password_answer_alike(
    sign_in: SignIn, stranger: Person
) -> None:
    """Or strangers could list our accounts."""
    await sign_in()
    answers = []
    for name in ("duty_officer_440000", "nobody"):
        answer = await stranger.post("/session", {"username": name, "password": "wrong"})
        answers.append((answer.status, await answer.json()))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401
    assert answers[0][1]["code"] == "wrong_credentials"


async def test_the_fifth_failure_locks_the_account_and_says_nothing(
    sign_in: SignIn, stranger: Person
) -> None:
    """GB/T 22239-2019, 8.1.4.1: guessing stops after five failures; the guesser is not told."""
    await sign_in(name="locked")
    body = {"username": "duty_officer_440000locked", "password": "wrong"}
    for _ in range(5):
        assert (await stranger.post("/session", body)).status == 401
    answer = await stranger.post("/session", {**body, "password": PASSWORD})
    assert answer.status == 401
    assert (await answer.json())["code"] == "wrong_credentials"


async def test_a_changing_request_without_the_csrf_header_is_refused(sign_in: SignIn) -> None:
    """A foreign page can send our cookie, but not this header."""
    person = await sign_in()
    answer = await person.session.delete(person.base + "/session")
    assert answer.status == 403
    assert (await answer.json())["code"] == "csrf_header_missing"


async def test_a_session_that_was_idle_for_half_an_hour_is_over(
    sign_in: SignIn, database: Database
) -> None:
    """GB/T 22239-2019, 8.1.4.1: a desk left alone signs itself out."""
    person = await sign_in(name="idle")
    assert (await person.get("/session")).status == 200
    async with database.session() as session, session.begin():
        await session.execute(
            text("UPDATE session SET last_seen_at = last_seen_at - interval '31 minutes'")
        )
    assert (await person.get("/session")).status == 401


async def test_a_disabled_account_is_out_at_once(sign_in: SignIn, database: Database) -> None:
    """Whoever leaves the service loses the open session too, not only the next log-in."""
    person = await sign_in(name="gone")
    async with database.session() as session, session.begin():
        await session.execute(
            text("UPDATE account SET is_enabled = false WHERE username LIKE '%gone'")
        )
    assert (await person.get("/session")).status == 401


async def test_the_cookie_is_closed_to_scripts_and_foreign_pages(
    sign_in: SignIn, stranger: Person
) -> None:
    """HttpOnly and SameSite=Strict; the stored value is a digest, not the cookie."""
    await sign_in(name="cookie")
    body = {"username": "duty_officer_440000cookie", "password": PASSWORD}
    answer = await stranger.post("/session", body)
    header = answer.headers["Set-Cookie"]
    assert "HttpOnly" in header
    assert "SameSite=Strict" in header


async def test_a_request_never_waits_to_note_that_its_session_is_in_use(
    sign_in: SignIn, database: Database
) -> None:
    """Many pages of one person ask at once while another of his requests is being committed."""
    person = await sign_in(name="busy")
    person.is_patient = False
    async with database.session() as session, session.begin():
        await session.execute(
            text("UPDATE session SET last_seen_at = last_seen_at - interval '5 minutes'")
        )
    async with database.session() as other, other.begin():
        await other.execute(text("SELECT id FROM session FOR UPDATE"))
        answers = await asyncio.gather(*(person.get("/incidents") for _ in range(10)))
        assert [answer.status for answer in answers] == [200] * 10
    assert (await person.get("/incidents")).status == 200
    async with database.session() as session:
        idle = await session.execute(
            text("SELECT count(*) FROM session WHERE last_seen_at < now() - interval '4 minutes'")
        )
        left = int(idle.scalar_one())
        total = int((await session.execute(text("SELECT count(*) FROM session"))).scalar_one())
    assert left == total - 1
