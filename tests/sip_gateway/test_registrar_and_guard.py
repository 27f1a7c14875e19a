"""The registrar's rules and the guard's patience."""

from __future__ import annotations

import pytest

from sip_gateway.errors import RemoteSipError
from sip_gateway.guard import Guard, Offence, is_scanner
from sip_gateway.settings import GuardSettings
from sip_gateway.sip.message import Request
from sip_gateway.sip.registrar import Registrar, RegistrarLimits
from sip_gateway.sip.transaction import Flow
from sip_gateway.sip.uri import SipUri

FLOW = Flow("udp", "10.0.0.1", 5060)


def register(
    *contacts: str, expires: int | None = None, cseq: int = 1, call_id: str = "c1", **more: str
) -> Request:
    headers = [
        ("From", "<sip:440229@c>;tag=1"),
        ("To", "<sip:440229@c>"),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} REGISTER"),
        *(("Contact", contact) for contact in contacts),
        *more.items(),
    ]
    if expires is not None:
        headers.append(("Expires", str(expires)))
    return Request(tuple(headers), method="REGISTER", uri=SipUri("c"))


def test_a_contact_is_bound_and_lapses() -> None:
    """When its time is over the account is gone, and that is told once."""
    registrar = Registrar()
    outcome = registrar.register("440229", register("<sip:r@10.0.0.1>", expires=120), FLOW, 0.0)
    assert outcome.status == 200 and outcome.has_changed
    assert outcome.headers == (("Contact", "<sip:r@10.0.0.1>;expires=120"),)
    assert registrar.bindings("440229", 119.0)[0].flow == FLOW
    assert registrar.bindings("440229", 121.0) == []
    assert registrar.expire(121.0) == ["440229"] and registrar.expire(122.0) == []


def test_a_refresh_changes_nothing_the_roster_shows() -> None:
    """144 halls refreshing must not make 144 events a minute."""
    registrar = Registrar()
    registrar.register("a", register("<sip:r@10.0.0.1>"), FLOW, 0.0)
    again = registrar.register("a", register("<sip:r@10.0.0.1>", cseq=2), FLOW, 30.0)
    assert not again.has_changed
    assert len(registrar.bindings("a", 31.0)) == 1


def test_too_short_a_time_is_423_with_the_minimum() -> None:
    """The room is told what it may ask for."""
    outcome = Registrar().register("a", register("<sip:r@10.0.0.1>", expires=10), FLOW, 0.0)
    assert outcome.status == 423 and ("Min-Expires", "60") in outcome.headers


def test_expires_zero_and_star_unbind() -> None:
    """A room that is switched off says so."""
    registrar = Registrar()
    registrar.register("a", register("<sip:r@10.0.0.1>"), FLOW, 0.0)
    gone = registrar.register("a", register("<sip:r@10.0.0.1>;expires=0", cseq=2), FLOW, 1.0)
    assert gone.has_changed and registrar.bindings("a", 2.0) == []
    registrar.register("a", register("<sip:r@10.0.0.1>", cseq=3), FLOW, 3.0)
    registrar.register("a", register("*", expires=0, cseq=4), FLOW, 4.0)
    assert registrar.bindings("a", 5.0) == []


def test_star_with_anything_else_is_refused() -> None:
    """Clause 10.3: `*` stands alone and with Expires 0."""
    for request in (register("*"), register("*", "<sip:r@h>", expires=0)):
        with pytest.raises(RemoteSipError):
            Registrar().register("a", request, FLOW, 0.0)


def test_an_older_request_does_not_undo_a_newer_one() -> None:
    """CSeq orders requests of one Call-ID."""
    registrar = Registrar()
    registrar.register("a", register("<sip:r@10.0.0.1>", cseq=5), FLOW, 0.0)
    with pytest.raises(RemoteSipError):
        registrar.register("a", register("<sip:r@10.0.0.1>;expires=0", cseq=4), FLOW, 1.0)


def test_a_closed_connection_takes_its_contacts_along() -> None:
    """What was reached over a connection is not reached without it."""
    registrar = Registrar()
    tcp = Flow("tcp", "10.0.0.1", 40000, 7)
    registrar.register("a", register("<sip:r@10.0.0.1;transport=tcp>"), tcp, 0.0)
    assert registrar.flow_lost(Flow("tls", "10.0.0.1", 40000, 7)) == []
    assert registrar.flow_lost(tcp) == ["a"]


def test_an_account_holds_a_bounded_number_of_contacts() -> None:
    """A room with a broken clock cannot fill the table."""
    registrar = Registrar(RegistrarLimits(contacts_per_account=3))
    for number in range(10):
        registrar.register(
            "a", register(f"<sip:r{number}@10.0.0.1>", call_id=f"c{number}"), FLOW, float(number)
        )
    assert [b.contact.user for b in registrar.bindings("a", 11.0)] == ["r9", "r8", "r7"]


def test_a_sip_instance_replaces_its_old_contact() -> None:
    """A room that got another address is one room (RFC 5626)."""
    registrar = Registrar()
    instance = ';+sip.instance="<urn:uuid:1>"'
    registrar.register("a", register(f"<sip:r@10.0.0.1>{instance}"), FLOW, 0.0)
    registrar.register("a", register(f"<sip:r@10.0.0.5>{instance}", cseq=2), FLOW, 1.0)
    assert [str(b.contact) for b in registrar.bindings("a", 2.0)] == ["sip:r@10.0.0.5"]


# --- guard ------------------------------------------------------------------------------------


def test_a_scan_is_banned_and_the_ban_ends() -> None:
    """Unanswered challenges add up; the ban lasts as long as the setting says."""
    guard = Guard(GuardSettings(score_limit=50, ban_s=100))
    banned_at = next(n for n in range(200) if guard.blame("1.2.3.4", Offence.CHALLENGED, n * 0.05))
    assert 45 <= banned_at <= 60
    assert not guard.admits("1.2.3.4", 20.0)
    assert guard.admits("5.6.7.8", 20.0)
    assert guard.admits("1.2.3.4", 120.0)


def test_a_province_behind_one_address_is_not_a_scan() -> None:
    """After the first success of an address its challenges are no offence any more."""
    guard = Guard(GuardSettings(score_limit=50))
    for _ in range(10):
        guard.blame("1.2.3.4", Offence.CHALLENGED, 0.0)
    guard.praise("1.2.3.4", 0.1)
    assert not any(guard.blame("1.2.3.4", Offence.CHALLENGED, 0.2) for _ in range(500))


def test_password_spraying_is_banned_even_from_a_trusted_address() -> None:
    """A compromised room may not try its neighbours' passwords."""
    guard = Guard(GuardSettings())
    guard.praise("1.2.3.4", 0.0)
    tries = [guard.blame("1.2.3.4", Offence.WRONG_PASSWORD, 1.0) for _ in range(20)]
    assert True in tries


def test_exempt_sources_are_never_shut_out() -> None:
    """Load tests and the neighbour's monitoring."""
    guard = Guard(GuardSettings(exempt_sources=("10.9.0.0/16",), score_limit=1, message_burst=1))
    assert not any(guard.blame("10.9.9.9", Offence.SCANNER, 0.0) for _ in range(5))
    assert all(guard.admits("10.9.9.9", 0.0) for _ in range(100))


def test_a_flood_is_cut_to_the_rate() -> None:
    """Tokens: the burst at once, then the rate."""
    guard = Guard(GuardSettings(messages_per_s=10, message_burst=20))
    assert sum(guard.admits("1.2.3.4", 0.0) for _ in range(100)) == 20
    assert sum(guard.admits("1.2.3.4", 1.0) for _ in range(100)) == 10


def test_sources_are_forgotten_when_there_are_too_many() -> None:
    """Forged source addresses cannot fill our memory."""
    guard = Guard(GuardSettings(tracked_sources=100))
    for number in range(1000):
        guard.admits(f"10.0.{number // 250}.{number % 250}", 0.0)
    assert len(guard._sources) == 100


def test_scanners_are_known_by_name() -> None:
    """sipvicious introduces itself."""
    assert (
        is_scanner("friendly-scanner") and not is_scanner("baresip v3.2") and not is_scanner(None)
    )
