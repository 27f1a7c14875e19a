"""Route of a hall's password: what its SIP or H.323 room registers with, and whether it must."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from ..directory import SipAccountRow, digest_secrets
from ..security import Permission, Work, service_call
from ..web import Context, route
from . import repository
from .errors import LocalConsultationError


class PasswordIn(BaseModel):
    """`password` none: it stays as it is. Only digests of it are kept."""

    model_config = ConfigDict(extra="forbid")

    password: str | None = Field(default=None, min_length=8, max_length=64, repr=False)
    h323_required: bool = Field(
        description="its H.323 room is not let in by address or number alone (H.235.1)"
    )


class PasswordOut(BaseModel):
    site_id: UUID
    name: str
    account: str
    h323_required: bool


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="site.password")
async def set_password(work: Work, site_id: UUID, wanted: PasswordIn) -> PasswordOut:
    """Holds from the room's next registration on.

    Raises `member_not_found`, `member_incomplete` for a site without account.
    """
    found = await repository.site_addresses(work.session, [site_id])
    if not found:
        raise LocalConsultationError("member_not_found")
    site = found[0].site
    work.actor.require_region(site.region_code)
    if site.account is None:
        raise LocalConsultationError("member_incomplete", field="account")
    site.shows_h323_password = wanted.h323_required
    work.session.add(site)
    if wanted.password is not None:
        secrets = digest_secrets(site.account, wanted.password)
        row = await repository.sip_account(work.session, site.account)
        if row is None:
            row = SipAccountRow(account=site.account, realm="", ha1_md5="", ha1_sha256="")
        row.realm, row.h235_key = secrets.realm, secrets.h235_key
        row.ha1_md5, row.ha1_sha256 = secrets.ha1_md5, secrets.ha1_sha256
        work.session.add(row)
    is_new = wanted.password is not None
    work.concerns("site", site.id, is_drill=site.is_drill, password_changed=is_new)
    return PasswordOut(
        site_id=site.id,
        name=site.name,
        account=site.account,
        h323_required=site.shows_h323_password,
    )


@route("PUT", "/sites/{site_id}/password", access=set_password, body=PasswordIn, reply=PasswordOut)
async def put_password(ctx: Context[PasswordIn]) -> PasswordOut:
    """Set what a hall's room registers with, and whether an H.323 room must show it."""
    return await set_password(ctx.work, ctx.path_id("site_id"), ctx.body)


ROUTES = [put_password]
