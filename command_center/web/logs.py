"""Log lines: one JSON object each, or coloured text on a terminal. No personal data, no secrets."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure_logs(*, level: str = "info", as_json: bool | None = None) -> None:
    """Call once per process. Lines go to standard error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    wants_json = not sys.stderr.isatty() if as_json is None else as_json
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if wants_json
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks if wants_json else _as_it_is,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr)


def _as_it_is(_logger: Any, _name: str, event: Any) -> Any:
    return event
