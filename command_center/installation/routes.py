"""The route of the installation's state."""

from __future__ import annotations

import asyncio
import platform

from video_bridge import VideoBridgeError

from ..consultation.switchboard import Switchboard
from ..security import LogIn, Permission
from ..web import Context, Route, route
from . import repository
from .look import Installation, process_groups
from .schemas import (
    DatabaseOut,
    DiskOut,
    GatewayOut,
    InstallationOut,
    NodeOut,
    ProcessGroupOut,
    SettingOut,
)

NODE_PATIENCE_S = 2.0


async def _node(switchboard: Switchboard) -> NodeOut:
    board = switchboard.board
    counted = {"conferences": len(board), "legs": sum(len(legs) for legs in board.values())}
    if not switchboard.node.is_connected:
        return NodeOut(is_connected=False)
    try:
        async with asyncio.timeout(NODE_PATIENCE_S):
            capacity = await switchboard.node.capacity()
    except (VideoBridgeError, TimeoutError):
        return NodeOut(is_connected=True, **counted)
    return NodeOut(is_connected=True, used_pct=capacity.used_pct, cores=capacity.cores, **counted)


@route("GET", "/installation", access=Permission.SYSTEM_READ, reply=InstallationOut)
async def get_installation(ctx: Context[None]) -> InstallationOut:
    """Processes, media node, gateway, database, disk, versions and settings in force."""
    installation, switchboard = ctx.service(Installation), ctx.service(Switchboard)
    session, now = ctx.work.session, ctx.work.now
    figures = await repository.database_figures(session)
    halls, registered = await repository.registered_halls(session)
    groups, disks = await asyncio.gather(
        asyncio.to_thread(process_groups), asyncio.to_thread(installation.disks)
    )
    banned = set(switchboard.banned or ()) | set(ctx.service(LogIn).guard.banned(now))
    return InstallationOut(
        version=installation.version,
        python=platform.python_version(),
        machine=installation.machine(),
        now=now,
        processes=[ProcessGroupOut.model_validate(group) for group in groups],
        node=await _node(switchboard),
        gateway=GatewayOut(
            is_connected=switchboard.gateway.is_connected,
            calls=len(switchboard.calls),
            registered=registered,
            halls=halls,
            banned=len(banned),
        ),
        database=DatabaseOut(
            version=figures.version,
            schema_revision=figures.schema_revision,
            size_mib=figures.size_bytes // 1024**2,
        ),
        disks=[DiskOut.model_validate(disk) for disk in disks],
        settings=[
            SettingOut(name=name, value=value, is_default=is_default)
            for name, value, is_default in installation.settings_in_force()
        ],
    )


ROUTES: list[Route] = [get_installation]
