"""TURN for phones whose UDP is blocked: where the relay is, and who may use it for how long.

Credentials are time-limited (draft-uberti-behave-turn-rest-00, coturn's `use-auth-secret`): the
name holds the time of expiry, the password is its HMAC under a secret that only we and the relay
know. Media are SRTP either way: the relay sees no more than the network does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

VALID_FOR = timedelta(hours=12)  # longer than a consultation; browsers refresh with the same name


class TurnRelay(BaseModel):
    """The relay of this installation; without addresses there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls: tuple[str, ...] = Field(default=(), description="turn: and turns: addresses")
    secret: str = Field(default="", repr=False, description="shared with the relay")


class IceServerOut(BaseModel):
    """As RTCConfiguration.iceServers wants it."""

    urls: list[str]
    username: str
    credential: str


class IceServersOut(BaseModel):
    items: list[IceServerOut]
    expires_at: datetime | None = None


def credentials(relay: TurnRelay, who: str, now: datetime) -> IceServersOut:
    """What one member may use from `now` on; empty where there is no relay."""
    if not relay.urls or not relay.secret:
        return IceServersOut(items=[])
    expires_at = now + VALID_FOR
    username = f"{int(expires_at.timestamp())}:{who}"
    digest = hmac.new(relay.secret.encode(), username.encode(), hashlib.sha1).digest()
    server = IceServerOut(
        urls=list(relay.urls), username=username, credential=base64.b64encode(digest).decode()
    )
    return IceServersOut(items=[server], expires_at=expires_at)
