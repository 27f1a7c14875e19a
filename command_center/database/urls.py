"""One database address, written for the driver that is used."""

from __future__ import annotations

_SCHEMES = ("postgresql+psycopg://", "postgresql://", "postgres://")


def _bare(url: str) -> str:
    for scheme in _SCHEMES:
        if url.startswith(scheme):
            return url[len(scheme) :]
    raise ValueError("the database address must begin with postgresql://")


def async_url(url: str) -> str:
    """For SQLAlchemy's engine over psycopg 3."""
    return "postgresql+psycopg://" + _bare(url)


def sync_url(url: str) -> str:
    """For libpq itself (psycopg.connect, LISTEN/NOTIFY)."""
    return "postgresql://" + _bare(url)
