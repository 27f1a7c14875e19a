"""The transaction layer: runs the machines of `transaction.py` over messages and `now`.

Feed it messages (`receive`), timers (`advance`) and transport failures; it fills `outbox` with
bytes to send and returns `Upcall`s for the user agent above.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass

from .header import Via
from .message import Request, Response
from .timers import Timers
from .transaction import (
    FIRST_STATE,
    Action,
    Event,
    Flow,
    Key,
    Kind,
    State,
    Timing,
    Transaction,
    event_of_status,
    linger_s,
)

MAGIC_COOKIE = "z9hG4bK"
FORGET_EVERY_S = 0.5  # a transaction that lingers may do so a little longer


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Bytes for the shell to send over `flow`."""

    data: bytes
    flow: Flow
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """A new request; answer it with `respond(key, ...)`. ACKs of 2xx come with key None."""

    key: Key | None
    request: Request
    flow: Flow


@dataclass(frozen=True, slots=True)
class ResponseArrived:
    key: Key
    response: Response
    flow: Flow


@dataclass(frozen=True, slots=True)
class ClientTimedOut:
    key: Key


@dataclass(frozen=True, slots=True)
class TransactionBroke:
    """The transport failed under a transaction that still needed it."""

    key: Key


Upcall = RequestArrived | ResponseArrived | ClientTimedOut | TransactionBroke


def server_key(request: Request, method: str | None = None) -> Key:
    """What identifies a server transaction (RFC 3261 clause 17.2.3, RFC 2543 as fall-back)."""
    via = request.top_via
    method = method or ("INVITE" if request.method == "ACK" else request.method)
    if via.branch.startswith(MAGIC_COOKIE) and len(via.branch) > len(MAGIC_COOKIE):
        return ("s", via.branch, via.host.lower(), str(via.port or ""), method)
    return (
        "s2543",
        via.host.lower(),
        str(via.port or ""),
        request.call_id,
        str(request.cseq.number),
        request.from_.tag or "",
        method,
    )


class Transactions:
    """All transactions of one endpoint."""

    def __init__(self, timing: Timing | None = None) -> None:
        self.timing = timing or Timing()
        self.outbox: list[Outgoing] = []
        self._live: dict[Key, Transaction] = {}
        self._timers = Timers()

    def __len__(self) -> int:
        return len(self._live)

    def find(self, key: Key) -> Transaction | None:
        return self._live.get(key)

    # --- from the network ----------------------------------------------------------------

    def receive(self, message: Request | Response, flow: Flow, now: float) -> list[Upcall]:
        if isinstance(message, Response):
            return self._receive_response(message, flow, now)
        request = message.with_top_via(message.top_via.marked(flow.host, flow.port))
        key = server_key(request)
        transaction = self._live.get(key)
        if request.method == "ACK":
            if transaction is None or transaction.state is State.ACCEPTED:
                return [RequestArrived(None, request, flow)]
            return self._drive(transaction, Event.ACK, now)
        if transaction is not None:
            return self._drive(transaction, Event.REQUEST, now)
        kind = Kind.INVITE_SERVER if request.method == "INVITE" else Kind.SERVER
        self._live[key] = Transaction(
            key, kind, request, reply_flow(request, flow), FIRST_STATE[kind]
        )
        return [RequestArrived(key, request, flow)]

    def _receive_response(self, response: Response, flow: Flow, now: float) -> list[Upcall]:
        key = ("c", response.top_via.branch, response.cseq.method)
        transaction = self._live.get(key)
        if transaction is None:
            return []
        transaction.response = response
        return self._drive(transaction, event_of_status(response.status), now, flow)

    # --- from above ----------------------------------------------------------------------

    def send_request(self, request: Request, flow: Flow, now: float) -> Key:
        """Start a client transaction; the request's top Via holds its branch."""
        kind = Kind.INVITE_CLIENT if request.method == "INVITE" else Kind.CLIENT
        key = ("c", request.top_via.branch, request.method)
        transaction = Transaction(key, kind, request, flow, FIRST_STATE[kind])
        self._live[key] = transaction
        self._send(transaction)
        self._timers.arm((key, Event.GIVE_UP_DUE), now + self.timing.lifetime)
        if not flow.is_reliable:
            transaction.interval_s = self.timing.t1
            self._timers.arm((key, Event.RETRANSMIT_DUE), now + self.timing.t1)
        return key

    def respond(self, key: Key, response: Response, now: float) -> bool:
        """Send a response in a server transaction; False when it is gone or already final."""
        transaction = self._live.get(key)
        event = event_of_status(response.status)
        if transaction is None or transaction.is_client:
            return False
        if transaction.state is State.ACCEPTED:
            if event is not Event.SUCCESS:
                return False
        elif transaction.state not in (State.TRYING, State.PROCEEDING):
            return False
        transaction.response = response
        self._drive(transaction, event, now)
        return True

    def send_stateless(self, message: Request | Response, flow: Flow) -> None:
        """Send outside any transaction: ACK of a 2xx, 400 of what could not be parsed."""
        self.outbox.append(Outgoing(bytes(message), flow))

    def abandon(self, key: Key) -> None:
        """Forget a client transaction whose outcome nobody waits for."""
        transaction = self._live.get(key)
        if transaction is not None:
            self._end(transaction)

    # --- time and transports ---------------------------------------------------------------

    def next_due(self) -> float | None:
        return self._timers.next_due()

    def advance(self, now: float) -> list[Upcall]:
        """Run what is due."""
        upcalls: list[Upcall] = []
        while (due := self._timers.pop_due(now)) is not None:
            key, event = _timer(due)
            transaction = self._live.get(key)
            if transaction is not None:
                upcalls += self._drive(transaction, event, now)
        return upcalls

    def transport_failed(self, flow: Flow, now: float) -> list[Upcall]:
        """A connection broke or could not be opened, or ICMP says nobody is there."""
        upcalls: list[Upcall] = []
        for transaction in [t for t in self._live.values() if t.flow == flow]:
            upcalls += self._drive(transaction, Event.TRANSPORT_FAILED, now)
        return upcalls

    # --- the machine -----------------------------------------------------------------------

    def _drive(
        self, transaction: Transaction, event: Event, now: float, flow: Flow | None = None
    ) -> list[Upcall]:
        upcalls: list[Upcall] = []
        for action in transaction.step(event):
            self._act(transaction, action, now, flow, upcalls)
        if transaction.state is State.TERMINATED:
            self._end(transaction)
        return upcalls

    def _act(
        self,
        transaction: Transaction,
        action: Action,
        now: float,
        flow: Flow | None,
        upcalls: list[Upcall],
    ) -> None:
        key, timing = transaction.key, self.timing
        match action:
            case Action.PASS_UP:
                if transaction.is_client and transaction.response is not None:
                    upcalls.append(
                        ResponseArrived(key, transaction.response, flow or transaction.flow)
                    )
            case Action.SEND:
                self._send(transaction)
            case Action.SEND_ACK:
                self._send_ack(transaction)
            case Action.BACK_OFF | Action.BACK_OFF_T2 | Action.SLOW_DOWN:
                self._arm_retransmission(transaction, action, now)
            case Action.STOP_RETRANSMITTING:
                self._timers.disarm((key, Event.RETRANSMIT_DUE))
            case Action.STOP_GIVING_UP:
                self._timers.disarm((key, Event.GIVE_UP_DUE))
            case Action.ARM_GIVE_UP:
                self._timers.arm((key, Event.GIVE_UP_DUE), now + timing.lifetime)
            case Action.LINGER:
                wait = linger_s(
                    transaction.kind,
                    transaction.state,
                    timing,
                    is_reliable=transaction.flow.is_reliable,
                )
                # to be forgotten together: each alarm wakes the process
                due = math.ceil((now + wait) / FORGET_EVERY_S) * FORGET_EVERY_S
                self._timers.arm((key, Event.LINGER_DUE), due if wait else now)
            case Action.REPORT_TIMEOUT:
                upcalls.append(ClientTimedOut(key))
            case Action.REPORT_TRANSPORT:
                upcalls.append(TransactionBroke(key))

    def _arm_retransmission(self, transaction: Transaction, action: Action, now: float) -> None:
        if transaction.flow.is_reliable:
            return
        timing = self.timing
        if action is Action.SLOW_DOWN:
            transaction.interval_s = timing.t2
        elif transaction.interval_s == 0.0:
            transaction.interval_s = timing.t1
        else:
            transaction.interval_s *= 2
            if action is Action.BACK_OFF_T2:
                transaction.interval_s = min(transaction.interval_s, timing.t2)
        self._timers.arm((transaction.key, Event.RETRANSMIT_DUE), now + transaction.interval_s)

    def _send(self, transaction: Transaction) -> None:
        message = transaction.request if transaction.is_client else transaction.response
        if message is not None:
            self.outbox.append(Outgoing(bytes(message), transaction.flow, transaction.key))

    def _send_ack(self, transaction: Transaction) -> None:
        """ACK of a failure: the INVITE's top Via, Route and Request-URI, the response's To."""
        request, response = transaction.request, transaction.response
        if response is None:
            return
        headers = [("Via", str(request.top_via)), ("Max-Forwards", "70")]
        headers += [("Route", value) for value in request.get_all("Route")]
        headers += [
            ("From", request.get("From") or ""),
            ("To", response.get("To") or ""),
            ("Call-ID", request.call_id),
            ("CSeq", f"{request.cseq.number} ACK"),
        ]
        ack = Request(tuple(headers), method="ACK", uri=request.uri)
        self.outbox.append(Outgoing(bytes(ack), transaction.flow))

    def _end(self, transaction: Transaction) -> None:
        self._live.pop(transaction.key, None)
        for event in (Event.RETRANSMIT_DUE, Event.GIVE_UP_DUE, Event.LINGER_DUE):
            self._timers.disarm((transaction.key, event))


def _timer(key: Hashable) -> tuple[Key, Event]:
    if not (isinstance(key, tuple) and isinstance(key[1], Event)):
        raise TypeError(key)
    return key[0], key[1]


def reply_flow(request: Request, flow: Flow) -> Flow:
    """Where responses go: the connection, or by UDP to received and rport (RFC 3261 18.2.2)."""
    if flow.is_reliable:
        return flow
    via: Via = request.top_via
    port = flow.port if via.param("rport") is not None else via.port or 5060
    return Flow(flow.transport, flow.host, port)
