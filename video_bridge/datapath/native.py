"""The fan-out in C (c/fanout.c) behind the same interface as its Python twin."""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Sequence

from ..errors import LocalMediaError
from .fanout import HISTORY_BATCHES, Fanout, Run
from .keys import SrtpProfile
from .target import FanoutTarget, SentRun

SUITES = {
    None: 0,
    SrtpProfile.AES_CM_128_HMAC_SHA1_80: 1,
    SrtpProfile.AES_CM_128_HMAC_SHA1_32: 2,
    SrtpProfile.AEAD_AES_128_GCM: 3,
    SrtpProfile.AEAD_AES_256_GCM: 4,
}
_MAX_PACKET = 1500


class _Run(ctypes.Structure):
    """`struct run` of c/fanout.c."""

    _fields_ = (
        ("target", ctypes.c_void_p),
        ("first_extended", ctypes.c_uint64),
        ("timestamp", ctypes.c_uint32),
        ("ssrc", ctypes.c_uint32),
        ("fd", ctypes.c_int32),
        ("payload_type", ctypes.c_uint8),
        ("marker_last", ctypes.c_uint8),
        ("failed", ctypes.c_uint16),
    )


def declare(library: ctypes.CDLL) -> None:
    """Set the prototypes: without them pointers would be cut to 32 bits."""
    runs, byte_strings = ctypes.POINTER(_Run), ctypes.POINTER(ctypes.c_char_p)
    integers = ctypes.POINTER(ctypes.c_int32)
    library.dp_target_new.restype = ctypes.c_void_p
    library.dp_target_new.argtypes = [
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_int,
    ]
    library.dp_target_free.restype = None
    library.dp_target_free.argtypes = [ctypes.c_void_p]
    library.dp_target_move.restype = ctypes.c_int
    library.dp_target_move.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_int,
    ]
    library.dp_build.restype = ctypes.c_int
    library.dp_build.argtypes = [
        runs,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.c_char_p,
    ]
    library.dp_send.restype = ctypes.c_int
    library.dp_send.argtypes = [
        runs,
        ctypes.c_int,
        byte_strings,
        integers,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
    ]


class NativeTarget:
    """The C side of one target; freed with it."""

    def __init__(self, library: ctypes.CDLL, target: FanoutTarget) -> None:
        """Raises LocalMediaError `datapath_target_refused`."""
        self._library = library
        keys = target.srtp
        self.pointer = library.dp_target_new(
            SUITES[keys.profile if keys else None],
            keys.master_key if keys else b"",
            keys.master_salt if keys else b"",
            target.extension,
            len(target.extension),
        )
        if not self.pointer:
            raise LocalMediaError("datapath_target_refused")
        self._address: tuple[str, int] | None = None

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self._library.dp_target_free(self.pointer)
            self.pointer = None

    def follow(self, address: tuple[str, int]) -> None:
        """Take over the target's address when it has changed."""
        if address == self._address:
            return
        host, _, zone = address[0].partition("%")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        scope = 0
        if zone:
            scope = int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
        if self._library.dp_target_move(self.pointer, family, host.encode(), address[1], scope):
            raise LocalMediaError("address_not_numeric", host=address[0])
        self._address = address


class NativeFanout(Fanout):
    """One rung through the C datapath. ctypes lets go of the GIL while packets are sent."""

    datapath = "c"

    def __init__(self, library: ctypes.CDLL, history_batches: int = HISTORY_BATCHES) -> None:
        super().__init__(history_batches)
        self._library = library

    def _native(self, target: FanoutTarget) -> NativeTarget:
        native = target.native
        if not isinstance(native, NativeTarget):
            native = target.native = NativeTarget(self._library, target)
        native.follow(target.address)
        return native

    def _fill(self, slot: _Run, target: FanoutTarget, run: SentRun) -> None:
        slot.target = self._native(target).pointer
        slot.first_extended = run.first_extended
        slot.timestamp = run.timestamp
        slot.ssrc = target.ssrc
        slot.fd = target.socket.fileno() if target.socket is not None else -1
        slot.payload_type = run.payload_type
        slot.marker_last = run.marker_last

    def _send_runs(self, runs: Sequence[Run], payloads: Sequence[bytes], part: range) -> int:
        direct = [pair for pair in runs if pair[0].sender is None]
        failed = self._send_direct(direct, payloads, part) if direct else 0
        for target, run in runs:
            if target.sender is not None:
                for index in part:
                    failed += not self._send_by(target, run, payloads, index)
        return failed

    def _send_direct(self, runs: Sequence[Run], payloads: Sequence[bytes], part: range) -> int:
        count = len(payloads)
        slots = (_Run * len(runs))()
        for slot, (target, run) in zip(slots, runs, strict=True):
            self._fill(slot, target, run)
        pointers = (ctypes.c_char_p * count)(*payloads)
        sizes = (ctypes.c_int32 * count)(*map(len, payloads))
        sent = self._library.dp_send(
            slots, len(runs), pointers, sizes, count, part.start, part.stop
        )
        failed = len(runs) * len(part) - int(sent)
        if failed:
            for slot, (target, _) in zip(slots, runs, strict=True):
                target.packets_failed += slot.failed
        return failed

    def _send_again(
        self, target: FanoutTarget, run: SentRun, payloads: Sequence[bytes], index: int
    ) -> int:
        if target.sender is not None:
            return int(self._send_by(target, run, payloads, index))
        return 1 - self._send_direct([(target, run)], payloads, range(index, index + 1))

    def _send_by(
        self, target: FanoutTarget, run: SentRun, payloads: Sequence[bytes], index: int
    ) -> bool:
        """Build the packet in C and let the target's own `sender` carry it."""
        slot = _Run()
        self._fill(slot, target, run)
        out = ctypes.create_string_buffer(_MAX_PACKET)
        payload = payloads[index]
        size = self._library.dp_build(
            ctypes.byref(slot), index, index == run.count - 1, payload, len(payload), out
        )
        try:
            if size > 0 and target.sender is not None:
                target.sender(out.raw[:size])
                return True
        except OSError:
            pass
        target.packets_failed += 1
        return False
