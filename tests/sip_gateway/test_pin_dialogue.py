"""The questions a caller without a hall is asked, key by key."""

from __future__ import annotations

from sip_gateway.pin_dialogue import Check, Dialogue, End, Say, Step


def press(dialogue: Dialogue, keys: str, now: float = 1.0) -> list[Step]:
    steps = [dialogue.press(key, now) for key in keys]
    return [step for step in steps if step is not None]


def test_a_dialled_number_asks_for_the_pin_alone() -> None:
    """Six digits are enough, hash or not."""
    dialogue = Dialogue("9001", needs_pin=True, now=0.0)
    assert dialogue.question == Say("enter_pin")
    assert press(dialogue, "246810") == [Check("9001", "246810")]


def test_the_lobby_number_asks_for_number_then_pin() -> None:
    """A shorter PIN is judged at the hash, as a wrong one."""
    dialogue = Dialogue(None, needs_pin=True, now=0.0)
    assert dialogue.question == Say("enter_number")
    assert press(dialogue, "9001#12#") == [Say("enter_pin"), Check("9001", "12")]


def test_a_hall_keys_the_number_alone() -> None:
    """It is known by its account and needs no PIN."""
    assert press(Dialogue(None, needs_pin=False, now=0.0), "9001#") == [Check("9001", None)]


def test_a_star_begins_anew_and_a_hash_alone_says_nothing() -> None:
    """Fingers slip; an empty answer is no try."""
    dialogue = Dialogue("9001", needs_pin=True, now=0.0)
    assert press(dialogue, "#24*#246810") == [Check("9001", "246810")]


def test_the_third_wrong_answer_ends_the_call() -> None:
    """And each time before it begins with the number again, as number and PIN are one secret."""
    dialogue = Dialogue(None, needs_pin=True, now=0.0)
    outcomes = []
    for _ in range(3):
        assert press(dialogue, "9001#111111")[-1] == Check("9001", "111111")
        outcomes.append(dialogue.wrong(1.0))
    assert outcomes == [Say("wrong"), Say("wrong"), End("refused")]
    assert dialogue.question == Say("enter_number")


def test_silence_repeats_the_question_and_then_ends_the_call() -> None:
    """A forgotten receiver must not hold a leg."""
    dialogue = Dialogue("9001", needs_pin=True, now=0.0)
    assert dialogue.due(19.0) is None
    assert dialogue.due(20.0) == Say("enter_pin")
    assert dialogue.due(21.0) is None
    dialogue.press("1", 30.0)
    assert dialogue.due(49.0) is None
    assert dialogue.due(90.0) == End("timed_out")
