"""The SIP user agent: bytes and `now` in, bytes and events out.

Feed `receive_datagram`, `receive` (messages cut out of a stream), `advance` and
`transport_failed`; afterwards take `take_outgoing()` and `take_events()`, and come back at
`next_due()`. One instance serves every call of the gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from ..errors import LocalSipError, RemoteSipError
from .callee import Callee, refusal_of
from .caller import Caller, Invitation
from .core import ALLOW, SDP, SUPPORTED, Core, UserAgentSettings
from .events import EndCause, Event, Malformed, RequestReceived
from .message import Headers, Request, Response, response_to
from .parser import MalformedMessageError, parse_datagram
from .session import Session, SessionEvent, SessionState
from .transaction import Flow, Key
from .transactions import (
    ClientTimedOut,
    Outgoing,
    RequestArrived,
    ResponseArrived,
    TransactionBroke,
    Transactions,
    Upcall,
    reply_flow,
)
from .transfer import notify_refer, replaced_by

_STATUS_OF_CODE = {
    "sip_version_unsupported": 505,
    "message_too_large": 513,
    "headers_too_large": 513,
    "headers_too_many": 513,
    "uri_too_long": 414,
}
MEDIA_CONTROL = "application/media_control+xml"


class UserAgent:
    """Every call of the gateway, calling and called. Unknown session ids raise LocalSipError."""

    def __init__(
        self,
        settings: UserAgentSettings,
        *,
        local_address: Callable[[Flow], tuple[str, int]],
        new_token: Callable[[], str],
    ) -> None:
        self._transactions = Transactions(settings.timing)
        self._core = Core(settings, local_address, new_token, self._transactions)
        self._caller = Caller(self._core)
        self._callee = Callee(self._core)

    # --- network and time -----------------------------------------------------------------------

    def receive_datagram(self, data: bytes, flow: Flow, now: float) -> None:
        """One datagram. Keep-alives (RFC 5626: CRLF; old ones: NULs) are passed over."""
        if not data.strip(b"\r\n\0 "):
            return
        try:
            message = parse_datagram(data)
        except MalformedMessageError as error:
            self.refuse(error, flow)
            return
        self.receive(message, flow, now)

    def receive(self, message: Request | Response, flow: Flow, now: float) -> None:
        """One message. Anything the peer did wrong ends here as an event, never as an error."""
        self._core.heard_from(flow, now)
        try:
            self._take(self._transactions.receive(message, flow, now), now)
        except RemoteSipError as error:
            self._core.events.append(Malformed(flow, error.code))

    def refuse(self, error: MalformedMessageError, flow: Flow) -> None:
        """Answer a malformed request with 400 where its hops and ids can still be read."""
        self._core.events.append(Malformed(flow, error.code))
        partial = error.partial
        if partial is None or partial.method == "ACK":
            return
        try:
            via = partial.top_via.marked(flow.host, flow.port)
            request = partial.with_top_via(via)
            _ = request.from_, request.to, request.call_id, request.cseq
            response = response_to(
                request,
                _STATUS_OF_CODE.get(error.code, 400),
                to_tag=self._core.tag_for(request),
                headers=(("Server", self._core.settings.product),),
            )
            self._transactions.send_stateless(response, reply_flow(request, flow))
        except (RemoteSipError, LocalSipError):
            return  # nothing of it can be answered

    def transport_failed(self, flow: Flow, now: float) -> None:
        self._take(self._transactions.transport_failed(flow, now), now)

    def next_due(self) -> float | None:
        first, second = self._transactions.next_due(), self._core.timers.next_due()
        if first is None or second is None:
            return second if first is None else first
        return min(first, second)

    def advance(self, now: float) -> None:
        """Run every timer that is due."""
        self._take(self._transactions.advance(now), now)
        while (due := self._core.timers.pop_due(now)) is not None:
            self._on_timer(due, now)

    def take_outgoing(self) -> list[Outgoing]:
        taken, self._transactions.outbox = self._transactions.outbox, []
        return taken

    def take_events(self) -> list[Event]:
        taken, self._core.events = self._core.events, []
        return taken

    # --- what the shell asks for ----------------------------------------------------------------

    @property
    def session_count(self) -> int:
        return len(self._core.sessions)

    def has_session(self, session_id: str) -> bool:
        return session_id in self._core.sessions

    def is_heard(self, session_id: str) -> bool:
        """Whether anything at all came back for an INVITE of ours."""
        session = self._core.sessions.get(session_id)
        return session is not None and session.state is not SessionState.CALLING

    def invite(self, session_id: str, invitation: Invitation, now: float) -> None:
        """Start a call; `session_id` is the caller's own, fresh id."""
        if session_id in self._core.sessions:
            raise LocalSipError("session_exists", session=session_id)
        self._caller.invite(session_id, invitation, now)

    def ring(self, session_id: str, now: float) -> None:
        self._callee.ring(self._session(session_id), now)

    def answer(self, session_id: str, body: bytes, now: float) -> None:
        self._callee.answer(self._session(session_id), body, now)

    def reject(self, session_id: str, status: int, now: float, headers: Headers = ()) -> None:
        self._callee.reject(self._session(session_id), status, now, headers)

    def hang_up(self, session_id: str, now: float) -> None:
        """End a call in whatever state it is; calling it for an ended one does nothing."""
        session = self._core.sessions.get(session_id)
        if session is None:
            return
        match session.state:
            case SessionState.CALLING | SessionState.PROCEEDING:
                self._caller.give_up(session, now)
            case SessionState.RECEIVED:
                self._callee.reject(session, 480, now)
            case SessionState.ANSWERED:
                session.bye_is_wanted = True  # clause 15: not before the ACK
            case SessionState.CONFIRMED:
                self._core.send_bye(session, now)
            case _:
                pass
        self._core.end(session, EndCause.LOCAL)

    def respond(
        self, key: Key, request: Request, status: int, now: float, headers: Headers = ()
    ) -> None:
        """Answer a `RequestReceived`."""
        self._core.respond(key, request, status, now, headers=headers)

    def offer(self, session_id: str, body: bytes, now: float) -> None:
        """Re-INVITE with a new description."""
        self._caller.offer(self._session(session_id), body, now)

    def accept_offer(self, session_id: str, body: bytes, now: float) -> None:
        self._callee.accept_offer(self._session(session_id), body, now)

    def refuse_offer(self, session_id: str, status: int, now: float) -> None:
        self._callee.refuse_offer(self._session(session_id), status, now)

    def info(self, session_id: str, content_type: str, body: bytes, now: float) -> bool:
        """Send INFO inside a confirmed call; False when it is not confirmed."""
        session = self._session(session_id)
        if session.state is not SessionState.CONFIRMED:
            return False
        self._core.send_in_dialog(session, "INFO", now, body=body, content_type=content_type)
        return True

    def notify_refer(self, session_id: str, cseq: int, status: int, now: float) -> None:
        """Tell how a transfer went that a room asked for, and end its subscription."""
        notify_refer(self._core, self._session(session_id), cseq, status, now)

    def replaced_by(self, request: Request) -> str | None:
        """The session whose place this INVITE wants to take (RFC 3891), "" when there is none;
        None for an INVITE without Replaces. Raises RemoteSipError."""
        return replaced_by(self._core, request)

    def probe(self, session_id: str, now: float) -> None:
        """Ask whether the far end is still there (OPTIONS); see `is_probe_answered`."""
        session = self._session(session_id)
        session.is_probe_answered = False
        if session.state is SessionState.CONFIRMED:
            self._core.send_in_dialog(session, "OPTIONS", now)

    def is_probe_answered(self, session_id: str) -> bool:
        session = self._core.sessions.get(session_id)
        return session is not None and session.is_probe_answered

    def replaces(self, session_id: str) -> Headers:
        """A Replaces header by which the far end knows this call (RFC 3891)."""
        session = self._core.sessions.get(session_id)
        if session is None or session.dialog is None:
            return ()
        ours, theirs = session.dialog.local.tag, session.dialog.remote.tag
        return (("Replaces", f"{session.dialog.call_id};to-tag={theirs};from-tag={ours}"),)

    # --- inside -----------------------------------------------------------------------------------

    def _session(self, session_id: str) -> Session:
        session = self._core.sessions.get(session_id)
        if session is None:
            raise LocalSipError("session_unknown", session=session_id)
        return session

    def _take(self, upcalls: list[Upcall], now: float) -> None:
        for upcall in upcalls:
            match upcall:
                case RequestArrived(key, request, flow):
                    self._on_request(key, request, flow, now)
                case ResponseArrived(key, response, _flow):
                    self._caller.on_response(key, response, now)
                case ClientTimedOut(key):
                    self._caller.on_failure(key, now, is_timeout=True)
                case TransactionBroke(key):
                    self._on_broken(key, now)

    def _on_broken(self, key: Key, now: float) -> None:
        session = self._core.of_invite(key)
        if session is not None and not session.is_outgoing:
            if session.state is SessionState.RECEIVED:
                session.step(SessionEvent.REJECT)
                self._core.end(session, EndCause.TRANSPORT)
                self._core.forget_if_ended(session)
            return
        self._caller.on_failure(key, now, is_timeout=False)

    def _on_request(self, key: Key | None, request: Request, flow: Flow, now: float) -> None:
        if request.method == "ACK":
            acknowledged = self._callee.on_ack(request)
            if acknowledged is not None and acknowledged[1]:
                self._core.send_bye(acknowledged[0], now)
            return
        if key is None:
            return
        if request.method == "CANCEL":
            self._callee.on_cancel(key, request, now)
        elif request.to.tag is not None and request.method != "REGISTER":
            self._callee.on_dialog_request(key, request, flow, now)
        elif request.method == "INVITE":
            self._callee.on_invite(key, request, flow, now)
        else:
            self._on_lone_request(key, request, flow, now)

    def _on_lone_request(self, key: Key, request: Request, flow: Flow, now: float) -> None:
        core = self._core
        refusal = refusal_of(request)
        if refusal is not None:
            core.respond(key, request, refusal[0], now, headers=refusal[1])
        elif request.method == "REGISTER":
            core.events.append(RequestReceived(key, request, flow))
        elif request.method == "OPTIONS":
            headers = (("Allow", ALLOW), ("Accept", SDP), ("Supported", ", ".join(SUPPORTED)))
            core.respond(key, request, 200, now, headers=headers)
        elif request.method in ("BYE", "INFO", "UPDATE", "PRACK"):
            core.respond(key, request, 481, now)
        elif request.method == "REFER":
            core.respond(key, request, 403, now)  # nobody outside a call sends us anywhere
        else:
            core.respond(key, request, 405, now, headers=(("Allow", ALLOW),))

    def _on_timer(self, due: Hashable, now: float) -> None:
        name, session_id = due if isinstance(due, tuple) else ("", "")
        session = self._core.sessions.get(session_id)
        if session is None:
            return
        match name:
            case "repeat":
                self._callee.repeat_2xx(session, now)
            case "no_ack":
                self._callee.never_acknowledged(session, now)
            case "cancel":
                self._caller.cancel_unanswered(session)
            case "glare":
                self._caller.retry_offer(session, now)
            case "refresh":
                self._caller.refresh(session, now)
            case "expire":
                self._callee.expired(session, now)
            case "reliable":
                if not self._callee.provisional.repeat(session, now):
                    self._callee.reject(session, 504, now)
                    self._core.end(session, EndCause.NO_ACK)
        self._core.forget_if_ended(session)
