"""Transfer: REFER inside a call (RFC 3515) and INVITE with Replaces (RFC 3891)."""

from __future__ import annotations

from ..errors import RemoteSipError
from .core import Core
from .events import ReferReceived
from .header import param_of, parse_address, parse_params
from .message import Request
from .session import Session, SessionState
from .transaction import Key
from .uri import SipUri

SIPFRAG = "message/sipfrag;version=2.0"
_REASONS = {100: "Trying", 200: "OK", 403: "Forbidden", 404: "Not Found", 503: "Unavailable"}


def on_refer(core: Core, session: Session, key: Key, request: Request, now: float) -> None:
    """Take a REFER: 202 and the first NOTIFY, then the shell decides."""
    values = request.get_all("Refer-To")
    try:
        target = parse_address(values[0]).uri if len(values) == 1 else None
    except RemoteSipError:
        target = None
    if not isinstance(target, SipUri) or session.state is not SessionState.CONFIRMED:
        core.respond(key, request, 400 if target is None else 403, now)
        return
    core.respond(key, request, 202, now, headers=(core.contact(session.flow),))
    _notify(core, session, request.cseq.number, 100, now)
    core.events.append(ReferReceived(session.id, target, request.cseq.number))


def notify_refer(core: Core, session: Session, cseq: int, status: int, now: float) -> None:
    if session.state is SessionState.CONFIRMED:
        _notify(core, session, cseq, status, now)


def _notify(core: Core, session: Session, cseq: int, status: int, now: float) -> None:
    is_final = status >= 200
    state = "terminated;reason=noresource" if is_final else "active;expires=60"
    core.send_in_dialog(
        session,
        "NOTIFY",
        now,
        headers=(("Event", f"refer;id={cseq}"), ("Subscription-State", state)),
        body=f"SIP/2.0 {status} {_REASONS.get(status, 'Failed')}\r\n".encode(),
        content_type=SIPFRAG,
    )


def replaced_by(core: Core, request: Request) -> str | None:
    """Which session's place an INVITE takes: None without Replaces, "" when none matches.

    Raises RemoteSipError("replaces_malformed").
    """
    values = request.get_all("Replaces")
    if not values:
        return None
    call_id, semicolon, rest = values[0].partition(";")
    params = parse_params(semicolon + rest)
    ours, theirs = param_of(params, "to-tag"), param_of(params, "from-tag")
    if len(values) > 1 or not call_id.strip() or ours is None or theirs is None:
        raise RemoteSipError("replaces_malformed")
    session_id = core.dialogs.get((call_id.strip(), ours, theirs), "")
    session = core.sessions.get(session_id)
    is_up = session is not None and session.state is SessionState.CONFIRMED
    return session_id if is_up else ""
