"""The call ladder of one member: its lines first, then the telephones of who is on duty. Pure.

A *line* is another address of the same room (private network, internet). It is tried when the room
cannot be reached, and taken in the middle of a call when the line in use is cut. The other rungs
are other people: they are rung when nobody takes the call in the room.
"""

from __future__ import annotations

from .messages import CallResult, Dial, Rung

UNREACHED = frozenset({CallResult.UNREACHABLE, CallResult.NOT_REGISTERED})
UNTAKEN = UNREACHED | {
    CallResult.NO_ANSWER,
    CallResult.BUSY,
    CallResult.NOT_FOUND,
    CallResult.NO_COMMON_CODEC,
    CallResult.NOT_ENCRYPTED,
    CallResult.AUTHENTICATION_FAILED,
    CallResult.PROTOCOL_ERROR,
}  # not DECLINED: somebody said no


class Ladder:
    """`at` is the rung that is called now; `rungs[0]` is the room itself."""

    def __init__(self, dial: Dial) -> None:
        first = Rung(
            account=dial.account,
            uri=dial.uri,
            number=dial.number,
            audio_only=dial.audio_only,
            ring_timeout_s=dial.ring_timeout_s,
            is_same_room=True,
        )
        self.dial = dial
        self.rungs = (first, *dial.ladder)
        self.at = 0
        self.bound_host = ""  # towards which the leg's address was chosen
        self.was_up = False  # the call was answered once: nobody else is rung for it
        self.is_checking = False
        self.offers_dtls = False  # the room at this rung took no other description

    @property
    def rung(self) -> Rung:
        return self.rungs[self.at]

    @property
    def has_other_line(self) -> bool:
        return sum(rung.is_same_room for rung in self.rungs) > 1 and self.rung.is_same_room

    def after(self, result: CallResult) -> Rung | None:
        """The next rung once this one was not taken; None: the call is over."""
        if result not in UNTAKEN or self.was_up:
            return None
        for at in range(self.at + 1, len(self.rungs)):
            if not self.rungs[at].is_same_room or result in UNREACHED:
                self.at, self.offers_dtls = at, False
                return self.rung
        return None

    def other_line(self) -> Rung | None:
        """The room's next line when the one in use is cut."""
        lines = [at for at, rung in enumerate(self.rungs) if rung.is_same_room]
        if self.at not in lines or len(lines) < 2:
            return None
        self.was_up = True
        self.at = lines[(lines.index(self.at) + 1) % len(lines)]
        return self.rung
