"""A running gateway for tests: directory, media double, control client and rooms."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sip_gateway import Gateway, GatewaySettings
from sip_gateway import gateway as gateway_module
from sip_gateway.capability import LocalMedia
from sip_gateway.messages import CallChanged, Dial
from sip_gateway.ports import Admission, Credential, Refusal, Trunk
from sip_gateway.sip.caller import Invitation
from sip_gateway.sip.digest import answer_challenge, best_challenge, ha1
from sip_gateway.sip.events import Event
from sip_gateway.sip.header import Address
from sip_gateway.sip.message import Request, Response
from sip_gateway.sip.offer_answer import make_offer
from sip_gateway.sip.parser import parse_datagram
from sip_gateway.sip.transaction import Flow
from sip_gateway.sip.uri import parse_sip_uri
from sip_gateway.sip_edge import SipEdge
from tests.harness.processes import PATIENCE_S
from video_bridge import WireClient

from .node_double import NodeDouble

REALM = "command-center"
PASSWORD = "right-password"


class Book:
    """A directory: accounts 440229 and 440118, conference 9000, a static room if asked."""

    def __init__(self, *, legs: Callable[[], str] | None = None) -> None:
        self.static: dict[str, str] = {}
        self.the_trunk: Trunk | None = None
        self.refusals = {"9999": Refusal(403, "conference_locked")}
        self.admitted: list[tuple[str, str]] = []
        self._legs = legs

    async def credential(self, username: str) -> Credential | None:
        if username not in ("440229", "440118"):
            return None
        secret = {n: ha1(n, username, REALM, PASSWORD) for n in ("MD5", "SHA-256")}
        return Credential(username, REALM, secret["MD5"], secret["SHA-256"])

    async def account_at(self, host: str) -> str | None:
        return self.static.get(host)

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        self.admitted.append((account, number))
        if number in self.refusals:
            return self.refusals[number]
        if number != "9000":
            return Refusal(404, "number_unknown")
        leg_id = self._legs() if self._legs else f"leg-{account}"
        return Admission("conf", leg_id, f"会场{account}")

    async def trunk(self) -> Trunk | None:
        return self.the_trunk


def make_certificate(folder: Path) -> dict[str, Path]:
    """A self-made certificate for 127.0.0.1, as settings of a gateway."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = {"certificate_file": folder / "cert.pem", "key_file": folder / "key.pem"}
    files["certificate_file"].write_bytes(certificate.public_bytes(pem))
    files["key_file"].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


async def eventually(check: Callable[[], Any], timeout_s: float = PATIENCE_S) -> Any:
    """Wait until `check()` is true; returns its value. Never gives up before PATIENCE_S.

    It may look at the last of something that has not come yet.
    """
    end = time.monotonic() + max(timeout_s, PATIENCE_S)
    while True:
        value = None
        with contextlib.suppress(IndexError):
            value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("did not happen in time")
        await asyncio.sleep(0.01)


@dataclass
class Desk:
    """The gateway with everything around it. `calls` are call.state events in order."""

    gateway: Gateway
    node: NodeDouble
    book: Book
    wire: WireClient
    events: list[tuple[str, dict[str, Any]]]
    rooms: list[Room] = field(default_factory=list)

    def flow(self, transport: str = "udp") -> Flow:
        return Flow(transport, self.gateway._settings.listen_host, self.gateway.ports[transport])

    def states(self, leg_id: str) -> list[CallChanged]:
        return [
            CallChanged.model_validate(body)
            for type_, body in self.events
            if type_ == "call.state" and body["leg_id"] == leg_id
        ]

    async def ended(self, leg_id: str, timeout_s: float = PATIENCE_S) -> CallChanged:
        def last() -> CallChanged | None:
            states = self.states(leg_id)
            return states[-1] if states and states[-1].state == "ended" else None

        return await eventually(last, timeout_s)

    async def dial(self, leg_id: str = "leg-1", **fields: Any) -> None:
        request = Dial(leg_id=leg_id, conference_id="conf", name="翁源县", **fields)
        await self.wire.request("call.dial", request.model_dump(mode="json", exclude={"type"}))

    async def room(self, **fields: Any) -> Room:
        room = Room(self, **fields)
        await room.start()
        self.rooms.append(room)
        return room


class Room:
    """A room system made of our own user agent, over real sockets."""

    def __init__(self, desk: Desk, account: str = "440229", password: str = PASSWORD) -> None:
        self.desk, self.account, self.password = desk, account, password
        self.events: list[Event] = []
        self.react: Callable[[Event], None] = lambda event: None
        own = desk.gateway._settings
        settings = GatewaySettings(
            listen_host="127.0.0.1",
            udp_port=0,
            tcp_port=0,
            tls_port=0,
            h323_port=None,
            bfcp_port=None,
            certificate_file=own.certificate_file,
            key_file=own.key_file,
        )
        self.edge = SipEdge(
            settings,
            on_event=self._take,
            on_closed=lambda flow: None,
            on_banned=lambda host, offence: None,
        )
        self._ids = itertools.count()

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.react(event)

    async def start(self) -> None:
        await self.edge.start()

    async def stop(self) -> None:
        await self.edge.stop()

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def contact(self, transport: str = "udp") -> str:
        suffix = "" if transport == "udp" else f";transport={transport}"
        return f"sip:{self.account}@127.0.0.1:{self.edge.ports[transport]}{suffix}"

    def offer_body(self) -> bytes:
        return bytes(make_offer(LocalMedia("127.0.0.1", 40000, 40002), 7))

    def call(
        self,
        number: str = "9000",
        *,
        body: bytes | None = None,
        transport: str = "udp",
        credentials: bool = True,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> str:
        session_id = f"room-call-{next(self._ids)}"
        target = parse_sip_uri(f"sip:{number}@127.0.0.1")
        self.edge.agent.invite(
            session_id,
            Invitation(
                target,
                self.desk.flow(transport),
                Address(parse_sip_uri(f"sip:{self.account}@127.0.0.1")),
                Address(target),
                self.offer_body() if body is None else body,
                username=self.account if credentials else None,
                password=self.password if credentials else None,
                headers=headers,
            ),
            self.edge.now(),
        )
        self.edge.pump()
        return session_id

    def hang_up(self, session_id: str) -> None:
        self.edge.agent.hang_up(session_id, self.edge.now())
        self.edge.pump()


class RawPhone(asyncio.DatagramProtocol):
    """Sends bytes as they are and collects what comes back: for what no honest stack sends."""

    def __init__(self) -> None:
        self.responses: list[Response] = []
        self.requests: list[Request] = []
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        message = parse_datagram(data)
        if isinstance(message, Response):
            self.responses.append(message)
        else:
            self.requests.append(message)

    @property
    def port(self) -> int:
        assert self.transport is not None
        return int(self.transport.get_extra_info("sockname")[1])

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.sendto(data)

    async def ask(self, text: str) -> Response:
        """Send one request and return its final response."""
        before = len(self.responses)
        self.send(text.replace("\n", "\r\n").encode())

        def final() -> Response | None:
            return next((r for r in self.responses[before:] if r.status >= 200), None)

        return await eventually(final)

    def request(
        self,
        method: str,
        uri: str,
        *,
        user: str = "440229",
        headers: str = "",
        body: str = "",
        call_id: str | None = None,
        cseq: int = 1,
    ) -> str:
        to = f"sip:{user}@127.0.0.1" if method == "REGISTER" else uri
        return (
            f"{method} {uri} SIP/2.0\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{secrets.token_hex(6)};rport\n"
            f"Max-Forwards: 70\nFrom: <sip:{user}@127.0.0.1>;tag=raw{cseq}\nTo: <{to}>\n"
            f"Call-ID: {call_id or secrets.token_hex(6)}\nCSeq: {cseq} {method}\n"
            f"Contact: <sip:{user}@127.0.0.1:{self.port}>\n{headers}"
            f"Content-Length: {len(body.encode())}\n\n{body}"
        )

    async def ask_with_digest(
        self, method: str, uri: str, *, user: str = "440229", password: str = PASSWORD, **more: Any
    ) -> Response:
        call_id = secrets.token_hex(6)
        first = await self.ask(self.request(method, uri, user=user, call_id=call_id, **more))
        challenge = best_challenge(first)
        if challenge is None:
            return first
        name, value = answer_challenge(
            challenge, username=user, password=password, method=method, uri=uri, cnonce="c1"
        )
        headers = f"{more.pop('headers', '')}{name}: {value}\n"
        return await self.ask(
            self.request(method, uri, user=user, call_id=call_id, cseq=2, headers=headers, **more)
        )


async def raw_phone(desk: Desk) -> RawPhone:
    loop = asyncio.get_running_loop()
    _, phone = await loop.create_datagram_endpoint(
        RawPhone, remote_addr=("127.0.0.1", desk.gateway.ports["udp"])
    )
    return phone


@asynccontextmanager
async def open_desk(folder: Path, **settings: Any) -> AsyncIterator[Desk]:
    """A gateway on loopback with free ports."""
    host = settings.get("listen_host", "127.0.0.1")
    node = NodeDouble(folder / "node.sock", host)
    await node.start()
    book = settings.pop("book", None) or Book()
    store = settings.pop("store", None)
    ports = {"udp_port": 0, "tcp_port": 0, "tls_port": 0, "h323_port": None, "bfcp_port": 0}
    fields = {"listen_host": "127.0.0.1", **ports, **settings}
    gateway_module.GOODBYE_S = 0.3
    gateway = Gateway(
        GatewaySettings(**fields), book, folder / "node.sock", folder / "gw.sock", store=store
    )
    events: list[tuple[str, dict[str, Any]]] = []
    wire = WireClient(folder / "gw.sock", lambda type_, body: events.append((type_, body)))
    await gateway.start()
    await wire.start()
    await wire.wait_connected(PATIENCE_S)
    await gateway._node.wait_connected(PATIENCE_S)
    desk = Desk(gateway, node, book, wire, events)
    try:
        yield desk
    finally:
        await gateway.stop()
        for room in desk.rooms:
            await room.stop()
        await wire.stop()
        await node.stop()
