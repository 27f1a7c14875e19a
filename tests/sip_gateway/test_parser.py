"""The SIP parser: RFC 4475's exam, strictness in small, and robustness against mutations."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip_gateway.errors import LocalSipError, RemoteSipError
from sip_gateway.sip.message import Request, Response, response_to
from sip_gateway.sip.parser import (
    Broken,
    KeepAlive,
    MalformedMessageError,
    Refused,
    StreamParser,
    parse_datagram,
)
from sip_gateway.sip.uri import SipUri, parse_uri
from tests.harness.plugin import suite

RFC4475 = suite("badinput/sip-rfc4475", "*.dat")

# RFC 4475: what a parser has to say to each message. None: accepted (what the user agent answers
# to it is tested with the gateway). 3.1.1 valid, 3.1.2 invalid, then 3.2 to 3.4.
VERDICTS: dict[str, str | None] = {
    "wsinv": None,
    "intmeth": None,
    "esc01": None,
    "escnull": None,
    "esc02": None,
    "lwsdisp": None,
    "longreq": None,
    "dblreq": None,
    "semiuri": None,
    "transports": None,
    "mpart01": None,
    "unreason": None,
    "noreason": None,
    "badinv01": "via_malformed",
    "clerr": "body_truncated",
    "ncl": "content_length_malformed",
    "scalar02": "cseq_out_of_range",
    "scalarlg": "cseq_out_of_range",
    "quotbal": "address_malformed",
    "ltgtruri": "uri_malformed",
    "lwsruri": "start_line_malformed",
    "lwsstart": "start_line_malformed",
    "trws": "start_line_malformed",
    "escruri": "request_uri_has_headers",
    "baddate": "date_malformed",
    "regbadct": "address_malformed",
    "badaspec": "uri_malformed",
    "baddn": "address_malformed",
    "badvers": "sip_version_unsupported",
    "mismatch01": "cseq_method_mismatch",
    "mismatch02": "cseq_method_mismatch",
    "bigcode": "status_code_malformed",
    "badbranch": None,
    "insuf": "header_missing",
    "unkscm": None,
    "novelsc": None,
    "unksm2": None,
    "bext01": None,
    "invut": None,
    "regaut01": None,
    "multi01": "header_repeated",
    "mcl01": "header_repeated",
    "bcast": None,
    "zeromf": None,
    "cparam01": None,
    "cparam02": None,
    "regescrt": None,
    "sdp01": None,
    "inv2543": None,
}

INVITE = (
    b"INVITE sip:9000@10.0.0.2 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKabc;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Hall" <sip:440229@10.0.0.2>;tag=1\r\n'
    b"To: <sip:9000@10.0.0.2>\r\n"
    b"Call-ID: a1@10.0.0.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:440229@10.0.0.1:5060>\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 4\r\n\r\nv=0\n"
)


@pytest.mark.parametrize("path", RFC4475, ids=lambda path: path.stem)
def test_rfc4475_messages_get_their_verdicts(path: Path) -> None:
    """Valid ones are accepted, each invalid one is refused for its own reason."""
    expected = VERDICTS[path.stem]
    if expected is None:
        assert isinstance(parse_datagram(path.read_bytes()), Request | Response)
        return
    with pytest.raises(RemoteSipError) as refused:
        parse_datagram(path.read_bytes())
    assert refused.value.code == expected


def test_the_verdict_table_covers_all_49_messages() -> None:
    """13 valid, 19 invalid, 17 of the other classes."""
    assert len(VERDICTS) == 49
    assert sum(code is None for code in list(VERDICTS.values())[:13]) == 13
    assert all(code is not None for code in list(VERDICTS.values())[13:32])


def test_a_message_is_the_same_after_a_round_trip() -> None:
    """What we serialise we parse to the same thing."""
    message = parse_datagram(INVITE)
    again = parse_datagram(bytes(message))
    assert (again.headers, again.body) == (message.headers, message.body)
    assert isinstance(again, Request) and again.uri == SipUri("10.0.0.2", "9000")


@pytest.mark.parametrize("end", range(len(INVITE) - 4))
def test_truncation_at_every_byte_raises_only_remote(end: int) -> None:
    """A datagram cut anywhere is refused as malformed, never with another exception."""
    with pytest.raises(RemoteSipError):
        parse_datagram(INVITE[:end])


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"Max-Forwards: 70", b"Max-Forwards: 256", "number_malformed"),
        (b"Max-Forwards: 70", "Max-Forwards: ７０".encode(), "number_malformed"),
        (b"CSeq: 1 INVITE", b"CSeq: 2147483648 INVITE", "cseq_out_of_range"),
        (b"CSeq: 1 INVITE", "CSeq: １ INVITE".encode(), "cseq_malformed"),
        (b"Call-ID: a1@10.0.0.1", b"Call-ID: a b", "call_id_malformed"),
        (b"Contact: <", b"Contact: <<", "uri_malformed"),
        (b":5060;branch", b":99999;branch", "via_malformed"),
        (b"To: <sip:9000@10.0.0.2>", b"To: <sip:9000@>", "uri_malformed"),
        (b"Max-Forwards: 70", b"Max-Forwards: 70\r\nX\x01y: 1", "header_malformed"),
        (b"Max-Forwards: 70", b"Max-Forwards: 70\r\nX-A: a\0b", "control_character"),
        (b"Max-Forwards: 70", b"Max-Forwards: 70\r\nX-A: a\rb", "control_character"),
        (b"Max-Forwards: 70", b"Max-Forwards: 70\r\n" + b"X: 1\r\n" * 130, "headers_too_many"),
        (b"Max-Forwards: 70", b"X: " + b"a" * 20_000, "headers_too_large"),
        (b"Content-Length: 4", b"Content-Length: 4\r\nl: 4", "header_repeated"),
        (b"Content-Type: application/sdp", b"Content-Type: sdp", "content_type_malformed"),
    ],
)
def test_each_malformation_has_its_code(old: bytes, new: bytes, code: str) -> None:
    """Stable codes are what the guard counts and the operator reads."""
    with pytest.raises(RemoteSipError) as refused:
        parse_datagram(INVITE.replace(old, new, 1))
    assert refused.value.code == code


def test_compact_forms_and_folding_are_the_long_forms() -> None:
    """Old rooms on thin lines write v, f, t, i, m, c, l."""
    compact = (
        INVITE.replace(b"Via:", b"v:")
        .replace(b"From:", b"f :")
        .replace(b"To:", b"t:")
        .replace(b"Call-ID:", b"i:\r\n ")
        .replace(b"Contact:", b"m:")
        .replace(b"Content-Type:", b"c:")
        .replace(b"Content-Length:", b"l:")
    )
    assert parse_datagram(compact).headers == parse_datagram(INVITE).headers


def test_display_names_in_gb18030_survive() -> None:
    """Rooms of old makes send Chinese names in the national code; nothing is refused or lost."""
    name = '"翁源县会场"'.encode("gb18030")
    raw = INVITE.replace(b'"Hall"', name)
    assert name in bytes(parse_datagram(raw))


@pytest.mark.parametrize("text", ["广东𠮷田", "\u202eabc", "１２３４", "a" * 500])
def test_unusual_names_pass_through(text: str) -> None:
    """CJK extension B, bidi marks, full-width digits, long names."""
    raw = INVITE.replace(b"Hall", text.encode())
    assert parse_datagram(raw).from_.display == text


def test_a_header_we_build_cannot_smuggle_a_line() -> None:
    """A caller's name with a line break in it must not become a header of its own."""
    request = parse_datagram(INVITE)
    assert isinstance(request, Request)
    with pytest.raises(LocalSipError):
        bytes(response_to(request, 200, headers=(("X", "a\r\nY: b"),)))


def test_whitespace_cannot_make_the_parser_slow() -> None:
    """16 KB of blanks in one header is judged in well under 50 ms."""
    raw = INVITE.replace(b"Max-Forwards: 70", b"X-A: a" + b" " * 15_000 + b"b")
    for _ in range(2):
        started = time.process_time()
        parse_datagram(raw)
        spent = time.process_time() - started
    assert spent < 0.05


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=600))
def test_random_bytes_raise_only_remote(data: bytes) -> None:
    """Invariant: whatever arrives, the parser returns a message or raises RemoteSipError."""
    for raw in (data, INVITE[:60] + data, INVITE.replace(b"10.0.0.1:5060", data, 1)):
        with contextlib.suppress(RemoteSipError):
            parse_datagram(raw)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_as_uri_raises_only_remote(text: str) -> None:
    """Invariant: parse_uri accepts or raises RemoteSipError, and what it accepts round-trips."""
    try:
        uri = parse_uri("sip:" + text)
    except RemoteSipError:
        return
    assert parse_uri(str(uri)) == uri


def mutate(data: bytes, dice: random.Random) -> bytes:
    """One to four edits: flip, drop, double, splice, a nasty byte."""
    raw = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(raw)) if raw else 0
        match dice.randrange(5):
            case 0:
                raw[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                del raw[at : at + dice.randint(1, 40)]
            case 2:
                raw[at:at] = raw[at : at + dice.randint(1, 80)]
            case 3:
                raw[at:at] = dice.choice(
                    [b"\0", b"\r\n", b"\r", b"%", b'"', b"<", b";;", b",", b"\xff", b":"]
                )
            case _:
                other = dice.randrange(len(raw)) if raw else 0
                raw[at : at + 20], raw[other : other + 20] = (
                    raw[other : other + 20],
                    raw[at : at + 20],
                )
    return bytes(raw)


@pytest.mark.parametrize("start", range(4))
def test_mutated_messages_raise_only_remote_and_stay_cheap(start: int) -> None:
    """The parser alone; the whole gateway is attacked in `test_mutations.py`."""
    seeds = [INVITE, *(path.read_bytes() for path in RFC4475)]
    dice = random.Random(start)
    slowest = 0.0
    for _ in range(500):
        raw = mutate(dice.choice(seeds), dice)
        started = time.process_time()
        try:
            message = parse_datagram(raw)
            bytes(message)
        except RemoteSipError:
            pass
        slowest = max(slowest, time.process_time() - started)
    assert slowest < 0.05


# --- streams ---------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 200), min_size=1, max_size=30))
def test_a_stream_may_be_cut_anywhere(cuts: list[int]) -> None:
    """Invariant: messages come out the same however TCP cuts them."""
    stream = INVITE + b"\r\n\r\n" + INVITE
    parser, out, at = StreamParser(), [], 0
    for cut in [*cuts, len(stream)]:
        out += parser.feed(stream[at : at + cut])
        at += cut
    kinds = [type(item) for item in out]
    assert kinds == [Request, KeepAlive, Request]
    assert not parser.is_mid_message


def test_a_malformed_message_in_a_stream_does_not_lose_the_next() -> None:
    """Its length is known, so only it is refused."""
    bad = INVITE.replace(b"CSeq: 1 INVITE", b"CSeq: x INVITE")
    first, second = StreamParser().feed(bad + INVITE)
    assert isinstance(first, Refused) and first.error.code == "cseq_malformed"
    assert isinstance(second, Request)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"Content-Length: 4\r\n", b"", "content_length_missing"),
        (b"Content-Length: 4", b"Content-Length: -4", "content_length_malformed"),
        (b"Content-Length: 4", b"Content-Length: 9999999", "content_length_malformed"),
    ],
)
def test_a_stream_whose_framing_is_lost_is_given_up(old: bytes, new: bytes, code: str) -> None:
    """Without a length nobody knows where the next message begins (clause 18.3)."""
    first, lost = StreamParser().feed(INVITE + INVITE.replace(old, new))
    assert isinstance(first, Request)
    assert isinstance(lost, Broken) and lost.error.code == code


def test_endless_headers_are_cut_off() -> None:
    """A peer that never ends its headers cannot fill our memory."""
    parser = StreamParser()
    items = [parser.feed(b"X-Long: " + b"a" * 1000 + b"\r\n") for _ in range(18)]
    assert [type(item) for batch in items for item in batch] == [Broken]


def test_what_could_be_read_of_a_refused_request_is_kept() -> None:
    """So that it is answered with 400 instead of being repeated for half a minute."""
    with pytest.raises(MalformedMessageError) as refused:
        parse_datagram(INVITE.replace(b"Max-Forwards: 70", b"Max-Forwards: x"))
    assert refused.value.partial is not None
    assert refused.value.partial.cseq.method == "INVITE"
