"""The receivers of the fan-out benchmark: drain every socket, count, and open a sample of it."""

from __future__ import annotations

import select
import socket
import sys
import threading
import time
from typing import cast

from video_bridge.datapath import SrtpKeys, SrtpProfile, SrtpReceiver
from video_bridge.errors import RemoteMediaError
from video_bridge.rtp.packet import is_rtcp

from .network import FAR, configure_far_side, serve

_RECEIVE_BUFFER = 8 << 20


class Sink:
    """`count` sockets; the first one's packets are unprotected, so that junk does not count."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._by_fd: dict[int, socket.socket] = {}
        self._received = 0
        self._verified = 0
        self._refused = 0
        self._receiver: SrtpReceiver | None = None

    def answer(self, words: dict[str, object]) -> dict[str, object]:
        match words["do"]:
            case "network":
                configure_far_side()
            case "open":
                self._open(cast(int, words["count"]))
                return {"ports": [s.getsockname()[1] for s in self._sockets]}
            case "keys":
                self._receiver = SrtpReceiver(
                    SrtpKeys(
                        SrtpProfile.from_suite(str(words["suite"])),
                        bytes.fromhex(str(words["key"])),
                        bytes.fromhex(str(words["salt"])),
                    )
                )
            case "count":
                time.sleep(0.4)  # let the last packets come
                return {
                    "received": self._received,
                    "verified": self._verified,
                    "refused": self._refused,
                }
        return {}

    def _open(self, count: int) -> None:
        for _ in range(count):
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            sock.bind((FAR, 0))
            sock.setblocking(False)
            self._sockets.append(sock)
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        poll = select.epoll()
        for sock in self._sockets:
            self._by_fd[sock.fileno()] = sock
            poll.register(sock.fileno(), select.EPOLLIN)
        first = self._sockets[0]
        buffer = bytearray(2048)
        while True:
            for fd, _ in poll.poll():
                sock = self._by_fd[fd]
                try:
                    while True:
                        size = sock.recv_into(buffer)
                        if is_rtcp(bytes(buffer[:2])):
                            continue
                        self._received += 1
                        if sock is first:
                            self._open_sample(bytes(buffer[:size]))
                except BlockingIOError:
                    continue

    def _open_sample(self, packet: bytes) -> None:
        if self._receiver is None:
            return
        try:
            self._receiver.unprotect(packet)
            self._verified += 1
        except RemoteMediaError:
            self._refused += 1


if __name__ == "__main__":
    serve(Sink().answer)
    sys.exit(0)
