"""Digest: the vectors of the RFCs, nonces, replay, and one answer for unknown and wrong."""

from __future__ import annotations

import contextlib
import itertools
import statistics
import time

import pytest

from sip_gateway.errors import RemoteSipError
from sip_gateway.ports import Credential
from sip_gateway.sip.digest import (
    DigestServer,
    Verdict,
    answer_challenge,
    best_challenge,
    digest_response,
    ha1,
    parse_digest,
)
from sip_gateway.sip.message import Request, Response
from sip_gateway.sip.uri import SipUri

REALM, USER, PASSWORD = "centre", "440229", "secret"


def make_server(**fields: float) -> DigestServer:
    counter = itertools.count()
    return DigestServer(REALM, b"k" * 32, lambda: f"{next(counter):08x}", **fields)


def credential(password: str = PASSWORD) -> Credential:
    return Credential(
        USER, REALM, ha1("MD5", USER, REALM, password), ha1("SHA-256", USER, REALM, password)
    )


def register(*headers: tuple[str, str]) -> Request:
    base = (
        ("Via", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1"),
        ("From", "<sip:440229@c>;tag=1"),
        ("To", "<sip:440229@c>"),
        ("Call-ID", "1"),
        ("CSeq", "1 REGISTER"),
    )
    return Request((*base, *headers), method="REGISTER", uri=SipUri("c"))


def answered(
    server: DigestServer, now: float, *, algorithm: str = "SHA-256", password: str = PASSWORD
) -> Request:
    headers = [h for h in server.challenges(now) if f"algorithm={algorithm}" in h[1]]
    challenge = best_challenge(Response(tuple(headers), status=401))
    assert challenge is not None
    header = answer_challenge(
        challenge,
        username=USER,
        password=password,
        method="REGISTER",
        uri="sip:c",
        cnonce="c0",
    )
    return register(header)


def test_rfc_7616_example_md5_and_sha_256() -> None:
    """Clause 3.9.1."""
    fields = {
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    }
    expected = {
        "MD5": "8ca523f5e9506fed4657c9700eebdbec",
        "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    }
    for algorithm, response in expected.items():
        secret = ha1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
        got = digest_response(algorithm, secret, "GET", "/dir/index.html", **fields)
        assert got == response


def test_rfc_2617_example() -> None:
    """The older example, with the password spelled its way."""
    secret = ha1("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life")
    got = digest_response(
        "MD5",
        secret,
        "GET",
        "/dir/index.html",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        qop="auth",
        nc="00000001",
        cnonce="0a4f113b",
    )
    assert got == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_the_right_password_is_accepted(algorithm: str) -> None:
    """Both algorithms of RFC 8760 that rooms know."""
    server = make_server()
    request = answered(server, 10.0, algorithm=algorithm)
    assert server.check(request, credential(), 11.0) is Verdict.ACCEPTED


def test_sha_256_is_offered_first_and_chosen() -> None:
    """RFC 8760 clause 2.4: the most preferred algorithm is at the top."""
    headers = make_server().challenges(0.0)
    assert ["SHA-256" in headers[0][1], "MD5" in headers[1][1]] == [True, True]
    challenge = best_challenge(Response(tuple(reversed(headers)), status=401))
    assert challenge is not None and challenge.algorithm == "SHA-256"


def test_a_replayed_answer_is_stale_not_accepted() -> None:
    """The same nonce count a second time is what an eavesdropper sends."""
    server = make_server()
    request = answered(server, 10.0)
    assert server.check(request, credential(), 11.0) is Verdict.ACCEPTED
    assert server.check(request, credential(), 12.0) is Verdict.STALE


def test_an_old_nonce_is_stale_so_that_the_room_tries_again() -> None:
    """stale=true makes a room answer anew without asking anybody for the password."""
    server = make_server(nonce_life_s=60)
    request = answered(server, 10.0)
    assert server.check(request, credential(), 71.0) is Verdict.STALE
    assert "stale=true" in server.challenges(71.0, is_stale=True)[0][1]


def test_a_nonce_of_somebody_else_is_not_accepted() -> None:
    """Nonces are signed: one made up, or of another process, is stale."""
    foreign = DigestServer(REALM, b"x" * 32, lambda: "00")
    request = answered(foreign, 10.0)
    assert make_server().check(request, credential(), 11.0) is Verdict.STALE


def test_wrong_password_and_unknown_user_are_refused_alike() -> None:
    """One verdict, whether or not the account exists."""
    server = make_server()
    wrong = answered(server, 10.0, password="guess")
    assert server.check(wrong, credential(), 11.0) is Verdict.REFUSED
    assert server.check(wrong, None, 11.0) is Verdict.REFUSED
    right = answered(server, 10.0)
    assert server.check(right, None, 11.0) is Verdict.REFUSED


def test_unknown_user_costs_the_same_time() -> None:
    """The clock must not tell either: medians within a third of each other."""
    server = make_server()
    wrong = answered(server, 10.0, password="guess")

    def median(known: Credential | None) -> float:
        spent = []
        for _ in range(300):
            started = time.perf_counter()
            server.check(wrong, known, 11.0)
            spent.append(time.perf_counter() - started)
        return statistics.median(spent)

    known = credential()
    pairs = [(median(known), median(None)) for _ in range(5)]
    assert any(abs(a - b) < max(a, b) / 3 for a, b in pairs)


def test_no_credentials_or_another_realm_is_absent() -> None:
    """An answer to somebody else's challenge is no answer to ours."""
    server = make_server()
    assert server.check(register(), credential(), 1.0) is Verdict.ABSENT
    header = ("Authorization", 'Digest username="440229", realm="other", nonce="1", response="2"')
    assert server.check(register(header), credential(), 1.0) is Verdict.ABSENT
    unknown = ("Authorization", "NoOneKnowsThisScheme opaque-data=here")
    assert server.check(register(unknown), credential(), 1.0) is Verdict.ABSENT


@pytest.mark.parametrize(
    "value",
    ["Digest", "Digest a", 'Digest a="b', "Digest a=b a=c", "Digest ,,", 'Digest x="1",x="2"'],
)
def test_malformed_credentials_raise_only_remote(value: str) -> None:
    """A broken Authorization header is treated as none, never as an exception."""
    with contextlib.suppress(RemoteSipError):
        parse_digest(value)
    assert make_server().check(register(("Authorization", value)), None, 1.0) is Verdict.ABSENT


def test_counters_of_one_nonce_may_arrive_out_of_order() -> None:
    """Two requests cross on UDP: both count, each once."""
    server = make_server()
    challenge = best_challenge(Response(tuple(server.challenges(1.0)), status=401))
    assert challenge is not None

    def with_count(count: int) -> Request:
        nc = f"{count:08x}"
        response = digest_response(
            "SHA-256",
            credential().ha1_sha256,
            "REGISTER",
            "sip:c",
            nonce=challenge.nonce,
            qop="auth",
            nc=nc,
            cnonce="c",
        )
        value = (
            f'Digest username="{USER}", realm="{REALM}", nonce="{challenge.nonce}", uri="sip:c", '
            f'response="{response}", algorithm=SHA-256, qop=auth, nc={nc}, cnonce="c"'
        )
        return register(("Authorization", value))

    verdicts = [server.check(with_count(n), credential(), 2.0) for n in (1, 3, 2, 2, 200, 3)]
    ok, stale = Verdict.ACCEPTED, Verdict.STALE
    assert verdicts == [ok, ok, ok, stale, ok, stale]
