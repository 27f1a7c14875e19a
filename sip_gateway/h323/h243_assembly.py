"""A conference as its terminals are told of it by H.243: who is in, who chairs, who is shown.

Pure: what a terminal has to be told when the conference changes, and the answers to its questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .h243_events import Label, Tell

OWN_MCU = 1  # our number in the labels that we give
TERMINALS = 192  # the largest number of a terminal (H.245 TerminalLabel)

Told = tuple[Tell, Label | None]


@dataclass(frozen=True, slots=True)
class Terminal:
    """`number` is unique in the conference, 1 to 192; `leg_id` None: not in now."""

    id: str
    number: int
    name: str
    leg_id: str | None = None

    @property
    def label(self) -> Label:
        return Label(OWN_MCU, self.number)


@dataclass(frozen=True, slots=True)
class Assembly:
    """`chair`, `shown` and `floor` are ids of terminals. `shown`: whom all are made to see;
    `is_forced`: that, or the mosaic, is forced upon all."""

    terminals: tuple[Terminal, ...] = ()
    chair: str | None = None
    shown: str | None = None
    is_forced: bool = False
    floor: tuple[str, ...] = ()

    @property
    def present(self) -> tuple[Terminal, ...]:
        return tuple(one for one in self.terminals if one.leg_id is not None)

    def of_leg(self, leg_id: str) -> Terminal | None:
        return next((one for one in self.terminals if one.leg_id == leg_id), None)

    def labelled(self, label: Label | None) -> Terminal | None:
        return next((one for one in self.present if one.label == label), None)

    def named(self, terminal_id: str | None) -> Terminal | None:
        return next((one for one in self.terminals if one.id == terminal_id), None)


def news(before: Assembly, now: Assembly, leg_id: str) -> Iterator[Told]:
    """What the terminal of this leg is to be told, in order. A newcomer asks for the list."""
    me = now.of_leg(leg_id)
    if me is None:
        return
    was_in = before.of_leg(leg_id)
    if was_in is None or was_in.number != me.number:
        yield Tell.NUMBER, me.label
    if was_in is not None:
        yield from _comings(before, now, me)
    if now.shown != before.shown or was_in is None:
        yield from _sight(before, now, me)
    if me.id == before.chair != now.chair:
        yield Tell.CHAIR_WITHDRAWN, None
    if me.id == now.chair:
        for asking in now.floor:
            one = now.named(asking)
            if one is not None and (asking not in before.floor or before.chair != me.id):
                yield Tell.FLOOR_ASKED, one.label


def _comings(before: Assembly, now: Assembly, me: Terminal) -> Iterator[Told]:
    were = {one.id: one for one in before.present}
    are = {one.id: one for one in now.present}
    for gone in were.keys() - are.keys():
        yield Tell.LEFT, were[gone].label
    for one in now.present:
        if one.id not in were and one.id != me.id:
            yield Tell.JOINED, one.label


def _sight(before: Assembly, now: Assembly, me: Terminal) -> Iterator[Told]:
    shown = now.named(now.shown)
    if me.id == now.shown:
        yield Tell.SEEN_BY_ALL, None
    elif me.id == before.shown:
        yield Tell.SEEN_BY_ALL_NOT, None
    if shown is not None and shown.id != me.id:
        yield Tell.SEEING, shown.label
