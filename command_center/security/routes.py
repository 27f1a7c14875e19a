"""Routes of the log-in session."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..web.context import Context, Credential
from ..web.edge import COOKIE
from ..web.routing import SIGNED_IN, route
from . import account_routes, audit_routes
from .accounts import LogIn, sign_in, sign_out
from .errors import NotSignedInError
from .own_account import change_password, set_totp
from .schemas import (
    LogInBody,
    PasswordChangeIn,
    SessionOut,
    TotpIn,
    TotpProposalOut,
    UserOut,
)
from .tables import AccountRow, SessionRow
from .totp import propose


@route(
    "POST", "/session", access=sign_in, body=LogInBody, reply=SessionOut, credential=Credential.NONE
)
async def open_(ctx: Context[LogInBody]) -> SessionOut:
    """Log in: answers the user and sets the session cookie."""
    secret, row, owes = await sign_in(
        ctx.work,
        ctx.service(LogIn),
        ctx.body.username,
        ctx.body.password,
        code=ctx.body.code,
        remote=ctx.request.remote or "",
    )
    ctx.cookies.append((COOKIE, secret))
    return SessionOut(user=UserOut.of(row, owes, ctx.work.now))


@route("GET", "/session", access=SIGNED_IN, reply=SessionOut)
async def read(ctx: Context[None]) -> SessionOut:
    """Who is logged in."""
    return SessionOut(user=await _user(ctx))


async def _user(ctx: Context[Any]) -> UserOut:
    row = await ctx.work.session.get(AccountRow, UUID(ctx.actor.id))
    held = await ctx.work.session.get(SessionRow, ctx.actor.session_id)
    if row is None or held is None:
        raise NotSignedInError()
    return UserOut.of(row, held.owes, ctx.work.now)


@route("DELETE", "/session", access=sign_out)
async def close(ctx: Context[None]) -> None:
    """Log out."""
    await sign_out(ctx.work)
    ctx.cookies.append((COOKIE, None))


@route("PUT", "/session/password", access=change_password, body=PasswordChangeIn, reply=SessionOut)
async def put_password(ctx: Context[PasswordChangeIn]) -> SessionOut:
    """Replace one's own password; other sessions of the account end."""
    await change_password(ctx.work, ctx.service(LogIn), ctx.body.old, ctx.body.new)
    return SessionOut(user=await _user(ctx))


@route("GET", "/session/totp", access=SIGNED_IN, reply=TotpProposalOut)
async def get_totp(ctx: Context[None]) -> TotpProposalOut:
    """A fresh secret for one's authenticator, as text and as a QR code."""
    made = propose((await _user(ctx)).username)
    return TotpProposalOut(secret=made.secret, uri=made.uri, qr_svg=made.qr_svg)


@route("PUT", "/session/totp", access=set_totp, body=TotpIn, reply=SessionOut)
async def put_totp(ctx: Context[TotpIn]) -> SessionOut:
    """Take the proposed secret as one's second factor."""
    body = ctx.body
    await set_totp(ctx.work, ctx.service(LogIn), body.secret, body.code, body.password)
    return SessionOut(user=await _user(ctx))


ROUTES = [
    open_,
    read,
    close,
    put_password,
    get_totp,
    put_totp,
    *account_routes.ROUTES,
    *audit_routes.ROUTES,
]
