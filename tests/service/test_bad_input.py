"""Hostile bytes at the edge: never a 5xx, never a stack trace, always a stable code."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path

import pytest

from command_center.incidents import ReportIn
from command_center.security import Role, spray
from command_center.web.app import gather_rooms

from .conftest import Person, SignIn
from .reports import report

TEST_DATA = os.environ.get("TEST_DATA")
needs_data = pytest.mark.skipif(not TEST_DATA, reason="the suites are read from $TEST_DATA")


def suite(name: str, pattern: str = "*") -> list[Path]:
    folder = Path(TEST_DATA or ".") / "badinput" / name
    return sorted(p for p in folder.glob(pattern) if p.is_file() and "LICEN" not in p.name)


async def check(person: Person, method: str, path: str, raw: bytes) -> int:
    """Send the bytes as JSON; the answer is a success or a problem with a code."""
    answer = await person.request(
        method, path, data=raw, headers={"Content-Type": "application/json"}
    )
    assert answer.status < 500, (path, raw[:200], answer.status)
    if answer.status >= 400:
        body = await answer.json()
        assert body["code"]
        assert "Traceback" not in json.dumps(body)
    return answer.status


async def in_parallel(calls: Sequence[Coroutine[None, None, object]], width: int = 8) -> None:
    """Run them, `width` at a time."""
    gate = asyncio.Semaphore(width)

    async def one(call: Coroutine[None, None, object]) -> None:
        async with gate:
            await call

    await asyncio.gather(*(one(call) for call in calls))


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("翁源".encode("gbk"), "body_not_utf8"),
        (json.dumps({"username": "翁源县"}, ensure_ascii=False).encode("gb18030"), "body_not_utf8"),
        (b'{"username": NaN}', "json_not_finite"),
        (b'{"username": -Infinity}', "json_not_finite"),
        (b'{"username": 1e999}', "json_not_finite"),
        (b'{"username": ' + b"9" * 5000 + b"}", "json_number_too_large"),
        (b"[" * 5000 + b"]" * 5000, "json_too_deep"),
        (b'{"a":' * 2000 + b"1" + b"}" * 2000, "json_too_deep"),
        (b'{"username": "a", "username": "b"}', "json_duplicate_key"),
        (b'{"username": "\\ud800"}', "text_not_storable"),
        (b'{"username": "\\u0000"}', "text_not_storable"),
        (b'"text"', "body_not_an_object"),
        (b"{", "body_not_json"),
        (b"\xef\xbb\xbf{}", "body_not_json"),
        (b"x" * 300_000, "body_too_large"),
    ],
)
async def test_what_the_parser_would_pass_is_refused(
    stranger: Person, raw: bytes, code: str
) -> None:
    """The standard parser accepts NaN and lone surrogates; PostgreSQL chokes on both."""
    answer = await stranger.request(
        "POST", "/session", data=raw, headers={"Content-Type": "application/json"}
    )
    assert (await answer.json())["code"] == code
    assert 400 <= answer.status < 500


async def test_another_content_type_is_refused(stranger: Person) -> None:
    """A form from a foreign page must not be taken for JSON."""
    answer = await stranger.session.post(stranger.base + "/session", data={"username": "x"})
    assert (answer.status, (await answer.json())["code"]) == (415, "content_type_wrong")


@needs_data
async def test_the_json_suite_gives_no_server_error(sign_in: SignIn) -> None:
    """Every file of the JSON parsing test suite, at a changing route."""
    person = await sign_in()
    files = suite("json-nst", "*.json")
    assert len(files) > 100
    for file in files:
        await check(person, "POST", "/incidents", file.read_bytes())


def naughty_strings() -> Iterator[str]:
    for file in suite("strings-blns"):
        if file.suffix == ".json":
            yield from json.loads(file.read_text("utf-8"))


@needs_data
async def test_naughty_strings_are_names_or_refused(sign_in: SignIn) -> None:
    """In every text field; what is stored is given back as it was typed, blanks aside."""
    person = await sign_in()
    strings = list(naughty_strings())
    assert len(strings) > 200
    await in_parallel([type_in(person, text) for text in strings])


async def type_in(person: Person, text: str) -> None:
    """One naughty string in the text fields of a report."""
    body = report(title=text[:200], place_name=text[:500], course=text, signer=text[:60])
    answer = await person.request(
        "POST",
        "/incidents",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status in (201, 400, 422), (text, answer.status)
    if answer.status == 201:
        stored = (await answer.json())["incident"]["course"]
        assert stored == text.strip()


@needs_data
async def test_injection_payloads_change_nothing(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FuzzDB at log-in, path, query and body: no 5xx, and no log-in by accident.

    All names come from one address: its ban, which keeps them out, is tested elsewhere.
    """
    monkeypatch.setattr(spray, "MAX_NAMES", 1_000_000)
    person = await sign_in()
    lines: list[bytes] = []
    for file in suite("web-fuzzdb"):
        lines += file.read_bytes().splitlines()[:3]
    assert len(lines) > 100
    await in_parallel([attack(person, line.decode("utf-8", "replace")) for line in lines])


async def attack(person: Person, text: str) -> None:
    """One payload at the log-in, in a query and in a path."""
    raw = json.dumps({"username": text[:64] or "x", "password": text[:128] or "x"}).encode()
    assert await check(person, "POST", "/session", raw) in (400, 401, 422)
    answer = await person.session.get(
        person.base + "/incidents", params={"state": text, "limit": text}
    )
    assert answer.status < 500
    answer = await person.session.get(person.base + "/incidents/" + text.replace("/", ""))
    assert answer.status < 500


async def test_wrong_query_numbers_are_named(sign_in: SignIn) -> None:
    """Full-width digits and overflows are no numbers here."""
    person = await sign_in(Role.DUTY_LEADER)
    for wrong in ("１２", "-1", "9" * 30, "1e3", "\x00", "abc"):
        answer = await person.get("/incidents", params={"limit": wrong})
        assert answer.status in (400, 422), wrong
        assert (await answer.json())["code"] in ("validation_failed", "text_not_storable")


WRONG: list[object] = [
    None, -1, 10**30, True, "", "x" * 20_000, [[[]]], {"a": {"b": []}}, "倒\u202e写",
    "0001-01-01T00:00:00+23:59",
]  # fmt: skip


async def test_wrong_values_in_every_field_of_every_route_are_refused(sign_in: SignIn) -> None:
    """Generated from the router: one wrong value at a time, on rows that exist."""
    person = await sign_in(Role.DUTY_LEADER)
    incident = (await (await person.post("/incidents", report())).json())["incident"]
    for route in gather_rooms().routes:
        if route.body is None or route.path == "/session":
            continue
        path = route.path.replace("{incident_id}", incident["id"])
        path = path.replace("{clock_id}", incident["clocks"][0]["id"])
        path = re.sub(r"\{[^}]+\}", incident["id"], path)
        for name in route.body.model_fields:
            base = report() if route.body is ReportIn else {}
            raws = [json.dumps({**base, name: wrong}).encode() for wrong in WRONG]
            await in_parallel([check(person, route.method, path, raw) for raw in raws])
