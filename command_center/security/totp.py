"""The second factor: time-based one-time passwords (RFC 6238), 30 s, six digits, SHA-1.

Every authenticator speaks these parameters. The secret is kept encrypted under a key outside the
database; a code is taken once: its time step is remembered, and none up to it is taken again.
"""

from __future__ import annotations

import base64
import hmac
import io
import os
from dataclasses import dataclass
from datetime import datetime

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .audit import AuditChain

ISSUER = "应急指挥与会商"
STEP_S = 30
DRIFT_STEPS = 1  # RFC 6238 section 5.2: one step for the network and a clock that is off
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Proposal:
    """A new secret, and how an authenticator takes it over."""

    secret: str
    uri: str
    qr_svg: str


def propose(username: str) -> Proposal:
    """A fresh secret of 160 bits (RFC 4226 section 4, R6), not yet anybody's."""
    secret = pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)
    picture = io.BytesIO()
    segno.make(uri, error="m").save(picture, kind="svg", scale=5, border=3, light="#ffffff")
    return Proposal(secret, uri, picture.getvalue().decode())


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step to which this code belongs, None when it is wrong or of another time."""
    counter = int(now.timestamp()) // STEP_S
    otp = pyotp.TOTP(secret)
    for step in range(counter - DRIFT_STEPS, counter + DRIFT_STEPS + 1):
        if hmac.compare_digest(otp.generate_otp(step), code):
            return step
    return None


class TotpVault:
    """Encrypts secrets for the database, bound to their account."""

    def __init__(self, chain: AuditChain) -> None:
        self._cipher = AESGCM(chain.subkey(b"totp"))

    def seal(self, secret: str, account_id: str) -> str:
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, secret.encode(), account_id.encode())
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, account_id: str) -> str | None:
        """None when it was changed, or belongs to another account or installation."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], account_id.encode()).decode()
        except InvalidTag:
            return None
