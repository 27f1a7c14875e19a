"""DTLS-SRTP in offers and answers: who begins, whose certificate, and what each policy does."""

from __future__ import annotations

import pytest

from sip_gateway.capability import LocalMedia
from sip_gateway.errors import RemoteSipError
from sip_gateway.sip.offer_answer import Security, answer_offer, make_offer, read_answer, reoffer
from sip_gateway.sip.sdp import SessionDescription, parse_sdp

OURS = "sha-256 " + ":".join(["AB"] * 32)
THEIRS = "sha-256 " + ":".join(["CD"] * 32)
LOCAL = LocalMedia("10.0.0.2", 20000, 20002, dtls_fingerprint=OURS)
FAR = LocalMedia("10.0.0.1", 40000, 40002, dtls_fingerprint=THEIRS)
PREFERRED, REQUIRED = Security(fingerprint=OURS), Security(None, True, OURS)


def offered(protocol: str, *attributes: str, session: tuple[str, ...] = ()) -> SessionDescription:
    lines = ["v=0", "o=- 1 1 IN IP4 10.0.0.1", "s=-", "c=IN IP4 10.0.0.1", "t=0 0"]
    lines += [f"a={one}" for one in session]
    lines += [f"m=audio 40000 {protocol} 8", *(f"a={one}" for one in attributes)]
    return parse_sdp(("\r\n".join(lines) + "\r\n").encode())


@pytest.mark.parametrize("protocol", ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "RTP/AVP"])
@pytest.mark.parametrize(
    ("theirs", "ours"), [("actpass", "passive"), ("active", "passive"), ("passive", "active")]
)
def test_an_offer_is_answered_with_our_fingerprint_and_role(
    protocol: str, theirs: str, ours: str
) -> None:
    """Who may begin begins, so that a room behind NAT reaches us; RTP/AVP is RFC 8643."""
    offer = offered(protocol, f"fingerprint:{THEIRS}", f"setup:{theirs}", "rtcp-mux")
    agreement = answer_offer(offer, LOCAL, 1, fallback_host="x", security=PREFERRED)
    line, stream = agreement.local.media[0], agreement.streams[0]
    assert (line.protocol, line.value("fingerprint"), line.value("setup")) == (protocol, OURS, ours)
    assert stream.dtls is not None and stream.dtls.fingerprints == (THEIRS,)
    assert stream.dtls.is_client is (ours == "active")
    assert stream.rtcp_mux and line.has("rtcp-mux")


def test_fingerprint_and_setup_may_stand_for_the_whole_session() -> None:
    """As many rooms write them; lower-case hex and names in capitals are read too."""
    session = (f"fingerprint:SHA-256 {'cd:' * 31}cd", "setup:actpass")
    offer = offered("UDP/TLS/RTP/SAVP", session=session)
    agreement = answer_offer(offer, LOCAL, 1, fallback_host="x", security=REQUIRED)
    assert agreement.streams[0].dtls is not None
    assert agreement.streams[0].dtls.fingerprints == (THEIRS,)
    assert not agreement.streams[0].rtcp_mux


@pytest.mark.parametrize(
    ("protocol", "fingerprint", "security", "code"),
    [
        ("RTP/AVP", None, REQUIRED, "srtp_required"),
        ("UDP/TLS/RTP/SAVP", None, PREFERRED, "srtp_unusable"),
        ("UDP/TLS/RTP/SAVP", "md5 AB:CD", PREFERRED, "srtp_unusable"),
        ("UDP/TLS/RTP/SAVP", THEIRS, None, "srtp_unusable"),
        ("UDP/TLS/RTP/SAVP", THEIRS, Security(), "srtp_unusable"),
        ("RTP/SAVP", None, PREFERRED, "srtp_unusable"),
    ],
)
def test_what_cannot_be_encrypted_as_demanded_is_refused(
    protocol: str, fingerprint: str | None, security: Security | None, code: str
) -> None:
    """Ours or theirs: the code says whose demand was not met."""
    attributes = (f"fingerprint:{fingerprint}", "setup:actpass") if fingerprint else ()
    with pytest.raises(RemoteSipError) as refused:
        answer_offer(offered(protocol, *attributes), LOCAL, 1, fallback_host="x", security=security)
    assert refused.value.code == code


def settled(security: Security, far: Security | None) -> tuple[SessionDescription, bool, bool]:
    """Our offer to a far end: what we then have, and who begins on each side."""
    ours = make_offer(LOCAL, 1, security=security)
    theirs = answer_offer(parse_sdp(bytes(ours)), FAR, 2, fallback_host="x", security=far)
    agreement = read_answer(ours, parse_sdp(bytes(theirs.local)), fallback_host="x")
    here, there = agreement.streams[0].dtls, theirs.streams[0].dtls
    assert (here is None) is (there is None)
    if here is None or there is None:
        return agreement.local, False, False
    assert (here.fingerprints, there.fingerprints) == ((THEIRS,), (OURS,))
    return agreement.local, here.is_client, there.is_client


def test_required_without_encrypted_signalling_offers_dtls_alone() -> None:
    """SDES keys would travel in the clear; the DTLS profile names what is meant."""
    local, here, there = settled(REQUIRED, Security(fingerprint=THEIRS))
    assert {line.protocol for line in local.media} == {"UDP/TLS/RTP/SAVP"}
    assert here != there
    with pytest.raises(RemoteSipError) as refused:
        make_offer(LocalMedia("10.0.0.2", 1, 2), 1, security=Security(None, True))
    assert refused.value.code == "srtp_required"


def test_preferred_is_an_opportunistic_offer_that_old_rooms_pass_over() -> None:
    """RTP/AVP with both kinds of keys beside; what was not taken is not offered again."""
    both = Security(bytes, False, OURS)
    offer = make_offer(LOCAL, 1, security=both).media[0]
    assert offer.protocol == "RTP/AVP" and offer.has("crypto") and offer.has("fingerprint")
    local, here, there = settled(PREFERRED, Security(fingerprint=THEIRS))
    assert here != there and local.media[0].value("fingerprint") == OURS
    plain, *_ = settled(PREFERRED, None)
    assert not plain.media[0].has("fingerprint") and not plain.media[0].has("setup")
    assert not plain.media[1].has("crypto")


def test_a_leg_on_another_node_is_offered_with_its_own_certificate() -> None:
    """New sockets, a new handshake; our role is open again until the answer."""
    local, *_ = settled(REQUIRED, Security(fingerprint=THEIRS))
    fresh = "sha-256 " + ":".join(["EF"] * 32)
    moved = reoffer(local, LocalMedia("10.0.0.2", 30000, 30002, dtls_fingerprint=fresh))
    for line in moved.media:
        assert (line.value("fingerprint"), line.value("setup")) == (fresh, "actpass")


def test_our_role_stays_when_the_room_offers_again() -> None:
    """Hold and resume go on with the same handshake (RFC 8842 clause 5.1)."""
    first = offered("UDP/TLS/RTP/SAVP", f"fingerprint:{THEIRS}", "setup:passive")
    before = answer_offer(first, LOCAL, 1, fallback_host="x", security=PREFERRED)
    again = offered("UDP/TLS/RTP/SAVP", f"fingerprint:{THEIRS}", "setup:actpass", "sendonly")
    after = answer_offer(
        again, LOCAL, 1, fallback_host="x", security=PREFERRED, previous=before.local
    )
    assert [one.media[0].value("setup") for one in (before.local, after.local)] == ["active"] * 2
