"""Transfers: a room in a call asks to be taken to another consultation (REFER).

Nobody is dialled for it: the call stays, its leg moves to the conference the directory admits it
to, and a re-INVITE gives the room the new ports. INVITE with Replaces is judged in `dialling`.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace

import structlog

from video_bridge import VideoBridgeError

from .call import Call
from .calls import Calls
from .errors import LocalSipError
from .messages import CallResult, CallState
from .ports import Admission, Directory, Refusal
from .sip.events import ReferReceived
from .sip.offer_answer import reoffer

_log = structlog.get_logger("sip_gateway.transfers")


class Transfers:
    def __init__(self, calls: Calls, directory: Directory) -> None:
        self._calls, self._directory = calls, directory

    def refer(self, event: ReferReceived) -> None:
        call = self._calls.of_session(event.session_id)
        if call is not None:
            self._calls.spawn(self._refer_or_503(call, event))

    async def _refer_or_503(self, call: Call, event: ReferReceived) -> None:
        status = 503
        try:
            status = await self._refer(call, event.refer_to.user or "")
        finally:
            edge = self._calls.edge
            with contextlib.suppress(LocalSipError):  # hung up meanwhile
                edge.agent.notify_refer(event.session_id, event.cseq, status, edge.now())
            edge.pump()

    async def _refer(self, call: Call, number: str) -> int:
        """The status to tell. A call of nobody we know (a telephone) is not moved."""
        if call.account is None or call.state is not CallState.CONNECTED:
            return 403
        admitted = await self._directory.admit(call.account, number)
        if isinstance(admitted, Refusal):
            return admitted.sip_status
        if admitted.lobby is not None:
            return 403
        if call.is_over:
            return 503
        return 200 if await self.move(call, admitted) else 503

    async def move(self, call: Call, admitted: Admission) -> bool:
        """Bind the leg in the other conference, then let the old one go."""
        calls = self._calls
        previous, media = calls.local_of(call), call.local_media
        if previous is None or media is None:
            return False
        moved = replace(
            call,
            leg_id=admitted.leg_id,
            conference_id=admitted.conference_id,
            name=admitted.name,
            incoming=True,
            state=CallState.DIALLING,
            has_leg=False,
        )
        try:
            fresh = await calls.legs.add(moved, media.kinds())
        except VideoBridgeError as error:
            _log.info("not_moved", leg_id=call.leg_id, code=error.code)
            return False
        if call.is_over:
            calls.drop(moved)
            return False
        fresh = moved.local_media = replace(fresh, floor=media.floor)
        calls.hand_over(call, moved)
        offer = reoffer(previous, fresh, security=calls.security(moved))
        calls.offered(moved, offer)
        with contextlib.suppress(LocalSipError):
            calls.edge.agent.offer(moved.session_id, bytes(offer), calls.edge.now())
        calls.edge.pump()
        return True


def takes_place_of(calls: Calls, session_id: str, admitted: Admission) -> bool:
    """Whether a call that is to be replaced is in the conference the caller may enter."""
    old = calls.of_session(session_id)
    return old is not None and old.conference_id == admitted.conference_id


def give_way(calls: Calls, session_id: str) -> None:
    """The replacing call is up: the one it replaces is hung up (RFC 3891 clause 3)."""
    old = calls.of_session(session_id)
    if old is not None:
        calls.finish(old, CallResult.HUNG_UP)
