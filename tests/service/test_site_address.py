"""Where a hall is found: by registration, or at a fixed address that stands for its password."""

from __future__ import annotations

from command_center.consultation.gateway_directory import GatewayDirectory
from command_center.security import Desk, Role
from tests.service.conftest import SignIn
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage, site_member

__all__ = ["gateway", "node", "server", "stage", "switchboard"]
FIXED = {"uri": "h323:10.1.2.3:1720", "trusted_host": "10.1.2.3"}


async def test_the_administrator_gives_a_hall_a_fixed_h323_address(
    stage: Stage, sign_in: SignIn, desk: Desk
) -> None:
    """It is dialled there, and known by where it calls from; then it registers again."""
    hall = await stage.registered_hall()
    other = await stage.registered_hall("新丰县应急管理局")
    administrator = await sign_in(Role.SYSTEM_ADMIN)
    path = f"/sites/{hall.id}/address"
    refused = await stage.officer.request("PUT", path, json=FIXED)
    assert refused.status == 403
    for wrong in ({"uri": "http://10.1.2.3"}, {"trusted_host": "10.1.2.3"}, {"uri": "h323:"}):
        assert (await administrator.request("PUT", path, json=wrong)).status == 422
    elsewhere = await sign_in(Role.SYSTEM_ADMIN, region_code="440300")
    assert (await elsewhere.request("PUT", path, json=FIXED)).status == 404
    given = await administrator.request("PUT", path, json=FIXED)
    assert given.status == 200, await given.text()
    taken = await administrator.request("PUT", f"/sites/{other.id}/address", json=FIXED)
    assert (taken.status, (await taken.json())["code"]) == (409, "address_taken")
    opened = await stage.open(site_member(hall))
    await stage.dialled_leg(opened)
    assert (stage.gateway.dialled()[-1].uri, stage.gateway.dialled()[-1].account) == (
        FIXED["uri"],
        None,
    )
    directory = GatewayDirectory(desk)
    assert await directory.account_at("10.1.2.3") == hall.account
    assert (await administrator.request("PUT", path, json={})).status == 200
    assert await directory.account_at("10.1.2.3") is None
