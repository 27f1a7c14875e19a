"""The called side of a user agent (RFC 3261 clauses 8.2, 9.2, 12.2.2, 13.3, 14.2, 15.1.2)."""

from __future__ import annotations

from ..errors import LocalSipError, RemoteSipError
from .core import ALLOW, SDP, SUPPORTED, Core, merge_id
from .dialog import dialog_of_callee, target_of
from .events import (
    AnswerReceived,
    CallEstablished,
    EndCause,
    IncomingCall,
    InfoReceived,
    OfferReceived,
)
from .message import Headers, Request, response_to
from .provisional import Provisional
from .session import PendingOffer, Session, SessionEvent, SessionState, Unacknowledged
from .session_timer import MIN_SE_S, is_too_small
from .session_timer import answer as timer_answer
from .transaction import Flow, Key
from .transactions import reply_flow, server_key
from .transfer import on_refer
from .uri import SipUri


class Callee:
    """Takes requests from the network and answers them as the shell decides."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.provisional = Provisional(core)

    # --- new calls ----------------------------------------------------------------------------

    def on_invite(self, key: Key, request: Request, flow: Flow, now: float) -> None:
        core = self._core
        refusal = refusal_of(request)
        if refusal is not None:
            status, headers = refusal
            core.respond(key, request, status, now, headers=headers)
            return
        if is_too_small(request):
            core.respond(key, request, 422, now, headers=(("Min-SE", str(MIN_SE_S)),))
            return
        if merge_id(request) in core.merged:
            core.respond(key, request, 482, now)
            return
        if len(core.sessions) >= core.settings.sessions:
            core.respond(key, request, 503, now, headers=(("Retry-After", "10"),))
            return
        local_tag = core.tag_for(request)
        core.respond(key, request, 100, now)
        session = Session(
            id=core.new_token(),
            is_outgoing=False,
            state=SessionState.RECEIVED,
            invite=request,
            invite_key=key,
            flow=reply_flow(request, flow),
            local_tag=local_tag,
        )
        core.add(session)
        core.merged[merge_id(request)] = session.id
        core.events.append(IncomingCall(session.id, request, flow))

    def ring(self, session: Session, now: float) -> None:
        if session.state is SessionState.RECEIVED:
            self.provisional.ring(session, now)

    def answer(self, session: Session, body: bytes, now: float) -> None:
        """Take the call; `body` is our answer, or our offer when the INVITE had none."""
        core = self._core
        session.step(SessionEvent.ANSWER)
        self.provisional.over(session)
        if session.dialog is None:
            session.dialog = dialog_of_callee(session.invite, session.local_tag, session.flow)
            core.dialogs[session.dialog.id] = session.id
        self._send_2xx(session, session.invite_key, session.invite, body, now)

    def reject(self, session: Session, status: int, now: float, headers: Headers = ()) -> None:
        session.step(SessionEvent.REJECT)
        self.provisional.over(session)
        self._core.respond(
            session.invite_key,
            session.invite,
            status,
            now,
            to_tag=session.local_tag,
            headers=headers,
        )
        self._core.forget_if_ended(session)

    def _send_2xx(
        self, session: Session, key: Key, request: Request, body: bytes, now: float
    ) -> None:
        core = self._core
        session.local_body = body
        timer_headers = self._note_timer(session, request, now)
        response = response_to(
            request,
            200,
            to_tag=session.local_tag,
            headers=(
                *timer_headers,
                core.contact(session.flow),
                ("Allow", ALLOW),
                ("Supported", ", ".join(SUPPORTED)),
                ("Server", core.settings.product),
            ),
            body=body,
            content_type=SDP,
        )
        core.transactions.respond(key, response, now)
        timing = core.settings.timing
        session.unacknowledged = Unacknowledged(
            key, response, request.cseq.number, timing.t1, holds_offer=not request.body
        )
        core.timers.arm(("repeat", session.id), now + timing.t1)
        core.timers.arm(("no_ack", session.id), now + timing.lifetime)

    def _note_timer(self, session: Session, request: Request, now: float) -> Headers:
        """Start the session timer that this request asks for; the headers of its 2xx."""
        session.allows_update = request.has_option("Allow", "UPDATE")
        headers, interval = timer_answer(request)
        self._core.refreshed(session, interval, now)
        return headers

    def repeat_2xx(self, session: Session, now: float) -> None:
        """Timer: our 2xx is repeated over every transport until its ACK comes."""
        waiting = session.unacknowledged
        if waiting is None:
            return
        self._core.transactions.respond(waiting.key, waiting.response, now)
        waiting.interval_s = min(waiting.interval_s * 2, self._core.settings.timing.t2)
        self._core.timers.arm(("repeat", session.id), now + waiting.interval_s)

    def never_acknowledged(self, session: Session, now: float) -> None:
        """Timer: no ACK within 64*T1: end the call with BYE (clause 13.3.1.4)."""
        session.unacknowledged = None
        self._core.timers.disarm(("repeat", session.id))
        if session.allows(SessionEvent.HANG_UP):
            self._core.send_bye(session, now)
        self._core.end(session, EndCause.NO_ACK)

    def expired(self, session: Session, now: float) -> None:
        """Timer: the far end did not refresh the session (RFC 4028 clause 10)."""
        if session.allows(SessionEvent.HANG_UP):
            self._core.send_bye(session, now)
        self._core.end(session, EndCause.EXPIRED)

    def on_ack(self, request: Request) -> tuple[Session, bool] | None:
        """An ACK of a 2xx. Returns the session and whether a BYE waited for this."""
        core = self._core
        session = self._in_dialog(request)
        waiting = session.unacknowledged if session else None
        if session is None or waiting is None or waiting.cseq != request.cseq.number:
            return None
        session.unacknowledged = None
        for name in ("repeat", "no_ack"):
            core.timers.disarm((name, session.id))
        was_first = session.state is SessionState.ANSWERED
        if session.allows(SessionEvent.ACKNOWLEDGED):
            session.step(SessionEvent.ACKNOWLEDGED)
        if session.bye_is_wanted:
            return session, True
        if was_first:
            core.events.append(CallEstablished(session.id, request.body))
        elif waiting.holds_offer:
            core.events.append(AnswerReceived(session.id, request.body))
        return session, False

    def on_cancel(self, key: Key, request: Request, now: float) -> None:
        core = self._core
        invite_key = server_key(request, "INVITE")
        session = core.of_invite(invite_key)
        if core.transactions.find(invite_key) is None:
            core.respond(key, request, 481, now)
            return
        tag = session.local_tag if session else None
        core.respond(key, request, 200, now, to_tag=tag)
        if session is not None and session.state is SessionState.RECEIVED:
            self.reject(session, 487, now)
            core.end(session, EndCause.CANCELLED)

    # --- inside a dialog ------------------------------------------------------------------------

    def _in_dialog(self, request: Request) -> Session | None:
        dialog_id = (request.call_id, request.to.tag or "", request.from_.tag or "")
        return self._core.sessions.get(self._core.dialogs.get(dialog_id, ""))

    def on_dialog_request(self, key: Key, request: Request, flow: Flow, now: float) -> None:
        """BYE, INFO, UPDATE, OPTIONS or INVITE with a To tag."""
        core = self._core
        session = self._in_dialog(request)
        if session is None or session.dialog is None:
            core.respond(key, request, 481, now)
            return
        refusal = refusal_of(request)
        if refusal is not None and request.method != "BYE":
            core.respond(key, request, refusal[0], now, headers=refusal[1])
            return
        if not session.dialog.accept_cseq(request.cseq.number):
            core.respond(key, request, 500, now, headers=(("Retry-After", "1"),))
            return
        session.dialog.flow = session.flow = reply_flow(request, flow)
        match request.method:
            case "BYE":
                self._on_bye(session, key, request, now)
            case "PRACK":
                self.provisional.on_prack(session, key, request, now)
            case "REFER":
                on_refer(core, session, key, request, now)
            case "INFO":
                core.respond(key, request, 200, now)
                core.events.append(InfoReceived(session.id, request.content_type, request.body))
            case "INVITE" | "UPDATE":
                self._on_offer(session, key, request, now)
            case "OPTIONS":
                core.respond(key, request, 200, now, headers=(("Allow", ALLOW),))
            case _:
                core.respond(key, request, 405, now, headers=(("Allow", ALLOW),))

    def _on_bye(self, session: Session, key: Key, request: Request, now: float) -> None:
        core = self._core
        core.respond(key, request, 200, now)
        if session.pending_offer is not None:
            pending, session.pending_offer = session.pending_offer, None
            core.respond(pending.key, pending.request, 487, now)
        if session.state is SessionState.RECEIVED:  # an early dialog (clause 15.1.2)
            self.reject(session, 487, now)
        elif session.allows(SessionEvent.REMOTE_BYE):
            session.step(SessionEvent.REMOTE_BYE)
        core.end(session, EndCause.REMOTE, text=(request.get("Reason") or "")[:120])
        core.forget_if_ended(session)

    def _on_offer(self, session: Session, key: Key, request: Request, now: float) -> None:
        core = self._core
        if session.state is not SessionState.CONFIRMED or session.unacknowledged is not None:
            if session.state is SessionState.ANSWERED or session.unacknowledged is not None:
                core.respond(key, request, 491, now)
            elif session.state is SessionState.RECEIVED:
                core.respond(key, request, 500, now, headers=(("Retry-After", "2"),))
            else:
                core.respond(key, request, 481, now)
            return
        if session.pending_offer is not None:
            core.respond(key, request, 500, now, headers=(("Retry-After", "3"),))
            return
        if session.own_offer is not None:
            core.respond(key, request, 491, now)
            return
        if session.dialog is not None and request.contacts:
            session.dialog.target = target_of(request)
        if is_too_small(request):
            core.respond(key, request, 422, now, headers=(("Min-SE", str(MIN_SE_S)),))
            return
        if request.method == "UPDATE" and not request.body:
            headers = self._note_timer(session, request, now)
            core.respond(key, request, 200, now, headers=(*headers, core.contact(session.flow)))
            return
        if request.method == "INVITE":
            core.respond(key, request, 100, now)
        session.pending_offer = PendingOffer(key, request)
        core.events.append(OfferReceived(session.id, request.body))

    def accept_offer(self, session: Session, body: bytes, now: float) -> None:
        """Answer a re-INVITE or UPDATE; after an empty re-INVITE `body` is our offer."""
        pending, session.pending_offer = session.pending_offer, None
        if pending is None:
            raise LocalSipError("no_offer_pending", session=session.id)
        if pending.request.method == "INVITE":
            self._send_2xx(session, pending.key, pending.request, body, now)
            return
        session.local_body = body
        headers = self._note_timer(session, pending.request, now)
        self._core.respond(
            pending.key,
            pending.request,
            200,
            now,
            headers=(*headers, self._core.contact(session.flow)),
            body=body,
        )

    def refuse_offer(self, session: Session, status: int, now: float) -> None:
        pending, session.pending_offer = session.pending_offer, None
        if pending is not None:
            self._core.respond(pending.key, pending.request, status, now)


def refusal_of(request: Request) -> tuple[int, Headers] | None:
    """What is wrong with a request before anybody looks at who sent it (clause 8.2)."""
    if not isinstance(request.uri, SipUri):
        return 416, ()
    unknown = [tag for tag in request.options("Require") if tag.lower() not in SUPPORTED]
    if unknown:
        return 420, (("Unsupported", ", ".join(unknown)),)
    if request.method in ("INVITE", "UPDATE"):
        if request.get("Content-Encoding") not in (None, "identity"):
            return 415, (("Accept", SDP), ("Accept-Encoding", "identity"))
        if request.body and request.content_type != SDP:
            return 415, (("Accept", SDP),)
        try:
            if request.method == "INVITE" or request.get("Contact") is not None:
                target_of(request)
        except RemoteSipError:
            return 400, ()
    return None
