"""A small gatekeeper: rooms register under their number and are dialled by it (H.225.0 RAS).

Sans-IO. Who may register is decided above (`answer_registration`), because that asks a directory.
Calls are signalled directly; a number that nobody registered leads to the bridge itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from . import ras
from .h225 import Address
from .h2351 import Signer
from .ras import RasMessage

LIFE_S = 120
GRACE_S = 30.0
MAX_ENDPOINTS = 5000
MAX_CALLS = 20_000
TRAVERSAL_LIFE_S = 20  # NATs forget UDP after 30 s or more
INDICATE_AGAIN_S = 2.0
INDICATIONS = 4
ASK_EVERY_S = 60.0  # which calls there still are (IRQ, H.225.0 7.15)
CALL_BANDWIDTH = 40_000  # 4 Mbit/s, in units of 100 bit/s


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered room."""

    endpoint_id: str
    account: str
    aliases: tuple[str, ...]
    signalling: Address
    ras: Address
    product: str
    expires_at: float
    traverses: bool = False  # behind a NAT: it fetches its calls (H.460.18)
    signer: Signer | None = field(default=None, compare=False)  # with a password (H.235.1)

    @property
    def number(self) -> str:
        """The digits under which it is called; a gateway behind the alias needs them."""
        return next((alias for alias in self.aliases if alias.isdigit()), "")


@dataclass(frozen=True, slots=True)
class RegistrationAsked:
    """A room wants in. Answer with `answer_registration`."""

    request: RasMessage
    source: Address
    aliases: tuple[str, ...]
    signalling: Address


@dataclass(frozen=True, slots=True)
class Registered:
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Gone:
    """Unregistered, or its time ran out."""

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class NotFetched:
    """A room behind a NAT did not take the call that waits for it."""

    call_id: bytes


GatekeeperEvent = RegistrationAsked | Registered | Gone | NotFetched


@dataclass(frozen=True, slots=True)
class _Leave:
    """For a call of an endpoint's."""

    endpoint_id: str
    given_at: float


@dataclass(slots=True)
class _Indication:
    """A call that a room was told to fetch, until it says that it heard."""

    call_id: bytes
    pdu: bytes
    endpoint: Endpoint
    due: float
    tries: int = 1


class Gatekeeper:
    """Feed `receive`; take `outgoing` datagrams; call `expire` about every second."""

    def __init__(
        self,
        identifier: str,
        *,
        ras_port: int,
        signalling_port: int,
        own_host: Callable[[str], str],
        alternates: tuple[Address, ...] = (),
    ) -> None:
        """`own_host` gives the address under which a peer reaches us.

        `alternates`: gatekeepers to which rooms turn when we are silent, in this order.
        """
        self._alternates = alternates
        self._identifier, self._own_host = identifier, own_host
        self._ras_port, self._signalling_port = ras_port, signalling_port
        self._endpoints: dict[str, Endpoint] = {}
        self._calls: dict[bytes, _Leave] = {}
        self._asked_at: dict[str, float] = {}  # endpoint -> when it was asked for its calls
        self._indications: dict[int, _Indication] = {}  # by sequence number
        self._next = self._sequence = 1
        self._out: list[tuple[bytes, Address]] = []

    # --- what is known ----------------------------------------------------------------------

    def endpoints(self) -> list[Endpoint]:
        return list(self._endpoints.values())

    def by_account(self, account: str) -> Endpoint | None:
        return next((one for one in self._endpoints.values() if one.account == account), None)

    def by_host(self, host: str) -> Endpoint | None:
        """None where several rooms share an address (one NAT): `by_call` tells them apart."""
        at_host = [one for one in self._endpoints.values() if one.signalling[0] == host]
        return at_host[0] if len(at_host) == 1 else None

    def by_call(self, call_id: bytes) -> Endpoint | None:
        """The room that got leave for this call."""
        leave = self._calls.get(call_id)
        return None if leave is None else self._endpoints.get(leave.endpoint_id)

    def outgoing(self) -> list[tuple[bytes, Address]]:
        taken, self._out = self._out, []
        return taken

    # --- time -------------------------------------------------------------------------------

    def expire(self, now: float) -> list[GatekeeperEvent]:
        gone = [one for one in self._endpoints.values() if now >= one.expires_at]
        for endpoint in gone:
            self._forget(endpoint)
        self._ask_for_calls(now)
        return [*(Gone(endpoint) for endpoint in gone), *self._indicate_again(now)]

    # --- which calls there are (H.225.0 7.15) -------------------------------------------------

    def _ask_for_calls(self, now: float) -> None:
        """Leave that nobody gave back: the room may have lost power within the call."""
        for endpoint_id in {leave.endpoint_id for leave in self._calls.values()}:
            asked_at = self._asked_at.setdefault(endpoint_id, now)
            if now - asked_at >= ASK_EVERY_S:
                self._asked_at[endpoint_id] = now
                self._tell(self._endpoints[endpoint_id], ras.information_request(self._number()))

    def _reported(self, message: RasMessage, source: Address) -> None:
        """Calls that the room was in when it was asked, and does not name, are over."""
        speaker = self._speaker(message, source)
        if speaker is None or message.body.get("unsolicited"):
            return
        there = ras.reported_calls(message)
        asked_at = self._asked_at.get(speaker.endpoint_id, 0.0)
        for call_id, leave in list(self._calls.items()):
            is_older = leave.endpoint_id == speaker.endpoint_id and leave.given_at < asked_at
            if is_older and call_id not in there:
                del self._calls[call_id]

    # --- calls to rooms behind a NAT (H.460.18) -----------------------------------------------

    def fetch(self, endpoint: Endpoint, call_id: bytes, now: float) -> None:
        """Tell the room to connect and name this call. NotFetched follows when it does not hear."""
        sequence = self._number()
        pdu = ras.call_indication(
            sequence,
            endpoint_id=endpoint.endpoint_id,
            signalling=self._bridge(endpoint.ras),
            call_id=call_id,
        )
        self._indications[sequence] = _Indication(call_id, pdu, endpoint, now + INDICATE_AGAIN_S)
        self._tell(endpoint, pdu)

    def _indicate_again(self, now: float) -> list[GatekeeperEvent]:
        unheard: list[GatekeeperEvent] = []
        for sequence, indication in list(self._indications.items()):
            if now < indication.due:
                continue
            if indication.tries == INDICATIONS:
                del self._indications[sequence]
                unheard.append(NotFetched(indication.call_id))
                continue
            indication.tries, indication.due = indication.tries + 1, now + INDICATE_AGAIN_S
            self._tell(indication.endpoint, indication.pdu)
        return unheard

    def _indicated(self, message: RasMessage, source: Address) -> list[GatekeeperEvent]:
        indication = self._indications.get(message.sequence)
        if indication is None or indication.endpoint.ras[0] != source[0]:
            return []
        if self._objection(message, source, indication.endpoint) is not None:
            return []
        del self._indications[message.sequence]
        is_coming = message.body.get("result", ("started", 0))[0] == "started"
        return [] if is_coming else [NotFetched(indication.call_id)]

    def _forget(self, endpoint: Endpoint) -> None:
        del self._endpoints[endpoint.endpoint_id]
        self._asked_at.pop(endpoint.endpoint_id, None)
        for call_id, leave in list(self._calls.items()):
            if leave.endpoint_id == endpoint.endpoint_id:
                del self._calls[call_id]

    # --- messages ---------------------------------------------------------------------------

    def receive(self, pdu: bytes, source: Address, now: float) -> list[GatekeeperEvent]:
        """One datagram. Raises RemoteH323Error for what does not decode."""
        message = ras.read(pdu)
        known = None if _is_whole_registration(message) else self._speaker(message, source)
        objection = self._objection(message, source, known) if known is not None else None
        if objection is not None:
            self._refuse(message, source, objection)
            return []
        match message.kind:
            case "gatekeeperRequest":
                self._discovery(message, source)
            case "registrationRequest":
                return self._registration(message, source, now)
            case "unregistrationRequest":
                return self._unregistration(message, source)
            case "admissionRequest":
                self._admission(message, source, now)
            case "disengageRequest":
                self._disengagement(message, source)
            case "bandwidthRequest":
                self._bandwidth(message, source)
            case "infoRequestResponse":
                self._reported(message, source)
            case "serviceControlResponse":
                return self._indicated(message, source)
            case kind if kind.endswith("Request"):
                self._send(ras.unknown(message.sequence), source)
            case _:
                pass  # answers to nothing we asked
        return []

    def _discovery(self, message: RasMessage, source: Address) -> None:
        """A room behind a NAT is answered where its packet came from (H.460.18)."""
        answer = ras.gatekeeper_confirm(
            message.sequence,
            self._identifier,
            (self._own_host(source[0]), self._ras_port),
            traverses=message.traverses,
            signs=message.offers_signing,
            alternates=self._alternates,
        )
        declared = None if message.traverses else message.address("rasAddress")
        self._send(answer, _behind(declared or source, source))

    def answer_registration(
        self,
        asked: RegistrationAsked,
        account: str | None,
        now: float,
        *,
        signer: Signer | None = None,
        refusal: str = "securityDenial",
    ) -> list[GatekeeperEvent]:
        """`account` is who the room is; None refuses it, for strangers all alike.

        `signer`: it has shown its password, and all that follows is signed.
        """
        sequence = asked.request.sequence
        if account is None or len(self._endpoints) >= MAX_ENDPOINTS:
            reason = refusal if account is None else "resourceUnavailable"
            self._send(ras.reject("registrationReject", sequence, reason), asked.source)
            return []
        known = self.by_account(account)
        if known is not None:
            del self._endpoints[known.endpoint_id]
        traverses = asked.request.traverses
        signalling = _behind(asked.signalling, asked.source)
        endpoint_id = known.endpoint_id if known is not None else f"{self._next:08d}"
        self._next += known is None
        vendor = asked.request.body.get("endpointVendor", {}).get("productId", b"")
        endpoint = Endpoint(
            endpoint_id,
            account,
            asked.aliases,
            (asked.source[0], signalling[1]) if traverses else signalling,
            asked.source,
            bytes(vendor).decode("utf-8", "replace").strip("\0"),
            now + _life_s(traverses=traverses) + GRACE_S,
            traverses,
            signer,
        )
        self._endpoints[endpoint_id] = endpoint
        self._confirm(asked.request, endpoint)
        return [Registered(endpoint)]

    def _registration(
        self, message: RasMessage, source: Address, now: float
    ) -> list[GatekeeperEvent]:
        known = self._endpoints.get(message.endpoint_id)
        if message.body.get("keepAlive"):
            if known is None or known.ras[0] != source[0]:
                refusal = ras.reject(
                    "registrationReject", message.sequence, "fullRegistrationRequired"
                )
                self._send(refusal, source)
                return []
            life_s = _life_s(traverses=known.traverses)
            renewed = replace(known, ras=source, expires_at=now + life_s + GRACE_S)
            self._endpoints[known.endpoint_id] = renewed
            self._confirm(message, renewed)
            return []
        signalling = message.address("callSignalAddress")
        if signalling is None:
            self._send(
                ras.reject("registrationReject", message.sequence, "invalidCallSignalAddress"),
                source,
            )
            return []
        return [RegistrationAsked(message, source, message.aliases("terminalAlias"), signalling)]

    def _confirm(self, message: RasMessage, endpoint: Endpoint) -> None:
        answer = ras.registration_confirm(
            message.sequence,
            identifier=self._identifier,
            endpoint_id=endpoint.endpoint_id,
            signalling=self._bridge(endpoint.ras),
            aliases=endpoint.aliases,
            life_s=_life_s(traverses=endpoint.traverses),
            traverses=endpoint.traverses,
            alternates=self._alternates,
        )
        self._tell(endpoint, answer)

    def _unregistration(self, message: RasMessage, source: Address) -> list[GatekeeperEvent]:
        known = self._speaker(message, source)
        if known is None:  # it may leave its identifier out, unless it has a password
            at_source = (one for one in self._endpoints.values() if one.ras == source)
            known = next((one for one in at_source if one.signer is None), None)
        if known is None:
            answer = ras.reject("unregistrationReject", message.sequence, "notCurrentlyRegistered")
            self._send(answer, source)
            return []
        self._forget(known)
        self._tell(known, ras.confirm("unregistrationConfirm", message.sequence))
        return [Gone(known)]

    def _admission(self, message: RasMessage, source: Address, now: float) -> None:
        """A room may call another room by its number, or the bridge by any other number."""
        speaker = self._speaker(message, source)
        wanted = message.aliases("destinationInfo")
        rooms = (one for one in self._endpoints.values() if set(wanted) & set(one.aliases))
        room = None if message.body.get("answerCall") else next(rooms, None)
        if speaker is None or (room is not None and (room.traverses or speaker.traverses)):
            # calls between rooms do not come by us, who could lead them through a NAT
            reason = "callerNotRegistered" if speaker is None else "noRouteToDestination"
            self._refuse(message, source, reason)
            return
        self._calls[_call_id(message)] = _Leave(speaker.endpoint_id, now)
        if len(self._calls) > MAX_CALLS:
            del self._calls[next(iter(self._calls))]
        bandwidth = min(int(message.body.get("bandWidth", 0)) or CALL_BANDWIDTH, CALL_BANDWIDTH)
        to = room.signalling if room is not None else self._bridge(source)
        self._tell(speaker, ras.admission_confirm(message.sequence, bandwidth, to))

    def _bandwidth(self, message: RasMessage, source: Address) -> None:
        speaker = self._speaker(message, source)
        if speaker is None:
            self._refuse(message, source, "notBound")
            return
        bandwidth = min(int(message.body.get("bandWidth", 0)), CALL_BANDWIDTH)
        answer = ras.confirm("bandwidthConfirm", message.sequence, bandWidth=bandwidth)
        self._tell(speaker, answer)

    def _disengagement(self, message: RasMessage, source: Address) -> None:
        speaker = self._speaker(message, source)
        if speaker is None:
            self._refuse(message, source, "notRegistered")
            return
        self._calls.pop(_call_id(message), None)
        self._tell(speaker, ras.confirm("disengageConfirm", message.sequence))

    def _refuse(self, message: RasMessage, source: Address, reason: str) -> None:
        """What is no request needs no answer."""
        if message.kind.endswith("Request"):
            kind = message.kind.removesuffix("Request") + "Reject"
            self._send(ras.reject(kind, message.sequence, reason), source)

    def _speaker(self, message: RasMessage, source: Address) -> Endpoint | None:
        """The endpoint that this request comes from; a foreign address speaks for nobody."""
        known = self._endpoints.get(message.endpoint_id)
        return known if known is not None and known.ras[0] == source[0] else None

    @staticmethod
    def _objection(message: RasMessage, source: Address, speaker: Endpoint) -> str | None:
        """Why its message is not believed; an endpoint without a password is known by address."""
        if speaker.signer is None:
            return None
        return speaker.signer.objection(message.pdu, message.body, source)

    def _number(self) -> int:
        self._sequence = self._sequence % 65535 + 1
        return self._sequence

    def _tell(self, endpoint: Endpoint, pdu: bytes) -> None:
        """To a registered room, signed where it has a password."""
        if endpoint.signer is not None:
            ids = {"sender": self._identifier, "recipient": endpoint.endpoint_id}
            pdu = endpoint.signer.signed(pdu, **ids)
        self._send(pdu, endpoint.ras)

    def _bridge(self, peer: Address) -> Address:
        return self._own_host(peer[0]), self._signalling_port

    def _send(self, pdu: bytes, to: Address) -> None:
        self._out.append((pdu, to))


def _is_whole_registration(message: RasMessage) -> bool:
    """It is judged anew, by whoever knows the accounts."""
    return message.kind == "registrationRequest" and not message.body.get("keepAlive")


def _life_s(*, traverses: bool) -> int:
    return TRAVERSAL_LIFE_S if traverses else LIFE_S


def _call_id(message: RasMessage) -> bytes:
    """Empty where an old room names none."""
    return bytes(message.body.get("callIdentifier", {}).get("guid", b""))


def _behind(declared: Address, source: Address) -> Address:
    """An unspecified declared address is that of the packet."""
    return (source[0], declared[1]) if declared[0] == "0.0.0.0" else declared  # noqa: S104
