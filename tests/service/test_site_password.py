"""What a hall's room registers with, and whether an H.323 room must show it."""

from __future__ import annotations

from command_center.consultation.gateway_directory import GatewayDirectory
from command_center.security import Desk, Role
from sip_gateway.h323.h2351 import key_of
from sip_gateway.sip.digest import ha1
from tests.service.conftest import SignIn
from tests.service.consultation_fixtures import gateway, node, server, stage, switchboard
from tests.service.consultation_stage import Stage

__all__ = ["gateway", "node", "server", "stage", "switchboard"]
PASSWORD = "a-long-password"


async def test_the_administrator_sets_a_halls_password(
    stage: Stage, sign_in: SignIn, desk: Desk
) -> None:
    """For SIP and H.323 alike; only digests are kept, and the policy alone may change, too."""
    hall = await stage.registered_hall()
    administrator = await sign_in(Role.SYSTEM_ADMIN)
    path, wanted = f"/sites/{hall.id}/password", {"password": PASSWORD, "h323_required": True}
    assert (await stage.officer.request("PUT", path, json=wanted)).status == 403
    elsewhere = await sign_in(Role.SYSTEM_ADMIN, region_code="440300")
    assert (await elsewhere.request("PUT", path, json=wanted)).status == 404
    short = {"password": "short", "h323_required": False}
    assert (await administrator.request("PUT", path, json=short)).status == 422
    given = await administrator.request("PUT", path, json=wanted)
    assert given.status == 200, await given.text()
    assert PASSWORD not in await given.text()
    account = hall.account or ""
    known = await GatewayDirectory(desk).credential(account)
    assert known is not None
    assert (known.h235_key, known.shows_password) == (key_of(PASSWORD), True)
    assert known.ha1_md5 == ha1("MD5", account, known.realm, PASSWORD)
    freed = await administrator.request("PUT", path, json={"h323_required": False})
    assert freed.status == 200
    known = await GatewayDirectory(desk).credential(account)
    assert known is not None
    assert (known.h235_key, known.shows_password) == (key_of(PASSWORD), False)
