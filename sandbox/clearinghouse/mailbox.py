"""Files in and files out, the stand-in's clock and its control numbers: one SQLite file that survives restarts."""

import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files_in (
    payload_id TEXT PRIMARY KEY, sender TEXT NOT NULL, payload_type TEXT NOT NULL, sha1 TEXT NOT NULL,
    payload BLOB NOT NULL, received_at TEXT NOT NULL, processed_at TEXT
);
CREATE TABLE IF NOT EXISTS files_out (
    payload_id TEXT PRIMARY KEY, recipient TEXT NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL,
    ready_at TEXT NOT NULL, offered_at REAL, acknowledged_at TEXT
);
CREATE INDEX IF NOT EXISTS files_out_waiting ON files_out (recipient, kind, ready_at) WHERE acknowledged_at IS NULL;
"""


@dataclass(frozen=True, slots=True)
class FileIn:
    payload_id: str
    sender: str
    payload: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class FileOut:
    payload_id: str
    kind: str
    payload: bytes


def stamp(moment: datetime) -> str:
    """UTC text that sorts as time does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def unstamp(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=UTC)


class Mailbox:
    """The clearinghouse's own store. ``redeliver_after``: seconds until an unacknowledged file is given again."""

    def __init__(self, folder: Path, *, redeliver_after: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(folder / "clearinghouse.sqlite3", isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.executescript(_SCHEMA)
        self._redeliver_after = redeliver_after

    def empty(self) -> None:
        """Forget everything: every table of this file, the insurers' books too."""
        with self.transaction():
            tables = self.db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
            self.db.execute("PRAGMA defer_foreign_keys = ON")
            for table in tables:
                self.db.execute(f"DELETE FROM {table['name']}")  # noqa: S608 - names from the schema itself

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; joins one that is open."""
        if self.db.in_transaction:
            yield
            return
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    # Clock and numbers

    def now(self) -> datetime:
        """The stand-in's time: the real one, and as far ahead (or back) as it was told to go."""
        return datetime.now(UTC) + timedelta(seconds=float(self.setting("clock_offset", "0")))

    def advance(self, by: timedelta) -> datetime:
        """Set the clock ahead for good; returns the new time."""
        with self.transaction():
            self.set("clock_offset", str(float(self.setting("clock_offset", "0")) + by.total_seconds()))
        return self.now()

    def set_clock(self, moment: datetime | None) -> datetime:
        """Go to ``moment``, back or ahead, and on from there; ``None`` is the real time. Returns the new time."""
        offset = 0.0 if moment is None else (moment - datetime.now(UTC)).total_seconds()
        with self.transaction():
            self.set("clock_offset", str(offset))
        return self.now()

    def setting(self, name: str, default: str) -> str:
        row = self.db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
        return str(row["value"]) if row else default

    def set(self, name: str, value: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (name, value))

    def next_number(self, name: str) -> int:
        """The next control number of this kind, never given before."""
        with self.transaction():
            number = int(self.setting(f"number:{name}", "0")) % 999_999_999 + 1
            self.set(f"number:{name}", str(number))
        return number

    # Files in

    def receive(self, *, payload_id: str, sender: str, payload_type: str, sha1: str, payload: bytes) -> bool:
        """Store a batch. ``True`` when new or the very same again; ``False``: other content under a known id."""
        with self.transaction():
            known = self.db.execute("SELECT sha1 FROM files_in WHERE payload_id = ?", (payload_id,)).fetchone()
            if known:
                return bool(known["sha1"] == sha1)
            self.db.execute(
                "INSERT INTO files_in (payload_id, sender, payload_type, sha1, payload, received_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (payload_id, sender, payload_type, sha1, payload, stamp(self.now())),
            )
        return True

    def unprocessed(self) -> list[FileIn]:
        rows = self.db.execute("SELECT * FROM files_in WHERE processed_at IS NULL ORDER BY rowid")
        return [self._file_in(row) for row in rows]

    def file_in(self, payload_id: str) -> FileIn:
        return self._file_in(self.db.execute("SELECT * FROM files_in WHERE payload_id = ?", (payload_id,)).fetchone())

    def processed(self, payload_id: str) -> None:
        self.db.execute("UPDATE files_in SET processed_at = ? WHERE payload_id = ?", (stamp(self.now()), payload_id))

    @staticmethod
    def _file_in(row: sqlite3.Row) -> FileIn:
        return FileIn(row["payload_id"], row["sender"], row["payload"], unstamp(row["received_at"]))

    # Files out

    def put(self, *, recipient: str, kind: str, payload: bytes, ready_at: datetime) -> str:
        """Lay a file in a recipient's box, to be given from ``ready_at`` on; returns its PayloadID."""
        payload_id = str(uuid.uuid4())
        self.db.execute(
            "INSERT INTO files_out (payload_id, recipient, kind, payload, ready_at) VALUES (?, ?, ?, ?, ?)",
            (payload_id, recipient, kind, payload, stamp(ready_at)),
        )
        return payload_id

    def next_out(self, recipient: str, kind: str) -> FileOut | None:
        """The oldest file that is ready, not acknowledged, and not given within ``redeliver_after`` seconds."""
        with self.transaction():
            row = self.db.execute(
                "SELECT * FROM files_out WHERE recipient = ? AND kind = ? AND acknowledged_at IS NULL"
                " AND ready_at <= ? AND (offered_at IS NULL OR offered_at <= ?) ORDER BY ready_at, rowid LIMIT 1",
                (recipient, kind, stamp(self.now()), time.time() - self._redeliver_after),
            ).fetchone()
            if row is None:
                return None
            self.db.execute(
                "UPDATE files_out SET offered_at = ? WHERE payload_id = ?", (time.time(), row["payload_id"])
            )
        return FileOut(row["payload_id"], row["kind"], row["payload"])

    def acknowledge(self, recipient: str, payload_id: str) -> bool:
        """Never give the file again; ``False`` when this recipient has no such file."""
        changed = self.db.execute(
            "UPDATE files_out SET acknowledged_at = coalesce(acknowledged_at, ?)"
            " WHERE payload_id = ? AND recipient = ?",
            (stamp(self.now()), payload_id, recipient),
        )
        return changed.rowcount == 1

    def waiting_out(self) -> list[sqlite3.Row]:
        """Files not acknowledged yet, oldest first, without their payload."""
        return self.db.execute(
            "SELECT payload_id, recipient, kind, ready_at, offered_at FROM files_out"
            " WHERE acknowledged_at IS NULL ORDER BY ready_at"
        ).fetchall()
