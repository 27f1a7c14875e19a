"""Join links: the address a phone opens, and its QR code."""

from __future__ import annotations

import io

import segno


def join_url(public_url: str, token: str) -> str:
    """The address of the phone page for this token."""
    return f"{public_url.rstrip('/')}/m/{token}"


def qr_svg(url: str) -> str:
    """The link as an SVG document, quiet zone included (ISO/IEC 18004 asks for 4 modules)."""
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        out, kind="svg", scale=4, border=4, xmldecl=False, light="#fff"
    )
    return out.getvalue().decode()
