"""H.239 presentation tokens as H.245 generic messages (H.239 clause 11, table 2).

The bridge arbitrates: it answers requests, and tells everybody who owns the token.
"""

from __future__ import annotations

from typing import Any

from . import h245_events as ev

Value = Any
TOKENS = ("standard", (0, 0, 8, 239, 2))
REQUEST, RESPONSE, RELEASE, INDICATE_OWNER = 3, 4, 5, 6
_BITRATE, _CHANNEL, _SYMMETRY, _TERMINAL, _ACK, _REJECT = 41, 42, 43, 44, 126, 127


def _number(parameter: int, value: int) -> Value:
    return {
        "parameterIdentifier": ("standard", parameter),
        "parameterValue": ("unsignedMin", value),
    }


def _flag(parameter: int) -> Value:
    return {"parameterIdentifier": ("standard", parameter), "parameterValue": ("logical", 0)}


def _numbers(body: Value) -> dict[int, int]:
    """Parameter -> value; a logical parameter counts as 1."""
    found = {}
    for parameter in body.get("messageContent", []):
        scope, number = parameter["parameterIdentifier"]
        if scope != "standard":
            continue
        kind, value = parameter.get("parameterValue", ("logical", 0))
        found[int(number)] = 1 if kind == "logical" else int(value)
    return found


class TokenMixin:
    """The H.239 part of a control session."""

    def __init__(self) -> None:
        self._out: list[Value] = []
        self._events: list[ev.ControlEvent] = []

    def token_request(self, channel: int, bitrate_bps: int, symmetry: int) -> None:
        """Ask to present on our channel; `symmetry` 1-127 breaks ties between equal requests."""
        content = [
            _number(_TERMINAL, 0),
            _number(_CHANNEL, channel),
            _number(_BITRATE, bitrate_bps // 100),
            _number(_SYMMETRY, symmetry),
        ]
        self._generic("request", "genericRequest", REQUEST, content)

    def token_response(self, channel: int, *, granted: bool, terminal: int = 0) -> None:
        content = [
            _flag(_ACK if granted else _REJECT),
            _number(_TERMINAL, terminal),
            _number(_CHANNEL, channel),
        ]
        self._generic("response", "genericResponse", RESPONSE, content)

    def token_release(self, channel: int) -> None:
        content = [_number(_TERMINAL, 0), _number(_CHANNEL, channel)]
        self._generic("command", "genericCommand", RELEASE, content)

    def token_owner(self, channel: int, terminal: int) -> None:
        content = [_number(_TERMINAL, terminal), _number(_CHANNEL, channel)]
        self._generic("indication", "genericIndication", INDICATE_OWNER, content)

    def _generic(self, direction: str, name: str, submessage: int, content: Value) -> None:
        body = {
            "messageIdentifier": TOKENS,
            "subMessageIdentifier": submessage,
            "messageContent": content,
        }
        self._out.append((direction, (name, body)))

    def _token(self, body: Value) -> None:
        """Any generic message; makers send owner and release as commands or as indications."""
        if body.get("messageIdentifier") != TOKENS:
            return
        numbers = _numbers(body)
        match body.get("subMessageIdentifier"):
            case 3:
                self._events.append(
                    ev.TokenAsked(numbers.get(_CHANNEL, 0), numbers.get(_TERMINAL, 0))
                )
            case 4:
                self._events.append(ev.TokenAnswered(_ACK in numbers))
            case 5:
                self._events.append(ev.TokenReleased())
            case 6:
                self._events.append(ev.TokenOwner(numbers.get(_TERMINAL, 0)))

    def _on_genericRequest(self, body: Value, _now: float) -> None:  # noqa: N802
        self._token(body)

    _on_genericResponse = _on_genericRequest  # noqa: N815
    _on_genericCommand = _on_genericRequest  # noqa: N815
    _on_genericIndication = _on_genericRequest  # noqa: N815
