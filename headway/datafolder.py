"""Where a machine that runs everything by itself keeps its data, and the secrets it made up for itself."""

import hashlib
import hmac
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent

# A Unix socket's path may have 107 bytes; the longest name we add is "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_FOLDER = 87


def _candidates() -> Iterator[Path]:
    """Folders to try, best first. One project folder has one data folder, so that two clones never meet.

    Root's home is closed to the account PostgreSQL has to run under, hence a folder outside every home for root.
    """
    name = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:10]
    if os.geteuid() == 0:
        yield Path("/var/lib/headway") / name
    else:
        home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")  # noqa: PTH111 - may have no home
        if os.path.isabs(home):  # noqa: PTH117 - "~" stays when there is no home
            yield Path(home) / "headway" / name
    yield Path("/var/tmp") / f"headway-{os.geteuid()}-{name}"  # noqa: S108 - checked to be ours below


def _claim(folder: Path) -> bool:
    """Make the folder, or take it if it is ours; others may pass through it but not list it."""
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        state = folder.lstat()
        if state.st_uid != os.geteuid() or not folder.is_dir() or folder.is_symlink():
            return False
        folder.chmod(0o711)
        return os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def find() -> Path:
    """The data folder, made when it is not there: HEADWAY_DATA, or the first usable default.

    Raises SystemExit with one line when there is none.
    """
    if wanted := os.environ.get("HEADWAY_DATA"):
        folder = Path(wanted).expanduser().absolute()
        if not _claim(folder):
            raise SystemExit(
                f"HEADWAY_DATA: {folder} cannot be used: it must be a folder that you own and can write to."
            )
        return folder
    for folder in _candidates():
        if _claim(folder):
            return folder
    tried = ", ".join(str(folder) for folder in _candidates())
    raise SystemExit(f"No data folder can be made (tried {tried}). Set HEADWAY_DATA to a folder that you own.")


def socket_folder(data: Path) -> Path:
    """Where the servers' sockets live: in the data folder, or in a short one when its path is too long for a socket."""
    if len(os.fsencode(data)) <= LONGEST_SOCKET_FOLDER - len("/postgres"):
        return data
    name = hashlib.sha256(str(data).encode()).hexdigest()[:10]
    short = Path(tempfile.gettempdir()) / f"headway-{os.geteuid()}-{name}"
    if not _claim(short):
        raise SystemExit(
            f"{short} cannot be used for the servers' sockets: it belongs to someone else. Set HEADWAY_DATA."
        )
    return short


def secret(data: Path, name: str) -> str:
    """A secret for this data folder, always the same: derived from one random key made at the first call.

    Only the demo uses this; a real deployment gives its own secrets in the environment.
    """
    file = data / "secret"
    if not file.exists():
        # Written whole beside, then linked: of two first starts at once, one link wins and both read the same key.
        descriptor, beside = tempfile.mkstemp(dir=data, prefix=".secret-")
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(beside, file)
        Path(beside).unlink()
    return hmac.new(file.read_bytes(), name.encode(), "sha256").hexdigest()
