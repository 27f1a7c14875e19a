"""`python -m video_bridge.ingest.rtsp_process SOCKET MEMORY`: decodes one camera, as nobody.

A camera's bytes are the least trusted input there is, and FFmpeg has had holes: so they are parsed
in a process of their own that owns no files, may write none, and has no privileges. The URL comes
on stdin (it may hold a password); the arguments are the descriptors of socket and shared memory.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import signal
import socket
import sys
import threading
import time
from typing import Any

import av
import av.error
import numpy as np
from av.audio.resampler import AudioResampler
from av.codec.context import ThreadType

from ..errors import LocalMediaError
from .camera_wire import CODECS, SHOWN, SLOT_SIZE, SLOTS, Kind, check_camera_url, fitted_size, pack

NOBODY = 65534
MEMORY_LIMIT = 2 << 30
OPEN_TIMEOUT_S, READ_TIMEOUT_S = 5.0, 3.0
RETRY_PAUSES_S = (0.3, 0.7, 1.0, 2.0)
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
_OPTIONS = {
    "rtsp_transport": "tcp",
    "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls,udp",
    "codec_whitelist": ",".join(CODECS),
    "probesize": "500000",
    "analyzeduration": "700000",
    "fflags": "nobuffer",
    "flags": "low_delay",
    "max_delay": "0",
}


def lower_privileges() -> None:
    """Become nobody where we are root; limit memory, files and descriptors; die with the node."""
    os.chdir("/")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_AS, MEMORY_LIMIT),
    ):
        resource.setrlimit(limit, (value, value))


class Puller:
    """One camera, connected again and again until the node closes the socket."""

    def __init__(self, url: str, sock: socket.socket, memory: mmap.mmap) -> None:
        self._url = url
        self._socket = sock
        self._memory = np.frombuffer(memory, np.uint8)
        self._slot = 0
        self._is_shown = True
        self._skips_to_keyframe = False
        self._said_alive_at = 0.0

    def listen(self) -> None:
        """The node's bytes; its end is ours."""
        while True:
            try:
                said = self._socket.recv(64)
            except OSError:
                said = b""
            if not said:
                os._exit(0)
            is_shown = said[-1:] == SHOWN
            if is_shown and not self._is_shown:
                self._skips_to_keyframe = True
            self._is_shown = is_shown

    def run(self) -> None:
        failures = 0
        while True:
            began = time.monotonic()
            self._say("opening")
            try:
                self._pull()
                self._say("camera_ended")
            except LocalMediaError as error:
                self._say(error.code)
                if error.code == "camera_codec_refused":
                    return
            except (av.error.FFmpegError, OSError, ValueError) as error:
                self._say(_code(error))
            failures = 0 if time.monotonic() - began > 5 else failures + 1
            time.sleep(RETRY_PAUSES_S[min(failures, len(RETRY_PAUSES_S)) - 1])

    def _say(self, word: str) -> None:
        self._send(pack(Kind.STATE, word.encode()))

    def _say_alive(self) -> None:
        """Hidden, a camera sends no pictures; packets come all the same."""
        now = time.monotonic()
        if not self._is_shown and now - self._said_alive_at > 0.5:
            self._said_alive_at = now
            self._say("alive")

    def _send(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError:
            os._exit(0)

    def _pull(self) -> None:
        with av.open(
            self._url,
            format="rtsp",
            options=_OPTIONS,
            timeout=(OPEN_TIMEOUT_S, READ_TIMEOUT_S),
        ) as container:
            video = next(iter(container.streams.video), None)
            audio = next(iter(container.streams.audio), None)
            names = [s.codec_context.name for s in (video, audio) if s is not None]
            if not names or any(name not in CODECS for name in names):
                raise LocalMediaError("camera_codec_refused", codecs=names)
            if video is not None:
                video.codec_context.thread_type = ThreadType.SLICE
            self._say(f"connected {' '.join(names)}")
            resampler = AudioResampler(format="s16", layout="mono", rate=48_000)
            wanted = [s for s in (video, audio) if s is not None]
            for packet in container.demux(wanted):
                if packet.size == 0:
                    continue
                self._say_alive()
                if packet.stream is video:
                    self._take_video(packet)
                else:
                    self._take_audio(packet, resampler)

    def _take_video(self, packet: Any) -> None:
        if not self._is_shown:
            return
        if self._skips_to_keyframe:
            if not packet.is_keyframe:
                return
            self._skips_to_keyframe = False
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self._skips_to_keyframe = True
            return
        for frame in frames:
            width, height = fitted_size(frame.width, frame.height)
            small = frame.reformat(width=width, height=height, format="yuv420p")
            flat = small.to_ndarray().reshape(-1)
            start = self._slot * SLOT_SIZE
            self._memory[start : start + flat.size] = flat
            self._send(pack(Kind.PICTURE, slot=self._slot, width=width, height=height))
            self._slot = (self._slot + 1) % SLOTS

    def _take_audio(self, packet: Any, resampler: AudioResampler) -> None:
        try:
            for frame in packet.decode():
                for part in resampler.resample(frame):
                    self._send(pack(Kind.SOUND, part.to_ndarray().astype("<i2").tobytes()))
        except av.error.FFmpegError:
            return


def _code(error: Exception) -> str:
    """A stable word for what FFmpeg says."""
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return "camera_unauthorised"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "camera_not_found"
    return "camera_unreachable"


def main() -> int:
    url = check_camera_url(sys.stdin.readline().rstrip("\n"))
    av.logging.set_level(av.logging.PANIC)
    sock = socket.socket(fileno=int(sys.argv[1]))
    memory = mmap.mmap(int(sys.argv[2]), SLOT_SIZE * SLOTS)
    lower_privileges()
    puller = Puller(url, sock, memory)
    threading.Thread(target=puller.listen, daemon=True).start()
    puller.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
