"""Routes of accounts: the system administrator's and the security administrator's."""

from __future__ import annotations

from typing import Any

from ..web.context import Context
from ..web.routing import Route, route
from .account_schemas import (
    AccountIn,
    AccountOut,
    AccountsOut,
    FirstPasswordOut,
    NewAccountIn,
    RolesIn,
)
from .accounts import LogIn, create_account
from .administration import (
    Particulars,
    add_account,
    assign_roles,
    change_account,
    disable_account,
    enable_account,
    end_all_sessions,
    renew_password,
)
from .permissions import Permission
from .repository import Presence, accounts, presence
from .sessions import IDLE_LIMIT
from .tables import AccountRow


async def _shown(ctx: Context[Any], row: AccountRow) -> AccountOut:
    found = await presence(ctx.work.session, [row.id], ctx.work.now - IDLE_LIMIT)
    return AccountOut.of(row, ctx.work.now, found.get(row.id, Presence()))


@route("GET", "/accounts", access=Permission.ACCOUNT_READ, reply=AccountsOut)
async def list_accounts(ctx: Context[None]) -> AccountsOut:
    """Accounts of one's region, by part of name or unit."""
    session, now = ctx.work.session, ctx.work.now
    limit = ctx.query_int("limit", 500, low=1, high=2000)
    rows = await accounts(
        session, q=ctx.query("q").strip(), region_prefix=ctx.actor.region_prefix, limit=limit
    )
    seen = await presence(session, [row.id for row in rows], now - IDLE_LIMIT)
    return AccountsOut(items=[AccountOut.of(row, now, seen.get(row.id)) for row in rows])


@route(
    "POST",
    "/accounts",
    access=create_account,
    body=NewAccountIn,
    reply=FirstPasswordOut,
    status=201,
    keeps_answer=False,
)
async def post_account(ctx: Context[NewAccountIn]) -> FirstPasswordOut:
    """Make an account without a role; the first password is told this once."""
    body = ctx.body
    who = Particulars(body.display_name, body.unit_name, body.region_code)
    log_in = ctx.service(LogIn)
    row, password = await add_account(ctx.work, log_in, username=body.username, who=who)
    return FirstPasswordOut(account=AccountOut.of(row, ctx.work.now), password=password)


@route("PATCH", "/accounts/{account_id}", access=change_account, body=AccountIn, reply=AccountOut)
async def patch_account(ctx: Context[AccountIn]) -> AccountOut:
    """Correct name, unit or region."""
    who = Particulars(**ctx.body.model_dump())
    return await _shown(ctx, await change_account(ctx.work, ctx.path_id("account_id"), who))


@route("PUT", "/accounts/{account_id}/roles", access=assign_roles, body=RolesIn, reply=AccountOut)
async def put_roles(ctx: Context[RolesIn]) -> AccountOut:
    """Give and take roles."""
    roles = frozenset(ctx.body.roles)
    return await _shown(ctx, await assign_roles(ctx.work, ctx.path_id("account_id"), roles))


@route("POST", "/accounts/{account_id}/disable", access=disable_account, reply=AccountOut)
async def post_disable(ctx: Context[None]) -> AccountOut:
    """Shut the account, at once and everywhere."""
    return await _shown(ctx, await disable_account(ctx.work, ctx.path_id("account_id")))


@route("POST", "/accounts/{account_id}/enable", access=enable_account, reply=AccountOut)
async def post_enable(ctx: Context[None]) -> AccountOut:
    """Open a shut account, or one that is locked after wrong passwords."""
    return await _shown(ctx, await enable_account(ctx.work, ctx.path_id("account_id")))


@route("POST", "/accounts/{account_id}/end-sessions", access=end_all_sessions, reply=AccountOut)
async def post_end_sessions(ctx: Context[None]) -> AccountOut:
    """Throw the account off every console."""
    return await _shown(ctx, await end_all_sessions(ctx.work, ctx.path_id("account_id")))


@route(
    "POST",
    "/accounts/{account_id}/password",
    access=renew_password,
    reply=FirstPasswordOut,
    keeps_answer=False,
)
async def post_password(ctx: Context[None]) -> FirstPasswordOut:
    """A new first password, told this once."""
    row, password = await renew_password(ctx.work, ctx.service(LogIn), ctx.path_id("account_id"))
    return FirstPasswordOut(account=await _shown(ctx, row), password=password)


ROUTES: list[Route] = [
    list_accounts,
    post_account,
    patch_account,
    put_roles,
    post_disable,
    post_enable,
    post_end_sessions,
    post_password,
]
