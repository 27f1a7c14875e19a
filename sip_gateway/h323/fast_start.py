"""Fast start: channels proposed in SETUP and taken in an answer (H.323 8.1.7).

The caller proposes both directions of each codec, best first. The called side returns those that
it takes, at most one a direction and session, with its own addresses filled in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from . import h245_events as ev
from .asn1 import decode_channel, encode_channel
from .capability import Kind, MediaCapability
from .channels import Address, address_of, capability_of, data_type, media_parameters
from .errors import RemoteH323Error

Value = Any
MAX_PROPOSALS = 64
_NOTHING = {"dataType": ("nullData", 0), "multiplexParameters": ("none", 0)}


@dataclass(frozen=True, slots=True)
class Proposal:
    """One direction of one codec. `to_called`: media flows from the caller to the called side.

    `rtp` is where the receiving side of that direction wants it, once that side has spoken;
    `rtcp` the describing side's control address.
    """

    number: int
    to_called: bool
    capability: MediaCapability | None  # None: nothing that we speak
    session: int
    rtp: Address | None = None
    rtcp: Address | None = None
    payload_type: int | None = None

    def encode(self) -> bytes:
        """An OpenLogicalChannel; the direction to the caller is its reverse half."""
        if self.capability is None:
            raise ValueError("a proposal of ours has a capability")
        half = {
            "dataType": data_type(self.capability),
            "multiplexParameters": media_parameters(
                self.capability,
                self.session,
                rtp=self.rtp,
                rtcp=self.rtcp,
                payload_type=self.payload_type,
                single_nal=False,
            ),
        }
        body: dict[str, Value] = {"forwardLogicalChannelNumber": self.number}
        if self.to_called:
            return encode_channel({**body, "forwardLogicalChannelParameters": half})
        body["forwardLogicalChannelParameters"] = _NOTHING
        return encode_channel({**body, "reverseLogicalChannelParameters": half})

    def taken(self, rtp: Address | None, rtcp: Address) -> Proposal:
        """As the called side returns it; `rtp` where it receives this direction."""
        return replace(self, rtp=rtp, rtcp=rtcp)


def propose(
    capabilities: Iterable[MediaCapability],
    addresses: dict[Kind, tuple[int, Address, Address]],
    payload_types: dict[str, int],
    new_number: Callable[[], int],
) -> tuple[Proposal, ...]:
    """Both directions of every capability whose kind has an address (session, RTP, RTCP)."""
    made: list[Proposal] = []
    for capability in capabilities:
        if capability.kind not in addresses:
            continue
        session, rtp, rtcp = addresses[capability.kind]
        payload_type = payload_types.get(capability.codec)
        for to_called in (True, False):
            made.append(
                Proposal(
                    new_number(),
                    to_called,
                    capability,
                    session,
                    None if to_called else rtp,
                    rtcp,
                    payload_type,
                )
            )
    return tuple(made)


def read(encoded: Iterable[bytes]) -> tuple[Proposal, ...]:
    """A fastStart element. Raises RemoteH323Error when one does not decode or is no channel."""
    proposals = []
    for number, octets in enumerate(encoded):
        if number >= MAX_PROPOSALS:
            raise RemoteH323Error("h225_fast_start_too_long")
        proposals.append(_proposal(decode_channel(bytes(octets))))
    return tuple(proposals)


def match(proposed: Iterable[Proposal], answers: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """The called side's answers to what we proposed; it may renumber its own directions."""
    ours = {(p.to_called, p.session, p.capability.codec): p for p in proposed if p.capability}
    taken = []
    for answer in answers:
        if answer.capability is None:
            continue
        key = (answer.to_called, answer.session, answer.capability.codec)
        if key in ours and (answer.rtp is not None or not answer.to_called):
            taken.append(replace(answer, capability=ours.pop(key).capability))
    return tuple(taken)


def started(
    proposed: Iterable[Proposal], taken: Iterable[Proposal], *, we_called: bool
) -> ev.FastStarted:
    """The open channels as this side sees them."""
    offered = {(p.number, p.to_called): p for p in proposed}
    sending: list[tuple[ev.ChannelOpen, MediaCapability]] = []
    receiving: list[ev.ChannelOffered] = []
    for channel in taken:
        # Our own answer holds our addresses; the caller's were in its proposal.
        far = channel if we_called else offered[channel.number, channel.to_called]
        number, session, carried = channel.number, channel.session, channel.capability
        if carried is None:
            continue
        if channel.to_called is not we_called:
            receiving.append(
                ev.ChannelOffered(number, carried, session, far.rtcp, channel.payload_type)
            )
        elif far.rtp is not None:
            opened = ev.ChannelOpen(number, session, far.rtp, far.rtcp, channel.payload_type)
            sending.append((opened, carried))
    return ev.FastStarted(tuple(sending), tuple(receiving))


def _proposal(value: Value) -> Proposal:
    half = value["forwardLogicalChannelParameters"]
    to_called = half["dataType"][0] != "nullData"
    if not to_called:
        half = value.get("reverseLogicalChannelParameters", half)
    kind, parameters = half.get("multiplexParameters", ("none", 0))
    if kind != "h2250LogicalChannelParameters":
        raise RemoteH323Error(
            "h225_fast_start_malformed", number=value["forwardLogicalChannelNumber"]
        )
    return Proposal(
        int(value["forwardLogicalChannelNumber"]),
        to_called,
        capability_of(half["dataType"]),
        int(parameters.get("sessionID", 0)),
        address_of(parameters.get("mediaChannel")),
        address_of(parameters.get("mediaControlChannel")),
        parameters.get("dynamicRTPPayloadType"),
    )
