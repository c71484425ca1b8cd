"""`make reset`: throw the demo's data away."""

import fcntl
import os
import shutil
import sys

from headway import datafolder, embedded


def main() -> int:
    data = datafolder.find()
    lock = os.open(data / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"Headway runs with the data in {data}: stop it first (Ctrl-C where `make run` is).", file=sys.stderr)  # noqa: T201
        return 1
    for server in (embedded.Postgres(data), embedded.Valkey(data)):
        if not server.stop_unused():
            print(f"Something still uses the embedded {server.name} in {data}: stop it first.", file=sys.stderr)  # noqa: T201
            return 1
    for child in data.iterdir():
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
    print(f"{data} is empty. `make run` starts afresh.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
