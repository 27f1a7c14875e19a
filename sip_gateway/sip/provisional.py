"""Reliable provisional responses (RFC 3262): 18x repeated until PRACK, and PRACK for theirs."""

from __future__ import annotations

import re

from ..errors import RemoteSipError
from .core import Core
from .dialog import dialog_of_callee, dialog_of_caller
from .message import Headers, Request, Response
from .session import ReliableProvisional, Session
from .transaction import Key

_RACK = re.compile(r"\s*(\d{1,10})\s+(\d{1,10})\s+([A-Z]+)\s*", re.ASCII)
MAX_EARLY_DIALOGS = 8  # forks of one call of ours that are acknowledged


class Provisional:
    """The called side. 180 is reliable where the caller requires it; it never carries SDP."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def ring(self, session: Session, now: float) -> None:
        headers: Headers = (self._core.contact(session.flow),)
        if session.invite.has_option("Require", "100rel"):
            number = int(self._core.new_token()[:7], 16) % 1_000_000 + 1
            headers = (*headers, ("Require", "100rel"), ("RSeq", str(number)))
            timing = self._core.settings.timing
            session.reliable = ReliableProvisional(
                number, headers, timing.t1, now + timing.lifetime
            )
            session.dialog = dialog_of_callee(session.invite, session.local_tag, session.flow)
            self._core.dialogs[session.dialog.id] = session.id
            self._core.timers.arm(("reliable", session.id), now + timing.t1)
        self._send(session, headers, now)

    def _send(self, session: Session, headers: Headers, now: float) -> None:
        self._core.respond(
            session.invite_key,
            session.invite,
            180,
            now,
            to_tag=session.local_tag,
            headers=headers,
        )

    def repeat(self, session: Session, now: float) -> bool:
        """Timer: once more; False when nobody acknowledged it for 64*T1."""
        waiting = session.reliable
        if waiting is None:
            return True
        if now >= waiting.gives_up_at:
            return False
        self._send(session, waiting.headers, now)
        waiting.interval_s *= 2
        due = min(now + waiting.interval_s, waiting.gives_up_at)
        self._core.timers.arm(("reliable", session.id), due)
        return True

    def over(self, session: Session) -> None:
        """A final response ends the repetition; a PRACK may still come."""
        self._core.timers.disarm(("reliable", session.id))

    def on_prack(self, session: Session, key: Key, request: Request, now: float) -> None:
        """200 for the PRACK of our 180, 481 for any other (clause 3)."""
        waiting, rack = session.reliable, _RACK.fullmatch(request.get("RAck") or "")
        if waiting is None or rack is None:
            self._core.respond(key, request, 400 if rack is None else 481, now)
            return
        told = (int(rack[1]), int(rack[2]), rack[3])
        if told != (waiting.number, session.invite.cseq.number, "INVITE"):
            self._core.respond(key, request, 481, now)
            return
        session.reliable = None
        self.over(session)
        self._core.respond(key, request, 200, now)


def acknowledge_provisional(core: Core, session: Session, response: Response, now: float) -> None:
    """PRACK a reliable 18x of theirs, once each and in order (clause 4); keep its answer."""
    number, tag = response.number("RSeq"), response.to.tag or ""
    if number is None or not tag or not response.has_option("Require", "100rel"):
        return
    last = session.early_numbers.get(tag)
    if last is not None and number != last + 1:
        return
    if tag not in session.early:
        if len(session.early) >= MAX_EARLY_DIALOGS:
            return
        try:
            session.early[tag] = dialog_of_caller(session.invite, response, session.flow)
        except RemoteSipError:
            return
    session.early_numbers[tag] = number
    session.early_answer = response.body or session.early_answer
    dialog = session.early[tag]
    headers = (
        ("RAck", f"{number} {session.invite.cseq.number} INVITE"),
        core.contact(dialog.flow),
        *core.identity(),
    )
    prack = dialog.request("PRACK", core.via(dialog.flow), headers=headers)
    core.transactions.send_request(prack, dialog.flow, now)
