"""Calls out and calls in: who is called where, who may come in as which leg."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from dataclasses import dataclass

import structlog

from video_bridge import NodeUnreachableError, VideoBridgeError
from video_bridge.messages import MediaKind

from .admission import Admission, Challenge
from .call import Call
from .calls import NOT_ACCEPTABLE, Calls
from .capability import LocalMedia
from .errors import LocalSipError, RemoteSipError
from .guard import Offence
from .messages import CallResult, CallState, Dial
from .ports import Admission as Admitted
from .ports import Directory, Refusal
from .registrations import Registrations
from .settings import GatewaySettings
from .sip.caller import Invitation
from .sip.content import kind_of
from .sip.events import IncomingCall
from .sip.header import Address
from .sip.message import Headers
from .sip.offer_answer import answer_offer, make_offer
from .sip.sdp import SessionDescription, is_address, parse_sdp
from .sip.transaction import Flow
from .sip.uri import SipUri, bracketed, parse_sip_uri
from .transfers import give_way, takes_place_of

_log = structlog.get_logger("sip_gateway.dialling")


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


class Dialling:
    def __init__(
        self,
        settings: GatewaySettings,
        calls: Calls,
        registrations: Registrations,
        directory: Directory,
        admission: Admission,
    ) -> None:
        self._settings, self._calls = settings, calls
        self._registrations, self._directory = registrations, directory
        self._admission = admission

    # --- out ------------------------------------------------------------------------------------

    def dial(self, request: Dial) -> None:
        """Start a call; its fate is told by events. The same leg twice is one call."""
        if self._calls.of_leg(request.leg_id) is not None:
            return
        call = Call(
            leg_id=request.leg_id,
            conference_id=request.conference_id,
            name=request.name,
            incoming=False,
            session_id=secrets.token_hex(8),
            state=CallState.DIALLING,
            account=request.account,
            remote=request.uri or request.number or request.account or "",
            session_number=secrets.randbits(48),
        )
        self._calls.add(call)
        self._calls.spawn(self._dial_or_end(call, request))

    async def _dial_or_end(self, call: Call, request: Dial) -> None:
        """Whatever fails on the way, the call ends and says so."""
        try:
            await self._dial(call, request)
        except Exception:
            self._calls.finish(call, CallResult.UNREACHABLE)
            raise

    async def _dial(self, call: Call, request: Dial) -> None:
        try:
            destination = await self._destination(request)
        except RemoteSipError as error:
            _log.info("not_dialled", leg_id=call.leg_id, code=error.code)
            self._calls.finish(call, CallResult.UNREACHABLE)
            return
        if destination is None:
            self._calls.finish(call, CallResult.NOT_REGISTERED)
            return
        call.remote, call.remote_host = str(destination.target), destination.flow.host
        call.is_private = destination.flow.transport == "tls"
        media: list[MediaKind] = ["audio"] if request.audio_only else self._everything()
        try:
            async with self._calls.lock(call.leg_id):
                await self._calls.removed(call.leg_id)
                local = await self._calls.legs.add(call, media)
        except VideoBridgeError as error:
            _log.warning("leg_refused", leg_id=call.leg_id, code=error.code)
            self._calls.finish(call, CallResult.MEDIA_FAILED)
            return
        if self._calls.drop_leg_if_over(call):  # hung up while the node was asked
            return
        try:
            offer = self._offer(call, self._calls.with_floor(call, local))
        except RemoteSipError as error:
            _log.info("not_dialled", leg_id=call.leg_id, code=error.code)
            self._calls.finish(call, CallResult.NO_COMMON_CODEC)
            return
        self._calls.offered(call, offer)
        self._invite(call, request, destination, offer)
        self._watch(call, request.ring_timeout_s)

    def _everything(self) -> list[MediaKind]:
        """What we offer; a content line only with a floor."""
        has_floor = self._calls.floors.port is not None
        return ["audio", "video", "content"] if has_floor else ["audio", "video"]

    def _offer(self, call: Call, local: LocalMedia) -> SessionDescription:
        return make_offer(
            local,
            call.session_number,
            video_bitrate_bps=self._settings.video_bitrate_bps,
            security=self._calls.security(call),
        )

    def _invite(
        self, call: Call, request: Dial, destination: Destination, offer: SessionDescription
    ) -> None:
        edge = self._calls.edge
        host = destination.caller_host or self._domain(destination.flow)
        caller = SipUri(host, destination.caller_user or request.caller_number)
        edge.agent.invite(
            call.session_id,
            Invitation(
                target=destination.target,
                flow=destination.flow,
                caller=Address(caller, request.caller_name),
                callee=Address(destination.target.without("transport", "ob")),
                body=bytes(offer),
                routes=destination.routes,
                username=destination.username,
                password=destination.password,
            ),
            edge.now(),
        )
        edge.pump()

    def _domain(self, flow: Flow) -> str:
        host, _port = self._calls.edge.local_address(flow)
        return self._settings.domain or bracketed(host)

    def _watch(self, call: Call, ring_timeout_s: float) -> None:
        """Two clocks of an unanswered call: no response at all, and nobody taking it."""
        loop = asyncio.get_running_loop()

        def no_response() -> None:
            session = call.session_id
            if call.state is CallState.DIALLING and not self._calls.edge.agent.is_heard(session):
                self._calls.finish(call, CallResult.UNREACHABLE)

        def no_answer() -> None:
            if call.state in (CallState.DIALLING, CallState.RINGING):
                self._calls.finish(call, CallResult.NO_ANSWER)

        loop.call_later(min(self._settings.first_response_s, ring_timeout_s), no_response)
        loop.call_later(ring_timeout_s, no_answer)

    async def _destination(self, request: Dial) -> Destination | None:
        """None when the account has no contact. Raises RemoteSipError for a bad address."""
        if request.account is not None and request.uri is None:
            binding = self._registrations.contact(request.account)
            if binding is None:
                return None
            return Destination(binding.contact.without(), binding.flow, binding.path)
        if request.uri is not None:
            target = parse_sip_uri(request.uri).without()
            return Destination(target, await self._resolve(target))
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
        if not self._calls.edge.can_reach(transport):
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

    # --- in -------------------------------------------------------------------------------------

    def incoming(self, event: IncomingCall) -> None:
        self._calls.spawn(self._incoming_or_503(event))

    async def _incoming_or_503(self, event: IncomingCall) -> None:
        """A directory that fails (its database is away) is no reason to leave a caller waiting."""
        try:
            await self._incoming(event)
        except Exception:
            self._reject(event, 503, (("Retry-After", "10"),))
            call = self._calls.of_session(event.session_id)
            if call is not None:
                self._calls.finish(call, CallResult.MEDIA_FAILED, 503)
            raise

    async def _incoming(self, event: IncomingCall) -> None:
        """401 for every number alike until the caller is known; then the directory decides."""
        edge, request = self._calls.edge, event.request
        account = await self._admission.account_of_caller(request, event.flow)
        if isinstance(account, Challenge):
            self._reject(event, account.status, account.headers)
            if account.offence is Offence.CHALLENGED:
                edge.blame_challenged(request, event.flow.host)
            else:
                edge.blame(event.flow.host, account.offence)
            return
        edge.guard.praise(event.flow.host, edge.now())
        number = request.uri.user if isinstance(request.uri, SipUri) else None
        admitted = await self._directory.admit(account, number or "")
        if isinstance(admitted, Refusal):
            # RFC 3261 section 20.43: 399 carries a text for the person who called
            warning = (("Warning", f'399 command-center "{admitted.code}"'),)
            self._reject(event, admitted.sip_status, warning)
            return
        try:
            offer = parse_sdp(request.body) if request.body else None
            replaced = edge.agent.replaced_by(request)
        except RemoteSipError as error:
            edge.counters[f"malformed.{error.code}"] += 1
            self._reject(event, 400)
            return
        if replaced is not None and not takes_place_of(self._calls, replaced, admitted):
            self._reject(event, 403 if replaced else 481)
            return
        await self._take(event, account, admitted, offer)
        if replaced and self._calls.of_session(event.session_id) is not None:
            give_way(self._calls, replaced)

    async def _take(
        self,
        event: IncomingCall,
        account: str,
        admitted: Admitted,
        offer: SessionDescription | None,
    ) -> None:
        """Bind a leg and answer. A hall that calls again replaces its older call."""
        edge, calls = self._calls.edge, self._calls
        calls.hang_up(admitted.leg_id)
        async with calls.lock(admitted.leg_id):
            calls.hang_up(admitted.leg_id)
            await calls.removed(admitted.leg_id)
            if not edge.agent.has_session(event.session_id):
                return  # cancelled meanwhile
            call = Call(
                leg_id=admitted.leg_id,
                conference_id=admitted.conference_id,
                name=admitted.name,
                incoming=True,
                session_id=event.session_id,
                state=CallState.DIALLING,
                account=account,
                remote=str(event.request.from_.uri),
                remote_host=event.flow.host,
                is_private=event.flow.transport == "tls",
                session_number=secrets.randbits(48),
            )
            calls.add(call)
            edge.agent.ring(event.session_id, edge.now())
            edge.pump()
            await self._answer(call, offer)
            calls.drop_leg_if_over(call)

    async def _answer(self, call: Call, offer: SessionDescription | None) -> None:
        edge = self._calls.edge
        try:
            body = await self._prepare(call, offer)
        except RemoteSipError as error:
            self._refuse(call, 488 if error.code in NOT_ACCEPTABLE else 400, error.code)
        except NodeUnreachableError as error:
            self._refuse(call, 503, error.code)
        except VideoBridgeError as error:
            self._refuse(call, 480, error.code)
        else:
            if not call.is_over:
                edge.agent.answer(call.session_id, body, edge.now())
                edge.pump()

    async def _prepare(self, call: Call, offer: SessionDescription | None) -> bytes:
        """Our answer to their offer with the leg connected, or our offer if they made none."""
        calls = self._calls
        if offer is None:
            local = await calls.legs.add(call, self._everything())
            ours = self._offer(call, calls.with_floor(call, local))
            calls.offered(call, ours)
            return bytes(ours)
        media = _usable_media(offer, has_floor=calls.floors.port is not None)
        local = calls.with_floor(call, await calls.legs.add(call, media))
        agreement = answer_offer(
            offer,
            local,
            call.session_number,
            fallback_host=call.remote_host,
            security=self._calls.security(call),
            video_bitrate_bps=self._settings.video_bitrate_bps,
        )
        await calls.legs.connect(call, agreement.streams)
        calls.agreed(call, agreement)
        return bytes(agreement.local)

    def _refuse(self, call: Call, status: int, code: str) -> None:
        _log.info("call_refused", leg_id=call.leg_id, status=status, code=code)
        edge = self._calls.edge
        with contextlib.suppress(LocalSipError):
            edge.agent.reject(call.session_id, status, edge.now())
        result = CallResult.NO_COMMON_CODEC if status == 488 else CallResult.MEDIA_FAILED
        if status == 400:
            result = CallResult.PROTOCOL_ERROR
        self._calls.finish(call, result, status)

    def _reject(self, event: IncomingCall, status: int, headers: Headers = ()) -> None:
        edge = self._calls.edge
        with contextlib.suppress(LocalSipError):  # cancelled meanwhile
            edge.agent.reject(event.session_id, status, edge.now(), headers)
        edge.pump()


def _usable_media(offer: SessionDescription, *, has_floor: bool) -> list[MediaKind]:
    """Which media the offer has at all. Raises RemoteSipError("no_common_codec")."""
    offered = {kind_of(section) for section in offer.media if section.port}
    wanted: tuple[MediaKind, ...] = ("audio", "video", "content")
    kinds = [kind for kind in wanted if kind in offered and (kind != "content" or has_floor)]
    if not kinds or kinds == ["content"]:
        raise RemoteSipError("no_common_codec")
    return kinds
