"""Digest secrets of SIP and H.323 accounts: made once from a password that is not kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

SIP_REALM = "command-center"


@dataclass(frozen=True, slots=True)
class DigestSecrets:
    """HA1 = H(account:realm:password) in hex, for both algorithms a room may ask for.

    `h235_key`: SHA-1 of the password in hex, for H.323 rooms (H.235.1).
    """

    realm: str
    ha1_md5: str
    ha1_sha256: str
    h235_key: str


def digest_secrets(account: str, password: str, realm: str = SIP_REALM) -> DigestSecrets:
    """The two HA1 values of an account (RFC 8760 section 2.5). Changing the realm voids them."""
    text = f"{account}:{realm}:{password}".encode()
    return DigestSecrets(
        realm=realm,
        ha1_md5=hashlib.md5(text, usedforsecurity=False).hexdigest(),
        ha1_sha256=hashlib.sha256(text).hexdigest(),
        h235_key=hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest(),
    )
