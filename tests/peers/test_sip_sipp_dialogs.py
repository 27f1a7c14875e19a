"""sipp against the gateway inside a dialog: PRACK, session timers with 422, REFER, key frames."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sip_gateway.messages import CallResult, CallState
from sip_gateway.ports import Admission, Refusal
from sip_gateway.sip import callee, session_timer
from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer, is_bound
from tests.sip_gateway.desk import Book, eventually, open_desk

pytestmark = pytest.mark.peer("sipp")
SDP = """v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 40000 RTP/AVP 8 101
a=rtpmap:101 telephone-event/8000"""
FROM = "From: sipp <sip:440229@[local_ip]:[local_port]>;tag=[pid]SIPpTag00[call_number]"


def request(method: str, cseq: int, headers: str = "", body: str = "", type_: str = "") -> str:
    """A request of sipp as the calling room; everything but INVITE is in the dialog."""
    tag = "" if method == "INVITE" else "[peer_tag_param]"
    repeats = "" if method == "ACK" else ' retrans="500"'
    lines = [
        f"{method} sip:9000@[remote_ip]:[remote_port] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        FROM,
        f"To: <sip:9000@[remote_ip]:[remote_port]>{tag}",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        "Contact: <sip:sipp@[local_ip]:[local_port]>",
        "Max-Forwards: 70",
        *headers.splitlines(),
        *([f"Content-Type: {type_ or 'application/sdp'}"] if body else []),
        "Content-Length: [len]",
        "",
        *body.splitlines(),
    ]
    text = "\n".join(lines)
    return f"<send{repeats}><![CDATA[\n{text}\n]]></send>"


def response(status: str, headers: str = "", body: str = "", *, of: str = "last") -> str:
    """An answer of sipp to the request it received last, or to the INVITE it remembers."""
    last = ["[last_Via:]", "[last_From:]", "[last_To:]", "[last_CSeq:]"]
    remembered = ["Via:[$via]", "From:[$from]", "To:[$to];tag=callee", "CSeq:[$cseq]"]
    lines = [
        f"SIP/2.0 {status}",
        *(last if of == "last" else remembered),
        "Call-ID: [call_id]",
        "Contact: <sip:sipp@[local_ip]:[local_port]>",
        *headers.splitlines(),
        *(["Content-Type: application/sdp"] if body else []),
        "Content-Length: [len]",
        "",
        *body.splitlines(),
    ]
    text = "\n".join(lines)
    return f"<send><![CDATA[\n{text}\n]]></send>"


def receive(status: int, *, optional: bool = False, action: str = "") -> str:
    maybe = ' optional="true"' if optional else ""
    return f'<recv response="{status}"{maybe}>{action}</recv>'


def finds(header: str, pattern: str, variable: str = "found") -> str:
    return (
        f'<action><ereg regexp="{pattern}" search_in="hdr" header="{header}" check_it="true" '
        f'assign_to="{variable}"/></action>'
    )


def receive_request(method: str, header: str = "", pattern: str = "") -> str:
    """`header` must match `pattern`; an INVITE is remembered for `response(of="invite")`."""
    action = finds(header, pattern) if header else ""
    if method == "INVITE":
        for name in ("via", "from", "to", "cseq"):
            action += finds(f"{name.title() if name != 'cseq' else 'CSeq'}:", ".*", name)
    action = action.replace("</action><action>", "")  # sipp reads one block only
    return f'<recv request="{method}">{action}</recv>'


def bye_of_the_called() -> str:
    lines = [
        f"BYE sip:consultation@{ADDRESS}:5060 SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "From:[$to];tag=callee",
        "To:[$from]",
        "Call-ID: [call_id]",
        "CSeq: 1 BYE",
        "Max-Forwards: 70",
        "Content-Length: 0",
    ]
    text = "\n".join(lines)
    return f'<send retrans="500"><![CDATA[\n{text}\n\n]]></send>'


async def play(
    folder: Path, *steps: str, called: bool = False, options: tuple[str, ...] = ()
) -> Peer:
    """Start sipp with a scenario of these steps; `ended` waits for it."""
    joined = "".join(steps)
    names = ("found", "via", "from", "to", "cseq")
    used = ",".join(name for name in names if f'assign_to="{name}"' in joined)
    uses = f'<Reference variables="{used}"/>' if used else ""
    text = '<?xml version="1.0" encoding="ISO-8859-1" ?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n'
    scenario = folder / "scenario.xml"
    scenario.write_text(text + f'<scenario name="s">{joined}{uses}</scenario>')
    command = ["sipp", *([] if called else [f"{ADDRESS}:5060"]), "-sf", str(scenario)]
    command += ["-i", ADDRESS, "-p", "6060", "-m", "1", "-nostdin", "-trace_err"]
    command += ["-timeout", "40s", "-timeout_error", *options]
    return Peer(command, folder / "sipp.log", cwd=folder)


async def ended(folder: Path, peer: Peer) -> None:
    """Fails the test unless every step of the scenario happened."""
    await asyncio.to_thread(peer.process.wait, 60)
    errors = "".join(path.read_text() for path in folder.glob("*_errors.log"))
    assert peer.process.returncode == 0, f"{errors}\n{peer.text()[-2500:]}"


CALL_UP = (
    receive(100, optional=True),
    receive(180, optional=True),
    receive(200),
    request("ACK", 1),
)


async def test_a_required_prack_is_taken(tmp_path: Path) -> None:
    """A room that requires 100rel gets RSeq in its 180, and 200 for its PRACK (RFC 3262)."""
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=None) as desk:
        desk.book.static[ADDRESS] = "440229"
        desk.node.add_delay_s = 1.5  # time for a repeated 180 as well
        peer = await play(
            tmp_path,
            request("INVITE", 1, "Require: 100rel\nSupported: 100rel", SDP),
            receive(100, optional=True),
            receive(180, action=finds("RSeq:", "[0-9]+")),
            '<pause milliseconds="700"/>',
            request("PRACK", 2, "RAck: [$found] 1 INVITE"),
            receive(180, optional=True),
            receive(200),
            receive(200),
            request("ACK", 1),
            request("BYE", 3),
            receive(200),
        )
        await ended(tmp_path, peer)
        assert (await desk.ended("leg-440229")).result is CallResult.HUNG_UP


async def test_a_short_session_is_refused_and_one_not_refreshed_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """422 names the least interval; the room takes it, falls silent and is hung up (RFC 4028)."""
    for module in (session_timer, callee):
        monkeypatch.setattr(module, "MIN_SE_S", 6)  # 90 s by the RFC, too long for a test
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=None) as desk:
        desk.book.static[ADDRESS] = "440229"
        peer = await play(
            tmp_path,
            request("INVITE", 1, "Supported: timer\nSession-Expires: 3", SDP),
            receive(100, optional=True),
            receive(422, action=finds("Min-SE:", "^ *6$")),
            request("ACK", 1),
            request("INVITE", 2, "Supported: timer\nSession-Expires: 6;refresher=uac", SDP),
            receive(100, optional=True),
            receive(180, optional=True),
            receive(200),
            request("ACK", 2),
            receive_request("BYE"),
            response("200 OK"),
        )
        await ended(tmp_path, peer)
        assert (await desk.ended("leg-440229")).result is CallResult.UNREACHABLE


async def test_a_dialled_room_asks_for_longer_sessions_and_answers_early(tmp_path: Path) -> None:
    """Its 422 is obeyed; its answer in a reliable 183 counts, though its 200 has none."""
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=None) as desk:
        peer = await play(
            tmp_path,
            receive_request("INVITE", "Session-Expires:", "1800"),
            response("422 Session Interval Too Small", "Min-SE: 3600", of="invite"),
            receive_request("ACK"),
            receive_request("INVITE", "Session-Expires:", "3600"),
            response("183 Session Progress", "Require: 100rel\nRSeq: 77", SDP, of="invite"),
            receive_request("PRACK", "RAck:", "77 2 INVITE"),
            response("200 OK"),
            response("200 OK", of="invite"),
            receive_request("ACK"),
            '<pause milliseconds="500"/>',
            bye_of_the_called(),
            receive(200),
            called=True,
        )
        await eventually(lambda: is_bound("udp", 6060))
        await desk.dial(uri=f"sip:room@{ADDRESS}:6060", audio_only=True)
        await ended(tmp_path, peer)
        call = await desk.ended("leg-1")
        assert (call.result, call.codecs) == (CallResult.HUNG_UP, ["PCMA"])


class TwoConsultations(Book):
    """9000 and 9001 are two conferences; 9002 is nobody's."""

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        if number == "9001":
            return Admission("other", f"moved-{account}", "翁源县")
        return await super().admit(account, number)


async def test_a_room_refers_itself_to_another_consultation(tmp_path: Path) -> None:
    """REFER inside the call: its leg moves, by re-INVITE; an unknown number changes nothing."""
    book = TwoConsultations()
    async with open_desk(
        tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=None, book=book
    ) as desk:
        desk.node.conferences.add("other")
        desk.book.static[ADDRESS] = "440229"
        refer_to = f"Refer-To: <sip:900%d@{ADDRESS}>"
        peer = await play(
            tmp_path,
            request("INVITE", 1, "", SDP),
            *CALL_UP,
            request("REFER", 2, refer_to % 2),
            receive(202),
            '<pause milliseconds="500"/>',
            request("REFER", 3, refer_to % 1),
            receive(202),
            receive_request("INVITE"),
            response("200 OK", "", SDP),
            receive_request("ACK"),
            '<pause milliseconds="500"/>',
            request("BYE", 4),
            receive(200),
            options=("-aa",),  # NOTIFY is answered without a step
        )
        await ended(tmp_path, peer)
        first, second = await desk.ended("leg-440229"), await desk.ended("moved-440229")
        assert (first.conference_id, second.conference_id) == ("conf", "other")
        assert CallState.CONNECTED in [call.state for call in desk.states("moved-440229")]
        await eventually(lambda: not desk.node.legs)
