"""What a caller without a hall is asked before it enters: number and PIN, by keys. Pure.

The dialogue takes keys and `now` and says what is to be spoken, checked or ended. It tells nobody
whether a number exists: number and PIN are judged together.
"""

from __future__ import annotations

from dataclasses import dataclass

TRIES = 3
REPEAT_S = 20.0  # without a key, the question is asked again
PATIENCE_S = 60.0  # without a key, the call ends
NUMBER_DIGITS, PIN_DIGITS = 16, 6


@dataclass(frozen=True, slots=True)
class Say:
    """A prompt to be spoken and shown."""

    prompt: str


@dataclass(frozen=True, slots=True)
class Check:
    """What was keyed in is to be judged; `pin` is None for a caller who needs none."""

    number: str
    pin: str | None


@dataclass(frozen=True, slots=True)
class End:
    """Say this, then hang up."""

    prompt: str


Step = Say | Check | End


class Dialogue:
    """`number` is what was dialled, None where that was the lobby itself."""

    def __init__(self, number: str | None, *, needs_pin: bool, now: float) -> None:
        self._dialled, self._needs_pin = number, needs_pin
        self._number = number
        self._keys = ""
        self._wrong = 0
        self._key_at = self._asked_at = now

    @property
    def question(self) -> Say:
        """What is to be asked now."""
        return Say("enter_number" if self._number is None else "enter_pin")

    def press(self, key: str, now: float) -> Step | None:
        """One key: a digit, # as the end, * to begin anew."""
        self._key_at = self._asked_at = now
        if key == "*":
            self._keys = ""
            return None
        if key.isdigit():
            self._keys += key
        longest = NUMBER_DIGITS if self._number is None else PIN_DIGITS
        is_whole = len(self._keys) >= longest or (key == "#" and self._keys)
        return self._take() if is_whole else None

    def _take(self) -> Step:
        keys, self._keys = self._keys, ""
        if self._number is not None:
            return Check(self._number, keys)
        if not self._needs_pin:
            return Check(keys, None)
        self._number = keys
        return self.question

    def wrong(self, now: float) -> Say | End:
        """What was checked does not hold; the third time ends it."""
        self._key_at = self._asked_at = now
        self._wrong += 1
        self._number = self._dialled
        return End("refused") if self._wrong >= TRIES else Say("wrong")

    def due(self, now: float) -> Say | End | None:
        """What time alone brings."""
        if now - self._key_at >= PATIENCE_S:
            return End("timed_out")
        if now - self._asked_at >= REPEAT_S:
            self._asked_at = now
            return self.question
        return None
