"""Logs of every process: one JSON object a line on standard error, which goes to `var/log`."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logs(process: str, *, level: int = logging.INFO) -> None:
    """Set up structlog and the standard library's logging for this process."""
    logging.basicConfig(
        level=logging.WARNING,
        stream=sys.stderr,
        format='{"process": "' + process + '", "level": "%(levelname)s", "event": "%(message)s"}',
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=process)
