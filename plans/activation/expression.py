"""The small language of triggers: conditions over facts, and nothing else.

    poisoned_diagnosed >= 10 or deaths >= 3
    (deaths >= 3 and cross_city) or poisoned_diagnosed >= 50
    event_type in ("hazardous_chemicals", "fireworks") and deaths + missing >= 3

Grammar (no calls, no attributes, no loops; text is at most 500 characters):

    either   := both ("or" both)*
    both     := denied ("and" denied)*
    denied   := "not" denied | "(" either ")" | test
    test     := TRUTH_FACT
              | TEXT_FACT ("==" | "!=") STRING
              | TEXT_FACT "in" "(" STRING ("," STRING)* ")"
              | TEXT_FACT "is" "known"
              | sum (">=" | ">" | "<=" | "<" | "==" | "!=") NUMBER
    sum      := NUMBER_FACT ("+" NUMBER_FACT)*

Truth is three-valued (Kleene): a fact that is not known makes a test undecided, unless the rest
decides it. In a sum an unknown addend leaves a lower bound: `deaths + missing >= 3` holds with five
deaths and missing unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import RemotePlansError
from .facts import FACT_NAMES, NUMBER_FACTS, TEXT_FACTS, TRUTH_FACTS, Facts

LONGEST = 500
DEEPEST = 20
TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w.])|(?P<word>[a-z_][a-z_0-9]*)"
    r'|"(?P<string>[^"]*)"|(?P<sign>>=|<=|==|!=|[<>()+,]))'
)
COMPARISONS = frozenset({">=", ">", "<=", "<", "==", "!="})


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Denied:
    part: Expression


@dataclass(frozen=True, slots=True)
class IsTrue:
    fact: str


@dataclass(frozen=True, slots=True)
class IsKnown:
    fact: str


@dataclass(frozen=True, slots=True)
class OneOf:
    fact: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    facts: tuple[str, ...]
    sign: str
    bound: float


Expression = Either | Both | Denied | IsTrue | IsKnown | OneOf | Compare


def parse(text: str) -> Expression:
    """Read an expression.

    Raises RemotePlansError `expression_invalid` with the position for anything outside the
    grammar, and `expression_fact_unknown` for a word that is no fact.
    """
    if len(text) > LONGEST:
        raise RemotePlansError("expression_too_long", length=len(text), longest=LONGEST)
    reader = _Reader(text)
    expression = reader.either(0)
    reader.expect_end()
    return expression


def evaluate(expression: Expression, facts: Facts) -> bool | None:
    """True, False, or None where unknown facts leave it open."""
    match expression:
        case Either(parts):
            return _any(evaluate(part, facts) for part in parts)
        case Both(parts):
            outcome = _any(_negated(evaluate(part, facts)) for part in parts)
            return _negated(outcome)
        case Denied(part):
            return _negated(evaluate(part, facts))
        case IsTrue(fact):
            value = getattr(facts, fact)
            return value if isinstance(value, bool) else None
        case IsKnown(fact):
            return getattr(facts, fact) is not None
        case OneOf(fact, values):
            value = getattr(facts, fact)
            return None if value is None else value in values
        case Compare():
            return _compare(expression, facts)


def unknown_facts(expression: Expression, facts: Facts) -> tuple[str, ...]:
    """The names of facts that the expression reads and nobody knows, in order of appearance."""
    return tuple(dict.fromkeys(n for n in facts_read(expression) if getattr(facts, n) is None))


def facts_read(expression: Expression) -> tuple[str, ...]:
    """Every fact the expression reads, in order of appearance."""
    match expression:
        case Either(parts) | Both(parts):
            return tuple(name for part in parts for name in facts_read(part))
        case Denied(part):
            return facts_read(part)
        case IsTrue(fact) | IsKnown(fact) | OneOf(fact):
            return (fact,)
        case Compare(names):
            return names


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def _any(values: Iterator[bool | None]) -> bool | None:
    undecided = False
    for value in values:
        if value:
            return True
        undecided |= value is None
    return None if undecided else False


def _compare(test: Compare, facts: Facts) -> bool | None:
    """Facts are never negative, so the known addends are a lower bound of the sum."""
    values = [getattr(facts, name) for name in test.facts]
    known = sum(value for value in values if value is not None)
    bound = test.bound
    if any(value is None for value in values):
        if test.sign in (">=", ">"):
            return True if (known > bound or (test.sign == ">=" and known >= bound)) else None
        if known > bound:
            return test.sign == "!="
        return False if test.sign == "<" and known == bound else None
    match test.sign:
        case ">=":
            return bool(known >= bound)
        case ">":
            return bool(known > bound)
        case "<=":
            return bool(known <= bound)
        case "<":
            return bool(known < bound)
        case "==":
            return bool(known == bound)
        case _:
            return bool(known != bound)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


class _Reader:
    """Recursive descent over the tokens; nesting is bounded."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0

    def either(self, depth: int) -> Expression:
        parts = [self._both(depth)]
        while self._take("word", "or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def expect_end(self) -> None:
        if self._peek().kind != "end":
            raise self._wrong()

    def _both(self, depth: int) -> Expression:
        parts = [self._denied(depth)]
        while self._take("word", "and"):
            parts.append(self._denied(depth))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _denied(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise RemotePlansError("expression_too_deep", deepest=DEEPEST)
        if self._take("word", "not"):
            return Denied(self._denied(depth + 1))
        if self._take("sign", "("):
            inner = self.either(depth + 1)
            self._expect("sign", ")")
            return inner
        return self._test()

    def _test(self) -> Expression:
        name = self._fact()
        if name in TRUTH_FACTS:
            return IsTrue(name)
        if name in TEXT_FACTS:
            return self._text_test(name)
        names = [name]
        while self._take("sign", "+"):
            names.append(self._fact())
            if names[-1] not in NUMBER_FACTS:
                raise self._wrong(back=1)
        sign = self._next("sign")
        if sign.text not in COMPARISONS:
            raise self._wrong(back=1)
        return Compare(tuple(names), sign.text, float(self._next("number").text))

    def _text_test(self, name: str) -> Expression:
        if self._take("word", "is"):
            self._expect("word", "known")
            return IsKnown(name)
        if self._take("word", "in"):
            self._expect("sign", "(")
            values = [self._next("string").text]
            while self._take("sign", ","):
                values.append(self._next("string").text)
            self._expect("sign", ")")
            return OneOf(name, tuple(values))
        if self._take("sign", "=="):
            return OneOf(name, (self._next("string").text,))
        if self._take("sign", "!="):
            return Denied(OneOf(name, (self._next("string").text,)))
        raise self._wrong()

    def _fact(self) -> str:
        token = self._next("word")
        if token.text not in FACT_NAMES:
            raise RemotePlansError(
                "expression_fact_unknown", fact=token.text, position=token.position
            )
        return token.text

    def _peek(self) -> _Token:
        return self.tokens[self.at]

    def _take(self, kind: str, text: str) -> bool:
        token = self._peek()
        if token.kind == kind and token.text == text:
            self.at += 1
            return True
        return False

    def _expect(self, kind: str, text: str) -> None:
        if not self._take(kind, text):
            raise self._wrong()

    def _next(self, kind: str) -> _Token:
        token = self._peek()
        if token.kind != kind:
            raise self._wrong()
        self.at += 1
        return token

    def _wrong(self, back: int = 0) -> RemotePlansError:
        token = self.tokens[self.at - back]
        return RemotePlansError("expression_invalid", position=token.position, found=token.text)


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        if not text[at:].strip():
            break
        match = TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise RemotePlansError("expression_invalid", position=at, found=text[at : at + 10])
        tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start()))
        at = match.end()
    tokens.append(_Token("end", "", len(text)))
    return tokens
