"""The hub in C (c/hub.c) behind the same interface as its Python twin."""

from __future__ import annotations

import ctypes
import socket

from ..errors import LocalMediaError
from .hub import MAX_ENTRIES, Address, Arrival, Counters, Flow, Hub, Line, Mode, Peer
from .intake import DatagramKind
from .keys import SrtpKeys
from .native import SUITES
from .native_intake import NO_LEVEL, Addresses, Entry, address_bytes

_KINDS = tuple(DatagramKind)


class _Counters(ctypes.Structure):
    """`struct counters` of c/hub.c; reads like `hub.Counters`."""

    _fields_ = (
        ("ssrc", ctypes.c_uint32),
        ("starts", ctypes.c_uint32),
        ("base", ctypes.c_uint32),
        ("highest", ctypes.c_uint32),
        ("cycles", ctypes.c_uint32),
        ("frames", ctypes.c_uint32),
        ("received", ctypes.c_uint64),
        ("octets", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("kept_back", ctypes.c_uint64),
        ("jitter", ctypes.c_double),
        ("last_at", ctypes.c_double),
    )


_PROTOTYPES: dict[str, tuple[object, list[object]]] = {
    "dp_hub_new": (ctypes.c_void_p, []),
    "dp_hub_free": (None, [ctypes.c_void_p]),
    "dp_hub_fd": (ctypes.c_int, [ctypes.c_void_p]),
    "dp_hub_refused": (ctypes.c_uint64, [ctypes.c_void_p]),
    "dp_peer_new": (ctypes.c_void_p, []),
    "dp_peer_free": (None, [ctypes.c_void_p]),
    "dp_peer_keys": (
        ctypes.c_int,
        [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int],
    ),
    "dp_peer_flow": (
        ctypes.c_int,
        [
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_uint32,
            ctypes.c_int,
            ctypes.c_char_p,
        ],
    ),
    "dp_peer_mode": (None, [ctypes.c_void_p, ctypes.c_int, ctypes.c_int]),
    "dp_peer_counters": (ctypes.POINTER(_Counters), [ctypes.c_void_p, ctypes.c_int]),
    "dp_hub_watch": (
        ctypes.c_void_p,
        [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_uint32],
    ),
    "dp_hub_unwatch": (None, [ctypes.c_void_p, ctypes.c_void_p]),
    "dp_line_expect": (None, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]),
}


def declare(library: ctypes.CDLL) -> None:
    """Set the prototypes."""
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments


class NativePeer(Peer):
    """Freed when nobody holds it; its lines hold it."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self.pointer = library.dp_peer_new()
        if not self.pointer:
            raise LocalMediaError("datapath_peer_refused")
        self._counters: dict[int, Counters] = {}

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self._library.dp_peer_free(self.pointer)
            self.pointer = None

    def set_keys(self, keys: SrtpKeys | None, level_id: int = 0) -> None:
        if self._library.dp_peer_keys(
            self.pointer,
            SUITES[keys.profile if keys else None],
            keys.master_key if keys else b"",
            keys.master_salt if keys else b"",
            level_id,
        ):
            raise LocalMediaError("datapath_peer_refused")

    def set_flow(self, index: int, flow: Flow | None) -> None:
        if flow is None:
            self._library.dp_peer_flow(self.pointer, index, -1, 0, -1, None)
            return
        table = None
        if flow.quiet_codes is not None:
            table = bytes(code in flow.quiet_codes for code in range(256))
        self._library.dp_peer_flow(
            self.pointer, index, flow.payload_type, flow.clock_rate, flow.dtx_size, table
        )

    def set_mode(self, index: int, mode: Mode) -> None:
        self._library.dp_peer_mode(self.pointer, index, mode)

    def counters(self, index: int) -> Counters:
        found = self._counters.get(index)
        if found is None:
            view = self._library.dp_peer_counters(self.pointer, index).contents
            view.peer = self  # its memory is the peer's
            found = self._counters[index] = view
        return found


class NativeLine(Line):
    def __init__(self, library: ctypes.CDLL, pointer: int, peer: NativePeer) -> None:
        self._library, self.peer = library, peer
        self.pointer: int | None = pointer

    def expect(self, address: Address | None, *, anywhere: bool = False) -> None:
        raw = b"" if anywhere or address is None else address_bytes(address)
        is_expecting = anywhere or bool(raw)
        if self.pointer:
            self._library.dp_line_expect(self.pointer, raw, len(raw), is_expecting)


class NativeHub(Hub):
    """The C way. The GIL is kept while packets are read: to give it away costs more."""

    datapath = "c"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._pointer = library.dp_hub_new()
        if not self._pointer:
            raise LocalMediaError("datapath_hub_refused")
        self.fd = library.dp_hub_fd(self._pointer)
        self._entries = (Entry * MAX_ENTRIES)()
        self._taken = ctypes.c_int()
        self._addresses = Addresses()
        self._read = ctypes.PyDLL(library._name).dp_hub_read
        self._read.restype = ctypes.c_int
        self._read.argtypes = [
            ctypes.c_void_p,
            ctypes.POINTER(Entry),
            ctypes.POINTER(ctypes.c_int),
        ]

    def __del__(self) -> None:
        self.close()

    @property
    def packets_refused(self) -> int:
        return int(self._library.dp_hub_refused(self._pointer))

    def peer(self) -> NativePeer:
        return NativePeer(self._library)

    def watch(self, peer: Peer, sock: socket.socket, tag: int) -> NativeLine:
        if not isinstance(peer, NativePeer):
            raise LocalMediaError("datapath_mixed")
        pointer = self._library.dp_hub_watch(self._pointer, peer.pointer, sock.fileno(), tag)
        if not pointer:
            raise LocalMediaError("datapath_socket_refused")
        return NativeLine(self._library, pointer, peer)

    def unwatch(self, line: Line) -> None:
        if isinstance(line, NativeLine) and line.pointer and self._pointer:
            self._library.dp_hub_unwatch(self._pointer, line.pointer)
            line.pointer = None

    def read(self) -> tuple[list[Arrival], bool]:
        entries = self._entries
        count = self._read(self._pointer, entries, self._taken)
        found = []
        for index in range(count):
            entry = entries[index]
            level = entry.level
            found.append(
                Arrival(
                    ctypes.string_at(entry.data, entry.size),
                    self._addresses.text(bytes(entry.address)[: entry.address_size]),
                    _KINDS[entry.kind],
                    None if level == NO_LEVEL else level,
                    entry.tag,
                )
            )
        return found, self._taken.value > 0

    def close(self) -> None:
        if getattr(self, "_pointer", None):
            self._library.dp_hub_free(self._pointer)
            self._pointer = None
            self.fd = -1
