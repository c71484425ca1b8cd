"""The messages as they came, in one SQLite file."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, received REAL NOT NULL, sender TEXT NOT NULL, raw BLOB NOT NULL,
    subject TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS recipient (message INTEGER NOT NULL REFERENCES message ON DELETE CASCADE,
    address TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS recipient_address ON recipient (address, message);
CREATE INDEX IF NOT EXISTS recipient_message ON recipient (message);
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message. ``recipients`` are the envelope's, lower case: to whom it would have gone."""

    id: int
    received: float
    sender: str
    recipients: tuple[str, ...]
    subject: str
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    def part(self, kind: str) -> str:
        """The ``plain`` or ``html`` body; empty when there is none."""
        body = self.parsed.get_body((kind,))
        return str(body.get_content()) if body is not None else ""

    @property
    def attachments(self) -> list[tuple[str, str]]:
        """(name, content type) of each attachment."""
        return [(part.get_filename() or "unnamed", part.get_content_type()) for part in self.parsed.iter_attachments()]

    @property
    def to(self) -> str:
        """The addressees as the message names them."""
        named = getaddresses([str(value) for value in self.parsed.get_all("To", [])])
        return ", ".join(f"{name} <{address}>" if name else address for name, address in named) or ", ".join(
            self.recipients
        )


class Store:
    """``mailbox.sqlite3`` in the data folder."""

    def __init__(self, data: Path) -> None:
        self._db = sqlite3.connect(data / "mailbox.sqlite3", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def add(self, sender: str, recipients: Sequence[str], raw: bytes) -> int:
        subject = str(message_from_bytes(raw, policy=policy.default).get("Subject", ""))
        with self._db:
            cursor = self._db.execute(
                "INSERT INTO message (received, sender, raw, subject) VALUES (?, ?, ?, ?)",
                (time.time(), sender, raw, subject),
            )
            ident = int(cursor.lastrowid or 0)
            self._db.executemany(
                "INSERT INTO recipient VALUES (?, ?)", [(ident, address.lower()) for address in recipients]
            )
        return ident

    def newest(self, *, to: str = "", limit: int = 200) -> list[Mail]:
        """The newest first; ``to`` is a whole address or a part of one."""
        rows = self._db.execute(
            "SELECT * FROM message WHERE ?1 = '' OR id IN"
            " (SELECT message FROM recipient WHERE instr(address, ?1)) ORDER BY id DESC LIMIT ?2",
            (to.strip().lower(), limit),
        ).fetchall()
        return [self._mail(row) for row in rows]

    def get(self, ident: int) -> Mail | None:
        row = self._db.execute("SELECT * FROM message WHERE id = ?", (ident,)).fetchone()
        return self._mail(row) if row else None

    def clear(self) -> int:
        """Remove all messages; returns how many there were."""
        with self._db:
            return self._db.execute("DELETE FROM message").rowcount

    def _mail(self, row: sqlite3.Row) -> Mail:
        found = self._db.execute("SELECT address FROM recipient WHERE message = ? ORDER BY rowid", (row["id"],))
        recipients = tuple(one["address"] for one in found)
        return Mail(row["id"], row["received"], row["sender"], recipients, row["subject"], bytes(row["raw"]))
