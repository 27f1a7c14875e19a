"""Credentials of the TURN relay: for a time, for one member, made from a secret nobody is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from command_center.consultation.turn import VALID_FOR, TurnRelay, credentials

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
URL = "turn:turn.example.org:3478?transport=tcp"


def test_credentials_are_what_coturn_computes() -> None:
    """draft-uberti-behave-turn-rest-00: password = base64(HMAC-SHA1(secret, username))."""
    (server,) = credentials(TurnRelay(urls=(URL,), secret="s3cret"), "前方救援队", NOW).items
    expiry, _, who = server.username.partition(":")
    assert int(expiry) == int((NOW + VALID_FOR).timestamp()) and who == "前方救援队"
    expected = hmac.new(b"s3cret", server.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(server.credential) == expected
    assert server.urls == [URL]


def test_without_relay_or_secret_nothing_is_given() -> None:
    """A page that gets no relay goes the direct way only."""
    assert credentials(TurnRelay(), "a", NOW).items == []
    assert credentials(TurnRelay(urls=(URL,)), "a", NOW).items == []
