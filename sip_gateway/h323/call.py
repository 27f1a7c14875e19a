"""One H.323 call: H.225.0 signalling around an H.245 session, tunnelled or on its own connection.

Sans-IO. Feed `receive` with TPKT payloads of the signalling connection and `receive_control` with
those of a separate H.245 connection; take `signalling` and `control` PDUs to send; ask `deadline`
when to call `poll`. States follow Q.931 5.1 and 5.2; T303, T310, T301 are H.225.0 clause 7.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from . import fast_start, h225
from . import h245_events as ev
from .errors import LocalH323Error, RemoteH323Error
from .fast_start import Proposal
from .h225 import Address, CallIds, Identity
from .h235 import KeyExchange
from .h245 import ControlSession
from .h460 import Role, media_feature, role_towards
from .q931 import MessageType, Q931Message

Value = Any
T303_S, T310_S, T301_S = 8.0, 60.0, 180.0


class CallState(Enum):
    """Q.931 call states; values are the numbers of clause 4.5.7 for STATUS."""

    NULL = 0
    CALL_INITIATED = 1
    OUTGOING_PROCEEDING = 3
    CALL_DELIVERED = 4
    CALL_PRESENT = 6
    CALL_RECEIVED = 7
    INCOMING_PROCEEDING = 9
    ACTIVE = 10
    RELEASED = 11


S, M = CallState, MessageType

# What a peer may send in each state, and the state it leads to. FACILITY, STATUS, STATUS ENQUIRY,
# PROGRESS, NOTIFY and INFORMATION change no state; RELEASE COMPLETE ends the call from anywhere.
RECEIVED: dict[CallState, dict[MessageType, CallState]] = {
    S.CALL_INITIATED: {
        M.CALL_PROCEEDING: S.OUTGOING_PROCEEDING,
        M.ALERTING: S.CALL_DELIVERED,
        M.CONNECT: S.ACTIVE,
    },
    S.OUTGOING_PROCEEDING: {M.ALERTING: S.CALL_DELIVERED, M.CONNECT: S.ACTIVE},
    S.CALL_DELIVERED: {M.ALERTING: S.CALL_DELIVERED, M.CONNECT: S.ACTIVE},
    S.NULL: {M.SETUP: S.CALL_PRESENT},
}
STATELESS = {M.FACILITY, M.STATUS, M.STATUS_ENQUIRY, M.PROGRESS, M.NOTIFY, M.INFORMATION}
LIMITS_S = {
    S.CALL_INITIATED: T303_S,
    S.OUTGOING_PROCEEDING: T310_S,
    S.CALL_DELIVERED: T301_S,
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A peer calls. Answer with `proceed`, `ring`, `answer` or `release`."""

    caller_name: str
    dialled: str
    proposals: tuple[Proposal, ...] = ()  # fast start: `answer` may take some


@dataclass(frozen=True, slots=True)
class Fetched:
    """A traversal client's connection, for the call that it was told of (H.460.18)."""

    call_id: bytes


@dataclass(frozen=True, slots=True)
class Ringing:
    pass


@dataclass(frozen=True, slots=True)
class Connected:
    pass


@dataclass(frozen=True, slots=True)
class ConnectControl:
    """Open a TCP connection for H.245 to this address and feed `receive_control`."""

    address: Address


@dataclass(frozen=True, slots=True)
class Released:
    """The call is over. `by_us` tells who said so; `reason` is H.225.0's or a timer's name."""

    reason: str
    cause: int | None
    by_us: bool


CallEvent = Incoming | Fetched | Ringing | Connected | ConnectControl | Released | ev.ControlEvent


class H323Call:
    """A call from either side.

    `tunnelling` offers H.245 inside H.225.0; without it, or when the peer lacks it, H.245 runs on a
    connection of its own to `control_address`, where the owner of the called side listens.
    """

    def __init__(
        self,
        identity: Identity,
        control: ControlSession,
        *,
        tunnelling: bool = True,
        control_address: Address | None = None,
    ) -> None:
        self.state = CallState.NULL
        self.control_session = control
        self._identity = identity
        self._tunnelling = tunnelling
        self._control_address = control_address
        self._ids: CallIds | None = None
        self._signalling: list[bytes] = []
        self._events: list[CallEvent] = []
        self._since = 0.0
        self._control_started = False
        self._proposed: tuple[Proposal, ...] = ()
        self._exchange: KeyExchange | None = None
        self._offered_tokens: list[Value] = []  # the caller's
        # our part where the call passes a NAT (H.460.18); the session's: of media (H.460.19)
        self.traversal: Role | None = None
        self.was_active = False  # CONNECT was seen: what ends the call now is a hang-up

    # --- the caller's side ----------------------------------------------------------------

    def dial(
        self,
        *,
        number: str,
        source: Address,
        target: Address,
        reference: int,
        new_id: Callable[[], bytes],
        now: float,
        proposals: tuple[Proposal, ...] = (),
    ) -> None:
        """Send SETUP, with `proposals` for fast start. Ringing, Connected or Released follows."""
        if self.state is not CallState.NULL:
            raise LocalH323Error("h323_call_state", state=self.state.name)
        call_id = new_id()
        self._proposed = proposals
        self._ids = CallIds(reference, call_id, call_id, from_destination=False)
        self._enter(CallState.CALL_INITIATED, now)
        self._send(
            h225.setup(
                self._ids,
                self._identity,
                number=number,
                source=source,
                target=target,
                tunnelling=self._tunnelling,
                fast_start=tuple(proposal.encode() for proposal in proposals),
                tokens=tuple(self._exchange.tokens()) if self._exchange is not None else (),
                features=media_feature(self.traversal),
            )
        )

    def traverse(self, role: Role) -> None:
        """The call passes a NAT; media do, should the far end agree. Say it before `dial`."""
        self.traversal = role

    def fetch(self, call_id: bytes) -> None:
        """Client: name the call on the connection opened for it; its SETUP follows."""
        self.traversal = Role.CLIENT
        ids = CallIds(0, call_id, call_id, from_destination=False)
        self._send(
            h225.facility(
                ids, self._identity, reason="undefinedReason", tunnelling=self._tunnelling
            )
        )

    # --- the called side ------------------------------------------------------------------

    def proceed(self, now: float) -> None:
        self._answer_with(MessageType.CALL_PROCEEDING, CallState.INCOMING_PROCEEDING, now)

    def ring(self, now: float) -> None:
        self._answer_with(MessageType.ALERTING, CallState.CALL_RECEIVED, now)

    def answer(self, now: float, taken: tuple[Proposal, ...] = ()) -> None:
        """CONNECT; `taken` of the caller's proposals, ours by `Proposal.taken`.

        With tunnelling our first H.245 messages ride on it.
        """
        self._answer_with(MessageType.CONNECT, CallState.ACTIVE, now, taken)
        self._fast_started(taken, we_called=False)

    @property
    def own_name(self) -> str:
        """What we call ourselves in this call."""
        return self._identity.name

    def secure(self, exchange: KeyExchange) -> None:
        """Encrypt media where the peer can (H.235.6); say it before `dial` or `answer`.

        Raises RemoteH323Error for a caller's token that is unsafe.
        """
        self._exchange = exchange
        self.control_session.keys = exchange.agree(self._offered_tokens)

    @property
    def has_keys(self) -> bool:
        """Whether both sides have a secret: known once the call is connected."""
        return self.control_session.keys is not None

    @property
    def tunnels(self) -> bool:
        """Whether H.245 runs inside H.225.0, as far as is known now."""
        return self._tunnelling

    def offer_control(self, host: str, port: int) -> None:
        """Where the owner listens for a separate H.245 connection; say it before `answer`."""
        self._control_address = (host, port)

    # --- both sides -----------------------------------------------------------------------

    def release(self, reason: str, now: float) -> None:
        """End the call in any state: endSession, RELEASE COMPLETE."""
        if self.state in (CallState.RELEASED, CallState.NULL):
            return
        if self._control_started:
            self.control_session.end()
        tunnelled = self._take_tunnelled()
        self._send(
            h225.release_complete(
                self._known_ids(),
                self._identity,
                reason=reason,
                tunnelled=tunnelled,
                tunnelling=self._tunnelling,
            )
        )
        self._enter(CallState.RELEASED, now)
        self._events.append(Released(reason, h225.CAUSES.get(reason), by_us=True))

    def receive(self, pdu: bytes, now: float) -> list[CallEvent]:
        """One PDU of the signalling connection.

        Raises RemoteH323Error: answer with `release("undefinedReason")` and close.
        """
        received = h225.read(pdu)
        try:
            kind = MessageType(received.message.message_type)
        except ValueError:
            return []  # Q.931 5.8.4: unrecognised messages are ignored
        if kind is M.RELEASE_COMPLETE:
            self._carry_control(received, now)
            self._released(received, now)
        elif kind in STATELESS:
            self._stateless(kind, received)
            self._carry_control(received, now)
        elif kind in RECEIVED.get(self.state, {}):
            self._advance(kind, received, now)
            self._carry_control(received, now)
        elif self.state not in (CallState.RELEASED, CallState.NULL):
            self._send(h225.status(self._known_ids(), self._identity, state=self.state.value))
        return self.events()

    def receive_control(self, pdu: bytes, now: float) -> list[CallEvent]:
        """One PDU of a separate H.245 connection."""
        self._start_control()
        self._events += self.control_session.receive(pdu, now)
        return self.events()

    def control_connected(self) -> None:
        """The separate H.245 connection stands (either side)."""
        if self.traversal is Role.CLIENT and not self._control_started:
            ids = self._known_ids()
            self.control_session.identify(ids.call_id, is_caller=not ids.from_destination)
        self._start_control()

    def poll(self, now: float) -> list[CallEvent]:
        """Timers: T303, T310, T301 and the H.245 keep-alive."""
        limit = LIMITS_S.get(self.state)
        if limit is not None and now - self._since >= limit:
            name = {T303_S: "T303", T310_S: "T310", T301_S: "T301"}[limit]
            self.release("undefinedReason", now)
            self._events[-1] = Released(name, None, by_us=True)
        elif self.state is CallState.ACTIVE:
            self._events += self.control_session.poll(now)
        return self.events()

    def deadline(self) -> float | None:
        """When `poll` has something to do, None when only once a second for the keep-alive."""
        limit = LIMITS_S.get(self.state)
        return None if limit is None else self._since + limit

    def events(self) -> list[CallEvent]:
        taken, self._events = self._events, []
        return taken

    def signalling(self) -> list[bytes]:
        """PDUs for the signalling connection; tunnelled H.245 is wrapped here."""
        if self._tunnelling and self._control_started and self.state is CallState.ACTIVE:
            tunnelled = self._take_tunnelled()
            if tunnelled:
                self._send(h225.facility(self._known_ids(), self._identity, tunnelled=tunnelled))
        taken, self._signalling = self._signalling, []
        return taken

    def control(self) -> list[bytes]:
        """PDUs for a separate H.245 connection; none while tunnelling."""
        if self._tunnelling or not self._control_started:
            return []
        return self.control_session.outgoing()

    # --- inside ---------------------------------------------------------------------------

    def _advance(self, kind: MessageType, received: h225.Received, now: float) -> None:
        was, self.state = self.state, RECEIVED[self.state][kind]
        if was is not self.state:
            self._enter(self.state, now)
        if kind is M.SETUP:
            self._ids = h225.call_ids_of(received)
            self._tunnelling &= received.tunnelling
            self.control_session.traversal = role_towards(received.features)
            self.traversal = self.control_session.traversal or self.traversal
            self._offered_tokens = received.tokens
            proposals = fast_start.read(received.fast_start)
            self._proposed = proposals
            self._events.append(Incoming(received.caller_name, received.dialled, proposals))
            return
        self._tunnelling &= received.tunnelling
        if self.traversal is not None and role_towards(received.features) is self.traversal:
            self.control_session.traversal = self.traversal
        if received.fast_start and self._proposed:
            answers = fast_start.read(received.fast_start)
            self._fast_started(fast_start.match(self._proposed, answers), we_called=True)
        if kind is M.ALERTING and was is not CallState.CALL_DELIVERED:
            self._events.append(Ringing())
        if kind is M.CONNECT:
            if self._exchange is not None:
                self.control_session.keys = self._exchange.agree(received.tokens)
            self._events.append(Connected())
        self._follow_control_address(received)
        if kind is M.CONNECT and self._tunnelling:
            self._start_control()
        elif kind is M.CONNECT and self._control_address and not self._is_led(received):
            self._send(
                h225.facility(
                    self._known_ids(),
                    self._identity,
                    reason="startH245",
                    tunnelling=False,
                    h245_address=self._control_address,
                )
            )

    def _is_led(self, received: h225.Received) -> bool:
        """Whether the far end's H.245 address counts; a traversal client's leads nowhere."""
        return received.h245_address is not None and self.traversal is not Role.SERVER

    def _fast_started(self, taken: tuple[Proposal, ...], *, we_called: bool) -> None:
        """The channels that were taken are open, and from now on like any other (8.1.7.2)."""
        event = fast_start.started(self._proposed, taken, we_called=we_called)
        self._proposed = ()  # H.323 8.1.7.1: answered once
        session = self.control_session
        for opened, carried in event.sending:
            session.adopt(opened.number, opened.session, carried, opened.payload_type, ours=True)
        for offered in event.receiving:
            session.adopt(
                offered.number,
                offered.session,
                offered.capability,
                offered.payload_type,
                ours=False,
            )
        if event.sending or event.receiving:
            self._events.append(event)

    def _stateless(self, kind: MessageType, received: h225.Received) -> None:
        if self.state is S.NULL:
            if kind is M.FACILITY and received.call_id:
                self._events.append(Fetched(received.call_id))
        elif kind is M.STATUS_ENQUIRY:
            self._send(h225.status(self._known_ids(), self._identity, state=self.state.value))
        elif kind is M.FACILITY:
            if received.kind == "facility" and received.body["reason"][0] == "startH245":
                self._tunnelling = False
                self._follow_control_address(received)
            elif received.kind != "none":
                self._tunnelling &= received.tunnelling

    def _follow_control_address(self, received: h225.Received) -> None:
        if self._tunnelling or self._control_started or not self._is_led(received):
            return
        if received.h245_address is not None:
            self._events.append(ConnectControl(received.h245_address))

    def _carry_control(self, received: h225.Received, now: float) -> None:
        if received.tunnelled and self._tunnelling:
            self._start_control()
            for pdu in received.tunnelled:
                self._events += self.control_session.receive(pdu, now)

    def _released(self, received: h225.Received, now: float) -> None:
        if self.state is CallState.RELEASED:
            return
        reason = received.body.get("reason", ("undefinedReason", 0))[0]
        self._enter(CallState.RELEASED, now)
        self._events.append(Released(reason, received.message.cause, by_us=False))

    def _answer_with(
        self,
        kind: MessageType,
        state: CallState,
        now: float,
        taken: tuple[Proposal, ...] = (),
    ) -> None:
        if self.state not in (S.CALL_PRESENT, S.INCOMING_PROCEEDING, S.CALL_RECEIVED):
            raise LocalH323Error("h323_call_state", state=self.state.name)
        self._enter(state, now)
        tunnelled: tuple[bytes, ...] = ()
        if state is CallState.ACTIVE and self._tunnelling:
            self._start_control()
            tunnelled = self._take_tunnelled()
        tokens: tuple[Value, ...] = ()
        if state is CallState.ACTIVE and self._exchange is not None and self.has_keys:
            tokens = tuple(self._exchange.tokens())
        with_address = state is CallState.ACTIVE and not self._tunnelling
        self._send(
            h225.progress(
                kind,
                self._known_ids(),
                self._identity,
                tunnelling=self._tunnelling,
                tunnelled=tunnelled,
                h245_address=self._control_address if with_address else None,
                fast_start=tuple(proposal.encode() for proposal in taken),
                tokens=tokens,
                features=media_feature(self.traversal),
            )
        )
        if state is CallState.ACTIVE:
            self._events.append(Connected())

    def _start_control(self) -> None:
        if not self._control_started:
            self._control_started = True
            self.control_session.start()

    def _take_tunnelled(self) -> tuple[bytes, ...]:
        if not (self._tunnelling and self._control_started):
            return ()
        return tuple(self.control_session.outgoing())

    def _enter(self, state: CallState, now: float) -> None:
        self.state, self._since = state, now
        self.was_active |= state is CallState.ACTIVE

    def _send(self, message: Q931Message) -> None:
        self._signalling.append(bytes(message))

    @property
    def ids(self) -> CallIds | None:
        """Reference and identifiers, once there was a SETUP."""
        return self._ids

    def _known_ids(self) -> CallIds:
        if self._ids is None:
            raise RemoteH323Error("h323_call_unknown")
        return self._ids
