"""The largest pane follows who speaks, and nobody else's cough."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video_bridge.video.voice_switch import VoiceSwitch

SILENCE, SPEECH, LOUD = -127, -26, -20
TICK_S = 0.02


class Meeting:
    """Feeds a switch tick by tick."""

    def __init__(self, sensitivity_db: float = 25.0, hold_s: float = 3.0) -> None:
        self.switch = VoiceSwitch(sensitivity_db, hold_s)
        self.now = 100.0
        self.changes: list[tuple[float, str | None]] = []

    def go(self, seconds: float, **levels: int) -> str | None:
        for _ in range(round(seconds / TICK_S)):
            before = self.switch.speaker
            if self.switch.hear(levels, self.now) != before:
                self.changes.append((self.now, self.switch.speaker))
            self.now += TICK_S
        return self.switch.speaker


def test_who_speaks_is_shown_within_a_second() -> None:
    """The meeting sees a speaker before his first sentence ends."""
    meeting = Meeting()
    assert meeting.go(1.0, a=SPEECH, b=SILENCE) == "a"


def test_cough_moves_nothing() -> None:
    """A short loud noise is no speech."""
    meeting = Meeting()
    meeting.go(4.0, a=SPEECH, b=SILENCE)
    meeting.go(0.2, a=SILENCE, b=LOUD)
    assert meeting.go(2.0, a=SPEECH, b=SILENCE) == "a"


def test_pause_of_the_speaker_gives_nobody_his_pane() -> None:
    """Silence is no reason to switch: the last speaker stays until another speaks."""
    meeting = Meeting()
    meeting.go(2.0, a=SPEECH)
    assert meeting.go(60.0, a=SILENCE, b=SILENCE) == "a"


def test_two_voices_do_not_swap_faster_than_the_hold_time() -> None:
    """A quarrel must not make the wall flicker."""
    meeting = Meeting(hold_s=3.0)
    for _ in range(12):
        meeting.go(1.0, a=LOUD, b=SILENCE)
        meeting.go(1.0, a=SILENCE, b=LOUD)
    times = [at for at, _ in meeting.changes]
    assert len(times) > 2
    assert all(b - a >= 3.0 - 1e-6 for a, b in itertools.pairwise(times))


def test_hardly_louder_neighbour_does_not_take_the_pane() -> None:
    """Two people at one level: who was first stays."""
    meeting = Meeting(hold_s=0.0)
    meeting.go(2.0, a=-26)
    assert meeting.go(5.0, a=-26, b=-24) == "a"
    assert meeting.go(5.0, a=-26, b=-20) == "b"


@pytest.mark.parametrize(("sensitivity_db", "shown"), [(5.0, None), (15.0, None), (35.0, "a")])
def test_sensitivity_decides_which_voice_counts(sensitivity_db: float, shown: str | None) -> None:
    """A noisy hall is set less sensitive, a quiet voice more."""
    assert Meeting(sensitivity_db).go(5.0, a=-45) == shown


def test_leaving_speaker_makes_room_at_once() -> None:
    """The hold time protects a speaker, not an empty chair."""
    meeting = Meeting(hold_s=30.0)
    meeting.go(2.0, a=SPEECH)
    meeting.switch.forget("a")
    assert meeting.switch.speaker is None
    assert meeting.go(1.5, b=SPEECH) == "b"


LEVELS = st.dictionaries(st.sampled_from("abcd"), st.integers(-127, 0), max_size=4)


@given(st.lists(st.tuples(LEVELS, st.floats(0.0, 2.0)), max_size=60), st.floats(0.0, 10.0))
def test_hold_time_is_kept_whatever_comes(
    heard: list[tuple[dict[str, int], float]], hold_s: float
) -> None:
    """Any levels at any times: switches are at least the hold time apart."""
    switch, now, switched = VoiceSwitch(25.0, hold_s), 0.0, []
    for levels, step_s in heard:
        now += step_s
        before = switch.speaker
        if switch.hear(levels, now) != before:
            switched.append(now)
    assert all(b - a >= hold_s for a, b in itertools.pairwise(switched))
