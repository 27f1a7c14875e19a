"""The fan-out in C (c/fanout.c) behind the same interface as its Python twin."""

from __future__ import annotations

import ctypes
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import LocalMediaError
from .departures import NUMBER_AT, Log
from .fanout import HISTORY_BATCHES, Batch, Departure, Fanout, FanoutResult
from .keys import SrtpProfile
from .target import FanoutTarget, State

SUITES = {
    None: 0,
    SrtpProfile.AES_CM_128_HMAC_SHA1_80: 1,
    SrtpProfile.AES_CM_128_HMAC_SHA1_32: 2,
    SrtpProfile.AEAD_AES_128_GCM: 3,
    SrtpProfile.AEAD_AES_256_GCM: 4,
}
_MAX_PACKET = 1500
MAX_AUDIENCES = 4


class _Run(ctypes.Structure):
    """`struct run` of c/fanout.c."""

    _fields_ = (
        ("target", ctypes.c_void_p),
        ("first_extended", ctypes.c_uint64),
        ("timestamp", ctypes.c_uint32),
        ("ssrc", ctypes.c_uint32),
        ("payload_type", ctypes.c_uint8),
        ("marker_last", ctypes.c_uint8),
        ("failed", ctypes.c_uint16),
        ("first_number", ctypes.c_uint32),
    )


_POINTER, _INT, _BYTES = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
_RUNS = ctypes.POINTER(_Run)
_PAYLOADS, _SIZES = ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_int32)
_U32, _U64 = ctypes.c_uint32, ctypes.c_uint64
_PROTOTYPES: dict[str, tuple[object, list[object]]] = {
    "dp_target_new": (
        _POINTER,
        [_INT, _BYTES, _BYTES, _BYTES, _INT, ctypes.POINTER(State)],
    ),
    "dp_target_number": (None, [_POINTER, ctypes.POINTER(Log), _INT]),
    "dp_target_free": (None, [_POINTER]),
    "dp_target_move": (_INT, [_POINTER, _INT, _BYTES, _INT, _INT]),
    "dp_begin": (
        None,
        [ctypes.POINTER(_POINTER), _INT, _RUNS, _INT, _U64, _U32, _INT, _U64],
    ),
    "dp_find": (
        _INT,
        [_POINTER, _U32, _RUNS, ctypes.POINTER(_U64), ctypes.POINTER(_INT)],
    ),
    "dp_build": (_INT, [_RUNS, _INT, _INT, _BYTES, _INT, _BYTES]),
    "dp_retransmit": (_INT, [_POINTER, _RUNS, _INT, _INT, _BYTES, _INT, _BYTES]),
    "dp_send": (_INT, [_RUNS, _INT, _PAYLOADS, _SIZES, _INT, _INT, _INT]),
}


def declare(library: ctypes.CDLL) -> None:
    """Set the prototypes: without them pointers would be cut to 32 bits."""
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments


class NativeTarget:
    """The C side of one target; freed with it."""

    def __init__(self, library: ctypes.CDLL, target: FanoutTarget) -> None:
        """Raises LocalMediaError `datapath_target_refused`."""
        self._library = library
        self._state = target.state  # C writes into its memory
        keys = target.srtp
        self.pointer = library.dp_target_new(
            SUITES[keys.profile if keys else None],
            keys.master_key if keys else b"",
            keys.master_salt if keys else b"",
            target.extension,
            len(target.extension),
            ctypes.byref(target.state),
        )
        if not self.pointer:
            raise LocalMediaError("datapath_target_refused")
        self._departures = target.departures  # C writes into its memory, too
        if target.departures is not None:
            library.dp_target_number(self.pointer, target.departures.log, NUMBER_AT)
        self.follow(target.address)

    def __del__(self) -> None:
        if getattr(self, "pointer", None):
            self._library.dp_target_free(self.pointer)
            self.pointer = None

    def follow(self, address: tuple[str, int]) -> None:
        """Send to this address from now on. Raises LocalMediaError `address_not_numeric`."""
        host, _, zone = address[0].partition("%")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        scope = 0
        if zone:
            scope = int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
        if self._library.dp_target_move(self.pointer, family, host.encode(), address[1], scope):
            raise LocalMediaError("address_not_numeric", host=address[0])


class _NativeBatch:
    """A frame's payloads as C takes them."""

    def __init__(self, batch: Batch) -> None:
        self.count = len(batch.payloads)
        self.pointers = (ctypes.c_char_p * self.count)(*batch.payloads)
        self.sizes = (ctypes.c_int32 * self.count)(*map(len, batch.payloads))

    @classmethod
    def of(cls, batch: Batch) -> _NativeBatch:
        if not isinstance(batch.native, _NativeBatch):
            batch.native = cls(batch)
        return batch.native


@dataclass(frozen=True, slots=True)
class _Audience:
    """The same targets, time after time: their C sides are gathered once."""

    asked: list[FanoutTarget]
    closings: int  # of all targets, when it was gathered
    targets: list[FanoutTarget]
    pointers: ctypes.Array[ctypes.c_void_p]
    has_sender: bool


class _NativeDeparture(Departure):
    def __init__(
        self, fanout: NativeFanout, audience: _Audience, runs: ctypes.Array[_Run], batch: Batch
    ) -> None:
        super().__init__(fanout, len(batch.payloads))
        self._library = fanout.library
        self._targets, self._runs = audience.targets, runs
        self._has_sender = audience.has_sender
        self._closings = audience.closings
        self._batch = batch

    def _send_part(self, part: range) -> FanoutResult:
        if self._closings != FanoutTarget.closings:
            self._drop_closed()
        targets = self._targets
        if not targets:
            return FanoutResult(0, 0)
        if self._has_sender:
            failed = sum(
                not send_packet(self._library, target, run, self._batch, index)
                for target, run in zip(targets, self._runs, strict=True)
                for index in part
            )
            return FanoutResult(len(targets) * len(part) - failed, failed)
        native = _NativeBatch.of(self._batch)
        sent = self._library.dp_send(
            self._runs,
            len(targets),
            native.pointers,
            native.sizes,
            native.count,
            part.start,
            part.stop,
        )
        failed = len(targets) * len(part) - int(sent)
        if failed:
            for target, run in zip(targets, self._runs, strict=True):
                target.packets_failed += run.failed
        return FanoutResult(int(sent), failed)

    def _drop_closed(self) -> None:
        live = [
            (target, run)
            for target, run in zip(self._targets, self._runs, strict=True)
            if not target.is_closed
        ]
        self._closings = FanoutTarget.closings
        self._targets = [target for target, _ in live]
        self._runs = (_Run * len(live))(*(run for _, run in live))


class NativeFanout(Fanout):
    """One rung through the C datapath. ctypes lets go of the GIL while packets are sent."""

    datapath = "c"

    def __init__(self, library: ctypes.CDLL, history_batches: int = HISTORY_BATCHES) -> None:
        super().__init__(history_batches)
        self.library = library
        self._audiences: list[_Audience] = []

    def _native(self, target: FanoutTarget) -> NativeTarget:
        native = target.native
        if not isinstance(native, NativeTarget):
            native = target.native = NativeTarget(self.library, target)
        return native

    def _audience(self, targets: Iterable[FanoutTarget]) -> _Audience:
        asked = list(targets)
        for known in self._audiences:
            if known.closings == FanoutTarget.closings and known.asked == asked:
                return known
        live = [target for target in asked if not target.is_closed]
        made = _Audience(
            asked,
            FanoutTarget.closings,
            live,
            (ctypes.c_void_p * len(live))(*(self._native(target).pointer for target in live)),
            any(target.sender is not None for target in live),
        )
        if len(asked) > 1:  # one alone is gathered quickly, and may be one of many newcomers
            self._audiences = [made, *self._audiences[: MAX_AUDIENCES - 1]]
        return made

    def _begin(
        self,
        targets: Iterable[FanoutTarget],
        numbered: tuple[int, Batch],
        timestamp: int,
        marker_last: bool,
    ) -> Departure:
        number, batch = numbered
        audience = self._audience(targets)
        count = len(audience.targets)
        runs = (_Run * count)()
        self.library.dp_begin(
            audience.pointers,
            count,
            runs,
            len(batch.payloads),
            batch.octets,
            timestamp & 0xFFFFFFFF,
            marker_last,
            number,
        )
        return _NativeDeparture(self, audience, runs, batch)

    def resend(self, target: FanoutTarget, seqs: Iterable[int]) -> int:
        if target.is_closed or target.native is None:
            return 0
        pointer = self._native(target).pointer
        run, number, count = _Run(), ctypes.c_uint64(), ctypes.c_int()
        resent = 0
        for sequence in set(seqs):
            index = self.library.dp_find(pointer, sequence, run, number, count)
            batch = self._history.get(number.value) if index >= 0 else None
            if batch is None or len(batch.payloads) != count.value:
                continue
            if target.rtx is not None:
                resent += self._retransmit(target.rtx, run, batch, index)
            else:
                resent += send_packet(self.library, target, run, batch, index)
        self.packets_resent += resent
        return resent

    def _retransmit(self, rtx: FanoutTarget, run: _Run, batch: Batch, index: int) -> bool:
        if rtx.is_closed:
            return False
        payload, is_last = batch.payloads[index], index == len(batch.payloads) - 1
        pointer = self._native(rtx).pointer
        out = None if rtx.sender is None else ctypes.create_string_buffer(_MAX_PACKET)
        size = self.library.dp_retransmit(pointer, run, index, is_last, payload, len(payload), out)
        if size > 0 and rtx.sender is not None and out is not None:
            rtx.sender(out.raw[:size])
        rtx.packets_failed += size <= 0
        return bool(size > 0)


def send_packet(
    library: ctypes.CDLL, target: FanoutTarget, run: _Run, batch: Batch, index: int
) -> bool:
    """One packet by the socket, or built in C and carried by the target's own `sender`."""
    native = _NativeBatch.of(batch)
    if target.sender is None:
        sent = library.dp_send(
            ctypes.byref(run),
            1,
            native.pointers,
            native.sizes,
            native.count,
            index,
            index + 1,
        )
        target.packets_failed += 1 - sent
        return bool(sent)
    out = ctypes.create_string_buffer(_MAX_PACKET)
    payload, is_last = batch.payloads[index], index == native.count - 1
    size = library.dp_build(ctypes.byref(run), index, is_last, payload, len(payload), out)
    try:
        if size > 0:
            target.sender(out.raw[:size])
            return True
    except OSError:
        pass
    target.packets_failed += 1
    return False
