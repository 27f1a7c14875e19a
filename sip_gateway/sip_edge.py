"""The SIP shell: sockets and clock around the sans-IO `UserAgent`.

It reads, feeds, sends and sleeps until the next timer; it decides nothing but who is shut out.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable

from .guard import Guard, Offence, is_scanner
from .settings import GatewaySettings
from .sip.core import UserAgentSettings
from .sip.events import Event, Malformed
from .sip.message import Request, Response
from .sip.parser import MalformedMessageError
from .sip.transaction import Flow
from .sip.transactions import Outgoing
from .sip.useragent import UserAgent
from .transports import (
    StreamCallbacks,
    StreamTransport,
    UdpTransport,
    client_context,
    route_source,
    server_context,
)

MAX_ROUTES = 10_000


class SipEdge:
    """`on_event` gets every event of the user agent, `on_closed` every connection that ended,
    `on_banned` each source that was shut out. Call `pump` after using `agent`."""

    def __init__(
        self,
        settings: GatewaySettings,
        *,
        on_event: Callable[[Event], None],
        on_closed: Callable[[Flow], None],
        on_banned: Callable[[str, Offence], None],
    ) -> None:
        self._settings = settings
        self._on_event, self._on_closed, self._on_banned = on_event, on_closed, on_banned
        self.guard = Guard(settings.guard)
        self.counters: Counter[str] = Counter()
        self.ports: dict[str, int] = {}
        self.agent = UserAgent(
            UserAgentSettings(product=settings.user_agent, sessions=settings.calls),
            local_address=self.local_address,
            new_token=lambda: secrets.token_hex(8),
        )
        self._udp = UdpTransport(self._on_datagram, self.pump)
        self._streams: dict[str, StreamTransport] = {}
        self._routes: dict[str, str] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = float("inf")
        self._is_pumping = False

    # --- life -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. Raises OSError when a port is taken."""
        self._loop = asyncio.get_running_loop()
        settings = self._settings
        if settings.udp_port is not None:
            self.ports["udp"] = await self._udp.start(settings.listen_host, settings.udp_port)
        if settings.tcp_port is not None:
            stream = StreamTransport(
                "tcp",
                self._callbacks(),
                connections=settings.connections,
                connections_per_source=settings.connections_per_source,
            )
            self._streams["tcp"] = stream
            self.ports["tcp"] = await stream.start(settings.listen_host, settings.tcp_port)
        if settings.tls_port is not None and settings.certificate_file is not None:
            secure = StreamTransport(
                "tls",
                self._callbacks(),
                connections=settings.connections,
                connections_per_source=settings.connections_per_source,
                server_ssl=server_context(settings.certificate_file, settings.key_file),
                client_ssl=client_context(settings.peer_ca_file),
            )
            self._streams["tls"] = secure
            self.ports["tls"] = await secure.start(settings.listen_host, settings.tls_port)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._udp.stop()
        for stream in self._streams.values():
            await stream.stop()

    def now(self) -> float:
        """Monotonic seconds: the `now` of everything below."""
        return asyncio.get_running_loop().time()

    # --- addresses ------------------------------------------------------------------------------

    def local_address(self, flow: Flow) -> tuple[str, int]:
        """What we are called on the way to a peer."""
        port = self.ports.get(flow.transport, 5060)
        if self._settings.advertised_address:
            return self._settings.advertised_address, port
        stream = self._streams.get(flow.transport)
        host = stream.local_address(flow) if stream else None
        return host or self.source_towards(flow.host), port

    def source_towards(self, host: str) -> str:
        known = self._routes.get(host)
        if known is None:
            if len(self._routes) > MAX_ROUTES:
                self._routes.clear()
            listening = self._settings.listen_host
            is_any = listening in ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
            known = (route_source(host) or "127.0.0.1") if is_any else listening
            self._routes[host] = known
        return known

    def can_reach(self, transport: str) -> bool:
        return transport in self.ports

    # --- in -------------------------------------------------------------------------------------

    def _callbacks(self) -> StreamCallbacks:
        return StreamCallbacks(
            on_message=self._on_message,
            on_malformed=self._on_malformed,
            on_failed=self._on_failed,
            on_closed=self._on_connection_closed,
            admits=lambda host: self.guard.admits(host, self.now()),
            on_burst=self.pump,
        )

    def _on_datagram(self, data: bytes, flow: Flow) -> None:
        now = self.now()
        if not self.guard.admits(flow.host, now):
            self.counters["shut_out"] += 1
            return
        self.counters["datagrams"] += 1
        self.agent.receive_datagram(data, flow, now)

    def _on_message(self, message: Request | Response, flow: Flow) -> None:
        self.counters["stream_messages"] += 1
        self.agent.receive(message, flow, self.now())

    def _on_malformed(self, error: MalformedMessageError, flow: Flow) -> None:
        self.agent.refuse(error, flow)

    def _on_failed(self, flow: Flow) -> None:
        self.agent.transport_failed(flow, self.now())

    def _on_connection_closed(self, flow: Flow) -> None:
        self.agent.transport_failed(flow, self.now())
        self._on_closed(flow)
        self.pump()

    # --- out ------------------------------------------------------------------------------------

    def pump(self) -> None:
        """Run due timers, send what is to be sent, hand out events, set the next alarm."""
        if self._is_pumping or self._loop is None:
            return
        self._is_pumping = True
        try:
            self.agent.advance(self.now())
            while True:
                outgoing, events = self.agent.take_outgoing(), self.agent.take_events()
                if not outgoing and not events:
                    break
                for item in outgoing:
                    self._send(item)
                for event in events:
                    self._hand_out(event)
        finally:
            self._is_pumping = False
        self._set_alarm()

    def _send(self, item: Outgoing) -> None:
        flow = item.flow
        if flow.transport == "udp":
            is_sent = self._udp.send(item.data, flow)
        else:
            stream = self._streams.get(flow.transport)
            is_sent = stream is not None and stream.send(item.data, flow)
        if not is_sent:
            self.counters["send_failed"] += 1
            self.agent.transport_failed(flow, self.now())

    def _hand_out(self, event: Event) -> None:
        if isinstance(event, Malformed):
            self.counters[f"malformed.{event.code}"] += 1
            self.blame(event.flow.host, Offence.MALFORMED)
        else:
            self._on_event(event)

    def _set_alarm(self) -> None:
        due = self.agent.next_due()
        if due is None or self._loop is None:
            return
        if self._timer is not None and due >= self._timer_due > self.now():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._loop.call_at(due, self._on_alarm)

    def _on_alarm(self) -> None:
        self._timer = None
        self._timer_due = float("inf")
        self.pump()

    # --- guard ----------------------------------------------------------------------------------

    def blame(self, host: str, offence: Offence) -> None:
        if self.guard.blame(host, offence, self.now()):
            self.counters["bans"] += 1
            self._on_banned(host, offence)

    def blame_challenged(self, request: Request, host: str) -> None:
        """A request without credentials: harmless once, a scan many times over."""
        scanner = is_scanner(request.get("User-Agent"))
        self.blame(host, Offence.SCANNER if scanner else Offence.CHALLENGED)
