"""A network in memory between two user agents: delay, loss, duplication and a fake clock."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from sip_gateway.sip.events import Event
from sip_gateway.sip.parser import StreamParser
from sip_gateway.sip.transaction import Flow
from sip_gateway.sip.useragent import UserAgent, UserAgentSettings

ADDRESSES = {"hall": ("10.0.0.1", 5060), "centre": ("10.0.0.2", 5060)}


def token(text: str) -> str:
    """Reproducible hex that looks random."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass
class Net:
    """Two agents, `hall` and `centre`. `react(name, event)` is called for each event."""

    seed: int = 0
    loss: float = 0.0
    duplication: float = 0.0
    delay_s: tuple[float, float] = (0.01, 0.03)
    transport: str = "udp"
    settings: UserAgentSettings = field(default_factory=UserAgentSettings)

    def __post_init__(self) -> None:
        self.now = 1000.0
        self.random = random.Random(self.seed)
        self.events: dict[str, list[Event]] = {"hall": [], "centre": []}
        self.sent: list[tuple[str, bytes]] = []
        self.react: Callable[[str, Event], None] = lambda name, event: None
        self.drop: Callable[[str, bytes], bool] = lambda name, data: False
        self._wire: list[tuple[float, int, str, bytes, str]] = []
        self._order = itertools.count()
        self._streams = {name: StreamParser() for name in ADDRESSES}
        self._last_arrival = dict.fromkeys(ADDRESSES, 0.0)
        self.agents = {name: self._agent(name) for name in ADDRESSES}

    def _agent(self, name: str) -> UserAgent:
        counter = itertools.count()
        return UserAgent(
            self.settings,
            local_address=lambda flow: ADDRESSES[name],
            new_token=lambda: token(f"{name}/{self.seed}/{next(counter)}"),
        )

    def flow_to(self, name: str) -> Flow:
        host, port = ADDRESSES[name]
        return Flow(self.transport, host, port)

    def flush(self) -> None:
        """Put what the agents want to send on the wire and give out their events."""
        again = True
        while again:
            again = False
            for name, agent in self.agents.items():
                for outgoing in agent.take_outgoing():
                    self._send(name, outgoing.data)
                for event in agent.take_events():
                    again = True
                    self.events[name].append(event)
                    self.react(name, event)

    def _send(self, sender: str, data: bytes) -> None:
        self.sent.append((sender, data))
        receiver = "centre" if sender == "hall" else "hall"
        copies = 1
        if self.transport == "udp":
            if self.drop(sender, data) or self.random.random() < self.loss:
                return
            copies += self.random.random() < self.duplication
        for _ in range(copies):
            at = self.now + self.random.uniform(*self.delay_s)
            if self.transport != "udp":  # a stream keeps its order
                at = max(at, self._last_arrival[receiver] + 1e-6)
                self._last_arrival[receiver] = at
            heapq.heappush(self._wire, (at, next(self._order), receiver, data, sender))

    def run(self, seconds: float) -> None:
        """Let the clock run, delivering and firing timers in order."""
        end = self.now + seconds
        self.flush()
        while True:
            dues = [agent.next_due() for agent in self.agents.values()]
            dues.append(self._wire[0][0] if self._wire else None)
            due = min((d for d in dues if d is not None), default=None)
            if due is None or due > end:
                self.now = end
                return
            self.now = max(self.now, due)
            while self._wire and self._wire[0][0] <= self.now:
                _, _, receiver, data, sender = heapq.heappop(self._wire)
                self._deliver(receiver, data, self.flow_to(sender))
            for agent in self.agents.values():
                agent.advance(self.now)
            self.flush()

    def _deliver(self, receiver: str, data: bytes, flow: Flow) -> None:
        agent = self.agents[receiver]
        if self.transport == "udp":
            agent.receive_datagram(data, flow, self.now)
            return
        for item in self._streams[receiver].feed(data):
            agent.receive(item, flow, self.now)  # type: ignore[arg-type]

    def of(self, name: str, kind: type) -> list:
        return [event for event in self.events[name] if isinstance(event, kind)]

    def lines(self, sender: str) -> list[str]:
        """Start lines of what an agent sent."""
        return [data.split(b"\r\n", 1)[0].decode() for who, data in self.sent if who == sender]
