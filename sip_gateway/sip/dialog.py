"""Dialogs (RFC 3261 clause 12): the state two user agents share, and requests inside it."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import RemoteSipError
from .header import Address, Via, parse_address, split_commas
from .message import Headers, Request, Response
from .transaction import Flow
from .uri import SipUri, Uri

DialogId = tuple[str, str, str]  # Call-ID, local tag, remote tag


@dataclass(slots=True)
class Dialog:
    """`flow` is where requests go: the path the far end last used to reach us."""

    call_id: str
    local: Address
    remote: Address
    target: SipUri
    route_set: tuple[str, ...]
    local_cseq: int
    remote_cseq: int | None
    flow: Flow

    @property
    def id(self) -> DialogId:
        return self.call_id, self.local.tag or "", self.remote.tag or ""

    def request(
        self,
        method: str,
        via: Via,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
        cseq: int | None = None,
    ) -> Request:
        """A request inside the dialog; a new CSeq number unless one is given (ACK)."""
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        uri, routes = self._routing()
        fields = [("Via", str(via)), ("Max-Forwards", "70")]
        fields += [("Route", route) for route in routes]
        fields += [
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            *headers,
        ]
        if body and content_type:
            fields.append(("Content-Type", content_type))
        return Request(tuple(fields), body, method=method, uri=uri)

    def _routing(self) -> tuple[Uri, tuple[str, ...]]:
        """Request-URI and Route values, loose and strict routing (clause 12.2.1.1)."""
        if not self.route_set:
            return self.target, ()
        first = parse_address(self.route_set[0]).sip
        if first.param("lr") is not None:
            return self.target, self.route_set
        return first.without("method"), (*self.route_set[1:], f"<{self.target}>")

    def accept_cseq(self, number: int) -> bool:
        """Take a request's CSeq; False when it is older than one already seen."""
        if self.remote_cseq is not None and number <= self.remote_cseq:
            return False
        self.remote_cseq = number
        return True


def _routes(values: list[str]) -> list[str]:
    return [part for value in values for part in split_commas(value)]


def target_of(message: Request | Response) -> SipUri:
    """The remote target: the one Contact. Raises RemoteSipError("contact_missing")."""
    contacts = message.contacts
    if not contacts:
        raise RemoteSipError("contact_missing")
    return contacts[0].sip


def dialog_of_callee(request: Request, local_tag: str, flow: Flow) -> Dialog:
    """The dialog an INVITE we received starts. Raises RemoteSipError."""
    return Dialog(
        request.call_id,
        request.to.with_tag(local_tag),
        request.from_,
        target_of(request),
        tuple(_routes(request.get_all("Record-Route"))),
        0,
        request.cseq.number,
        flow,
    )


def dialog_of_caller(request: Request, response: Response, flow: Flow) -> Dialog:
    """The dialog a response to our INVITE starts. Raises RemoteSipError."""
    if response.to.tag is None:
        raise RemoteSipError("tag_missing")
    return Dialog(
        request.call_id,
        request.from_,
        response.to,
        target_of(response),
        tuple(reversed(_routes(response.get_all("Record-Route")))),
        request.cseq.number,
        None,
        flow,
    )
