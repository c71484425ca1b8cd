"""How the program logs: lines for a person at the terminal, JSON for machines, the same facts in both."""

from typing import Any

import structlog

# Run on every line, ours and the libraries'.
_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def structured() -> dict[str, Any]:
    """Arguments of `structlog.configure`: our own lines go through the standard library's handlers."""
    return {
        "processors": [
            *_SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        "logger_factory": structlog.stdlib.LoggerFactory(),
        "cache_logger_on_first_use": True,
    }


def handlers(form: str, level: str) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, `readable` or `json`."""
    if form == "json":
        last: list[Any] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        last = [structlog.dev.ConsoleRenderer(pad_event_to=0, pad_level=False, timestamp_key="")]
    drop = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [*drop, *last],
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {"terminal": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["terminal"], "level": level},
        "loggers": {
            # Django's own copies of a request's line: django-structlog writes a better one.
            "django.server": {"handlers": [], "propagate": False},
            "django.request": {"level": "ERROR"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
