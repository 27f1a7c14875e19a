"""Taking packets in through C (c/intake.c): one system call for a batch."""

from __future__ import annotations

import ctypes
import socket

from ..errors import LocalMediaError
from .intake import BATCH, Datagram, DatagramKind, Intake
from .keys import SrtpKeys
from .native import SUITES

_NO_LEVEL = 127
_MAX_ADDRESSES = 64
_KINDS = tuple(DatagramKind)


class _Entry(ctypes.Structure):
    """`struct entry` of c/intake.c."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_uint32),
        ("kind", ctypes.c_uint8),
        ("level", ctypes.c_int8),
        ("address_size", ctypes.c_uint16),
        ("address", ctypes.c_uint8 * 28),
    )


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
        ctypes.POINTER(_Entry),
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
        self._entries = (_Entry * BATCH)()
        self._addresses: dict[bytes, tuple[str, int]] = {}
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
                    self._address(bytes(entry.address)[: entry.address_size]),
                    kind,
                    None if level == _NO_LEVEL else level,
                )
            )
        return found

    def _address(self, raw: bytes) -> tuple[str, int]:
        """Peers are few and stay the same: their addresses are written out once."""
        known = self._addresses.get(raw)
        if known is not None:
            return known
        if len(self._addresses) >= _MAX_ADDRESSES:
            self._addresses.clear()
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
        address = self._addresses[raw] = (host, port)
        return address
