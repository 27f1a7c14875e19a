"""The edges of the gateway over real sockets: registrations, encryption, and those shut out."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from sip_gateway.capability import LocalMedia
from sip_gateway.messages import CallResult, CallState
from sip_gateway.ports import Credential, StoredBinding, Trunk
from sip_gateway.sip.events import CallAnswered, CallEnded, Event, IncomingCall
from sip_gateway.sip.offer_answer import Security, answer_offer, make_offer
from sip_gateway.sip.sdp import parse_sdp
from video_bridge import LocalMediaError

from .desk import Book, eventually, make_certificate, open_desk, raw_phone

REGISTRAR = "sip:127.0.0.1"

# --- registrations ---------------------------------------------------------------------------


class Shelf:
    """A registration store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, list[StoredBinding]] = {}

    async def load(self) -> list[StoredBinding]:
        return [binding for bindings in self.kept.values() for binding in bindings]

    async def save(self, account: str, bindings: list[StoredBinding]) -> None:
        self.kept[account] = bindings


async def test_registrations_outlive_a_restart_of_the_gateway(tmp_path: Path) -> None:
    """No hall is forgotten until it happens to register again."""
    shelf = Shelf()
    async with open_desk(tmp_path, store=shelf) as desk:
        phone = await raw_phone(desk)
        assert (await phone.ask_with_digest("REGISTER", REGISTRAR)).status == 200
        told = await eventually(lambda: [b for t, b in desk.events if t == "registration"])
        assert told[0]["account"] == "440229" and told[0]["is_registered"]
    async with open_desk(tmp_path, store=shelf) as desk:
        snapshot = await desk.wire.request("snapshot", {})
        assert [r["account"] for r in snapshot["registrations"]] == ["440229"]


async def test_nobody_registers_another_account(tmp_path: Path) -> None:
    """Credentials of one hall do not bind a contact to another."""
    async with open_desk(tmp_path) as desk:
        phone = await raw_phone(desk)
        original = phone.request

        def forged(*args, **fields):  # type: ignore[no-untyped-def]
            text = original(*args, **fields)
            return text.replace("To: <sip:440229@", "To: <sip:440118@")

        phone.request = forged  # type: ignore[method-assign]
        assert (await phone.ask_with_digest("REGISTER", REGISTRAR)).status == 403
        assert desk.gateway.snapshot().registrations == []


# --- TLS and SRTP -----------------------------------------------------------------------------


async def test_a_hall_dials_in_over_tls_with_encrypted_media(tmp_path: Path) -> None:
    """Keys travel in the description because the signalling is private."""
    async with open_desk(tmp_path, **make_certificate(tmp_path)) as desk:
        room = await desk.room()
        security = Security(secrets.token_bytes, is_required=True)
        offer = make_offer(LocalMedia("127.0.0.1", 40000, 40002), 7, security=security)
        room.call(transport="tls", body=bytes(offer))
        await eventually(lambda: room.of(CallAnswered))
        answer = parse_sdp(room.of(CallAnswered)[0].body)
        assert {s.protocol for s in answer.media} == {"RTP/SAVP"}
        keys = desk.node.legs["leg-440229"].streams["video"].srtp
        assert keys is not None and keys.suite == "AES_CM_128_HMAC_SHA1_80"
        assert f"inline:{keys.receive}" in bytes(offer).decode()


async def test_a_room_is_dialled_over_tls_with_encrypted_media(tmp_path: Path) -> None:
    """Preferred: offered beside plain RTP, and taken by a room that has it."""
    async with open_desk(tmp_path, **make_certificate(tmp_path)) as desk:
        room = await desk.room()
        security = Security(secrets.token_bytes)

        def react(event: Event) -> None:
            if isinstance(event, IncomingCall):
                local = LocalMedia("127.0.0.1", 40000, 40002)
                agreement = answer_offer(
                    parse_sdp(event.request.body), local, 5, fallback_host="x", security=security
                )
                room.edge.agent.answer(event.session_id, bytes(agreement.local), room.edge.now())

        room.react = react
        port = room.edge.ports["tls"]
        await desk.dial(uri=f"sip:room@127.0.0.1:{port};transport=tls")
        await eventually(lambda: desk.states("leg-1")[-1].state is CallState.CONNECTED)
        assert all(s.srtp is not None for s in desk.node.legs["leg-1"].answers[-1].streams)


async def test_required_encryption_refuses_rooms_without_it(tmp_path: Path) -> None:
    """By UDP there is no privacy for keys, so the policy cannot be met: 488."""
    async with open_desk(tmp_path, srtp="required") as desk:
        room = await desk.room()
        room.call()
        assert (await eventually(lambda: room.of(CallEnded)))[0].status == 488


# --- guard -----------------------------------------------------------------------------------


async def test_a_scan_is_banned_and_told_as_an_alarm(tmp_path: Path) -> None:
    """Many numbers tried without credentials: silence, and an event for the desk."""
    async with open_desk(tmp_path) as desk:
        phone = await raw_phone(desk)
        for number in range(200):
            phone.send(
                phone.request("REGISTER", REGISTRAR, user=f"{1000 + number}")
                .replace("\n", "\r\n")
                .encode()
            )
            await asyncio.sleep(0)
        alarms = await eventually(lambda: [b for t, b in desk.events if t == "source.banned"])
        assert alarms[0]["host"] == "127.0.0.1"
        assert {r.status for r in phone.responses} == {401}
        before = len(phone.responses)
        phone.send(phone.request("OPTIONS", REGISTRAR).replace("\n", "\r\n").encode())
        await asyncio.sleep(0.2)
        assert len(phone.responses) == before
        await desk.wire.request("source.pardon", {"host": "127.0.0.1"})
        response = await phone.ask(phone.request("OPTIONS", REGISTRAR))
        assert response.status == 200


async def test_requests_on_the_wire_are_checked(tmp_path: Path) -> None:
    """The control wire refuses what it does not know, with a stable code."""
    async with open_desk(tmp_path, book=Book()) as desk:
        with pytest.raises(LocalMediaError) as unknown:
            await desk.wire.request("call.conjure", {})
        assert unknown.value.code == "request_unknown"
        with pytest.raises(LocalMediaError) as malformed:
            await desk.wire.request("call.dial", {"leg_id": 5})
        assert malformed.value.code == "request_malformed"


async def test_a_failing_directory_is_503_with_retry_after(tmp_path: Path) -> None:
    """The database is away for a moment: rooms are told to try again, and nothing hangs."""

    class Broken(Book):
        async def credential(self, username: str) -> Credential | None:
            raise ConnectionError("database is away")

        async def trunk(self) -> Trunk | None:
            raise ConnectionError("database is away")

    async with open_desk(tmp_path, book=Broken()) as desk:
        room = await desk.room()
        room.call()
        assert (await eventually(lambda: room.of(CallEnded)))[0].status == 503
        phone = await raw_phone(desk)
        response = await phone.ask_with_digest("REGISTER", REGISTRAR)
        assert (response.status, response.get("Retry-After")) == (503, "10")
        await desk.dial(number="12345")
        assert (await desk.ended("leg-1")).result is CallResult.UNREACHABLE
