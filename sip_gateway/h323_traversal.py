"""Calls that pass a NAT, by H.460.18 and H.460.19: who connects, and where media go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from video_bridge.messages import KeepAlive, RtpStream

from .h323 import h245_events as ev
from .h323.h460 import KEEP_ALIVE_S, KEEP_ALIVE_TYPE, Role
from .transports.tpkt import TpktConnection

FETCHED_WITHIN_S = 15.0
CONNECTION_ALIVE_S = 15.0  # of signalling connections; NATs forget TCP later than UDP
DISCARD = 9  # a port to which nothing is sent: the room's own is not known yet


class CallsToFetch:
    """Server: calls that wait until the room behind the NAT has connected for them."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, asyncio.Future[TpktConnection]] = {}

    async def fetched(self, call_id: bytes, tell: Callable[[], None]) -> TpktConnection:
        """`tell` indicates the call to the room. Raises TimeoutError or OSError: it is not come."""
        waiting = self._waiting[call_id] = asyncio.get_running_loop().create_future()
        tell()
        try:
            async with asyncio.timeout(FETCHED_WITHIN_S):
                connection: TpktConnection = await waiting
                return connection
        finally:
            del self._waiting[call_id]

    def arrived(self, call_id: bytes, connection: TpktConnection) -> bool:
        """False: nobody waits for this call."""
        waiting = self._waiting.get(call_id)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(connection)
        return True

    def refused(self, call_id: bytes) -> None:
        waiting = self._waiting.get(call_id)
        if waiting is not None and not waiting.done():
            waiting.set_exception(OSError("h323_call_not_fetched"))


class KeptOpen:
    """Client: empty TPKTs keep the NAT's way open for connections where little is said."""

    def __init__(self) -> None:
        self._due = 0.0

    def poll(
        self, role: Role | None, connections: Iterable[TpktConnection | None], now: float
    ) -> None:
        if role is not Role.CLIENT or now < self._due:
            return
        self._due = now + CONNECTION_ALIVE_S
        for connection in connections:
            if connection is not None:
                connection.send([b""])


def passing_nat(
    stream: RtpStream,
    role: Role | None,
    out: ev.ChannelOpen | None,
    into: ev.ChannelOffered | None,
    host: str,
) -> RtpStream:
    """A stream as H.460.19 has it; `host` is where the room's signalling comes from."""
    if role is Role.SERVER:
        told = out.traversal if out is not None else None
        return stream.model_copy(
            update={
                "remote_host": host,
                "remote_port": DISCARD,
                "remote_rtcp_port": None,
                "is_traversed": True,
                "keep_alive_type": told.payload_type if told is not None else None,
            }
        )
    asked = into.traversal if into is not None else None
    if role is not Role.CLIENT or asked is None or asked.channel is None:
        return stream
    keep_alive = KeepAlive(
        host=asked.channel[0],
        port=asked.channel[1],
        payload_type=KEEP_ALIVE_TYPE,
        interval_s=min(asked.interval_s or KEEP_ALIVE_S, KEEP_ALIVE_S),
    )
    return stream.model_copy(update={"keep_alive": keep_alive})
