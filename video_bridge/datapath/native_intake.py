"""Taking packets in through C (c/intake.c): one system call for a batch."""

from __future__ import annotations

import ctypes
import socket
import sys

from ..errors import LocalMediaError
from .intake import BATCH, Datagram, DatagramKind, Intake
from .keys import SrtpKeys
from .native import SUITES

NO_LEVEL = 127
_MAX_ADDRESSES = 4096
_KINDS = tuple(DatagramKind)


class Entry(ctypes.Structure):
    """`struct entry` of c/intake.c."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_uint32),
        ("kind", ctypes.c_uint8),
        ("level", ctypes.c_int8),
        ("address_size", ctypes.c_uint16),
        ("address", ctypes.c_uint8 * 28),
        ("tag", ctypes.c_uint32),
    )


class Addresses:
    """Peers are few and stay the same: their addresses are written out once."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, int]] = {}

    def text(self, raw: bytes) -> tuple[str, int]:
        """A sockaddr_in or sockaddr_in6 as (host, port)."""
        known = self._known.get(raw)
        if known is not None:
            return known
        if len(self._known) >= _MAX_ADDRESSES:
            self._known.clear()
        if len(raw) < 8:
            return "", 0
        port = int.from_bytes(raw[2:4], "big")
        if len(raw) >= 28:
            host = socket.inet_ntop(socket.AF_INET6, raw[8:24])
            scope = int.from_bytes(raw[24:28], "little")
            if scope and raw[8:10] == b"\xfe\x80":
                host = f"{host}%{socket.if_indextoname(scope)}"
        else:
            host = socket.inet_ntop(socket.AF_INET, raw[4:8])
        address = self._known[raw] = (host, port)
        return address


def address_bytes(address: tuple[str, int]) -> bytes:
    """The address as the kernel writes it into a received packet's; empty for a scoped one."""
    host, port = address
    if ":" not in host:
        family = socket.AF_INET.to_bytes(2, sys.byteorder)
        return family + port.to_bytes(2, "big") + socket.inet_aton(host) + bytes(8)
    if "%" in host:
        return b""
    family = socket.AF_INET6.to_bytes(2, sys.byteorder)
    raw = socket.inet_pton(socket.AF_INET6, host)
    return family + port.to_bytes(2, "big") + bytes(4) + raw + bytes(4)


def declare(library: ctypes.CDLL) -> None:
    """Set the prototypes."""
    library.dp_intake_new.restype = ctypes.c_void_p
    library.dp_intake_new.argtypes = [
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_int,
    ]
    library.dp_intake_free.restype = None
    library.dp_intake_free.argtypes = [ctypes.c_void_p]
    library.dp_intake_read.restype = ctypes.c_int
    library.dp_intake_read.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.POINTER(Entry),
        ctypes.c_int,
    ]


class NativeIntake(Intake):
    """The C way; the GIL is free while the kernel and libcrypto work."""

    datapath = "c"

    def __init__(
        self,
        library: ctypes.CDLL,
        sock_fd: int,
        srtp: SrtpKeys | None = None,
        *,
        level_id: int = 0,
    ) -> None:
        self._library = library
        self._pointer: int | None = None
        self._entries = (Entry * BATCH)()
        self._addresses = Addresses()
        super().__init__(sock_fd, srtp, level_id=level_id)

    def __del__(self) -> None:
        if getattr(self, "_pointer", None):
            self._library.dp_intake_free(self._pointer)
            self._pointer = None

    def set_keys(self, srtp: SrtpKeys | None) -> None:
        """Raises LocalMediaError `datapath_intake_refused`."""
        made = self._library.dp_intake_new(
            SUITES[srtp.profile if srtp else None],
            srtp.master_key if srtp else b"",
            srtp.master_salt if srtp else b"",
            self.level_id,
        )
        if not made:
            raise LocalMediaError("datapath_intake_refused")
        if self._pointer:
            self._library.dp_intake_free(self._pointer)
        self._pointer = made

    def read(self) -> list[Datagram]:
        if self._fd < 0:
            return []
        entries = self._entries
        count = self._library.dp_intake_read(self._pointer, self._fd, entries, BATCH)
        found = []
        for index in range(count):
            entry = entries[index]
            kind = _KINDS[entry.kind]
            if kind is DatagramKind.REFUSED:
                self.packets_refused += 1
            level = entry.level
            found.append(
                Datagram(
                    ctypes.string_at(entry.data, entry.size),
                    self._addresses.text(bytes(entry.address)[: entry.address_size]),
                    kind,
                    None if level == NO_LEVEL else level,
                )
            )
        return found
