"""Route of a hall's address: it registers, or it is always found at one SIP or H.323 address."""

from __future__ import annotations

from ipaddress import ip_address
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..security import Permission, Work, service_call
from ..web import Context, route
from . import repository
from .errors import LocalConsultationError

HOST = r"[A-Za-z0-9.\-]+(:\d{1,5})?"


class AddressIn(BaseModel):
    """Without `uri` the hall registers; with it, it is dialled there.

    Calls from `trusted_host` are taken as the hall's without a password: a matter of accounts.
    """

    model_config = ConfigDict(extra="forbid")

    uri: str | None = Field(
        default=None,
        max_length=200,
        pattern=rf"^(sips?:[^\s@<>]+@{HOST}(;[\w=]+)*|h323:([\w.*#]+@)?{HOST})$",
    )
    trusted_host: str | None = None

    @field_validator("trusted_host")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        return None if value is None else str(ip_address(value))


class AddressOut(AddressIn):
    site_id: UUID
    name: str


@service_call(permission=Permission.ACCOUNT_MANAGE, audit="site.address")
async def set_address(work: Work, site_id: UUID, address: AddressIn) -> AddressOut:
    """Holds from the next call on.

    Raises `member_not_found`, `address_incomplete`, `address_taken`.
    """
    if address.uri is None and address.trusted_host is not None:
        raise LocalConsultationError("address_incomplete")
    found = await repository.site_addresses(work.session, [site_id])
    if not found:
        raise LocalConsultationError("member_not_found")
    site = found[0].site
    work.actor.require_region(site.region_code)
    if address.trusted_host is not None:
        holder = await repository.site_at_host(work.session, address.trusted_host)
        if holder is not None and holder.id != site.id:
            raise LocalConsultationError("address_taken")
    site.address_kind = "registered" if address.uri is None else "static"
    site.uri, site.trusted_host = address.uri, address.trusted_host
    work.session.add(site)
    work.concerns("site", site.id, is_drill=site.is_drill, uri=site.uri or "")
    return AddressOut(site_id=site.id, name=site.name, **address.model_dump())


@route("PUT", "/sites/{site_id}/address", access=set_address, body=AddressIn, reply=AddressOut)
async def put_address(ctx: Context[AddressIn]) -> AddressOut:
    """Say where a hall is found: by registration, or at a fixed SIP or H.323 address."""
    return await set_address(ctx.work, ctx.path_id("site_id"), ctx.body)


ROUTES = [put_address]
