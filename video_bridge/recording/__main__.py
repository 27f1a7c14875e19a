"""`python -m video_bridge.recording SOCKET`: the recorder process; SOCKET is a descriptor.

It ends when the node says so or is gone, and closes its segments first in both cases.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
import time
from pathlib import Path

import av

from ..errors import RemoteMediaError
from .live import Delayed, HlsOut, RtmpPush
from .recorder import Recorder
from .wire import Json, Kind, Parcel, Unpacker, pack_word

WAIT_S = 0.2
READ_SIZE = 1 << 18


def _wall_us() -> int:
    return time.time_ns() // 1000


class RecorderProcess:
    """Reads the socket until STOP or its end."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._out: Recorder | RtmpPush | None = None
        self._delayed: Delayed | None = None

    def run(self) -> None:
        self._socket.settimeout(WAIT_S)
        unpacker = Unpacker()
        while True:
            try:
                data = self._socket.recv(READ_SIZE)
            except TimeoutError:
                data = None
            except OSError:
                data = b""
            if data == b"":
                break
            if data and not self._take_all(list(unpacker.feed(data))):
                break
            self._tick()
        if self._out is not None:
            self._out.close()
        self._say({"event": "stopped"})

    def _take_all(self, parcels: list[Parcel]) -> bool:
        """False after STOP."""
        for parcel in parcels:
            if parcel.kind == Kind.STOP:
                return False
            if parcel.kind == Kind.CONFIG:
                self._configure(json.loads(parcel.body))
            elif self._delayed is not None:
                self._delayed.take(parcel)
        return True

    def _configure(self, config: Json) -> None:
        target, minimum = str(config["target"]), int(config["minimum_free_bytes"])
        now = _wall_us()
        out: Recorder | RtmpPush
        if config["mode"] == "rtmp":
            out = RtmpPush(target, self._say, now)
        elif config["mode"] == "hls":
            out = HlsOut(Path(target), self._say, now, minimum_free_bytes=minimum)
        else:
            out = Recorder(Path(target), self._say, now, minimum_free_bytes=minimum)
        self._out = out
        self._delayed = Delayed(out.take, round(float(config.get("delay_s", 0.0)) * 1e6))

    def _tick(self) -> None:
        now = _wall_us()
        if self._delayed is not None and self._out is not None:
            self._delayed.tick(now)
            self._out.tick(now)

    def _say(self, word: Json) -> None:
        """A node that is gone is told nothing; its end is seen by reading."""
        with contextlib.suppress(OSError):
            self._socket.settimeout(None)
            self._socket.sendall(pack_word(word))
            self._socket.settimeout(WAIT_S)


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the node decides
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    av.logging.set_level(av.logging.PANIC)
    try:
        RecorderProcess(socket.socket(fileno=int(sys.argv[1]))).run()
    except RemoteMediaError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
