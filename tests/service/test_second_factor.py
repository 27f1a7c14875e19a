"""The second factor: set up by its owner, asked for at log-in, each code taken once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from aiohttp.test_utils import TestServer

from command_center.consultation.switchboard import Switchboard
from command_center.security import Desk, LogIn, Passwords, Role
from command_center.web.app import create_app
from command_center.web.health import Health
from command_center.web.schemas import PublicConfig

from .conftest import PASSWORD, Person, SignIn

NAME = "security_admin_440000"


@pytest.fixture
async def server(desk: Desk, passwords: Passwords, tmp_path: Path) -> AsyncIterator[TestServer]:
    """An installation whose administrators need a second factor."""
    services = [
        LogIn(desk, passwords, administrators_need_totp=True),
        Health(),
        PublicConfig(version="test"),
        Switchboard(desk, tmp_path / "node.sock", tmp_path / "gateway.sock"),
    ]
    started = TestServer(create_app(desk, services))
    await started.start_server()
    yield started
    await started.close()


def code_at(secret: str, steps: int = 0) -> str:
    otp = pyotp.TOTP(secret)
    return otp.generate_otp(int(datetime.now(UTC).timestamp()) // 30 + steps)


async def enter(stranger: Person, code: str | None = None, name: str = NAME) -> tuple[int, str]:
    body = {"username": name, "password": PASSWORD} | ({"code": code} if code else {})
    answer = await stranger.post("/session", body)
    return answer.status, (await answer.json()).get("code", "")


async def test_an_administrator_sets_up_his_second_factor_and_then_needs_it(
    sign_in: SignIn, stranger: Person
) -> None:
    """Until then he may do nothing else; a code is taken once, and one of last year never."""
    person = await sign_in(Role.SECURITY_ADMIN)
    assert (await (await person.get("/session")).json())["user"]["owes"] == ["totp"]
    assert (await person.get("/accounts")).status == 403
    proposal = await (await person.get("/session/totp")).json()
    secret = proposal["secret"]
    assert proposal["uri"].startswith("otpauth://totp/")
    assert proposal["qr_svg"].lstrip().startswith("<?xml")
    wrong = {"secret": secret, "code": code_at(secret, -1000), "password": PASSWORD}
    answer = await person.request("PUT", "/session/totp", json=wrong)
    assert (answer.status, (await answer.json())["code"]) == (422, "totp_code_wrong")
    right = {**wrong, "code": code_at(secret, -1)}
    answer = await person.request("PUT", "/session/totp", json=right)
    user = (await answer.json())["user"]
    assert (user["owes"], user["has_totp"]) == ([], True)
    assert (await person.get("/accounts")).status == 200

    assert await enter(stranger) == (401, "second_factor_needed")
    assert await enter(stranger, code_at(secret, -1000)) == (401, "wrong_credentials")
    fresh = code_at(secret, 1)  # ahead of the clock by less than a step is still the clock's
    assert await enter(stranger, fresh) == (200, "")
    assert await enter(stranger, fresh) == (401, "wrong_credentials")


async def test_guessed_codes_lock_the_account_though_the_password_is_right(
    sign_in: SignIn, stranger: Person
) -> None:
    """Or a thief with the password had all the time for a million codes."""
    person = await sign_in(Role.SECURITY_ADMIN, name="guessed")
    name = f"{NAME}guessed"
    secret = (await (await person.get("/session/totp")).json())["secret"]
    body = {"secret": secret, "code": code_at(secret, -1), "password": PASSWORD}
    assert (await person.request("PUT", "/session/totp", json=body)).status == 200
    for _ in range(5):
        wrong = await enter(stranger, code_at(secret, 1000), name)
        assert wrong == (401, "wrong_credentials")
    assert await enter(stranger, code_at(secret, 1), name) == (401, "wrong_credentials")


async def test_the_desk_needs_none(sign_in: SignIn) -> None:
    """The setting is for administrators; a duty officer reports an accident in seconds."""
    officer = await sign_in(Role.DUTY_OFFICER)
    user = (await (await officer.get("/session")).json())["user"]
    assert (user["owes"], user["has_totp"]) == ([], False)
