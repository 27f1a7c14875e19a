"""A room's media encryption by H.235.6, as its site's policy has it: off, preferred or required."""

from __future__ import annotations

import base64
import secrets

from video_bridge.messages import SrtpKeys

from .h323.call import H323Call
from .h323.capability import CapabilitySet
from .h323.h235 import SUITE, KeyExchange
from .h323.h245 import ControlSession
from .h323.h245_events import ChannelOffered, ChannelOpen
from .messages import SrtpPolicy


class MediaSecurity:
    """`begin` it before the call is dialled or answered; channels then ask it."""

    def __init__(self, core: H323Call) -> None:
        self._core = core
        self.policy = SrtpPolicy.OFF

    def begin(self, policy: SrtpPolicy) -> None:
        """Raises RemoteH323Error for a caller's half-key that is unsafe."""
        self.policy = policy
        if policy is not SrtpPolicy.OFF:
            self._core.secure(KeyExchange(secrets.token_bytes))

    @property
    def _session(self) -> ControlSession:
        return self._core.control_session

    @property
    def is_possible(self) -> bool:
        """Whether the call may go on: where encryption is required, there must be keys."""
        return self.policy is not SrtpPolicy.REQUIRED or self._core.has_keys

    def opens(self, known: CapabilitySet) -> bool | None:
        """Whether our channels are encrypted; None: they may not be opened at all."""
        if self._core.has_keys and known.encrypts:
            return True
        return None if self.policy is SrtpPolicy.REQUIRED else False

    def accepts(self, offered: ChannelOffered) -> bool:
        """Not one in clear where that is forbidden, nor one whose key nobody gave."""
        if not offered.is_encrypted:
            return self.policy is not SrtpPolicy.REQUIRED
        key = self._session.key_of(offered.number, ours=False)
        return self._core.has_keys and (key is not None or bool(self._session.is_master))

    def keys(self, ours: ChannelOpen | None, theirs: ChannelOffered | None) -> SrtpKeys | None:
        """For the node: of our channel and the room's of one media; None: both in clear."""
        send = None if ours is None else self._session.key_of(ours.number, ours=True)
        receive = None if theirs is None else self._session.key_of(theirs.number, ours=False)
        if send is None and receive is None:
            return None
        return SrtpKeys(suite=SUITE, send=_text(send), receive=_text(receive))


def _text(key: bytes | None) -> str:
    return "" if key is None else base64.b64encode(key).decode()
