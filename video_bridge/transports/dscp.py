"""How our packets are marked, so that a private line can put sound first (RFC 2474, RFC 8837)."""

from __future__ import annotations

import contextlib
import re
import socket
from dataclasses import dataclass

from ..errors import LocalMediaError

EF, AF41 = 46, 34


def parse_dscp(text: str) -> int | None:
    """`EF`, `AF11` to `AF43`, `CS0` to `CS7` or 0 to 63; `off` gives None: sockets are left alone.

    Raises LocalMediaError `dscp_malformed`.
    """
    name = text.strip().upper()
    if name == "OFF":
        return None
    if name == "EF":
        return EF
    if match := re.fullmatch(r"AF([1-4])([1-3])", name):
        return 8 * int(match[1]) + 2 * int(match[2])  # RFC 2597 section 6
    if match := re.fullmatch(r"CS([0-7])", name):
        return 8 * int(match[1])
    if re.fullmatch(r"[0-9]{1,2}", name) and int(name) < 64:
        return int(name)
    raise LocalMediaError("dscp_malformed", dscp=text[:40])


@dataclass(frozen=True, slots=True)
class Marking:
    """Code points by media; None: not marked. What carries both is marked as video."""

    audio: int | None = EF
    video: int | None = AF41

    def apply(self, sock: socket.socket, *, is_audio: bool = False) -> None:
        """Mark what this socket sends, where the system lets us."""
        dscp = self.audio if is_audio else self.video
        if dscp is None:
            return
        with contextlib.suppress(OSError):
            if sock.family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)


DEFAULT_MARKING = Marking()
