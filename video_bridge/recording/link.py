"""The node's end of a recorder process: starts it, feeds it, starts it again when it dies.

What it does not take in time is dropped and counted; the node never waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import sys
from collections.abc import Callable

from ..errors import RemoteMediaError
from . import wire
from .wire import Json, Kind

log = logging.getLogger(__name__)

MOST_WAITING = 6 << 20  # bytes: half a minute of a 720p programme
LITTLE_WAITING = 1 << 20
RESTART_PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)
STOP_WITHIN_S = 8.0


class RecorderLink:
    """`announce` and `send` at any time; words of the recorder go to `on_word`.

    Beside the recorder's own words there are `failed` with `recorder_died` or `recorder_behind`.
    """

    def __init__(self, config: Json, on_word: Callable[[Json], None]) -> None:
        self._config = config
        self._on_word = on_word
        self._writer: asyncio.StreamWriter | None = None
        self._streams: dict[int, Json] = {}
        self._is_stopping = False
        self._is_behind = False
        self.dropped = 0
        self.process_id: int | None = None
        self._task = asyncio.create_task(self._run())

    # --- feeding ------------------------------------------------------------------------------

    def announce(self, stream: int, said: Json) -> None:
        """What `stream` is from now on; told to every new process."""
        self._streams[stream] = said
        self._write(wire.pack_json(Kind.STREAM, said, stream))

    def end_stream(self, stream: int) -> None:
        if self._streams.pop(stream, None) is not None:
            self._write(wire.pack(Kind.STREAM_END, stream=stream))

    def send(self, parcel: bytes) -> None:
        """A picture or sound; dropped while the recorder is behind or away."""
        writer = self._writer
        if writer is None:
            self.dropped += 1
            return
        waiting = writer.transport.get_write_buffer_size()
        if waiting > (LITTLE_WAITING if self._is_behind else MOST_WAITING):
            self.dropped += 1
            if not self._is_behind:
                self._is_behind = True
                self._on_word({"event": "failed", "code": "recorder_behind"})
            return
        if self._is_behind:
            self._is_behind = False
            for stream in self._streams:
                self._on_word({"event": "key", "stream": stream})
            self._on_word({"event": "writing"})
        writer.write(parcel)

    def _write(self, data: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)

    # --- the process --------------------------------------------------------------------------

    async def _run(self) -> None:
        """One process after the other, until stopped."""
        failures = 0
        loop = asyncio.get_running_loop()
        while not self._is_stopping:
            began = loop.time()
            await self._run_once()
            if self._is_stopping:
                return
            log.warning("the recorder ended; starting it again")
            self._on_word({"event": "failed", "code": "recorder_died"})
            failures = 0 if loop.time() - began > 10 else failures + 1
            await asyncio.sleep(RESTART_PAUSES_S[min(failures, len(RESTART_PAUSES_S) - 1)])

    async def _run_once(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        process: asyncio.subprocess.Process | None = None
        try:
            ours.setblocking(False)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "video_bridge.recording", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
            )
            self.process_id = process.pid
            theirs.close()
            await self._speak(ours)
        except OSError as error:
            log.warning("recorder: %s", error)
        finally:
            self._writer = None
            self.process_id = None
            for sock in (ours, theirs):
                sock.close()
            if process is not None:
                await _end(process)

    async def _speak(self, sock: socket.socket) -> None:
        """Until the recorder ends."""
        reader, writer = await asyncio.open_connection(sock=sock)
        writer.write(wire.pack_json(Kind.CONFIG, self._config))
        for stream, said in self._streams.items():
            writer.write(wire.pack_json(Kind.STREAM, said, stream))
        self._writer = writer
        self._is_behind = False
        if self._is_stopping:
            self._write(wire.pack(Kind.STOP))
        for stream in self._streams:
            self._on_word({"event": "key", "stream": stream})
        try:
            while True:
                size = wire.word_size(await reader.readexactly(wire.WORD_HEAD))
                word = json.loads(await reader.readexactly(size))
                if word.get("event") == "stopped":
                    return
                self._on_word(word)
        except (asyncio.IncompleteReadError, ConnectionError, RemoteMediaError, ValueError):
            return
        finally:
            writer.close()

    async def stop(self) -> None:
        """Let it close its segments, and wait for that."""
        self._is_stopping = True
        self._write(wire.pack(Kind.STOP))
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await asyncio.shield(self._task)
        except TimeoutError:
            log.warning("the recorder does not end by itself")
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def _end(process: asyncio.subprocess.Process) -> None:
    """It ends once its socket is closed; one that does not is killed."""
    try:
        async with asyncio.timeout(STOP_WITHIN_S):
            await asyncio.shield(process.wait())
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
