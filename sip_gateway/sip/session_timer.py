"""Session timers (RFC 4028): a call whose far end vanished ends by itself, in either role."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..errors import RemoteSipError
from .header import param_of, parse_number, parse_params
from .message import Headers, Request, Response

SESSION_EXPIRES_S = 1800
MIN_SE_S = 90  # clause 4: nothing shorter may be asked for
MAX_S = 86_400


class Refresher(StrEnum):
    US = "us"
    THEM = "them"


@dataclass(frozen=True, slots=True)
class Interval:
    """What both ends agreed on: length in seconds and who refreshes."""

    seconds: int
    refresher: Refresher

    @property
    def due_s(self) -> float:
        """When to act after the last refresh: refresh at half time, or give up shortly before
        the end (clause 10)."""
        if self.refresher is Refresher.US:
            return self.seconds / 2
        return self.seconds - min(32.0, self.seconds / 3)


def read(message: Request | Response) -> tuple[int, str] | None:
    """Session-Expires as (seconds, refresher parameter or ""), None when absent.

    Raises RemoteSipError for a malformed value.
    """
    value = message.get("Session-Expires")
    if value is None:
        return None
    number, semicolon, rest = value.partition(";")
    seconds = parse_number(number, "number_malformed", 2**31 - 1)
    return seconds, (param_of(parse_params(semicolon + rest), "refresher") or "").lower()


def offer_headers(seconds: int = SESSION_EXPIRES_S, minimum: int = MIN_SE_S) -> Headers:
    """Headers of our INVITEs."""
    return ("Session-Expires", str(seconds)), ("Min-SE", str(minimum))


def is_too_small(request: Request) -> bool:
    """Whether to answer 422: shorter than the minimum, from a peer that understands why."""
    wanted = read(request)
    return wanted is not None and wanted[0] < MIN_SE_S and request.has_option("Supported", "timer")


def answer(request: Request) -> tuple[Headers, Interval | None]:
    """Headers of our 2xx and the interval, for a request of theirs (clause 9)."""
    knows_timer = request.has_option("Supported", "timer")
    wanted = read(request)
    if wanted is None and not knows_timer:
        return (), None
    seconds, who = wanted or (SESSION_EXPIRES_S, "")
    seconds = min(max(seconds, MIN_SE_S, request.number("Min-SE") or 0), MAX_S)
    if not knows_timer:
        # a proxy asked for it; the caller cannot refresh, so we do
        return (("Session-Expires", f"{seconds};refresher=uas"),), Interval(seconds, Refresher.US)
    refresher = who if who in ("uac", "uas") else "uac"
    headers: Headers = (("Session-Expires", f"{seconds};refresher={refresher}"),)
    if refresher == "uac":
        headers = (*headers, ("Require", "timer"))
    return headers, Interval(seconds, Refresher.THEM if refresher == "uac" else Refresher.US)


def settled(response: Response) -> Interval | None:
    """The interval that a 2xx to our request settles, None when the peer wants no timer."""
    try:
        found = read(response)
    except RemoteSipError:
        return None
    if found is None or found[0] < 32:
        return None
    refresher = Refresher.THEM if found[1] == "uas" else Refresher.US
    return Interval(min(found[0], MAX_S), refresher)


def retry_seconds(response: Response) -> int | None:
    """What a 422 asks for, None when it does not say (or something absurd)."""
    minimum = response.number("Min-SE")
    return minimum if minimum is not None and MIN_SE_S <= minimum <= MAX_S else None
