"""The child process: localstripe, listening on 127.0.0.1 only and keeping its data in a folder of ours.

Of itself localstripe listens on every interface and writes everything it holds to one file in /tmp at each change,
which is slow with a year of payments. Here it writes at most twice a second, and never for more than a twentieth of the
time, atomically, and once more when it ends. It ends when its parent does: the parent holds the other end of standard
input.
"""

import argparse
import asyncio
import contextlib
import logging
import pickle
import signal
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore", category=DeprecationWarning)

from aiohttp import web  # noqa: E402
from localstripe import resources, server  # noqa: E402

SAVE_EVERY_SECONDS = 0.5
SAVE_SHARE = 0.05
"""Of the time, at most: what it holds takes longer and longer to write."""


class _Keeper:
    """Loads the store from, and saves it to, one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._dirty = False

    def load(self) -> None:
        if self._path.exists():
            with self._path.open("rb") as file:
                resources.store.update(pickle.load(file))  # noqa: S301 - our own file

    def mark(self, *_: Any) -> None:
        self._dirty = True

    def save(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(pickle.dumps(dict(resources.store), protocol=pickle.HIGHEST_PROTOCOL))
        fresh.replace(self._path)

    async def save_now_and_then(self) -> None:
        took = 0.0
        while True:
            await asyncio.sleep(max(SAVE_EVERY_SECONDS, took / SAVE_SHARE))
            began = time.monotonic()
            self.save()
            took = time.monotonic() - began


async def _serve(port: int, keeper: _Keeper) -> None:
    runner = web.AppRunner(server.app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, done.set)

    def parent_gone() -> None:
        sys.stdin.buffer.read()
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=parent_gone, daemon=True).start()
    saving = asyncio.create_task(keeper.save_now_and_then())
    await done.wait()
    saving.cancel()
    keeper.save()
    await runner.cleanup()


def main() -> None:
    """``python -m sandbox.stripe.localstripe_host --port N --file PATH``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    given = parser.parse_args()
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    keeper = _Keeper(given.file)
    keeper.load()
    resources.Store.dump_to_disk = keeper.mark
    asyncio.run(_serve(given.port, keeper))


if __name__ == "__main__":
    main()
