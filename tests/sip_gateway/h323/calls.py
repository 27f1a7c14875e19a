"""Two H.323 calls of ours wired to each other, with every PDU kept for a dissector."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field
from pathlib import Path

from sip_gateway.h323 import call as c
from sip_gateway.h323.call import H323Call
from sip_gateway.h323.capability import MediaCapability
from sip_gateway.h323.h225 import Identity
from sip_gateway.h323.h235 import KeyExchange
from sip_gateway.h323.h245 import ControlSession
from sip_gateway.h323.tpkt import frame

ALAW = MediaCapability("audio", "PCMA")
H264 = MediaCapability("video", "H264", bitrate_bps=1_500_000)
SLIDES = MediaCapability("content", "H264", bitrate_bps=1_000_000)
MEDIA = (ALAW, H264, SLIDES)


@dataclass
class Wire:
    """Caller and callee; `log` holds (from caller?, on the H.245 connection?, TPKT frame)."""

    caller: H323Call
    callee: H323Call
    now: float = 0.0
    told: dict[str, list[c.CallEvent]] = field(default_factory=lambda: {"caller": [], "callee": []})
    log: list[tuple[bool, bool, bytes]] = field(default_factory=list)

    def settle(self) -> None:
        """Carry everything both ways until it is quiet; open the H.245 connection when asked."""
        for _ in range(100):
            self._take_events()
            moved = False
            for name, sender, receiver in (
                ("caller", self.caller, self.callee),
                ("callee", self.callee, self.caller),
            ):
                other = "callee" if name == "caller" else "caller"
                for pdu in sender.signalling():
                    moved = True
                    self.log.append((name == "caller", False, frame(pdu)))
                    self._told(other, receiver.receive(pdu, self.now))
                for pdu in sender.control():
                    moved = True
                    self.log.append((name == "caller", True, frame(pdu)))
                    self._told(other, receiver.receive_control(pdu, self.now))
            if not moved:
                return
        raise AssertionError("they never stop talking")

    def _take_events(self) -> None:
        self._told("caller", self.caller.events())
        self._told("callee", self.callee.events())

    def _told(self, who: str, events: list[c.CallEvent]) -> None:
        self.told[who] += events
        for event in events:
            if isinstance(event, c.ConnectControl):
                self.caller.control_connected()
                self.callee.control_connected()

    def kinds(self, who: str) -> list[str]:
        return [type(event).__name__ for event in self.told[who]]

    def last(self, who: str, kind: type) -> c.CallEvent:
        return next(event for event in reversed(self.told[who]) if isinstance(event, kind))

    def write_pcap(self, path: Path) -> None:
        """Signalling on port 1720, H.245 on port 11245, raw IPv4."""
        with path.open("wb") as out:
            out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
            sequence: dict[tuple[bool, bool], int] = {}
            for n, (from_caller, on_control, raw) in enumerate(self.log):
                server = 11245 if on_control else 1720
                ports = (40000, server) if from_caller else (server, 40000)
                key = (from_caller, on_control)
                number = sequence.get(key, 1)
                sequence[key] = number + len(raw)
                acknowledged = sequence.get((not from_caller, on_control), 1)
                tcp = struct.pack(
                    "!HHIIBBHHH", *ports, number, acknowledged, 5 << 4, 0x18, 65535, 0, 0
                )
                addresses = b"\x0a\0\0\x01\x0a\0\0\x02"
                if not from_caller:
                    addresses = addresses[4:] + addresses[:4]
                length = 20 + len(tcp) + len(raw)
                ip = struct.pack("!BBHHHBBH", 0x45, 0, length, n, 0, 64, 6, 0) + addresses
                packet = ip + tcp + raw
                out.write(struct.pack("<IIII", n, 0, len(packet), len(packet)) + packet)


def wire(*, caller_tunnels: bool = True, callee_tunnels: bool = True) -> Wire:
    numbers = iter(range(5, 10_000, 17))

    def made(name: str, kind: int, tunnels: bool) -> H323Call:
        control = ControlSession(
            MEDIA, content=True, terminal_type=kind, random24=lambda: next(numbers)
        )
        identity = Identity(name, "9000", is_mcu=kind > 100)
        return H323Call(identity, control, tunnelling=tunnels, control_address=("10.0.0.2", 11245))

    return Wire(made("省应急管理厅", 190, caller_tunnels), made("翁源县", 50, callee_tunnels))


def exchange(seed: int) -> KeyExchange:
    return KeyExchange(random.Random(seed).randbytes)


def connect(both: Wire, callee_keys: KeyExchange | None = None) -> None:
    """SETUP to CONNECT with ringing between."""
    both.caller.dial(
        number="440229",
        source=("10.0.0.1", 40000),
        target=("10.0.0.2", 1720),
        reference=4660,
        new_id=lambda: bytes(range(16)),
        now=both.now,
    )
    both.settle()
    if callee_keys is not None:
        both.callee.secure(callee_keys)
    both.callee.proceed(both.now)
    both.settle()
    both.callee.ring(both.now)
    both.settle()
    both.callee.answer(both.now)
    both.settle()
