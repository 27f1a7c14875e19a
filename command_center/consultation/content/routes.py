"""Routes of the content token, for operators and for pages with a join link alike."""

from __future__ import annotations

from ...security import Permission
from ...web import Context, Credential, route
from . import service
from .schemas import ContentLockIn, ContentOut, ContentRequestIn

_CONTENT = "/consultations/{consultation_id}/content"


@route(
    "GET",
    _CONTENT,
    access=Permission.CONSULTATION_JOIN,
    reply=ContentOut,
    credential=Credential.EITHER,
)
async def get_content(ctx: Context[None]) -> ContentOut:
    """Who presents."""
    return await service.read_content(ctx.work, ctx.path_id("consultation_id"))


@route(
    "POST",
    f"{_CONTENT}/request",
    access=service.request_content,
    body=ContentRequestIn,
    reply=ContentOut,
    credential=Credential.EITHER,
)
async def post_request(ctx: Context[ContentRequestIn]) -> ContentOut:
    """Present, as soon as the token is free."""
    return await service.request_content(
        ctx.work, ctx.path_id("consultation_id"), can_wait=ctx.body.wait
    )


@route(
    "POST",
    f"{_CONTENT}/release",
    access=service.release_content,
    reply=ContentOut,
    credential=Credential.EITHER,
)
async def post_release(ctx: Context[None]) -> ContentOut:
    """Present no more."""
    return await service.release_content(ctx.work, ctx.path_id("consultation_id"))


@route("POST", f"{_CONTENT}/take-back", access=service.take_content_back, reply=ContentOut)
async def post_take_back(ctx: Context[None]) -> ContentOut:
    """Take the token back from whoever presents."""
    return await service.take_content_back(ctx.work, ctx.path_id("consultation_id"))


@route(
    "PUT",
    f"{_CONTENT}/lock",
    access=service.lock_content,
    body=ContentLockIn,
    reply=ContentOut,
)
async def put_lock(ctx: Context[ContentLockIn]) -> ContentOut:
    """Let one site alone present, or whoever comes first."""
    return await service.lock_content(
        ctx.work, ctx.path_id("consultation_id"), ctx.body.participant_id
    )


ROUTES = [get_content, post_request, post_release, post_take_back, put_lock]
