"""``python -m sandbox.mailbox --smtp-port N --http-port N --data DIR``: run the mail sink."""

import argparse
import logging
import sys
from pathlib import Path

from aiohttp import web

from sandbox.mailbox.server import Mailbox


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.mailbox", description="A mail sink with a page.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the messages between runs")
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
    try:
        given.data.mkdir(parents=True, exist_ok=True)
        mailbox = Mailbox(given.data, host=given.host, smtp_port=given.smtp_port)
        web.run_app(mailbox.app(), host=given.host, port=given.http_port, print=None)
    except OSError as error:
        sys.exit(f"sandbox.mailbox cannot start: {error}")


if __name__ == "__main__":
    main()
