"""A cut waits for pictures, but not for ever."""

from video_bridge.video.cut import Cut
from video_bridge.video.layouts import Seating

BEFORE = Seating("2", ("a", "b"))
AFTER = Seating("2", ("c", "b"))


def test_cut_waits_for_the_newcomers_picture() -> None:
    """Between two speakers the wall shows the first, not a card."""
    cut, ready = Cut(0.6), {"b"}
    assert cut.seat(BEFORE, ready.__contains__, 0.0) == BEFORE, "the first is shown at once"
    assert cut.seat(AFTER, ready.__contains__, 1.0) == BEFORE
    assert cut.coming == {"a", "b", "c"}, "whom to decode meanwhile"
    ready.add("c")
    assert cut.seat(AFTER, ready.__contains__, 1.2) == AFTER
    assert cut.coming == {"b", "c"}


def test_patience_ends() -> None:
    """A site without a picture is shown as such."""
    cut = Cut(0.6)
    cut.seat(BEFORE, lambda _: False, 0.0)
    assert cut.seat(AFTER, lambda _: False, 1.0) == BEFORE
    assert cut.seat(AFTER, lambda _: False, 1.7) == AFTER


def test_who_only_changes_places_is_not_waited_for() -> None:
    """All are decoded already."""
    cut = Cut(0.6)
    cut.seat(BEFORE, lambda _: False, 0.0)
    swapped = Seating("2", ("b", "a"))
    assert cut.seat(swapped, lambda _: False, 1.0) == swapped
    assert cut.seat(Seating("1", ("b",)), lambda _: False, 1.1) == Seating("1", ("b",))


def test_change_of_mind_begins_the_patience_anew() -> None:
    """Three clicks in a second show the last one's picture, none of the cards between."""
    cut = Cut(0.6)
    cut.seat(BEFORE, lambda _: False, 0.0)
    cut.seat(AFTER, lambda _: False, 1.0)
    other = Seating("1", ("d",))
    assert cut.seat(other, lambda _: False, 1.5) == BEFORE
    assert cut.seat(BEFORE, lambda _: False, 1.8) == BEFORE
    assert cut.coming == {"a", "b"}


def test_many_who_join_at_once_do_not_hold_the_wall() -> None:
    """Each newcomer changes the target; the wall follows all the same."""
    cut = Cut(0.6)
    cut.seat(BEFORE, lambda _: False, 0.0)
    shown = [
        cut.seat(Seating("25", tuple(f"leg{n}" for n in range(count))), lambda _: False, now)
        for count, now in ((count, 1.0 + count * 0.1) for count in range(25))
    ]
    assert len(set(shown)) >= 2 and shown[-1] != BEFORE
