"""The self-test number: a hall sees and hears itself and reads what is wrong.

The call enters a conference of its own with an echo in it. What arrives is judged every two
seconds, written into the picture and told as `self_test.done`, the last time when the call ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from video_bridge import LegKind, NodeClient, VideoBridgeError
from video_bridge.messages import (
    ConferenceClose,
    ConferenceOpen,
    LegAdd,
    LegStats,
    OverlaySet,
    StreamStats,
)

from .call import Call
from .locales import words_of
from .messages import Body, CallState, SelfTestDone

FIRST_JUDGED_S = 6.0
JUDGED_EVERY_S = 2.0
LONGEST_S = 300.0
QUIET_DBOV = -60
LEVELS = 3  # how many of the newest levels count
LOSS_PCT = 2.0
OLD_CODECS = ("H261", "H263", "H263-1998")
_log = structlog.get_logger("sip_gateway.self_test")


@dataclass(slots=True)
class Heard:
    """What the test has seen and heard so far; fed with one second's figures at a time."""

    has_video_line: bool = False
    pictures: bool = False
    packets: int = 0
    levels_dbov: deque[int] = field(default_factory=lambda: deque(maxlen=LEVELS))
    loss_pct: float = 0.0
    video: str = ""
    audio: str = ""
    old_codec: str = ""

    def take(self, leg: LegStats) -> None:
        video, audio = _incoming(leg, "video"), _incoming(leg, "audio")
        self.levels_dbov.append(-127 if leg.level_dbov is None else leg.level_dbov)
        self.loss_pct = max((one.loss_pct for one in (video, audio) if one), default=0.0)
        if audio is not None:
            self.packets, self.audio = audio.packets, audio.codec or ""
        if video is None:
            return
        self.has_video_line = True
        self.pictures = bool(video.frame_rate)
        codec = video.codec or ""
        self.old_codec = codec if codec in OLD_CODECS else ""
        self.video = f"{video.width}x{video.height} {codec}" if video.width else codec

    def findings(self) -> list[str]:
        """Codes of what is wrong, worst first; ["good"] when nothing is."""
        codes: list[str] = []
        if not self.has_video_line:
            codes.append("sound_only")
        elif not self.pictures:
            codes.append("no_picture")
        if self.packets == 0:
            codes.append("no_sound")
        elif max(self.levels_dbov, default=-127) < QUIET_DBOV:
            codes.append("quiet")
        if self.loss_pct >= LOSS_PCT:
            codes.append("loss")
        if self.old_codec:
            codes.append("old_codec")
        return codes if set(codes) - {"sound_only", "old_codec"} else ["good", *codes]


def _incoming(leg: LegStats, media: str) -> StreamStats | None:
    found = [one for one in leg.streams if one.media == media and one.direction == "in"]
    return found[0] if found else None


def _words(language: str) -> dict[str, str]:
    return words_of(language, "self_test")


def in_words(heard: Heard, contact: str, language: str = "zh") -> str:
    """The findings as the hall reads them, and whom to ring when something is wrong."""
    words, codes = _words(language), heard.findings()
    said = [words[code].format(loss=heard.loss_pct, codec=heard.old_codec) for code in codes]
    is_good = codes[0] == "good"
    ending = words["contact"].format(contact=contact) if contact and not is_good else ""
    joint = "；" if language == "zh" else "; "
    return joint.join(said) + ending


class House(Protocol):
    """What holds the calls of one protocol."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> object: ...
    def announce(self, body: Body) -> None: ...
    def hang_up(self, leg_id: str) -> bool: ...


class SelfTests:
    """`judge_after_s` is when the first verdict is given."""

    def __init__(
        self, node: NodeClient, calls: House, *, judge_after_s: float = FIRST_JUDGED_S
    ) -> None:
        self._node, self._calls = node, calls
        self._judge_after_s = judge_after_s

    async def open(self, call: Call, contact: str) -> None:
        """Open the conference that this call enters. Raises VideoBridgeError."""
        await self._node.send(ConferenceOpen(conference_id=call.conference_id, title=call.name))
        self._calls.spawn(self._run(call, contact))

    async def _run(self, call: Call, contact: str) -> None:
        heard = Heard()
        try:
            while call.state not in (CallState.CONNECTED, CallState.ENDED):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            if not call.is_over:
                await self._watch(call, heard, contact)
        except VideoBridgeError as error:
            _log.info("self_test_broken", leg_id=call.leg_id, code=error.code)
        finally:
            if heard.audio or heard.video:
                self._tell(call, heard, is_final=True)
            with contextlib.suppress(VideoBridgeError):
                await self._node.send(ConferenceClose(conference_id=call.conference_id))

    async def _watch(self, call: Call, heard: Heard, contact: str) -> None:
        await self._write(call, _words("zh")["begins"])
        await self._node.add_leg(
            LegAdd(
                conference_id=call.conference_id,
                leg_id=f"echo-{call.leg_id}"[:64],
                kind=LegKind.SYNTHETIC,
                name="echo",
                url="echo:",
            )
        )
        began, said = asyncio.get_running_loop().time(), ""
        while not call.is_over:
            await asyncio.sleep(min(JUDGED_EVERY_S, self._judge_after_s))
            snapshot = await self._node.stats(call.conference_id)
            legs = [leg for c in snapshot.conferences for leg in c.legs]
            for leg in legs:
                if leg.leg_id == call.leg_id:
                    heard.take(leg)
            elapsed = asyncio.get_running_loop().time() - began
            if elapsed < self._judge_after_s:
                continue
            if said != (said := in_words(heard, contact)):
                await self._write(call, said)
                self._tell(call, heard)
            if elapsed > LONGEST_S:
                self._calls.hang_up(call.leg_id)

    async def _write(self, call: Call, text: str) -> None:
        await self._node.send(OverlaySet(conference_id=call.conference_id, message=text[:120]))

    def _tell(self, call: Call, heard: Heard, *, is_final: bool = False) -> None:
        self._calls.announce(
            SelfTestDone(
                leg_id=call.leg_id,
                account=call.account or "",
                codes=heard.findings(),
                loss_pct=round(heard.loss_pct, 1),
                video=heard.video,
                audio=heard.audio,
                is_final=is_final,
            )
        )
