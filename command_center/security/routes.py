"""Routes of the log-in session."""

from __future__ import annotations

from uuid import UUID

from ..web.context import Context, Credential
from ..web.edge import COOKIE
from ..web.routing import SIGNED_IN, route
from . import audit_routes
from .accounts import LogIn, sign_in, sign_out
from .errors import NotSignedInError
from .schemas import LogInBody, SessionOut, UserOut
from .tables import AccountRow


@route(
    "POST", "/session", access=sign_in, body=LogInBody, reply=SessionOut, credential=Credential.NONE
)
async def open_(ctx: Context[LogInBody]) -> SessionOut:
    """Log in: answers the user and sets the session cookie."""
    secret, row, _actor = await sign_in(
        ctx.work,
        ctx.service(LogIn),
        ctx.body.username,
        ctx.body.password,
        ctx.request.remote or "",
    )
    ctx.cookies.append((COOKIE, secret))
    return SessionOut(user=UserOut.of(row))


@route("GET", "/session", access=SIGNED_IN, reply=SessionOut)
async def read(ctx: Context[None]) -> SessionOut:
    """Who is logged in."""
    row = await ctx.work.session.get(AccountRow, UUID(ctx.actor.id))
    if row is None:
        raise NotSignedInError()
    return SessionOut(user=UserOut.of(row))


@route("DELETE", "/session", access=sign_out)
async def close(ctx: Context[None]) -> None:
    """Log out."""
    await sign_out(ctx.work)
    ctx.cookies.append((COOKIE, None))


ROUTES = [open_, read, close, *audit_routes.ROUTES]
