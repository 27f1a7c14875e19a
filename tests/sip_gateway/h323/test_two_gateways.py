"""Two gateways on the wire: one is the other's gatekeeper, and calls go through it by number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sip_gateway.h323.ras_client import RegistrationState
from sip_gateway.ports import Admission, Refusal
from tests.sip_gateway.desk import Book, Desk, eventually, open_desk
from tests.sip_gateway.h323.test_mutations import Caller

WAIT_S = 60.0
LOCAL: dict[str, Any] = {"h323_port": 0, "h323_ras_port": 0, "bfcp_port": None}


class _Open(Book):
    """Every number leads into the conference."""

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        self.admitted.append((account, number))
        return Admission("conf", "leg-in", "会场")


def _book(account: str) -> _Open:
    book = _Open()
    book.static = {"127.0.0.1": account}
    return book


def _state(desk: Desk, leg_id: str) -> str:
    states = desk.states(leg_id)
    return states[-1].state if states else ""


async def test_a_gateway_registers_with_another_and_is_called_through_it(tmp_path: Path) -> None:
    """Its number is known there; a call to it, and one to a room by number, need its leave."""
    above_folder, below_folder = tmp_path / "above", tmp_path / "below"
    above_folder.mkdir()
    below_folder.mkdir()
    async with open_desk(above_folder, book=_book("440118"), **LOCAL) as above:
        keeper = above.gateway.h323.ras
        outside = {"h323_gatekeeper": f"127.0.0.1:{keeper.port}", "h323_number": "9000"}
        book = _book("440229")
        async with open_desk(below_folder, book=book, **LOCAL, **outside) as below:
            client = below.gateway.h323.ras.client
            assert client is not None
            await eventually(lambda: client.state is RegistrationState.REGISTERED, WAIT_S)
            await eventually(lambda: keeper.room("440118") is not None, WAIT_S)
            endpoint = keeper.room("440118")
            assert endpoint is not None and endpoint.number == "9000"
            assert endpoint.signalling == ("127.0.0.1", below.gateway.h323.port)
            # above calls below by its account: below asks above for leave to answer
            await above.dial("leg-1", account="440118")
            await eventually(lambda: _state(above, "leg-1") == "connected", WAIT_S)
            await eventually(lambda: _state(below, "leg-in") == "connected", WAIT_S)
            assert book.admitted == [("440229", "9000")]
            await above.wire.request("call.hangup", {"leg_id": "leg-1"})
            await eventually(lambda: _state(below, "leg-in") == "ended", WAIT_S)
            # below dials a number that only its gatekeeper can place
            await below.dial("leg-2", uri="h323:7001")
            await eventually(lambda: _state(below, "leg-2") == "connected", WAIT_S)
            assert above.book.admitted == [("440118", "7001")]
        await eventually(lambda: keeper.room("440118") is None, WAIT_S)  # it said goodbye


async def test_calls_go_on_when_the_gatekeeper_is_silent(tmp_path: Path) -> None:
    """A port where nobody answers: rooms call in all the same."""
    book = _book("440229")
    async with open_desk(tmp_path, book=book, h323_gatekeeper="127.0.0.1:9", **LOCAL) as desk:
        await Caller().call(desk.gateway.h323.port or 0)
