"""``python -m sandbox.clearinghouse --port 8010 --data DIR``: the stand-in insurers and their clearinghouse."""

import argparse
import logging
import os
import sys
from pathlib import Path

from aiohttp import web
from django.conf import settings

if not settings.configured:
    # The X12 room marks its words for translation; this process is no Django site and shows them to nobody.
    settings.configure(USE_I18N=False, USE_TZ=True)

from sandbox.clearinghouse.mailbox import Mailbox
from sandbox.clearinghouse.office import Office
from sandbox.clearinghouse.server import create_app


def main() -> int:
    """Serve until stopped (Ctrl-C or SIGTERM). User and password come from ``CLEARINGHOUSE_USER``, ``_PASSWORD``."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.clearinghouse", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the books and files")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--redeliver-after", type=float, default=15.0, help="seconds until an unacknowledged file is given again"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    try:
        mailbox = Mailbox(arguments.data, redeliver_after=arguments.redeliver_after)
    except OSError as error:
        sys.stderr.write(f"the data folder {arguments.data} cannot be used: {error}\n")
        return 1
    app = create_app(
        Office(mailbox),
        user=os.environ.get("CLEARINGHOUSE_USER", "headway"),
        password=os.environ.get("CLEARINGHOUSE_PASSWORD", "headway-demo"),
    )
    try:
        web.run_app(app, host=arguments.host, port=arguments.port, print=logging.info)
    except OSError as error:
        sys.stderr.write(f"port {arguments.port} cannot be used: {error}\n")
        return 1
    finally:
        mailbox.db.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
