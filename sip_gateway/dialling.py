"""Calls out and calls in: who is called where, who may come in as which leg."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from dataclasses import replace

import structlog

from video_bridge import NodeUnreachableError, VideoBridgeError
from video_bridge.messages import MediaKind

from .admission import Admission, Challenge
from .call import FULL, Call, result_of_refusal
from .calls import NOT_ACCEPTABLE, Calls, result_of_media_refusal
from .capability import LocalMedia
from .destinations import Destination, Destinations
from .errors import LocalSipError, RemoteSipError
from .guard import Offence
from .ladder import UNTAKEN, Ladder
from .lobby import Lobbies
from .messages import CallResult, CallState, Dial, Rung, SrtpPolicy
from .ports import Admission as Admitted
from .ports import Directory, Refusal
from .registrations import Registrations
from .self_test import SelfTests
from .settings import GatewaySettings
from .sip.caller import Invitation
from .sip.content import kind_of
from .sip.events import IncomingCall
from .sip.header import Address
from .sip.message import Headers
from .sip.offer_answer import answer_offer, make_offer
from .sip.sdp import SessionDescription, parse_sdp
from .sip.transaction import Flow
from .sip.uri import SipUri, bracketed
from .transfers import give_way, takes_place_of

UNKEYED = (CallResult.NO_COMMON_CODEC, CallResult.NOT_ENCRYPTED)
STATIC = "static-"  # begins the account of a room that has none
_log = structlog.get_logger("sip_gateway.dialling")


class Dialling:
    def __init__(
        self,
        settings: GatewaySettings,
        calls: Calls,
        registrations: Registrations,
        directory: Directory,
        admission: Admission,
        *,
        self_tests: SelfTests,
        lobbies: Lobbies,
    ) -> None:
        self._settings, self._calls, self.self_tests = settings, calls, self_tests
        self.lobbies = lobbies
        self._directory, self._admission = directory, admission
        self._destinations = Destinations(calls.edge, registrations, directory)
        self._ladders: dict[str, Ladder] = {}  # by leg
        calls.on_untaken, calls.on_silent = self._climb, self._check_line

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
            srtp_policy=request.srtp_policy or self._settings.srtp,
            session_number=secrets.randbits(48),
        )
        ladder = self._ladders[request.leg_id] = Ladder(request)
        self._calls.add(call)
        self._calls.spawn(self._dial_or_end(call, ladder))

    async def _dial_or_end(self, call: Call, ladder: Ladder, headers: Headers = ()) -> None:
        """Whatever fails on the way, the call ends and says so."""
        try:
            await self._dial(call, ladder, headers)
        except Exception:
            self._calls.finish(call, CallResult.UNREACHABLE)
            raise

    async def _dial(self, call: Call, ladder: Ladder, headers: Headers) -> None:
        """Call the ladder's present rung."""
        session_id, rung = call.session_id, ladder.rung
        try:
            destination = await self._destinations.of(rung)
        except RemoteSipError as error:
            _log.info("not_dialled", leg_id=call.leg_id, code=error.code)
            self._calls.finish(call, CallResult.UNREACHABLE)
            return
        if destination is None:
            self._calls.finish(call, CallResult.NOT_REGISTERED)
            return
        call.remote, call.remote_host = str(destination.target), destination.flow.host
        call.is_private = destination.flow.transport == "tls"
        media: list[MediaKind] = ["audio"] if ladder.dial.audio_only else self._everything()
        try:
            async with self._calls.lock(call.leg_id):
                await self._calls.removed(call.leg_id)
                local = await self._calls.legs.add(call, media)
        except VideoBridgeError as error:
            _log.warning("leg_refused", leg_id=call.leg_id, code=error.code)
            self._calls.finish(call, result_of_refusal(error.code))
            return
        if self._calls.drop_leg_if_over(call) or call.session_id != session_id:
            return  # hung up while the node was asked
        local = self._on_this_line(call, ladder, local)
        try:
            local = self._calls.with_floor(call, local)
            offer = self._offer(call, local, offers_dtls=ladder.offers_dtls)
        except RemoteSipError as error:
            _log.info("not_dialled", leg_id=call.leg_id, code=error.code)
            self._calls.finish(call, result_of_media_refusal(error.code))
            return
        self._calls.offered(call, offer)
        self._invite(call, ladder.dial, destination, offer, headers)
        self._watch(call, ladder)

    def _on_this_line(self, call: Call, ladder: Ladder, local: LocalMedia) -> LocalMedia:
        """The address to advertise follows the line, unless one is set for all."""
        edge = self._calls.edge
        ladder.bound_host = ladder.bound_host or call.remote_host
        if local.address == edge.source_towards(ladder.bound_host):
            local = replace(local, address=edge.source_towards(call.remote_host))
        if ladder.rung.audio_only:
            local = replace(local, video_port=None, content_port=None)
        return local

    # --- the ladder -----------------------------------------------------------------------------

    def _climb(self, call: Call, result: CallResult) -> bool:
        """Whether a call that was not taken goes on at its ladder's next rung."""
        ladder = self._ladders.get(call.leg_id)
        is_up = call.state is CallState.CONNECTED
        if ladder is not None and not is_up and self._has_other_keying(call, ladder, result):
            _log.info("offers_dtls", leg_id=call.leg_id)
            self._calls.restart(call)
            self._calls.spawn(self._dial_or_end(call, ladder))
            return True
        following = None if ladder is None or is_up else ladder.after(result)
        if ladder is None or following is None:
            self._ladders.pop(call.leg_id, None)
            if ladder is not None and ladder.was_up and not is_up and result in UNTAKEN:
                self._calls.finish(call, CallResult.MEDIA_FAILED)  # it was in and fell out
                return True
            return False
        _log.info("next_rung", leg_id=call.leg_id, rung=ladder.at, result=result)
        self._calls.restart(call)
        self._calls.spawn(self._dial_or_end(call, ladder))
        return True

    def _has_other_keying(self, call: Call, ladder: Ladder, result: CallResult) -> bool:
        """Whether a room that refused our description is asked once more, for DTLS alone."""
        local = call.local_media
        can_dtls = local is not None and local.dtls_fingerprint is not None
        if result not in UNKEYED or ladder.offers_dtls or not can_dtls:
            return False
        if call.srtp_policy is SrtpPolicy.REQUIRED and not call.is_private:
            return False  # that is what it was asked for
        ladder.offers_dtls = call.srtp_policy is not SrtpPolicy.OFF
        return ladder.offers_dtls

    def _check_line(self, call: Call) -> None:
        ladder = self._ladders.get(call.leg_id)
        is_up = call.state is CallState.CONNECTED
        if ladder is not None and is_up and ladder.has_other_line and not ladder.is_checking:
            self._calls.spawn(self._switch_if_cut(call, ladder))

    async def _switch_if_cut(self, call: Call, ladder: Ladder) -> None:
        """A room that is silent on its line, media and signalling, is called on its other one."""
        edge, session_id = self._calls.edge, call.session_id
        ladder.is_checking = True
        try:
            edge.agent.probe(session_id, edge.now())
            edge.pump()
            end = edge.now() + self._settings.line_check_s
            while edge.now() < end:
                await asyncio.sleep(0.1)
                gone = call.session_id != session_id or call.state is not CallState.CONNECTED
                if gone or edge.agent.is_probe_answered(session_id):
                    return
            if ladder.other_line() is not None:
                _log.warning("line_cut", leg_id=call.leg_id, line=call.remote_host)
                headers = edge.agent.replaces(session_id)
                self._calls.restart(call)
                await self._dial_or_end(call, ladder, headers)
        finally:
            ladder.is_checking = False

    def _everything(self) -> list[MediaKind]:
        """What we offer; a content line only with a floor."""
        has_floor = self._calls.floors.port is not None
        return ["audio", "video", "content"] if has_floor else ["audio", "video"]

    def _offer(
        self, call: Call, local: LocalMedia, *, offers_dtls: bool = False
    ) -> SessionDescription:
        return make_offer(
            local,
            call.session_number,
            video_bitrate_bps=self._settings.video_bitrate_bps,
            security=self._calls.security(call, offers_dtls=offers_dtls),
        )

    def _invite(
        self,
        call: Call,
        request: Dial,
        destination: Destination,
        offer: SessionDescription,
        headers: Headers,
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
                headers=headers,
            ),
            edge.now(),
        )
        edge.pump()

    def _domain(self, flow: Flow) -> str:
        host, _port = self._calls.edge.local_address(flow)
        return self._settings.domain or bracketed(host)

    def _watch(self, call: Call, ladder: Ladder) -> None:
        """Two clocks of an unanswered call: no response at all, and nobody taking it."""
        loop, session_id = asyncio.get_running_loop(), call.session_id
        has_line = ladder.has_other_line and not ladder.was_up
        first_s = self._settings.line_response_s if has_line else self._settings.first_response_s
        ring_s = ladder.rung.ring_timeout_s

        def no_response() -> None:
            is_this = call.session_id == session_id and call.state is CallState.DIALLING
            if is_this and not self._calls.edge.agent.is_heard(session_id):
                self._calls.finish(call, CallResult.UNREACHABLE)

        def no_answer() -> None:
            is_unanswered = call.state in (CallState.DIALLING, CallState.RINGING)
            if is_unanswered and call.session_id == session_id:
                self._calls.finish(call, CallResult.NO_ANSWER)

        loop.call_later(min(first_s, ring_s), no_response)
        loop.call_later(ring_s, no_answer)

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
            warning = (("Warning", f'399 command-center "{admitted.words}"'),)
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
                srtp_policy=admitted.srtp_policy or self._settings.srtp,
                is_private=event.flow.transport == "tls",
                session_number=secrets.randbits(48),
            )
            calls.add(call)
            if admitted.lines:
                self._ladders[call.leg_id] = _lines_of(call, admitted.lines)
            edge.agent.ring(event.session_id, edge.now())
            edge.pump()
            if not await self._prepare_room(call, admitted, event):
                return
            await self._answer(call, offer)
            calls.drop_leg_if_over(call)

    async def _prepare_room(self, call: Call, admitted: Admitted, event: IncomingCall) -> bool:
        """Open the conference of a self-test or lobby; False when there is no node to do it."""
        try:
            if admitted.self_test_contact is not None:
                await self.self_tests.open(call, admitted.self_test_contact)
            elif admitted.lobby is not None:
                uri = event.request.from_.uri
                caller = uri.user if isinstance(uri, SipUri) else None
                await self.lobbies.open(call, admitted.lobby, caller or "")
        except VideoBridgeError as error:
            self._refuse(call, 503, error.code)
            return False
        return True

    async def _answer(self, call: Call, offer: SessionDescription | None) -> None:
        edge = self._calls.edge
        try:
            body = await self._prepare(call, offer)
        except RemoteSipError as error:
            self._refuse(call, 488 if error.code in NOT_ACCEPTABLE else 400, error.code)
        except NodeUnreachableError as error:
            self._refuse(call, 503, error.code)
        except VideoBridgeError as error:
            self._refuse(call, 503 if error.code in FULL else 480, error.code)
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
        # RFC 3261 section 20.43: 399 carries a text for the person who called
        headers = (("Warning", f'399 command-center "{code}"'),) if status == 488 else ()
        with contextlib.suppress(LocalSipError):
            edge.agent.reject(call.session_id, status, edge.now(), headers)
        result = result_of_media_refusal(code) if status == 488 else result_of_refusal(code)
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


def _lines_of(call: Call, lines: tuple[str, ...]) -> Ladder:
    """The lines of a room that dialled in, standing at the one it came by."""
    registered = call.account if call.account and not call.account.startswith(STATIC) else None
    first, *others = [registered, *lines] if registered else lines
    ladder = Ladder(
        Dial(
            leg_id=call.leg_id,
            conference_id=call.conference_id,
            account=registered,
            uri=None if registered else first,
            name=call.name,
            ladder=[Rung(uri=uri, is_same_room=True) for uri in others],
        )
    )
    ladder.bound_host = call.remote_host
    for at, rung in enumerate(ladder.rungs):
        if rung.uri is not None and f"@{call.remote_host}" in rung.uri:
            ladder.at = at
    return ladder
