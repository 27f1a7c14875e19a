"""The rules of the one content token, tried in every order."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.consultation.content.token import Token
from command_center.consultation.errors import LocalConsultationError

A, B, C = (UUID(int=number) for number in (1, 2, 3))


def test_second_presenter_is_refused_with_the_holder_or_waits() -> None:
    """A browser asks again later; a BFCP room waits in the queue."""
    token = Token().request(A, can_wait=False)
    assert token.holder == A
    assert token.request(A, can_wait=False) == token, "asking twice changes nothing"
    with pytest.raises(LocalConsultationError) as refused:
        token.request(B, can_wait=False)
    assert (refused.value.code, refused.value.fields["participant_id"]) == ("content_held", str(A))
    waiting = token.request(B, can_wait=True).request(C, can_wait=True)
    assert (waiting.place(B), waiting.place(C), waiting.place(A)) == (1, 2, None)
    assert waiting.release(A) == Token(B, (C,))
    assert waiting.release(B) == Token(A, (C,)), "who waits may go"


def test_lock_takes_the_token_from_all_but_one() -> None:
    """锁定演示: one named site, until it is opened to first come again."""
    token = Token(A, (B, C))
    assert token.lock(B) == Token(B, (), B)
    assert token.lock(A) == Token(A, (), A)
    alone = Token(A).lock(C)
    assert alone == Token(None, (), C)
    with pytest.raises(LocalConsultationError) as refused:
        alone.request(A, can_wait=True)
    assert refused.value.code == "content_locked"
    assert alone.request(C, can_wait=False).holder == C
    assert alone.lock(None).request(A, can_wait=False).holder == A


STEPS = st.lists(st.tuples(st.sampled_from(["ask", "wait", "release", "lock"]), st.integers(0, 3)))


@given(STEPS)
def test_token_has_one_holder_whatever_happens(steps: list[tuple[str, int]]) -> None:
    """Never two, never a holder who also waits, never one that the lock forbids, never idle."""
    token = Token()
    for step, number in steps:
        who = (A, B, C)[number % 3]
        try:
            if step == "lock":
                token = token.lock(who if number < 3 else None)
            elif step == "release":
                token = token.release(who)
            else:
                token = token.request(who, can_wait=step == "wait")
        except LocalConsultationError:
            pass
        assert token.holder not in token.queue
        assert len(set(token.queue)) == len(token.queue)
        assert token.locked_to in (None, token.holder) or token.holder is None
        assert token.holder is not None or not token.queue
