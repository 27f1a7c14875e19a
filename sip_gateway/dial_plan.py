"""Numbers: where a dialled text leads, and what is dialled for it. Pure; for SIP and H.323 alike.

A plan is a set of rules of one centre and those above it. At most one rule applies to a number: one
that fits the whole of it before one that fits its beginning, the longer beginning before the
shorter, the nearer centre's before the farther's. What a rule made is not looked at again, so no
plan can run in circles. The two service numbers come before every rule and cannot be hidden.

Who calls in is never put through to the outside: rules for incoming calls lead inside or nowhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from .errors import LocalSipError

LOBBY_NUMBER = "9000"  # ours, as the called see it: whoever rings back arrives here
SELF_TEST_NUMBER = "8888"
SERVICE_NUMBERS = frozenset({LOBBY_NUMBER, SELF_TEST_NUMBER})
LONGEST = 32
_SEPARATORS = re.compile(r"[ \-.()]")  # RFC 3966 clause 5.1.1, and the blank
_SIGNS = frozenset("+*#_")


class Direction(StrEnum):
    """Who dialled: a caller who comes in, or the desk that calls out."""

    IN = "in"
    OUT = "out"


class Way(StrEnum):
    """Where a number leads once the rule has rewritten it."""

    INSIDE = "inside"  # a consultation, a service number or a hall of ours
    TRUNK = "trunk"  # the SIP trunk to the telephone net
    GATEKEEPER = "gatekeeper"  # the outside H.323 gatekeeper
    BARRED = "barred"


@dataclass(frozen=True, slots=True)
class Rule:
    """Numbers that begin with `match` lose `strip` characters in front and gain `add`.

    With `is_whole` it is for the number `match` alone, which becomes `add` (an alias), or stays as
    it is where `add` is empty. Raises LocalSipError("rule_malformed", field=...) for a rule that
    has no sense.
    """

    direction: Direction
    match: str
    is_whole: bool = False
    strip: int = 0
    add: str = ""
    way: Way = Way.INSIDE

    def __post_init__(self) -> None:
        if plain_number(self.match) != self.match:
            raise LocalSipError("rule_malformed", field="match")
        if self.add and plain_number(self.add) != self.add:
            raise LocalSipError("rule_malformed", field="add")
        if not 0 <= self.strip <= LONGEST or (self.is_whole and self.strip):
            raise LocalSipError("rule_malformed", field="strip")
        if self.direction is Direction.IN and self.way in (Way.TRUNK, Way.GATEKEEPER):
            raise LocalSipError("rule_malformed", field="way")

    def fits(self, number: str) -> bool:
        return number == self.match if self.is_whole else number.startswith(self.match)

    def applied(self, number: str) -> str:
        if self.is_whole:
            return self.add or number
        return self.add + number[self.strip :]


@dataclass(frozen=True, slots=True)
class Inside:
    """The number of a consultation, of a service or of a hall of ours."""

    number: str


@dataclass(frozen=True, slots=True)
class Outside:
    """What is dialled, and over which of the two ways out."""

    number: str
    way: Way


@dataclass(frozen=True, slots=True)
class Nowhere:
    """`code`: number_malformed, number_barred, or number_emptied where a rule left nothing."""

    code: str
    number: str
    match: str = ""  # of the rule that said so


Route = Inside | Outside | Nowhere


def plain_number(text: str) -> str | None:
    """A number or name as it is compared: without separators, in half-width and small letters.

    None for what can be no number: nothing, too much, or signs that none has.
    """
    bare = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).casefold()
    is_number = all(sign.isalnum() or sign in _SIGNS for sign in bare)
    return bare if is_number and 0 < len(bare) <= LONGEST else None


@dataclass(frozen=True, slots=True)
class DialPlan:
    """`rules`, the nearest centre's first. Without any, calls in stay inside and calls out go to
    the trunk."""

    rules: tuple[Rule, ...] = ()

    def incoming(self, dialled: str) -> Inside | Nowhere:
        """Where a caller is led who dialled this; who dialled nothing is asked in the lobby."""
        if not dialled:
            return Inside(LOBBY_NUMBER)
        number = plain_number(dialled)
        if number is None:
            return Nowhere("number_malformed", dialled[:LONGEST])
        if number in SERVICE_NUMBERS:
            return Inside(number)
        route = self._route(Direction.IN, number, Way.INSIDE)
        if isinstance(route, Outside):
            raise AssertionError(route)  # no such rule can be made
        return route

    def outgoing(self, dialled: str) -> Route:
        """What is dialled for a number that the desk was given."""
        number = plain_number(dialled)
        if number is None:
            return Nowhere("number_malformed", dialled[:LONGEST])
        return self._route(Direction.OUT, number, Way.TRUNK)

    def _route(self, direction: Direction, number: str, otherwise: Way) -> Route:
        rule = best_rule(self.rules, direction, number)
        way = otherwise if rule is None else rule.way
        match = "" if rule is None else rule.match
        if way is Way.BARRED:
            return Nowhere("number_barred", number, match)
        rewritten = number if rule is None else rule.applied(number)
        if not 0 < len(rewritten) <= LONGEST:
            return Nowhere("number_emptied" if not rewritten else "number_malformed", number, match)
        return Inside(rewritten) if way is Way.INSIDE else Outside(rewritten, way)


def best_rule(rules: Iterable[Rule], direction: Direction, number: str) -> Rule | None:
    """The one rule that applies."""
    fitting = [rule for rule in rules if rule.direction is direction and rule.fits(number)]
    return max(fitting, key=lambda rule: (rule.is_whole, len(rule.match)), default=None)
