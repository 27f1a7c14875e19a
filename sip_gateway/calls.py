"""Every call of the gateway: joins SIP sessions to legs, and says how each of them ended."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

import structlog

from video_bridge import CloseReason, LegKind, VideoBridgeError
from video_bridge import messages as node_words

from .call import (
    REASON_OF_RESULT,
    RESULT_OF_REASON,
    Call,
    result_of_status,
)
from .capability import LocalMedia
from .errors import LocalSipError, RemoteSipError, SignallingError
from .floors import Floors
from .legs import Legs
from .media_control import (
    MEDIA_CONTROL,
    PICTURE_FAST_UPDATE,
    pressed_key,
    wants_key_frame,
)
from .messages import Body, CallResult, CallState, DtmfPressed, SrtpPolicy
from .sip.events import (
    AnswerReceived,
    CallAnswered,
    CallEnded,
    CallEstablished,
    CallProgress,
    EndCause,
    Event,
    InfoReceived,
    OfferReceived,
    OfferRefused,
)
from .sip.offer_answer import Agreement, Security, answer_offer, read_answer, reoffer
from .sip.sdp import SessionDescription, parse_sdp
from .sip_edge import SipEdge

UNENCRYPTED = ("srtp_required", "srtp_missing", "srtp_unusable")
NOT_ACCEPTABLE = ("no_common_codec", *UNENCRYPTED)  # 488

_log = structlog.get_logger("sip_gateway.calls")


class Calls:
    """Calls by leg and by session. Work that waits runs in tasks owned here."""

    def __init__(
        self,
        edge: SipEdge,
        legs: Legs,
        announce: Callable[[Body], None],
        *,
        restore_s: float,
        floors: Floors,
    ) -> None:
        self.edge, self.legs, self.floors = edge, legs, floors
        self._announce = announce
        self._restore_s = restore_s
        self._by_leg: dict[str, Call] = {}
        self._by_session: dict[str, Call] = {}
        self._locals: dict[str, SessionDescription] = {}
        self._offers: dict[str, SessionDescription] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.on_untaken: Callable[[Call, CallResult], bool] = lambda call, result: False
        self.on_silent: Callable[[Call], None] = lambda call: None
        self.on_key: Callable[[str, str], bool] = lambda leg_id, key: False
        self._removals: dict[str, asyncio.Task[None]] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # --- bookkeeping ----------------------------------------------------------------------------

    def announce(self, body: Body) -> None:
        """Tell the house."""
        self._announce(body)

    def live(self) -> list[Call]:
        return list(self._by_leg.values())

    def of_leg(self, leg_id: str) -> Call | None:
        return self._by_leg.get(leg_id)

    def of_session(self, session_id: str) -> Call | None:
        return self._by_session.get(session_id)

    def add(self, call: Call) -> None:
        self._by_leg[call.leg_id] = call
        self._by_session[call.session_id] = call
        self._announce(call.changed())

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def lock(self, leg_id: str) -> asyncio.Lock:
        """Held while a leg is being set up, so that two calls never share one leg."""
        return self._locks.setdefault(leg_id, asyncio.Lock())

    async def removed(self, leg_id: str) -> None:
        """Wait until the node has let go of a leg whose call ended."""
        task = self._removals.get(leg_id)
        if task is not None:
            await asyncio.wait([task])

    def _remove_leg(self, call: Call, reason: CloseReason) -> None:
        call.has_leg = False
        task = self.spawn(self.legs.remove(call.leg_id, reason))
        self._removals[call.leg_id] = task
        task.add_done_callback(lambda _done: self._removals.pop(call.leg_id, None))

    def drop_leg_if_over(self, call: Call) -> bool:
        """Take the leg off again if the call ended while it was set up; True when it did."""
        if call.is_over and call.has_leg:
            self._remove_leg(call, CloseReason.REMOVED)
        return call.is_over

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - outermost loop of the task
            _log.exception("call_task_failed")

    async def settle(self) -> None:
        """Wait for what is under way (leg removals, mostly)."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def moved(self, call: Call, state: CallState) -> None:
        if call.state is not state and not call.is_over:
            call.move(state)
            self._announce(call.changed())

    def security(self, call: Call, *, offers_dtls: bool = False) -> Security | None:
        """How this call's media is protected; keys travel in signalling that is encrypted only."""
        if call.srtp_policy is SrtpPolicy.OFF:
            return None
        local = call.local_media
        return Security(
            secrets.token_bytes if call.is_private else None,
            call.srtp_policy is SrtpPolicy.REQUIRED,
            local.dtls_fingerprint if local is not None else None,
            offers_dtls,
        )

    def offered(self, call: Call, offer: SessionDescription) -> None:
        """Remember our offer until its answer comes."""
        self._offers[call.session_id] = offer

    def agreed(self, call: Call, agreement: Agreement) -> None:
        self._locals[call.session_id] = agreement.local
        self.floors.agreed(call.leg_id, call.conference_id, call.remote_host, agreement.floor)

    def with_floor(self, call: Call, local: LocalMedia) -> LocalMedia:
        """The same with a floor for its content line, if it has one."""
        if local.content_port is not None:
            local = replace(local, floor=self.floors.local())
        call.local_media = local
        return local

    def local_of(self, call: Call) -> SessionDescription | None:
        """Our newest description of a call that is up."""
        return self._locals.get(call.session_id)

    def drop(self, call: Call) -> None:
        """Take a leg off that no call needs after all."""
        self._remove_leg(call, CloseReason.REMOVED)

    def hand_over(self, old: Call, new: Call) -> None:
        """The session of `old` goes on as `new`, with another leg; `old` ends for the house."""
        old.result = CallResult.HUNG_UP
        old.move(CallState.ENDED)
        self._by_leg.pop(old.leg_id, None)
        self.floors.close(old.leg_id)
        self.on_untaken(old, CallResult.HUNG_UP)
        if old.has_leg:
            self._remove_leg(old, CloseReason.REPLACED)
        self._announce(old.changed())
        self.add(new)

    # --- ending ---------------------------------------------------------------------------------

    def finish(self, call: Call, result: CallResult, status: int | None = None) -> None:
        """End a call once: tell the house, hang up, take the leg off the node."""
        if call.is_over or self.on_untaken(call, result):
            return
        call.result, call.sip_status = result, status
        call.move(CallState.ENDED)
        self._by_leg.pop(call.leg_id, None)
        self._by_session.pop(call.session_id, None)
        self._locals.pop(call.session_id, None)
        self._offers.pop(call.session_id, None)
        self.floors.close(call.leg_id)
        self.edge.agent.hang_up(call.session_id, self.edge.now())
        if call.has_leg:
            self._remove_leg(call, REASON_OF_RESULT.get(result, CloseReason.REJECTED))
        self._announce(call.changed())
        self.edge.pump()

    def restart(self, call: Call) -> None:
        """Leave the call's session for another one that is dialled next; its leg stays."""
        old = call.session_id
        self._by_session.pop(old, None)
        self._locals.pop(old, None)
        self._offers.pop(old, None)
        call.session_id, call.has_rung = secrets.token_hex(8), False
        self._by_session[call.session_id] = call
        self.edge.agent.hang_up(old, self.edge.now())
        self.moved(call, CallState.DIALLING)
        self.edge.pump()

    def hang_up(self, leg_id: str, result: CallResult = CallResult.REMOVED) -> bool:
        call = self._by_leg.get(leg_id)
        if call is None:
            return False
        if result is CallResult.REMOVED and call.state is not CallState.CONNECTED:
            result = CallResult.CANCELLED
        self.finish(call, result)
        return True

    # --- what SIP says --------------------------------------------------------------------------

    def on_event(self, event: Event) -> None:
        """Take an event of a session that is already a call."""
        session_id = getattr(event, "session_id", "")
        call = self._by_session.get(session_id)
        if call is None:
            return
        match event:
            case CallProgress(status=status):
                if status in (180, 183):
                    call.has_rung = True
                    self.moved(call, CallState.RINGING)
            case CallAnswered(body=body):
                self.spawn(self._answered(call, body))
            case CallEstablished(body=body):
                self.spawn(self._established(call, body))
            case CallEnded(cause=cause, status=status):
                self.finish(call, _result_of_end(call, cause, status), status)
            case OfferReceived(body=body):
                self.spawn(self._reoffered(call, body))
            case AnswerReceived(body=body):
                self.spawn(self._answered_again(call, body))
            case OfferRefused(status=status):
                self._offers.pop(call.session_id, None)
                _log.info("offer_refused", leg_id=call.leg_id, status=status)
            case InfoReceived(content_type=content_type, body=body):
                self._on_info(call, content_type, body)
            case _:
                pass

    async def _answered(self, call: Call, body: bytes) -> None:
        """Our call was taken: read the answer, connect the leg."""
        if await self._take_answer(call, body):
            self.moved(call, CallState.CONNECTED)

    async def _established(self, call: Call, body: bytes) -> None:
        """Their call is up; the ACK brings the answer when the offer was ours."""
        if call.session_id in self._offers and not await self._take_answer(call, body):
            return
        self.moved(call, CallState.CONNECTED)

    async def _answered_again(self, call: Call, body: bytes) -> None:
        if call.session_id in self._offers and await self._take_answer(call, body):
            self.moved(call, CallState.CONNECTED)  # a leg that moved to another conference

    async def _take_answer(self, call: Call, body: bytes) -> bool:
        """Apply the answer to our offer; False when the call ended over it."""
        offer = self._offers.pop(call.session_id, None)
        if offer is None:
            return not call.is_over
        try:
            if not body:
                raise RemoteSipError("answer_missing")
            floor = call.local_media.floor if call.local_media else None
            agreement = read_answer(
                offer, parse_sdp(body), fallback_host=call.remote_host, floor=floor
            )
        except RemoteSipError as error:
            result = result_of_media_refusal(error.code)
            _log.info("answer_refused", leg_id=call.leg_id, code=error.code)
            self.finish(call, result)
            return False
        return await self._connect(call, agreement)

    async def _connect(self, call: Call, agreement: Agreement) -> bool:
        if call.is_over:
            return False
        try:
            await self.legs.connect(call, agreement.streams)
        except VideoBridgeError as error:
            _log.warning("leg_not_connected", leg_id=call.leg_id, code=error.code)
            self.finish(call, CallResult.MEDIA_FAILED)
            return False
        self.agreed(call, agreement)
        return not call.is_over

    async def _reoffered(self, call: Call, body: bytes) -> None:
        """A re-INVITE or UPDATE: hold, resume, another codec, or a question for our offer."""
        agent, now = self.edge.agent, self.edge.now
        previous, media = self._locals.get(call.session_id), call.local_media
        if previous is None or media is None:
            agent.refuse_offer(call.session_id, 500, now())
            self.edge.pump()
            return
        if not body:
            offer = reoffer(previous, media)
            self.offered(call, offer)
            self._reply(call, bytes(offer))
            return
        try:
            agreement = answer_offer(
                parse_sdp(body),
                media,
                call.session_number,
                fallback_host=call.remote_host,
                previous=previous,
                security=self.security(call),
            )
        except RemoteSipError as error:
            with contextlib.suppress(SignallingError):
                status = 488 if error.code in NOT_ACCEPTABLE else 400
                agent.refuse_offer(call.session_id, status, now())
            self.edge.pump()
            return
        if await self._connect(call, agreement):
            with contextlib.suppress(VideoBridgeError):
                await self.legs.hold(call, is_on_hold=agreement.is_paused)
            self._reply(call, bytes(agreement.local))
            self._announce(call.changed())

    def _reply(self, call: Call, body: bytes) -> None:
        with contextlib.suppress(LocalSipError):  # the far end hung up meanwhile
            self.edge.agent.accept_offer(call.session_id, body, self.edge.now())
        self.edge.pump()

    def _on_info(self, call: Call, content_type: str, body: bytes) -> None:
        if content_type == MEDIA_CONTROL:
            if wants_key_frame(body):
                self.spawn(self.legs.key_frame(call))
            return
        key = pressed_key(content_type, body)
        if key is not None and not self.on_key(call.leg_id, key):
            self._announce(
                DtmfPressed(leg_id=call.leg_id, conference_id=call.conference_id, digit=key)
            )

    # --- what the media node says ---------------------------------------------------------------

    def on_node_event(self, event: node_words.Event) -> None:
        if isinstance(event, node_words.DtmfPressed):
            self.on_key(event.leg_id, event.digit)
            return
        known = node_words.LegClosed | node_words.LegLost | node_words.KeyframeWanted
        if not isinstance(event, known):
            return
        call = self._by_leg.get(event.leg_id)
        if call is None:
            return
        if isinstance(event, node_words.LegLost):
            self.on_silent(call)
        elif isinstance(event, node_words.LegClosed):
            call.has_leg = False
            if event.reason is CloseReason.CONTROL_LOST:
                return  # the node lost us; `reconcile` puts the leg back
            self.finish(call, RESULT_OF_REASON.get(event.reason, CallResult.MEDIA_FAILED))
        elif call.state is CallState.CONNECTED:
            with contextlib.suppress(LocalSipError):
                self.edge.agent.info(
                    call.session_id, MEDIA_CONTROL, PICTURE_FAST_UPDATE, self.edge.now()
                )
            self.edge.pump()

    def reconcile(self, snapshot: node_words.Snapshot, others: set[str]) -> None:
        """After the wire came (back): legs without a call go, calls without a leg get one.

        `others` are legs of the other protocol's calls.
        """
        there = {
            leg.leg_id
            for conference in snapshot.conferences
            for leg in conference.legs
            if leg.kind is LegKind.RTP
        }
        for leg_id in there - self._by_leg.keys() - others:
            self.spawn(self.legs.remove(leg_id, CloseReason.FAILED))
        for call in self.live():
            if call.leg_id not in there and call.local_media is not None:
                self.spawn(self._restore(call))

    async def _restore(self, call: Call) -> None:
        """The node lost the leg (it was killed): bind anew and re-INVITE the room there."""
        previous, media = self._locals.get(call.session_id), call.local_media
        if call.state is not CallState.CONNECTED or previous is None or media is None:
            self.finish(call, CallResult.MEDIA_FAILED)
            return
        call.has_leg = False
        end = self.edge.now() + self._restore_s
        while not call.is_over:
            try:
                fresh = await self.legs.add(call, media.kinds())
                break
            except VideoBridgeError:
                if self.edge.now() > end:
                    self.finish(call, CallResult.MEDIA_FAILED)
                    return
                await asyncio.sleep(0.2)  # until the conference is opened again
        if self.drop_leg_if_over(call):
            return
        fresh = call.local_media = replace(fresh, floor=media.floor)
        offer = reoffer(previous, fresh, security=self.security(call))
        self.offered(call, offer)
        with contextlib.suppress(LocalSipError):
            self.edge.agent.offer(call.session_id, bytes(offer), self.edge.now())
        self.edge.pump()


def result_of_media_refusal(code: str) -> CallResult:
    """How a call ends whose description we refuse."""
    if code in UNENCRYPTED:
        return CallResult.NOT_ENCRYPTED
    return CallResult.NO_COMMON_CODEC if code in NOT_ACCEPTABLE else CallResult.PROTOCOL_ERROR


def _result_of_end(call: Call, cause: EndCause, status: int | None) -> CallResult:
    if call.gives_up_as is not None:
        return call.gives_up_as
    match cause:
        case EndCause.REMOTE:
            return CallResult.HUNG_UP
        case EndCause.CANCELLED:
            return CallResult.CANCELLED
        case EndCause.REFUSED:
            result = result_of_status(status)
            is_required = call.srtp_policy is SrtpPolicy.REQUIRED
            is_media = result is CallResult.NO_COMMON_CODEC
            return CallResult.NOT_ENCRYPTED if is_required and is_media else result
        case EndCause.LOCAL:
            return CallResult.REMOVED
        case EndCause.NO_ACK | EndCause.EXPIRED:
            return CallResult.UNREACHABLE
        case EndCause.PROTOCOL:
            return CallResult.PROTOCOL_ERROR
        case _:
            return CallResult.UNREACHABLE
