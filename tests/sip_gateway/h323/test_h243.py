"""H.243's chair control between two H.245 sessions of ours, and what an assembly tells whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sip_gateway.h323.asn1 import decode_h245, encode_h245
from sip_gateway.h323.h243 import octets_of
from sip_gateway.h323.h243_assembly import Assembly, Terminal, news
from sip_gateway.h323.h243_events import (
    Ask,
    ConferenceAnswered,
    ConferenceAsked,
    ConferenceTold,
    Label,
    Tell,
)
from tests.sip_gateway.h323.test_h245 import pair

ROOM, OTHER = Label(1, 3), Label(1, 7)
LABELLED = {Ask.TERMINAL_NAME, Ask.DROP, Ask.BROADCASTER, Ask.SOURCE}
REQUESTS = [
    Ask.TERMINAL_LIST, Ask.TERMINAL_NAME, Ask.TERMINAL_NAMES, Ask.CHAIR, Ask.CHAIR_RELEASE,
    Ask.CHAIR_OWNER, Ask.DROP, Ask.BROADCASTER, Ask.MINE, Ask.SOURCE, Ask.OWN_NAME,
]  # fmt: skip
ORDERS = [
    Ask.BROADCASTER, Ask.BROADCASTER_END, Ask.MINE, Ask.MINE_END, Ask.SOURCE, Ask.SOURCE_END,
    Ask.END_CONFERENCE,
]  # fmt: skip


@pytest.mark.parametrize("ask", REQUESTS)
def test_a_request_reaches_the_bridge_with_its_terminal(ask: Ask) -> None:
    """And says that it wants an answer."""
    both = pair()
    label = OTHER if ask in LABELLED else None
    both.room.conference_ask(ask, label=label, channel=101)
    both.settle()
    channel = 101 if ask is Ask.MINE else None
    assert both.told["bridge"][-1] == ConferenceAsked(ask, label, channel, wants_answer=True)


@pytest.mark.parametrize("ask", ORDERS)
def test_an_order_is_the_same_as_a_command(ask: Ask) -> None:
    """From a chair, or from an MCU to the one below it."""
    both = pair()
    label = OTHER if ask in LABELLED else None
    both.bridge.conference_order(ask, label=label, channel=102)
    both.settle()
    channel = 102 if ask in (Ask.MINE, Ask.MINE_END) else None
    assert both.told["room"][-1] == ConferenceAsked(ask, label, channel)


@pytest.mark.parametrize("granted", [True, False])
@pytest.mark.parametrize("ask", [Ask.CHAIR, Ask.BROADCASTER, Ask.MINE, Ask.SOURCE])
def test_a_decision_answers_the_request_it_belongs_to(ask: Ask, granted: bool) -> None:
    """Granted or denied, each by its own response."""
    both = pair()
    both.bridge.conference_decide(ConferenceAsked(ask, wants_answer=True), granted=granted)
    both.settle()
    assert both.told["room"][-1] == ConferenceAnswered(ask, granted)


def test_of_a_command_only_a_refusal_is_told() -> None:
    """videoCommandReject and terminalDropReject are all that H.245 has."""
    both = pair()
    before = len(both.told["room"])
    both.bridge.conference_decide(ConferenceAsked(Ask.SOURCE, OTHER), granted=True)
    both.bridge.conference_decide(ConferenceAsked(Ask.DROP, OTHER), granted=True)
    both.settle()
    assert both.told["room"][before:] == []
    both.bridge.conference_decide(ConferenceAsked(Ask.SOURCE, OTHER), granted=False)
    both.bridge.conference_decide(ConferenceAsked(Ask.DROP, OTHER), granted=False)
    both.settle()
    assert both.told["room"][before:] == [
        ConferenceAnswered(Ask.BROADCASTER, granted=False),
        ConferenceAnswered(Ask.DROP, granted=False),
    ]


def test_terminals_are_listed_and_named() -> None:
    """Numbers alone, one name, all names, the chair's and a terminal's own."""
    both = pair()
    both.bridge.conference_list([ROOM, OTHER])
    both.bridge.conference_name(Ask.TERMINAL_NAME, OTHER, "英德市应急管理局")
    both.bridge.conference_names([(ROOM, "翁源县"), (OTHER, "英德市")])
    both.bridge.conference_name(Ask.CHAIR_OWNER, ROOM, "翁源县")
    both.room.conference_name(Ask.OWN_NAME, ROOM, "翁源县")
    both.settle()
    assert both.told["room"][-4:] == [
        ConferenceAnswered(Ask.TERMINAL_LIST, terminals=((ROOM, ""), (OTHER, ""))),
        ConferenceAnswered(Ask.TERMINAL_NAME, terminals=((OTHER, "英德市应急管理局"),)),
        ConferenceAnswered(Ask.TERMINAL_NAMES, terminals=((ROOM, "翁源县"), (OTHER, "英德市"))),
        ConferenceAnswered(Ask.CHAIR_OWNER, terminals=((ROOM, "翁源县"),)),
    ]
    named = ConferenceAnswered(Ask.OWN_NAME, terminals=((ROOM, "翁源县"),))
    assert both.told["bridge"][-1] == named


@pytest.mark.parametrize("tell", list(Tell))
def test_every_indication_reaches_the_room(tell: Tell) -> None:
    """With the terminal where it names one."""
    both = pair()
    named = {Tell.NUMBER, Tell.JOINED, Tell.LEFT, Tell.SEEING, Tell.FLOOR_ASKED}
    label = OTHER if tell in named else None
    both.bridge.conference_tell(tell, label)
    both.room.conference_ask(Ask.FLOOR)
    both.settle()
    assert both.told["room"][-1] == ConferenceTold(tell, label)
    assert both.told["bridge"][-1] == ConferenceAsked(Ask.FLOOR)


def test_what_we_do_not_do_is_said_and_what_no_one_knows_is_ignored() -> None:
    """A password request gets functionNotUnderstood; an unknown indication nothing."""
    both = pair()
    request = ("request", ("conferenceRequest", ("enterH243Password", 0)))
    assert both.bridge.receive(encode_h245(request), 0.0) == []
    (answer,) = both.bridge.outgoing()
    assert decode_h245(answer)[1][0] == "functionNotUnderstood"
    indication = ("indication", ("conferenceIndication", ("sbeNumber", 3)))
    assert both.bridge.receive(encode_h245(indication), 0.0) == []
    assert both.bridge.outgoing() == []


def test_a_long_name_is_cut_at_a_character() -> None:
    """A TerminalID has 128 octets; half a Chinese character is none."""
    cut = octets_of("县" * 60)
    assert len(cut) == 126
    assert cut.decode() == "县" * 42


A = Terminal("a", 3, "翁源县", "leg-a")
B = Terminal("b", 7, "英德市", "leg-b")
C = Terminal("c", 9, "省厅", None)
HERE = Assembly((A, B, C))


def test_a_newcomer_is_given_its_number_and_the_others_hear_of_it() -> None:
    """It asks for the list itself."""
    without = Assembly((A, replace(B, leg_id=None), C))
    assert list(news(without, HERE, "leg-b")) == [(Tell.NUMBER, Label(1, 7))]
    assert list(news(without, HERE, "leg-a")) == [(Tell.JOINED, Label(1, 7))]
    assert list(news(HERE, without, "leg-a")) == [(Tell.LEFT, Label(1, 7))]
    assert list(news(HERE, HERE, "leg-a")) == []
    assert list(news(HERE, HERE, "leg-stranger")) == []


def test_all_are_told_whom_they_see_and_the_one_that_it_is_seen() -> None:
    """As broadcast and roll call have it."""
    shown = replace(HERE, shown="b", is_forced=True)
    assert list(news(HERE, shown, "leg-a")) == [(Tell.SEEING, Label(1, 7))]
    assert list(news(HERE, shown, "leg-b")) == [(Tell.SEEN_BY_ALL, None)]
    assert list(news(shown, HERE, "leg-b")) == [(Tell.SEEN_BY_ALL_NOT, None)]


def test_the_chair_hears_who_asks_for_the_floor_and_that_it_lost_the_token() -> None:
    """Nobody else does; a new chair hears of those who asked before."""
    asking = replace(HERE, chair="a", floor=("b",))
    assert list(news(replace(HERE, chair="a"), asking, "leg-a")) == [
        (Tell.FLOOR_ASKED, Label(1, 7))
    ]
    assert list(news(replace(HERE, floor=("b",)), asking, "leg-a")) == [
        (Tell.FLOOR_ASKED, Label(1, 7))
    ]
    assert list(news(replace(HERE, chair="a"), asking, "leg-b")) == []
    assert list(news(asking, HERE, "leg-a")) == [(Tell.CHAIR_WITHDRAWN, None)]
