"""What the two sides of a user agent share: sessions, dialogs, timers, building of messages."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from .dialog import DialogId
from .digest import answer_challenge, best_challenge
from .events import CallEnded, EndCause, Event
from .farewell import Farewells
from .header import Address, Via
from .message import Headers, Request, Response, response_to
from .session import Session, SessionEvent, SessionState
from .session_timer import Interval, Refresher
from .timers import Timers
from .transaction import Flow, Key, Timing
from .transactions import MAGIC_COOKIE, Transactions
from .uri import SipUri, bracketed

SDP = "application/sdp"
ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, REGISTER"
SUPPORTED = ("timer", "100rel", "replaces")
MAX_ATTEMPTS = 3  # INVITEs of one call: the first, with credentials, with a fresh nonce


@dataclass(frozen=True, slots=True)
class UserAgentSettings:
    """`product` goes into Server and User-Agent; `sessions` is the most at one time."""

    product: str = "CommandCenter"
    user: str = "consultation"
    sessions: int = 2_000
    timing: Timing = field(default_factory=Timing)


@dataclass(frozen=True, slots=True)
class Awaited:
    """What a client transaction was started for."""

    session_id: str
    request: Request
    attempts: int = 1


def merge_id(request: Request) -> tuple[str, str, int]:
    """What two copies of one INVITE share that came by different ways (RFC 3261 8.2.2.2)."""
    return request.call_id, request.from_.tag or "", request.cseq.number


@dataclass(slots=True)
class Core:
    """`local_address(flow)` is what we are called on that path; `new_token()` fresh hex."""

    settings: UserAgentSettings
    local_address: Callable[[Flow], tuple[str, int]]
    new_token: Callable[[], str]
    transactions: Transactions
    sessions: dict[str, Session] = field(default_factory=dict)
    dialogs: dict[DialogId, str] = field(default_factory=dict)
    awaited: dict[Key, Awaited] = field(default_factory=dict)
    by_invite: dict[Key, str] = field(default_factory=dict)
    merged: dict[tuple[str, str, int], str] = field(default_factory=dict)
    tag_secret: bytes = b""
    timers: Timers = field(default_factory=Timers)
    events: list[Event] = field(default_factory=list)
    farewells: Farewells = field(default_factory=Farewells)

    def __post_init__(self) -> None:
        self.tag_secret = self.new_token().encode()

    # --- building ---------------------------------------------------------------------------

    def tag_for(self, request: Request) -> str:
        """Our To tag: the same for every request of one Call-ID and From tag.

        So a repeated 401 carries the tag of the 200 that followed it; peers exist that take the
        tag of whatever they received last.
        """
        text = f"{request.call_id} {request.from_.tag}".encode("utf-8", "surrogateescape")
        return hmac.digest(self.tag_secret, text, "sha256").hex()[:16]

    def via(self, flow: Flow) -> Via:
        host, port = self.local_address(flow)
        branch = f"{MAGIC_COOKIE}{self.new_token()}"
        return Via(flow.transport.upper(), host, port, (("branch", branch), ("rport", None)))

    def contact(self, flow: Flow) -> tuple[str, str]:
        host, port = self.local_address(flow)
        params = () if flow.transport == "udp" else (("transport", flow.transport),)
        return "Contact", str(Address(SipUri(bracketed(host), self.settings.user, port, params)))

    def identity(self) -> Headers:
        return (("User-Agent", self.settings.product),)

    def respond(
        self,
        key: Key,
        request: Request,
        status: int,
        now: float,
        *,
        to_tag: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
    ) -> None:
        """Answer a request in its transaction."""
        response = response_to(
            request,
            status,
            to_tag=to_tag or (self.tag_for(request) if status > 100 else None),
            headers=(*headers, ("Server", self.settings.product)),
            body=body,
            content_type=SDP if body else None,
        )
        self.transactions.respond(key, response, now)

    # --- sessions ---------------------------------------------------------------------------

    def add(self, session: Session) -> None:
        self.sessions[session.id] = session
        self.by_invite[session.invite_key] = session.id

    def of_invite(self, key: Key) -> Session | None:
        return self.sessions.get(self.by_invite.get(key, ""))

    def end(
        self, session: Session, cause: EndCause, status: int | None = None, text: str = ""
    ) -> None:
        """Tell the shell once that the call is over."""
        if not session.is_reported:
            session.is_reported = True
            self.events.append(CallEnded(session.id, cause, status, text))

    def forget_if_ended(self, session: Session) -> None:
        """Drop an ended session and everything that points at it."""
        if session.state is not SessionState.ENDED or session.id not in self.sessions:
            return
        del self.sessions[session.id]
        self.by_invite.pop(session.invite_key, None)
        self.merged.pop(merge_id(session.invite), None)
        for key in session.requests:
            self.awaited.pop(key, None)
        if session.dialog is not None:
            self.dialogs.pop(session.dialog.id, None)
        for name in ("repeat", "no_ack", "cancel", "glare", "refresh", "expire", "reliable"):
            self.timers.disarm((name, session.id))

    def send_in_dialog(
        self,
        session: Session,
        method: str,
        now: float,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Key | None:
        """Send a request inside the call's dialog; None when there is no dialog."""
        dialog = session.dialog
        if dialog is None:
            return None
        fields = (*headers, self.contact(dialog.flow), *self.identity())
        request = dialog.request(
            method,
            self.via(dialog.flow),
            headers=fields,
            body=body,
            content_type=content_type,
        )
        key = self.transactions.send_request(request, dialog.flow, now)
        self.await_response(session, key, request)
        return key

    def await_response(
        self, session: Session, key: Key, request: Request, attempts: int = 1
    ) -> None:
        self.awaited[key] = Awaited(session.id, request, attempts)
        session.requests.append(key)

    def refreshed(self, session: Session, interval: Interval | None, now: float) -> None:
        """A 2xx of INVITE or UPDATE passed: start the session timer anew."""
        session.interval = interval
        self.timers.disarm(("refresh", session.id))
        self.timers.disarm(("expire", session.id))
        if interval is not None:
            name = "refresh" if interval.refresher is Refresher.US else "expire"
            self.timers.arm((name, session.id), now + interval.due_s)

    def send_bye(self, session: Session, now: float) -> None:
        """End a confirmed call (or one just answered that nobody wants any more)."""
        if session.state is not SessionState.ENDING:
            session.step(SessionEvent.HANG_UP)
        self.send_in_dialog(session, "BYE", now)

    def heard_from(self, flow: Flow, now: float) -> None:
        """Something came by this flow: end what the far end could not be told had ended."""
        for dialog in self.farewells.due(flow, now):
            bye = dialog.request("BYE", self.via(flow), headers=self.identity())
            self.transactions.send_request(bye, flow, now)

    def with_credentials(
        self, session: Session, request: Request, response: Response, attempts: int
    ) -> Request | None:
        """The same request again with an answer to the challenge, None when we cannot."""
        challenge = best_challenge(response)
        username, password = session.username, session.password
        if challenge is None or username is None or password is None or attempts >= MAX_ATTEMPTS:
            return None
        had = request.get("Authorization") or request.get("Proxy-Authorization")
        if had is not None and not challenge.is_stale:
            return None  # our password was wrong: asking again changes nothing
        name, value = answer_challenge(
            challenge,
            username=username,
            password=password,
            method=request.method,
            uri=str(request.uri),
            cnonce=self.new_token(),
        )
        cseq = request.cseq.number + 1
        replaced = {
            "Via": str(self.via(session.dialog.flow if session.dialog else session.flow)),
            "CSeq": f"{cseq} {request.method}",
        }
        headers = [
            (key, replaced.get(key, old))
            for key, old in request.headers
            if key not in ("Authorization", "Proxy-Authorization")
        ]
        headers.insert(len(headers), (name, value))
        if session.dialog is not None:
            session.dialog.local_cseq = max(session.dialog.local_cseq, cseq)
        return Request(tuple(headers), request.body, method=request.method, uri=request.uri)
