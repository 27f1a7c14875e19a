"""Where a call goes: a registered contact, a static address, or a number behind the trunk."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

from .errors import RemoteSipError
from .messages import Rung
from .ports import Directory
from .registrations import Registrations
from .sip.sdp import is_address
from .sip.transaction import Flow
from .sip.uri import SipUri, parse_sip_uri
from .sip_edge import SipEdge


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a call goes: Request-URI, flow, and what the far end wants to see."""

    target: SipUri
    flow: Flow
    routes: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = None
    caller_user: str | None = None
    caller_host: str | None = None


class Destinations:
    def __init__(self, edge: SipEdge, registrations: Registrations, directory: Directory) -> None:
        self._edge, self._registrations, self._directory = edge, registrations, directory

    async def of(self, request: Rung) -> Destination | None:
        """None when the account has no contact. Raises RemoteSipError for a bad address."""
        if request.account is not None and request.uri is None:
            binding = self._registrations.contact(request.account)
            if binding is None:
                return None
            return Destination(binding.contact.without(), binding.flow, binding.path)
        if request.uri is not None:
            target = parse_sip_uri(request.uri).without()
            return Destination(target, await self._resolve(target))
        if request.number is None:
            return None  # a guest that withheld its number
        trunk = await self._directory.trunk()
        if trunk is None:
            raise RemoteSipError("trunk_missing")
        base = parse_sip_uri(trunk.uri)
        target = SipUri(base.host, request.number, base.port, base.params, base.scheme)
        return Destination(
            target,
            await self._resolve(base),
            username=trunk.username,
            password=trunk.password,
            caller_user=trunk.username,
            caller_host=base.host,
        )

    async def _resolve(self, uri: SipUri) -> Flow:
        transport = uri.transport
        if not self._edge.can_reach(transport):
            raise RemoteSipError("transport_unsupported", transport=transport)
        port = uri.port or (5061 if transport == "tls" else 5060)
        if is_address(uri.bare_host):
            return Flow(transport, uri.bare_host, port)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(5):
                found = await loop.getaddrinfo(uri.bare_host, port, type=socket.SOCK_DGRAM)
        except (OSError, TimeoutError) as error:
            raise RemoteSipError("host_unknown", host=uri.bare_host) from error
        return Flow(transport, str(found[0][4][0]), port)
