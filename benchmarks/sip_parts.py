"""Processes of the SIP benchmarks: `python -m benchmarks.sip_parts ROLE FOLDER`; roles: `main`."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import sys
from pathlib import Path
from typing import Any

from sip_gateway import Gateway, GatewaySettings, settle_memory
from sip_gateway.ports import Admission, Credential, Refusal, Trunk
from sip_gateway.settings import GuardSettings
from video_bridge import WireServer

ADDRESS = "10.77.0.1"
GATEWAY_PORT, RIVAL_PORT, H323_PORT = 5060, 5160, 1720
REALM, PASSWORD = "command-center", "secret"
ACCOUNTS = [f"44{number:04d}" for number in range(2000)]


class Book:
    """Trusts everybody without credentials whose From is `trusted`; knows 2,000 accounts."""

    def __init__(self) -> None:
        from sip_gateway.sip.digest import ha1

        self._legs = itertools.count()
        self._credentials = {
            name: Credential(
                name,
                REALM,
                ha1("MD5", name, REALM, PASSWORD),
                ha1("SHA-256", name, REALM, PASSWORD),
            )
            for name in ACCOUNTS
        }
        self.is_open = True

    async def credential(self, username: str) -> Credential | None:
        return self._credentials.get(username)

    async def account_at(self, host: str) -> str | None:
        return ACCOUNTS[0] if self.is_open else None

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        return Admission("conf", f"leg-{next(self._legs)}", account)

    async def enter(
        self, account: str, caller: str, number: str, pin: str | None
    ) -> Admission | None:
        return None

    async def trunk(self) -> Trunk | None:
        return None


async def gateway(folder: Path, *, is_open: bool, h323_port: int | None = None) -> None:
    settings = GatewaySettings(
        listen_host=ADDRESS,
        udp_port=GATEWAY_PORT,
        tcp_port=None,
        tls_port=None,
        h323_port=h323_port,
        calls=5000,
        guard=GuardSettings(exempt_sources=("10.77.0.0/24",)),
    )
    book = Book()
    book.is_open = is_open
    running = Gateway(settings, book, folder / "node.sock", folder / "gw.sock")
    settle_memory()
    await running.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


async def node(folder: Path) -> None:
    """A node that only answers: the gateway's own cost is measured, without media."""

    async def answer(type_: str, body: dict[str, Any]) -> dict[str, Any]:
        if type_ == "leg.add":
            return {
                "leg_id": body["leg_id"],
                "media_address": ADDRESS,
                "audio_port": 20000,
                "video_port": 20002,
            }
        if type_ == "snapshot":
            return {"node_id": "n", "started_at": "2026-01-01T00:00:00Z", "conferences": []}
        return {}

    server = WireServer(folder / "node.sock", answer, lambda: {})
    await server.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


async def aiosipua() -> None:
    """The rival: its user agent server, taking every call at once."""
    rival: Any = importlib.import_module("aiosipua")

    answer = rival.parse_sdp(
        f"v=0\r\no=- 1 1 IN IP4 {ADDRESS}\r\ns=-\r\nc=IN IP4 {ADDRESS}\r\nt=0 0\r\n"
        "m=audio 20000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    )
    uas = rival.SipUAS(rival.UdpSipTransport((ADDRESS, RIVAL_PORT)))

    def take(call: Any) -> None:
        call.ringing()
        call.accept(answer)

    uas.on_invite = take
    uas.on_bye = lambda call, request: None
    await uas.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    role, folder = sys.argv[1], Path(sys.argv[2])
    if role == "aiosipua":
        asyncio.run(aiosipua())
    elif role == "node":
        asyncio.run(node(folder))
    elif role == "h323":
        asyncio.run(gateway(folder, is_open=True, h323_port=H323_PORT))
    else:
        asyncio.run(gateway(folder, is_open=role == "gateway"))


if __name__ == "__main__":
    main()
