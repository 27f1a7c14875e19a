"""DTLS-SRTP with baresip on the real media node: its keys are made in the media path itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from sip_gateway.messages import CallResult, CallState, Dial, SrtpPolicy
from sip_gateway.ports import Admission, Refusal
from sip_gateway.sip.dtls import DTLS_PROTOCOLS
from tests.harness.baresip import Baresip
from tests.harness.namespace import ADDRESS
from tests.peers.test_sip_with_node import both_see_and_hear, centre
from tests.sip_gateway.desk import PASSWORD, Book, eventually

pytestmark = pytest.mark.peer("baresip")


class StrictBook(Book):
    """Every hall's media must be encrypted."""

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        admitted = await super().admit(account, number)
        if isinstance(admitted, Refusal):
            return admitted
        return replace(admitted, srtp_policy=SrtpPolicy.REQUIRED)


def hall(folder: Path, account: str, number: int, encryption: str, *, mux: bool = False) -> Baresip:
    return Baresip(
        folder / account,
        f"<sip:{account}@{ADDRESS}>;auth_pass={PASSWORD};regint=0;answermode=auto"
        f";audio_codecs=PCMA;video_codecs=H264{encryption}",
        marker=number,
        tone_hz=500 if number == 1 else 800,
        port=5070 + 10 * number,
        control=4444 + number,
        rtcp_mux=mux,
    )


async def test_halls_are_encrypted_by_dtls_in_both_directions(tmp_path: Path) -> None:
    """One dials in, one is dialled over plain UDP; RTCP apart and muxed; picture and tone."""
    async with centre(tmp_path, book=StrictBook()) as (gateway, client, _nodes):
        dtls = ";mediaenc=dtls_srtp"
        first = await asyncio.to_thread(hall, tmp_path, "440229", 1, dtls)
        second = await asyncio.to_thread(hall, tmp_path, "440118", 2, dtls, mux=True)
        try:
            await asyncio.to_thread(first.dial, "9000")
            gateway._dialling.dial(
                Dial(
                    leg_id="leg-2",
                    conference_id="conf",
                    uri=f"sip:440118@{ADDRESS}:5090",
                    name="英德市",
                    srtp_policy=SrtpPolicy.REQUIRED,
                )
            )
            await eventually(
                lambda: [c.state for c in gateway.calls.live()] == [CallState.CONNECTED] * 2
            )
            await both_see_and_hear(first, second)
            for call in gateway.calls.live():
                lines = gateway.calls._locals[call.session_id].media
                taken = {
                    line.protocol for line in lines if line.port and line.media != "application"
                }
                assert taken <= set(DTLS_PROTOCOLS) and taken
            stats = await client.stats("conf")
            assert [leg.state for one in stats.conferences for leg in one.legs] == ["up"] * 2
        finally:
            await asyncio.to_thread(first.close)
            await asyncio.to_thread(second.close)


async def test_a_hall_without_encryption_is_refused_where_it_is_required(tmp_path: Path) -> None:
    """Dialling in it hears 488, dialled it is told not to be encrypted; a preferred call goes."""
    async with centre(tmp_path, book=StrictBook()) as (gateway, _client, _nodes):
        plain = await asyncio.to_thread(hall, tmp_path, "440229", 1, "")
        ended: list[CallResult | None] = []
        announce = gateway.calls._announce
        gateway.calls._announce = lambda body: (  # type: ignore[method-assign]
            ended.append(getattr(body, "result", None)),
            announce(body),
        )[-1]
        room = Dial(
            leg_id="leg-1",
            conference_id="conf",
            uri=f"sip:440229@{ADDRESS}:5080",
            name="翁源县",
            srtp_policy=SrtpPolicy.REQUIRED,
        )
        try:
            await asyncio.to_thread(plain.dial, "9000")
            await eventually(lambda: "488" in plain.peer.text())
            gateway._dialling.dial(room)
            await eventually(lambda: ended.count(CallResult.NOT_ENCRYPTED) == 2)
            assert gateway.calls.live() == []
            easier = {"leg_id": "leg-2", "srtp_policy": SrtpPolicy.PREFERRED}
            gateway._dialling.dial(room.model_copy(update=easier))
            await eventually(
                lambda: [c.state for c in gateway.calls.live()] == [CallState.CONNECTED]
            )
        finally:
            await asyncio.to_thread(plain.close)
