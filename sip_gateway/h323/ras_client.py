"""Our registration with an outside gatekeeper, and its leave for each call (H.225.0 RAS).

Sans-IO: `poll` about every second, `receive` each datagram, send what `outgoing` gives to the
address in `gatekeeper`. One that falls silent gives way to the alternates that it named, in turn
(H.323 7.2.6); without any it is asked again for ever. Calls go on without.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum

from . import h460, ras
from .h225 import Address, Identity
from .h2351 import Signer
from .ras import RasMessage

LIFE_S = 120
RETRY_S = 3.0  # H.225.0 table 20: GRQ 5 s, RRQ 3 s, ARQ 5 s
PAUSE_S = 30.0  # after a refusal
TRIES = 3  # unanswered requests until an alternate is asked
MAX_ALTERNATES = 8
FETCHED = 32  # calls remembered, since an indication is repeated until it is answered


class RegistrationState(Enum):
    OFF = "off"
    DISCOVERING = "discovering"
    REGISTERING = "registering"
    REGISTERED = "registered"


@dataclass(frozen=True, slots=True)
class RegistrationMoved:
    is_registered: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CallAdmitted:
    """`sequence` as `ask_admission` gave it; call `address`."""

    sequence: int
    address: Address | None


@dataclass(frozen=True, slots=True)
class CallRefused:
    sequence: int
    reason: str


@dataclass(frozen=True, slots=True)
class CallToFetch:
    """A call waits for us at `signalling`: connect, and name it there (H.460.18)."""

    signalling: Address
    call_id: bytes


ClientEvent = RegistrationMoved | CallAdmitted | CallRefused | CallToFetch


class RasClient:
    def __init__(
        self,
        identity: Identity,
        *,
        signalling: Address,
        own_ras: Address,
        gatekeeper: Address = ("", 0),
        traverses: bool = False,
        signer: Signer | None = None,
    ) -> None:
        """`traverses`: a NAT is between, offer H.460.18; `signer`: we have a password there."""
        self._signer = signer
        self._traverses, self.is_traversed = traverses, False
        self._fetched: deque[bytes] = deque(maxlen=FETCHED)
        self.state = RegistrationState.OFF
        self.gatekeeper = self._first = gatekeeper
        self._alternates: tuple[Address, ...] = ()
        self._unanswered = 0
        self._calls: dict[bytes, ras.CallReport] = {}
        self._identity, self._signalling, self._own_ras = identity, signalling, own_ras
        self._sequence = 0
        self._due = 0.0
        self._life_s = LIFE_S
        self._identifier: str | None = None
        self._endpoint_id: str | None = None
        self._waiting: dict[int, ras.CallReport] = {}  # admissions asked
        self._heard_at = 0.0
        self._out: list[bytes] = []

    def start(self, now: float) -> None:
        self._discover(now)

    def stop(self) -> None:
        """Say goodbye."""
        if self._endpoint_id is not None:
            self._say(ras.unregistration_request(self._next(), self._endpoint_id, self._signalling))
        self.state, self._endpoint_id = RegistrationState.OFF, None

    def outgoing(self) -> list[bytes]:
        taken, self._out = self._out, []
        return taken

    # --- calls ------------------------------------------------------------------------------

    def ask_admission(
        self, number: str, call_id: bytes, reference: int, *, answering: bool
    ) -> int | None:
        """CallAdmitted or CallRefused follows; None: not registered, call without leave."""
        if self._endpoint_id is None:
            return None
        sequence = self._next()
        self._waiting[sequence] = ras.CallReport(call_id, reference, is_caller=not answering)
        self._say(
            ras.admission_request(
                sequence,
                self._identity,
                endpoint_id=self._endpoint_id,
                number=number,
                call_id=call_id,
                reference=reference,
                answering=answering,
            )
        )
        return sequence

    def call_ended(self, call_id: bytes, reference: int, *, answered: bool) -> None:
        self._calls.pop(call_id, None)
        if self._endpoint_id is not None:
            self._say(
                ras.disengage_request(
                    self._next(),
                    endpoint_id=self._endpoint_id,
                    call_id=call_id,
                    reference=reference,
                    answered=answered,
                )
            )

    # --- time and answers -------------------------------------------------------------------

    def poll(self, now: float) -> list[ClientEvent]:
        if self.state is RegistrationState.OFF or now < self._due:
            return []
        if self._unanswered >= TRIES and self._alternates:
            return self._turn_to_next(now)
        self._unanswered += 1
        if self.state is RegistrationState.REGISTERED:
            if now - self._heard_at > self._life_s:
                self._discover(now)
                return [RegistrationMoved(False, "silent")]
            self._register(now)
        elif self.state is RegistrationState.REGISTERING:
            self._register(now)
        else:
            self._discover(now)
        return []

    def receive(self, pdu: bytes, now: float) -> list[ClientEvent]:
        """One datagram of the gatekeeper. Raises RemoteH323Error."""
        message = ras.read(pdu)
        if not self._believes(message):
            return []
        self._heard_at, self._unanswered = now, 0
        named = ras.alternates_of(message)[:MAX_ALTERNATES]
        if named:
            self._alternates = named
        match message.kind:
            case "gatekeeperConfirm" if self.state is RegistrationState.DISCOVERING:
                self._identifier = message.body.get("gatekeeperIdentifier")
                self._register(now)
            case "registrationConfirm":
                return self._registered(message, now)
            case "gatekeeperReject" | "registrationReject":
                return self._refused(message, now)
            case "admissionConfirm" if message.sequence in self._waiting:
                admitted = self._waiting.pop(message.sequence)
                self._calls[admitted.call_id] = admitted
                return [CallAdmitted(message.sequence, message.address("destCallSignalAddress"))]
            case "admissionReject" if message.sequence in self._waiting:
                del self._waiting[message.sequence]
                return [CallRefused(message.sequence, message.reason)]
            case "unregistrationRequest":
                self._say(ras.confirm("unregistrationConfirm", message.sequence))
                self._discover(now)
                return [RegistrationMoved(False, "unregistered")]
            case "serviceControlIndication":
                return self._indicated(message)
            case "infoRequest" if self._endpoint_id is not None:
                self._report(message, self._endpoint_id)
            case "disengageRequest":
                self._say(ras.confirm("disengageConfirm", message.sequence))
            case _:
                pass
        return []

    def _believes(self, message: RasMessage) -> bool:
        """With a password all is signed but discovery, and a refusal by one who lacks it."""
        if self._signer is None or message.kind == "gatekeeperConfirm":
            return True
        if message.kind.endswith("Reject"):
            return True
        return self._signer.objection(message.pdu, message.body, self.gatekeeper) is None

    def _indicated(self, message: RasMessage) -> list[ClientEvent]:
        """Answered each time, fetched once."""
        call = h460.read_call_to_fetch(message.body) if self.is_traversed else None
        result = ("started" if call is not None else "notAvailable", 0)
        self._say(ras.confirm("serviceControlResponse", message.sequence, result=result))
        if call is None or call.call_id in self._fetched:
            return []
        self._fetched.append(call.call_id)
        return [CallToFetch(call.signalling, call.call_id)]

    def _turn_to_next(self, now: float) -> list[ClientEvent]:
        """The gatekeeper after the silent one; the first of all comes round again."""
        known = list(dict.fromkeys([self._first, *self._alternates]))
        at = known.index(self.gatekeeper) if self.gatekeeper in known else -1
        self.gatekeeper = known[(at + 1) % len(known)]
        was, self._unanswered = self.state, 0
        self._discover(now)
        return [RegistrationMoved(False, "silent")] if was is RegistrationState.REGISTERED else []

    def _report(self, message: RasMessage, endpoint_id: str) -> None:
        """The calls that it asks for, all of them where it names none (H.225.0 7.15)."""
        wanted = message.body.get("callIdentifier", {}).get("guid")
        calls = [one for one in self._calls.values() if wanted in (None, one.call_id, bytes(16))]
        self._say(
            ras.information_response(
                message.sequence,
                self._identity,
                endpoint_id=endpoint_id,
                signalling=self._signalling,
                ras=self._own_ras,
                calls=calls,
            )
        )

    def _registered(self, message: RasMessage, now: float) -> list[ClientEvent]:
        was = self.state
        self._endpoint_id = message.endpoint_id
        self._life_s = int(message.body.get("timeToLive", LIFE_S))
        self.is_traversed = self._traverses and message.traverses
        self.state, self._due = RegistrationState.REGISTERED, now + self._life_s * 2 / 3
        return [] if was is RegistrationState.REGISTERED else [RegistrationMoved(True)]

    def _refused(self, message: RasMessage, now: float) -> list[ClientEvent]:
        """A gatekeeper that lost us wants the whole registration at once (7.9.1)."""
        was = self.state
        self._endpoint_id = None
        if message.reason == "fullRegistrationRequired":
            self.state = RegistrationState.REGISTERING
            self._register(now)
            return []
        self.state, self._due = RegistrationState.DISCOVERING, now + PAUSE_S
        if was is RegistrationState.OFF:
            return []
        return [RegistrationMoved(False, message.reason)]

    def _discover(self, now: float) -> None:
        self.state, self._due = RegistrationState.DISCOVERING, now + RETRY_S
        self._endpoint_id = None
        request = ras.gatekeeper_request(
            self._next(),
            self._identity,
            self._own_ras,
            traverses=self._traverses,
            signs=self._signer is not None,
        )
        self._say(request)

    def _register(self, now: float) -> None:
        if self.state is not RegistrationState.REGISTERED:
            self.state = RegistrationState.REGISTERING
        self._due = now + RETRY_S
        self._say(
            ras.registration_request(
                self._next(),
                self._identity,
                signalling=self._signalling,
                ras=self._own_ras,
                life_s=LIFE_S,
                identifier=self._identifier,
                endpoint_id=self._endpoint_id,
                traverses=self._traverses,
            )
        )

    def _next(self) -> int:
        self._sequence = self._sequence % 65535 + 1
        return self._sequence

    def _say(self, pdu: bytes) -> None:
        if self._signer is not None:
            own = self._endpoint_id or self._identity.number or self._identity.name
            pdu = self._signer.signed(pdu, sender=own, recipient=self._identifier or "")
        self._out.append(pdu)
