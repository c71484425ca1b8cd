"""``python -m sandbox.stripe --port N --data DIR --webhook URL --webhook-secret S``: run the stand-in."""

import argparse
import logging
import sys
from pathlib import Path

from aiohttp import web

from sandbox.stripe.front import Front


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.stripe", description="A stand-in for Stripe.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps everything between runs")
    parser.add_argument("--webhook", default="", help="address that receives the events")
    parser.add_argument("--webhook-secret", default="", help="secret the events are signed with")
    parser.add_argument("--settle-seconds", type=float, default=2.0, help="how long a bank takes over a slow refund")
    given = parser.parse_args()
    if given.webhook and not given.webhook_secret:
        parser.error("--webhook needs --webhook-secret")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        given.data.mkdir(parents=True, exist_ok=True)
        front = Front(
            given.data,
            webhook=given.webhook,
            webhook_secret=given.webhook_secret,
            settle_seconds=given.settle_seconds,
        )
        web.run_app(front.app(), host=given.host, port=given.port, print=None, handle_signals=True)
    except OSError as error:
        sys.exit(f"sandbox.stripe cannot start: {error}")


if __name__ == "__main__":
    main()
