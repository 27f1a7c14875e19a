"""One password tried under many names: no account locks, so the address is shut out."""

from __future__ import annotations

from command_center.security import Role
from command_center.security.spray import MAX_NAMES

from .conftest import PASSWORD, Person, SignIn
from .test_live import Connect, connect

__all__ = ["connect"]  # pytest finds the fixture by its name in the module


async def test_a_spraying_address_is_an_alarm_at_once_and_may_be_pardoned(
    sign_in: SignIn, stranger: Person, connect: Connect
) -> None:
    """Known and unknown names count alike; a right password is shut out, too, and not tried."""
    officer = await sign_in(Role.DUTY_OFFICER)
    ear = await connect(officer)
    good = {"username": "duty_officer_440000", "password": PASSWORD}
    for number in range(MAX_NAMES):
        body = {"username": f"guess{number}", "password": "Falsch-2026!"}
        answer = await stranger.post("/session", body)
        assert answer.status == 401
        assert (await answer.json())["code"] == "wrong_credentials"
    answer = await stranger.post("/session", good)
    assert (answer.status, (await answer.json())["code"]) == (429, "source_banned")
    told = await ear.hears("source.banned")
    assert told["body"] == {"host": "127.0.0.1", "offence": "password_spray", "minutes": 15}
    assert (await officer.get("/session")).status == 200

    bans = (await (await officer.get("/source-bans")).json())["items"]
    assert [(ban["host"], ban["is_active"]) for ban in bans] == [("127.0.0.1", True)]
    pardoned = await officer.post("/source-bans/pardon", {"host": "127.0.0.1"})
    assert pardoned.status == 204
    assert (await stranger.post("/session", good)).status == 200
    bans = (await (await officer.get("/source-bans")).json())["items"]
    assert [ban["is_active"] for ban in bans] == [False]


async def test_a_clumsy_person_shuts_nobody_out(sign_in: SignIn, stranger: Person) -> None:
    """The same name again and again is one name: its account locks, the office goes on."""
    await sign_in(name="clumsy")
    for _ in range(MAX_NAMES + 2):
        body = {"username": "duty_officer_440000clumsy", "password": "Falsch-2026!"}
        assert (await stranger.post("/session", body)).status == 401
    await sign_in(name="neighbour")
