"""What an H.323 release means in the roster's plain words."""

from __future__ import annotations

from .h323.call import H323Call
from .messages import CallResult

_RESULTS = {
    "inConf": CallResult.BUSY,
    "adaptiveBusy": CallResult.BUSY,
    "gatewayResources": CallResult.BUSY,
    "destinationRejection": CallResult.DECLINED,
    "noPermission": CallResult.DECLINED,
    "securityDenied": CallResult.AUTHENTICATION_FAILED,
    "unreachableDestination": CallResult.UNREACHABLE,
    "unreachableGatekeeper": CallResult.UNREACHABLE,
    "badFormatAddress": CallResult.NOT_FOUND,
    "calledPartyNotRegistered": CallResult.NOT_REGISTERED,
    "T303": CallResult.UNREACHABLE,
    "T310": CallResult.NO_ANSWER,
    "T301": CallResult.NO_ANSWER,
}
_CAUSES = {
    1: CallResult.NOT_FOUND,
    17: CallResult.BUSY,
    18: CallResult.NO_ANSWER,
    19: CallResult.NO_ANSWER,
    21: CallResult.DECLINED,
}


def result_of_release(reason: str, cause: int | None, core: H323Call, *, by_us: bool) -> CallResult:
    """Before CONNECT the reason or cause decides; afterwards somebody hung up."""
    if core.was_active:
        return CallResult.REMOVED if by_us and reason not in _RESULTS else CallResult.HUNG_UP
    if cause in _CAUSES:
        return _CAUSES[cause]
    return _RESULTS.get(reason, CallResult.PROTOCOL_ERROR)
