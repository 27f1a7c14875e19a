"""H.243's conference messages in H.245: building them, and reading a peer's (H.245 7.6, B.12).

Sans-IO, mixed into the control session. What may be done is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .h243_events import (
    Ask,
    ConferenceAnswered,
    ConferenceAsked,
    ConferenceTold,
    Label,
    Tell,
)

Value = Any
NAME_OCTETS = 128  # TerminalID: 1 to 128 octets

_LABELLED = {Ask.TERMINAL_NAME, Ask.DROP, Ask.BROADCASTER, Ask.SOURCE}
_CHANNELLED = {Ask.MINE, Ask.MINE_END}
_REQUESTS = {
    Ask.TERMINAL_LIST, Ask.TERMINAL_NAME, Ask.TERMINAL_NAMES, Ask.CHAIR, Ask.CHAIR_RELEASE,
    Ask.CHAIR_OWNER, Ask.DROP, Ask.BROADCASTER, Ask.MINE, Ask.SOURCE, Ask.OWN_NAME,
}  # fmt: skip
_COMMANDS = {
    Ask.BROADCASTER, Ask.BROADCASTER_END, Ask.MINE, Ask.MINE_END, Ask.SOURCE, Ask.SOURCE_END,
    Ask.END_CONFERENCE,
}  # fmt: skip
_DECISIONS = {
    Ask.CHAIR: ("makeMeChairResponse", "ChairToken"),
    Ask.BROADCASTER: ("makeTerminalBroadcasterResponse", "MakeTerminalBroadcaster"),
    Ask.MINE: ("broadcastMyLogicalChannelResponse", "BroadcastMyLogicalChannel"),
    Ask.SOURCE: ("sendThisSourceResponse", "SendThisSource"),
}
_NAMES = {
    "mCTerminalIDResponse": Ask.TERMINAL_NAME,
    "terminalIDResponse": Ask.OWN_NAME,
    "chairTokenOwnerResponse": Ask.CHAIR_OWNER,
}
_LABELLED_TELLS = {Tell.NUMBER, Tell.JOINED, Tell.LEFT, Tell.SEEING, Tell.FLOOR_ASKED}


def _label(value: Value) -> Label:
    return Label(int(value["mcuNumber"]), int(value["terminalNumber"]))


def _value(label: Label) -> Value:
    return {"mcuNumber": label.mcu, "terminalNumber": label.terminal}


def octets_of(name: str) -> bytes:
    """A TerminalID: UTF-8, cut at a character; H.243 names no character set."""
    return name.encode()[:NAME_OCTETS].decode(errors="ignore").encode() or b"?"


def _named(label: Label, name: str) -> Value:
    return {"terminalLabel": _value(label), "terminalID": octets_of(name)}


class ConferenceMixin:
    """The H.243 part of a control session."""

    def __init__(self) -> None:
        self._out: list[Value] = []
        self._events: list[Any] = []

    # --- asking and ordering ----------------------------------------------------------------

    def conference_ask(self, ask: Ask, *, label: Label | None = None, channel: int = 0) -> None:
        """A request where H.245 has one, else the indication. ConferenceAnswered may follow."""
        if ask is Ask.FLOOR:
            self._out.append(("indication", ("conferenceIndication", (ask.value, 0))))
        else:
            self._out.append(("request", ("conferenceRequest", _asked(ask, label, channel))))

    def conference_order(self, ask: Ask, *, label: Label | None = None, channel: int = 0) -> None:
        """The same as a command: a chair's, or an MCU's over another. Nothing answers it."""
        self._out.append(("command", ("conferenceCommand", _asked(ask, label, channel))))

    # --- answering and telling --------------------------------------------------------------

    def conference_decide(self, asked: ConferenceAsked, *, granted: bool) -> None:
        """Answer a request; of a command only a refusal is told (videoCommandReject)."""
        ask = asked.ask
        if ask is Ask.DROP:
            if not granted:
                self._conference_respond("terminalDropReject", 0)
        elif ask in _DECISIONS and asked.wants_answer:
            name, what = _DECISIONS[ask]
            self._conference_respond(name, (("granted" if granted else "denied") + what, 0))
        elif ask in _COMMANDS and not granted:
            self._conference_respond("videoCommandReject", 0)

    def conference_name(self, ask: Ask, label: Label, name: str) -> None:
        """Who a terminal is: the answer to TERMINAL_NAME, CHAIR_OWNER or OWN_NAME."""
        response = next(word for word, asked in _NAMES.items() if asked is ask)
        self._conference_respond(response, _named(label, name))

    def conference_list(self, labels: Iterable[Label]) -> None:
        """1 to 256 terminals (B.12.3)."""
        listed = [_value(label) for label in labels][:256]
        if listed:
            self._conference_respond("terminalListResponse", listed)

    def conference_names(self, terminals: Iterable[tuple[Label, str]]) -> None:
        named = [_named(label, name) for label, name in terminals]
        self._conference_respond("requestAllTerminalIDsResponse", {"terminalInformation": named})

    def conference_tell(self, tell: Tell, label: Label | None = None) -> None:
        body = 0 if label is None else _value(label)
        self._out.append(("indication", ("conferenceIndication", (tell.value, body))))

    def _conference_respond(self, name: str, body: Value) -> None:
        self._out.append(("response", ("conferenceResponse", (name, body))))

    # --- the peer's -------------------------------------------------------------------------

    def _on_conferenceRequest(self, body: Value, _now: float) -> None:  # noqa: N802
        asked = _read_asked(body, _REQUESTS, wants_answer=True)
        if asked is None:
            answer = ("request", ("conferenceRequest", body))
            self._out.append(("indication", ("functionNotUnderstood", answer)))
        else:
            self._events.append(asked)

    def _on_conferenceCommand(self, body: Value, _now: float) -> None:  # noqa: N802
        asked = _read_asked(body, _COMMANDS, wants_answer=False)
        if asked is not None:
            self._events.append(asked)

    def _on_conferenceIndication(self, body: Value, _now: float) -> None:  # noqa: N802
        name, value = body
        if name == Ask.FLOOR.value:
            self._events.append(ConferenceAsked(Ask.FLOOR))
            return
        tell = next((tell for tell in Tell if tell.value == name), None)
        if tell is not None:
            label = _label(value) if tell in _LABELLED_TELLS else None
            self._events.append(ConferenceTold(tell, label))

    def _on_conferenceResponse(self, body: Value, _now: float) -> None:  # noqa: N802
        answered = _read_answer(*body)
        if answered is not None:
            self._events.append(answered)


def _asked(ask: Ask, label: Label | None, channel: int) -> Value:
    if ask in _LABELLED:
        if label is None:
            raise ValueError(f"{ask.value} names a terminal")
        return ask.value, _value(label)
    return ask.value, channel if ask in _CHANNELLED else 0


def _read_asked(body: Value, known: set[Ask], *, wants_answer: bool) -> ConferenceAsked | None:
    name, value = body
    ask = next((ask for ask in known if ask.value == name), None)
    if ask is None:
        return None
    label = _label(value) if ask in _LABELLED else None
    channel = int(value) if ask in _CHANNELLED else None
    return ConferenceAsked(ask, label, channel, wants_answer=wants_answer)


def _read_answer(name: str, value: Value) -> ConferenceAnswered | None:
    if name in _NAMES:
        named = ((_label(value["terminalLabel"]), _text(value["terminalID"])),)
        return ConferenceAnswered(_NAMES[name], terminals=named)
    if name == "terminalListResponse":
        listed = tuple((_label(one), "") for one in value)
        return ConferenceAnswered(Ask.TERMINAL_LIST, terminals=listed)
    if name == "requestAllTerminalIDsResponse":
        known = value["terminalInformation"]
        terminals = tuple((_label(o["terminalLabel"]), _text(o["terminalID"])) for o in known)
        return ConferenceAnswered(Ask.TERMINAL_NAMES, terminals=terminals)
    if name == "terminalDropReject":
        return ConferenceAnswered(Ask.DROP, granted=False)
    if name == "videoCommandReject":
        return ConferenceAnswered(Ask.BROADCASTER, granted=False)
    for ask, (response, _what) in _DECISIONS.items():
        if response == name:
            return ConferenceAnswered(ask, granted=value[0].startswith("granted"))
    return None


def _text(octets: bytes) -> str:
    """Rooms name themselves in UTF-8, some in a Chinese code page."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return bytes(octets).rstrip(b"\0").decode(encoding)
        except UnicodeDecodeError:
            continue
    return bytes(octets).decode("latin-1")
