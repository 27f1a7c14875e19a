"""The calling side of a user agent (RFC 3261 clauses 9.1, 13.2, 14.1, 15.1.1)."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import LocalSipError, RemoteSipError
from .core import ALLOW, MAX_ATTEMPTS, SDP, SUPPORTED, Awaited, Core
from .dialog import Dialog, dialog_of_caller
from .events import (
    AnswerReceived,
    CallAnswered,
    CallProgress,
    EndCause,
    OfferRefused,
)
from .header import Address
from .message import Headers, Request, Response
from .provisional import acknowledge_provisional
from .session import Session, SessionEvent, SessionState
from .session_timer import SESSION_EXPIRES_S, Refresher, offer_headers, retry_seconds, settled
from .transaction import Flow, Key
from .uri import SipUri

GONE = (408, 481)  # in a dialog: the far end does not know the call any more (clause 12.2.1.2)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom to call and as whom. `routes` are Route values (outbound proxy, registered Path)."""

    target: SipUri
    flow: Flow
    caller: Address
    callee: Address
    body: bytes
    routes: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = None
    headers: Headers = ()  # Replaces, Require ...


class Caller:
    """Sends INVITE, CANCEL, ACK, BYE, INFO and judges what comes back."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # --- starting ---------------------------------------------------------------------------

    def invite(self, session_id: str, invitation: Invitation, now: float) -> None:
        core, flow = self._core, invitation.flow
        local_tag = core.new_token()
        headers = [
            ("Via", str(core.via(flow))),
            ("Max-Forwards", "70"),
            *(("Route", route) for route in invitation.routes),
            ("From", str(invitation.caller.with_tag(local_tag))),
            ("To", str(invitation.callee)),
            ("Call-ID", core.new_token()),
            ("CSeq", "1 INVITE"),
            core.contact(flow),
            ("Allow", ALLOW),
            ("Supported", ", ".join(SUPPORTED)),
            *offer_headers(),
            *core.identity(),
            *invitation.headers,
            ("Content-Type", SDP),
        ]
        request = Request(tuple(headers), invitation.body, method="INVITE", uri=invitation.target)
        key = core.transactions.send_request(request, flow, now)
        core.add(
            Session(
                id=session_id,
                is_outgoing=True,
                state=SessionState.CALLING,
                invite=request,
                invite_key=key,
                flow=flow,
                local_tag=local_tag,
                username=invitation.username,
                password=invitation.password,
                local_body=invitation.body,
            )
        )

    def give_up(self, session: Session, now: float) -> None:
        """Stop an INVITE that is not answered yet; CANCEL has to wait for a provisional."""
        was_heard = session.state is SessionState.PROCEEDING
        session.step(SessionEvent.GIVE_UP)
        if was_heard:
            self._send_cancel(session, now)

    def _send_cancel(self, session: Session, now: float) -> None:
        core, invite = self._core, session.invite
        session.cancel_is_sent = True
        headers = [("Via", str(invite.top_via)), ("Max-Forwards", "70")]
        headers += [("Route", value) for value in invite.get_all("Route")]
        headers += [
            ("From", invite.get("From") or ""),
            ("To", invite.get("To") or ""),
            ("Call-ID", invite.call_id),
            ("CSeq", f"{invite.cseq.number} CANCEL"),
            *core.identity(),
        ]
        cancel = Request(tuple(headers), method="CANCEL", uri=invite.uri)
        core.transactions.send_request(cancel, session.flow, now)
        core.timers.arm(("cancel", session.id), now + core.settings.timing.lifetime)

    def cancel_unanswered(self, session: Session) -> None:
        """Timer: the far end answered CANCEL with silence (clause 9.1)."""
        if session.state is SessionState.CANCELLING:
            self._core.transactions.abandon(session.invite_key)
            session.step(SessionEvent.OVER)
            self._core.forget_if_ended(session)

    # --- what comes back ----------------------------------------------------------------------

    def on_response(self, key: Key, response: Response, now: float) -> None:
        session = self._core.of_invite(key)
        if session is not None and session.is_outgoing:
            self._on_invite_response(session, response, now)
            self._core.forget_if_ended(session)
            return
        awaited = self._core.awaited.get(key)
        if awaited is None:
            return
        if response.status >= 200 and not (
            awaited.request.method == "INVITE" and response.status < 300
        ):
            del self._core.awaited[key]  # a 2xx of re-INVITE may be repeated: keep it
        found = self._core.sessions.get(awaited.session_id)
        if found is not None and response.status >= 200:
            self._on_dialog_response(found, key, awaited, response, now)
            self._core.forget_if_ended(found)

    def _on_invite_response(self, session: Session, response: Response, now: float) -> None:
        core = self._core
        if response.status < 200:
            if not session.allows(SessionEvent.PROVISIONAL):
                return
            session.step(SessionEvent.PROVISIONAL)
            if session.state is SessionState.CANCELLING:
                if not session.cancel_is_sent:
                    self._send_cancel(session, now)
            elif response.status > 100:
                acknowledge_provisional(core, session, response, now)
                core.events.append(CallProgress(session.id, response.status, response.body))
        elif response.status < 300:
            self._on_taken(session, response, now)
        elif self._try_again(session, response, now):
            return
        elif session.allows(SessionEvent.REFUSED):
            session.step(SessionEvent.REFUSED)
            core.end(session, EndCause.REFUSED, response.status, response.reason[:120])

    def _try_again(self, session: Session, response: Response, now: float) -> bool:
        """Whether a refusal could be mended and the INVITE was sent anew."""
        if response.status in (401, 407):
            return self._try_credentials(session, response, now)
        return response.status == 422 and self._try_longer(session, response, now)

    def _try_credentials(self, session: Session, response: Response, now: float) -> bool:
        core = self._core
        if session.state not in (SessionState.CALLING, SessionState.PROCEEDING):
            return False
        again = core.with_credentials(session, session.invite, response, session.attempts)
        if again is None:
            return False
        self._invite_again(session, again, now)
        return True

    def _try_longer(self, session: Session, response: Response, now: float) -> bool:
        """422: the far end wants longer session intervals (RFC 4028 clause 7.3)."""
        core, invite = self._core, session.invite
        seconds = retry_seconds(response)
        waits = session.state in (SessionState.CALLING, SessionState.PROCEEDING)
        if seconds is None or not waits or session.attempts >= MAX_ATTEMPTS:
            return False
        longer = {
            **dict(offer_headers(max(seconds, SESSION_EXPIRES_S), seconds)),
            "Via": str(core.via(session.flow)),
            "CSeq": f"{invite.cseq.number + 1} INVITE",
        }
        headers = tuple((name, longer.get(name, value)) for name, value in invite.headers)
        again = Request(headers, invite.body, method="INVITE", uri=invite.uri)
        self._invite_again(session, again, now)
        return True

    def _invite_again(self, session: Session, again: Request, now: float) -> None:
        core = self._core
        session.attempts += 1
        core.by_invite.pop(session.invite_key, None)
        session.invite = again
        session.invite_key = core.transactions.send_request(again, session.flow, now)
        core.by_invite[session.invite_key] = session.id
        session.state = SessionState.CALLING

    def _on_taken(self, session: Session, response: Response, now: float) -> None:
        """A 2xx: the first makes the dialog, a repeated one is acknowledged again, and one of
        another fork is acknowledged and hung up (clause 13.2.2.4)."""
        core = self._core
        known = session.acks.get(_ack_id(response))
        if known is not None:
            core.transactions.send_stateless(known, session.flow)
            return
        try:
            dialog = dialog_of_caller(session.invite, response, session.flow)
        except RemoteSipError as error:
            if session.allows(SessionEvent.REFUSED):
                session.step(SessionEvent.REFUSED)
                core.end(session, EndCause.PROTOCOL, response.status, error.code)
            return
        self._acknowledge(session, dialog, session.invite, response)
        if session.dialog is None and session.allows(SessionEvent.TAKEN):
            session.dialog = dialog
            core.dialogs[dialog.id] = session.id
            early = session.early.get(dialog.remote.tag or "")
            if early is not None:
                dialog.local_cseq = max(dialog.local_cseq, early.local_cseq)
            session.step(SessionEvent.TAKEN)
            if session.state is SessionState.ENDING:
                core.timers.disarm(("cancel", session.id))
                core.send_bye(session, now)
            else:
                session.allows_update = response.has_option("Allow", "UPDATE")
                core.refreshed(session, settled(response), now)
                body = response.body or session.early_answer
                core.events.append(CallAnswered(session.id, body, session.flow))
        else:
            bye = dialog.request("BYE", core.via(dialog.flow), headers=core.identity())
            core.transactions.send_request(bye, dialog.flow, now)

    def _acknowledge(
        self, session: Session, dialog: Dialog, invite: Request, response: Response
    ) -> None:
        headers = tuple(
            item for item in invite.headers if item[0] in ("Authorization", "Proxy-Authorization")
        )
        ack = dialog.request(
            "ACK", self._core.via(dialog.flow), headers=headers, cseq=invite.cseq.number
        )
        session.acks[_ack_id(response)] = ack
        self._core.transactions.send_stateless(ack, dialog.flow)

    def on_failure(self, key: Key, now: float, *, is_timeout: bool) -> None:
        """No response at all: time-out or transport failure."""
        core = self._core
        cause = EndCause.TIMED_OUT if is_timeout else EndCause.TRANSPORT
        session = core.of_invite(key)
        if session is not None and session.is_outgoing:
            if session.allows(SessionEvent.REFUSED):
                session.step(SessionEvent.REFUSED)
                core.end(session, cause)
            core.forget_if_ended(session)
            return
        awaited = core.awaited.pop(key, None)
        found = core.sessions.get(awaited.session_id) if awaited else None
        if found is None or awaited is None:
            return
        if awaited.request.method == "BYE":
            if found.allows(SessionEvent.OVER):
                found.step(SessionEvent.OVER)
                if found.dialog is not None:
                    core.farewells.unheard(found.dialog, now)
        elif awaited.request.method in ("INVITE", "UPDATE"):
            found.own_offer = None
            self._lose(found, now, cause)
        core.forget_if_ended(found)

    def _lose(self, session: Session, now: float, cause: EndCause) -> None:
        """The far end is gone: say goodbye in case it hears, and end."""
        if session.allows(SessionEvent.HANG_UP):
            self._core.send_bye(session, now)
        self._core.end(session, cause)

    # --- inside the dialog ----------------------------------------------------------------------

    def offer(self, session: Session, body: bytes, now: float) -> None:
        """Send a re-INVITE; while another offer is under way it waits its turn."""
        core = self._core
        if session.state is not SessionState.CONFIRMED:
            raise LocalSipError("session_not_confirmed", state=session.state)
        if session.own_offer is not None or session.pending_offer is not None:
            session.retry_offer = body
            core.timers.arm(("glare", session.id), now + 1.0)
            return
        session.local_body = body
        session.own_offer = core.send_in_dialog(
            session,
            "INVITE",
            now,
            headers=(("Allow", ALLOW), ("Supported", "timer"), *_timer_headers(session)),
            body=body,
            content_type=SDP,
        )

    def refresh(self, session: Session, now: float) -> None:
        """Timer: half of the session interval is over and refreshing is our task."""
        if session.state is not SessionState.CONFIRMED:
            return
        if session.own_offer is not None or session.pending_offer is not None:
            self._core.timers.arm(("refresh", session.id), now + 2.0)
        elif session.allows_update:
            headers = (("Supported", "timer"), *_timer_headers(session))
            self._core.send_in_dialog(session, "UPDATE", now, headers=headers)
        else:
            self.offer(session, session.local_body, now)

    def retry_offer(self, session: Session, now: float) -> None:
        """Timer: try the offer again that glare or another offer kept back."""
        body, session.retry_offer = session.retry_offer, None
        if body is not None and session.state is SessionState.CONFIRMED:
            self.offer(session, body, now)

    def _on_dialog_response(
        self,
        session: Session,
        key: Key,
        awaited: Awaited,
        response: Response,
        now: float,
    ) -> None:
        core, method = self._core, awaited.request.method
        session.is_probe_answered = True
        if response.status in (401, 407):
            again = core.with_credentials(session, awaited.request, response, awaited.attempts)
            if again is not None and session.dialog is not None:
                fresh = core.transactions.send_request(again, session.dialog.flow, now)
                core.await_response(session, fresh, again, awaited.attempts + 1)
                if session.own_offer == key:
                    session.own_offer = fresh
                return
        if method == "BYE":
            if session.allows(SessionEvent.OVER):
                session.step(SessionEvent.OVER)
        elif method == "NOTIFY":
            return  # whoever asked for a transfer may have lost interest
        elif method == "INVITE":
            self._on_offer_response(session, key, awaited, response, now)
        elif method == "UPDATE" and response.status < 300:
            core.refreshed(session, settled(response), now)
        elif response.status in GONE and session.state is SessionState.CONFIRMED:
            self._lose(session, now, EndCause.REMOTE)
        elif method == "UPDATE":
            session.allows_update = False  # refresh by re-INVITE from now on
            core.timers.arm(("refresh", session.id), now + 2.0)

    def _on_offer_response(
        self, session: Session, key: Key, awaited: Awaited, response: Response, now: float
    ) -> None:
        core = self._core
        if response.status < 300:
            known = session.acks.get(_ack_id(response))
            if known is not None:
                core.transactions.send_stateless(known, session.flow)
                return
            if session.dialog is None:
                return
            self._acknowledge(session, session.dialog, awaited.request, response)
            contacts = response.contacts
            if contacts and isinstance(contacts[0].uri, SipUri):
                session.dialog.target = contacts[0].uri
            core.refreshed(session, settled(response), now)
            if session.own_offer == key:
                session.own_offer = None
                core.events.append(AnswerReceived(session.id, response.body))
            return
        if session.own_offer == key:
            session.own_offer = None
        if response.status == 491:
            session.retry_offer = awaited.request.body
            spread = int(core.new_token()[:4], 16) / 65_536
            # clause 14.1: the owner of the Call-ID waits longer
            wait = 2.1 + 1.9 * spread if session.is_outgoing else 2.0 * spread
            core.timers.arm(("glare", session.id), now + wait)
        elif response.status in GONE:
            self._lose(session, now, EndCause.REMOTE)
        else:
            core.events.append(OfferRefused(session.id, response.status))


def _timer_headers(session: Session) -> Headers:
    """The interval goes on as agreed, the same end refreshing it."""
    if session.interval is None:
        return ()
    who = "uac" if session.interval.refresher is Refresher.US else "uas"
    return (("Session-Expires", f"{session.interval.seconds};refresher={who}"),)


def _ack_id(response: Response) -> str:
    return f"{response.to.tag}/{response.cseq.number}"
