"""A network camera: its decoder process is started, watched and started again.

Whatever happens to that process happens to this leg alone. The camera is unreachable when no
picture comes, whether the network, the camera or the process is at fault.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import mmap
import os
import socket
import sys
from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .. import messages as m
from ..codecs.picture import Picture
from ..errors import LocalMediaError
from ..leg import Leg, Shown
from ..messages import CloseReason
from ..streams.rates import Rate
from .camera_wire import (
    HEADER,
    HIDDEN,
    MAX_HEIGHT,
    MAX_WIDTH,
    SHOWN,
    SLOT_SIZE,
    SLOTS,
    Kind,
    check_camera_url,
)

log = logging.getLogger(__name__)

UNREACHABLE = "camera_unreachable"
RESTART_PAUSES_S = (0.3, 1.0, 2.0, 4.0)
FROZEN_AFTER_S = 8.0  # a process from which nothing comes for so long is started anew
STARTS_WITHIN_S = 20.0  # before its first word: on a busy machine it starts slowly
FRAME_SAMPLES = 960
SOUND_AHEAD = 3 * FRAME_SAMPLES  # begin to play with 60 ms in hand
SOUND_MOST = 12 * FRAME_SAMPLES
MAX_BODY = 1 << 20
_serials = itertools.count(1)


class CameraMedia:
    """`leg.Media` of an rtsp leg."""

    has_picture = True

    def __init__(self, leg: Leg, url: str, end: Callable[[CloseReason, str], None]) -> None:
        """Raises LocalMediaError `camera_url_refused`."""
        self._url = check_camera_url(url)
        self._leg = leg
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._memory: NDArray[np.uint8] | None = None
        self._announced: tuple[int, int, int, int, float] | None = None  # serial, slot, w, h, at
        self._shown: Shown | None = None
        self._incoming: deque[NDArray[np.int16]] = deque(maxlen=100)
        self._sound: NDArray[np.int16] = np.zeros(0, np.int16)  # the audio thread's
        self._is_sounding = False
        self._is_shown = True
        self._codecs: list[str] = []
        self._writer: asyncio.StreamWriter | None = None
        self._last_word = UNREACHABLE
        self._steps: set[str] = set()
        self._frame_rate = Rate()
        self._pictures = 0
        self.processes_started = 0
        leg.watch.begin(self._loop.time())
        leg.watch.free_after_s = None
        self._task = asyncio.create_task(self._run())

    # --- the process --------------------------------------------------------------------------

    async def _run(self) -> None:
        """Until cancelled: one process after the other."""
        failures = 0
        while True:
            began = self._loop.time()
            await self._run_once()
            failures = 0 if self._loop.time() - began > 10 else failures + 1
            await asyncio.sleep(RESTART_PAUSES_S[min(failures, len(RESTART_PAUSES_S)) - 1])

    async def _run_once(self) -> None:
        memory_fd = os.memfd_create("camera", os.MFD_CLOEXEC)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        process: asyncio.subprocess.Process | None = None
        try:
            os.ftruncate(memory_fd, SLOT_SIZE * SLOTS)
            memory = mmap.mmap(memory_fd, SLOT_SIZE * SLOTS, prot=mmap.PROT_READ)
            self._memory = np.frombuffer(memory, np.uint8)
            process = await _start_process(theirs.fileno(), memory_fd, self._url)
            self.processes_started += 1
            theirs.close()
            await self._listen(ours)
        except OSError as error:
            log.warning("camera process of leg %s: %s", self._leg.leg_id, error)
        finally:
            self._writer = None
            for sock in (ours, theirs):
                sock.close()
            os.close(memory_fd)
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def _listen(self, sock: socket.socket) -> None:
        """Take announcements until the process ends or freezes."""
        sock.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=sock)
        self._writer = writer
        self._tell_shown()
        patience_s = STARTS_WITHIN_S
        try:
            while True:
                async with asyncio.timeout(patience_s):
                    head = await reader.readexactly(HEADER.size)
                patience_s = FROZEN_AFTER_S
                kind, slot, width, height, size = HEADER.unpack(head)
                if size > MAX_BODY:
                    return
                body = await reader.readexactly(size) if size else b""
                self._take(kind, slot, (width, height), body)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            return
        finally:
            writer.close()

    def _take(self, kind: int, slot: int, size: tuple[int, int], body: bytes) -> None:
        """One announcement; the process is not trusted, so neither are its numbers."""
        now = self._loop.time()
        if kind == Kind.PICTURE:
            width, height = size
            if slot >= SLOTS or not (2 <= width <= MAX_WIDTH and 2 <= height <= MAX_HEIGHT):
                return
            if width % 2 or height % 2:
                return
            self._announced = (next(_serials), slot, width, height, now)
            self._pictures += 1
            self._frame_rate.add(1, now)
            self._heard(now)
        elif kind == Kind.SOUND:
            self._incoming.append(np.frombuffer(body[: len(body) & ~1], "<i2").astype(np.int16))
            self._heard(now)
        elif kind == Kind.STATE:
            self._take_word(body.decode("ascii", "replace"))

    def _heard(self, now: float) -> None:
        self._leg.watch.heard(now)

    def _take_word(self, text: str) -> None:
        word, *codecs = text.split() or [UNREACHABLE]
        if word == "alive":
            self._heard(self._loop.time())
            return
        if word in ("opening", "connected"):
            if word not in self._steps:  # once each, or a camera that ends at once never times out
                self._steps.add(word)
                self._leg.watch.begin_anew(self._loop.time())
            if word == "connected":
                self._codecs = codecs[:2]
            return
        self._last_word = UNREACHABLE if word == "camera_ended" else word
        log.info("camera of leg %s: %s", self._leg.leg_id, word)
        if word == "camera_codec_refused":
            self._end(CloseReason.REJECTED, word)

    # --- Media --------------------------------------------------------------------------------

    def newest(self, now: float) -> Shown | None:
        """Copied out of the shared memory: the process writes on in other slots."""
        del now
        announced, memory = self._announced, self._memory
        if announced is None or memory is None:
            return self._shown
        serial, slot, width, height, at = announced
        if self._shown is None or self._shown.serial != serial:
            self._shown = Shown(_picture(memory, slot, width, height), serial, at)
        return self._shown

    def set_shown(self, is_shown: bool) -> None:
        if is_shown != self._is_shown:
            self._is_shown = is_shown
            self._tell_shown()

    def _tell_shown(self) -> None:
        if self._writer is not None:
            self._writer.write(SHOWN if self._is_shown else HIDDEN)

    def tick_audio(self, now: float) -> NDArray[np.int16] | None:
        """Begins with 60 ms in hand; what piles up beyond 240 ms is dropped."""
        del now
        while self._incoming:
            self._sound = np.concatenate((self._sound, self._incoming.popleft()))
        if len(self._sound) > SOUND_MOST:
            self._sound = self._sound[-SOUND_AHEAD:]
        if len(self._sound) < (FRAME_SAMPLES if self._is_sounding else SOUND_AHEAD):
            self._is_sounding = False
            return None
        self._is_sounding = True
        frame, self._sound = self._sound[:FRAME_SAMPLES], self._sound[FRAME_SAMPLES:]
        return frame

    def poll(self, now: float, unix_s: float) -> None:
        """Silence is told with the last thing known of the camera."""
        del now, unix_s
        self._leg.lost_detail = self._last_word

    def stats(self, now: float) -> list[m.StreamStats]:
        shown = self._shown
        names = {"hevc": "H265", "pcm_alaw": "PCMA", "pcm_mulaw": "PCMU", "aac": "AAC"}
        codecs = [names.get(codec, codec.upper()) for codec in self._codecs]
        found = [
            m.StreamStats(
                media="video",
                direction="in",
                codec=codecs[0] if codecs else None,
                packets=self._pictures,
                width=shown.picture.width if shown is not None else None,
                height=shown.picture.height if shown is not None else None,
                frame_rate=round(self._frame_rate.per_second(now), 1),
            )
        ]
        if len(codecs) > 1:
            found.append(m.StreamStats(media="audio", direction="in", codec=codecs[1]))
        return found

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def _start_process(sock_fd: int, memory_fd: int, url: str) -> asyncio.subprocess.Process:
    """The URL goes to its stdin: on the command line every user could read its password."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "video_bridge.ingest.rtsp_process", str(sock_fd), str(memory_fd)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        pass_fds=(sock_fd, memory_fd),
    )
    if process.stdin is None:
        raise LocalMediaError("camera_process_without_stdin")
    process.stdin.write(url.encode() + b"\n")
    process.stdin.close()
    return process


def _picture(memory: NDArray[np.uint8], slot: int, width: int, height: int) -> Picture:
    start = slot * SLOT_SIZE
    luma, chroma = width * height, width * height // 4
    flat = memory[start : start + luma + 2 * chroma].copy()
    half = (height // 2, width // 2)
    return Picture(
        flat[:luma].reshape(height, width),
        flat[luma : luma + chroma].reshape(half),
        flat[luma + chroma :].reshape(half),
    )
