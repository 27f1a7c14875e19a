"""What guards the log-in without any database: spray, second factor, masks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from command_center.security import AuditChain
from command_center.security.masking import masked
from command_center.security.spray import BAN_FOR, MAX_NAMES, WITHIN, SprayGuard
from command_center.security.totp import TotpVault, propose, step_of

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
RFC = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238 appendix B: "12345678901234567890"


def test_slow_failures_never_add_up() -> None:
    """Eight people who mistype in a day are no attack."""
    guard = SprayGuard()
    step = WITHIN / (MAX_NAMES - 2)
    times = [NOW + number * step for number in range(50)]
    assert not any(guard.failed("10.0.0.1", f"n{at}", at) for at in times)


def test_a_ban_ends_by_itself_and_concerns_one_address() -> None:
    """A quarter of an hour makes spraying useless and is endured by an office."""
    guard = SprayGuard()
    told = [guard.failed("10.0.0.1", f"name{n}", NOW) for n in range(MAX_NAMES + 3)]
    assert told.count(True) == 1
    assert guard.banned(NOW) == ["10.0.0.1"]
    assert guard.banned_until("10.0.0.2", NOW) is None
    assert guard.banned_until("10.0.0.1", NOW + BAN_FOR - timedelta(seconds=1))
    assert guard.banned_until("10.0.0.1", NOW + BAN_FOR) is None


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    """The vectors of RFC 6238 appendix B, their last six digits, and one step of drift."""
    at = datetime.fromtimestamp(seconds, UTC)
    assert step_of(RFC, code, at) == seconds // 30
    assert step_of(RFC, code, at + timedelta(seconds=30)) == seconds // 30
    assert step_of(RFC, code, at + timedelta(seconds=90)) is None


def test_a_stored_secret_opens_for_its_own_account_only() -> None:
    """Whoever can write rows cannot move his second factor to another account."""
    vault = TotpVault(AuditChain(b"k" * 32))
    proposal = propose("yaoshixi")
    sealed = vault.seal(proposal.secret, "one")
    assert proposal.secret not in sealed
    assert vault.open(sealed, "one") == proposal.secret
    assert vault.open(sealed, "other") is None
    assert TotpVault(AuditChain(b"j" * 32)).open(sealed, "one") is None
    assert pyotp.parse_uri(proposal.uri).name == "yaoshixi"


@pytest.mark.parametrize(
    ("number", "shown"),
    [("13812345678", "138******78"), ("000-0229-0110", "000-****-**10"), ("110", "***"), ("", "")],
)
def test_a_masked_number_cannot_be_rung(number: str, shown: str) -> None:
    """Told apart by head and tail, as on every Chinese receipt."""
    assert masked(number) == shown
