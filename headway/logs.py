"""How the program logs: short lines for a person at the terminal, JSON with everything for machines."""

import os
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

# Run on every line, ours and the libraries'.
_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
# What a person reading along on one machine does not need.
_UNREAD = ("timestamp", "request_id", "correlation_id", "user_agent", "logger", "task_id", "parent_task_id")


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
    last: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        # Plain tracebacks: richer ones show local variables, and those hold people's health data.
        structlog.processors.format_exc_info,
        without_rows,
    ]
    if form == "json":
        last += [structlog.processors.JSONRenderer()]
    else:
        colours = sys.stderr.isatty() or "HEADWAY_COLOURS" in os.environ
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(
            colors=colours, pad_event_to=0, pad_level=False, exception_formatter=plain
        )
        last += [shorten, renderer]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"worth_reading": {"()": "headway.logs.WorthReading"}},
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": last,
                "foreign_pre_chain": _SHARED,
            }
        },
        "handlers": {
            "terminal": {"class": "logging.StreamHandler", "formatter": "lines", "filters": ["worth_reading"]}
        },
        "root": {"handlers": ["terminal"], "level": level},
        "loggers": {
            # Django's own line for a request: django-structlog writes a better one.
            "django.server": {"handlers": [], "propagate": False},
            "django.request": {"level": "ERROR"},
            # One line for each sweep each ten seconds would drown the rest.
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.worker.consumer.connection": {"level": "WARNING"},
            "stripe": {"level": "WARNING"},
        },
    }


class WorthReading:
    """Keeps out a request's first line (its last says more), health probes, and tasks that merely began and ended."""

    _DULL = frozenset({"request_started", "task_started", "task_succeeded", "task_enqueued"})

    def filter(self, record: Any) -> bool:
        said = record.msg
        if not isinstance(said, dict):
            return True
        return said.get("event") not in self._DULL and not str(said.get("request", "")).endswith("/healthz")


# What PostgreSQL adds to an error, up to where Python's traceback goes on. It may come with its newlines escaped.
_DETAIL = re.compile(r"DETAIL:.*?(?=\n\nThe above exception |\n\nDuring handling of |\Z)", re.DOTALL)


def without_rows(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Take out the rows that PostgreSQL quotes in its errors (``Failing row contains …``): they are people's data."""
    for name, value in event.items():
        said = repr(value) if isinstance(value, BaseException) else value
        if isinstance(said, str) and "DETAIL:" in said:
            event[name] = _DETAIL.sub("DETAIL: (left out)", said)
    return event


def shorten(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """`request_finished` with its fields → `GET /plans/ 200`; everything else without what nobody reads."""
    for name in _UNREAD:
        event.pop(name, None)
    if event.get("event") == "request_finished":
        event["event"] = f"{event.pop('request', '')} {event.pop('code', '')}"
        event.pop("ip", None)
        if event.get("user_id") is None:
            event.pop("user_id", None)
    return event
