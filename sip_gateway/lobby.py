"""The lobby: callers without a hall wait in a conference of their own until their PIN is right.

They hear the questions in Mandarin and English and read them in their picture. With the right PIN
their leg moves to the consultation by re-INVITE; nobody in it sees or hears them before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

import structlog

from video_bridge import NodeClient, VideoBridgeError
from video_bridge.messages import ConferenceClose, ConferenceOpen, OverlaySet

from .call import Call
from .locales import words_of
from .messages import CallState
from .pin_dialogue import Check, Dialogue, End, Say, Step
from .ports import Admission, Directory, Lobby

TICK_S = 0.5
_log = structlog.get_logger("sip_gateway.lobby")


class Calls(Protocol):
    """Whose calls wait here: SIP's or H.323's."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> object: ...
    def hang_up(self, leg_id: str) -> bool: ...


Move = Callable[[Call, Admission], Awaitable[bool]]


class Lobbies:
    """Give it every key that a room presses (`on_key`); others than those waiting are ignored."""

    def __init__(self, node: NodeClient, calls: Calls, directory: Directory, move: Move) -> None:
        self._node, self._calls, self._directory, self._move = node, calls, directory, move
        self._keys: dict[str, asyncio.Queue[str]] = {}  # of those waiting, by leg

    def on_key(self, leg_id: str, key: str) -> bool:
        """False when this leg waits in no lobby."""
        waiting = self._keys.get(leg_id)
        if waiting is None:
            return False
        waiting.put_nowait(key)
        return True

    async def open(self, call: Call, lobby: Lobby, caller: str) -> None:
        """Open the conference that this call waits in. Raises VideoBridgeError."""
        await self._node.send(ConferenceOpen(conference_id=call.conference_id, title=call.name))
        self._keys[call.leg_id] = asyncio.Queue()
        self._calls.spawn(self._run(call, lobby, caller))

    async def _run(self, call: Call, lobby: Lobby, caller: str) -> None:
        keys = self._keys[call.leg_id]
        try:
            while call.state not in (CallState.CONNECTED, CallState.ENDED):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            if not call.is_over:
                await self._ask(call, lobby, caller, keys)
        except VideoBridgeError as error:
            _log.info("lobby_broken", leg_id=call.leg_id, code=error.code)
            self._calls.hang_up(call.leg_id)
        finally:
            self._keys.pop(call.leg_id, None)
            with contextlib.suppress(VideoBridgeError):
                await self._node.send(ConferenceClose(conference_id=call.conference_id))

    async def _ask(self, call: Call, lobby: Lobby, caller: str, keys: asyncio.Queue[str]) -> None:
        now = asyncio.get_running_loop().time
        dialogue = Dialogue(lobby.number, needs_pin=lobby.needs_pin, now=now())
        step: Step | None = dialogue.question
        while not call.is_over:
            if isinstance(step, Check):
                admitted = await self._directory.enter(
                    call.account or "", caller, step.number, step.pin
                )
                if admitted is not None:
                    await self._enter(call, admitted)
                    return
                _log.warning("pin_wrong", leg_id=call.leg_id, caller=caller)
                step = dialogue.wrong(now())
            if step is not None:
                await self._say(call, step)
            if isinstance(step, End):
                self._calls.hang_up(call.leg_id)
                return
            step = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    step = dialogue.press(await keys.get(), now())
            step = step or dialogue.due(now())

    async def _say(self, call: Call, step: Say | End) -> None:
        """Spoken and shown; of an end the last word is waited for."""
        words = " / ".join(words_of(language, "lobby")[step.prompt] for language in ("zh", "en"))
        await self._node.send(OverlaySet(conference_id=call.conference_id, message=words[:120]))
        duration_s = await self._node.say(call.leg_id, step.prompt)
        if isinstance(step, End):
            await asyncio.sleep(duration_s)

    async def _enter(self, call: Call, admitted: Admission) -> None:
        if not await self._move(call, admitted):
            self._calls.hang_up(call.leg_id)
            return
        with contextlib.suppress(VideoBridgeError):
            await self._node.say(admitted.leg_id, "welcome")
