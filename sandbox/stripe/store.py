"""What the front remembers beside localstripe: extra fields of objects, answers by idempotency key, events, chores.

One SQLite file. The front is one thread and changes things one request at a time: a request's facts, its events and
its answer are committed together.
"""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS extra (id TEXT PRIMARY KEY, fields TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS listed (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, customer TEXT,
    created INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS listed_by_customer ON listed (kind, customer, number);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL,
    request TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due REAL, outcome TEXT);
CREATE INDEX IF NOT EXISTS event_due ON event (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS chore (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, due REAL NOT NULL);
"""

_KEYS_KEPT_SECONDS = 24 * 3600


class Store:
    """The SQLite file ``front.sqlite3`` in the data folder."""

    def __init__(self, data: Path) -> None:
        self._db = sqlite3.connect(data / "front.sqlite3")
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_SCHEMA)
        self._db.execute("DELETE FROM answer WHERE at < ?", (time.time() - _KEYS_KEPT_SECONDS,))
        self._db.commit()

    def close(self) -> None:
        self._db.commit()
        self._db.close()

    def commit(self) -> None:
        self._db.commit()

    # Extra fields: a key that begins with "_" is ours and is never shown

    def fields(self, ident: str) -> Json:
        row = self._db.execute("SELECT fields FROM extra WHERE id = ?", (ident,)).fetchone()
        return json.loads(row["fields"]) if row else {}

    def set_fields(self, ident: str, **fields: Any) -> None:
        merged = {**self.fields(ident), **fields}
        self._db.execute("INSERT OR REPLACE INTO extra VALUES (?, ?)", (ident, json.dumps(merged)))

    # Lists

    def list_object(self, ident: str, kind: str, customer: str | None, created: int) -> None:
        self._db.execute(
            "INSERT INTO listed (id, kind, customer, created) VALUES (?, ?, ?, ?)", (ident, kind, customer, created)
        )

    def listed(
        self, kind: str, *, customer: str | None, created: dict[str, int], after: str | None, limit: int
    ) -> list[str]:
        """Ids, the newest first."""
        where, values = ["kind = ?"], [kind]
        if customer:
            where.append("customer = ?")
            values.append(customer)
        for name, sign in (("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")):
            if name in created:
                where.append(f"created {sign} ?")
                values.append(str(int(created[name])))
        if after:
            where.append("number < (SELECT number FROM listed WHERE id = ?)")
            values.append(after)
        sql = f"SELECT id FROM listed WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT {int(limit)}"  # noqa: S608
        return [row["id"] for row in self._db.execute(sql, values)]

    # Idempotency

    def answer(self, key: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute("SELECT * FROM answer WHERE key = ?", (key,)).fetchone()
        return row

    def add_answer(self, key: str, fingerprint: str, status: int, body: str) -> None:
        self._db.execute("INSERT INTO answer VALUES (?, ?, ?, ?, ?)", (key, fingerprint, status, body, time.time()))

    # Events

    def add_event(self, ident: str, kind: str, body: Json, request: str, due: float) -> None:
        self._db.execute(
            "INSERT INTO event (id, type, body, request, due) VALUES (?, ?, ?, ?, ?)",
            (ident, kind, json.dumps(body, indent=2), request, due),
        )

    def event(self, ident: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute("SELECT * FROM event WHERE id = ?", (ident,)).fetchone()
        return row

    def events(self, *, kind: str | None, after: str | None, limit: int) -> list[sqlite3.Row]:
        return self._db.execute(
            "SELECT * FROM event WHERE (?1 IS NULL OR type = ?1)"
            " AND (?2 IS NULL OR number < (SELECT number FROM event WHERE id = ?2)) ORDER BY number DESC LIMIT ?3",
            (kind, after, limit),
        ).fetchall()

    def due_events(self, limit: int) -> list[sqlite3.Row]:
        return self._db.execute(
            "SELECT * FROM event WHERE due IS NOT NULL AND due <= ? ORDER BY number LIMIT ?", (time.time(), limit)
        ).fetchall()

    def note_delivery(self, ident: str, outcome: str, due: float | None) -> None:
        self._db.execute(
            "UPDATE event SET attempts = attempts + 1, outcome = ?, due = ? WHERE id = ?", (outcome, due, ident)
        )
        self._db.commit()

    def wake_events(self) -> None:
        """Make every waiting delivery due now (the receiver's address has changed)."""
        self._db.execute("UPDATE event SET due = 0 WHERE due IS NOT NULL")
        self._db.commit()

    # Chores: things that happen a moment later

    def add_chore(self, kind: str, ident: str, due: float) -> None:
        self._db.execute("INSERT INTO chore (kind, id, due) VALUES (?, ?, ?)", (kind, ident, due))

    def has_chore(self, kind: str) -> bool:
        return self._db.execute("SELECT 1 FROM chore WHERE kind = ?", (kind,)).fetchone() is not None

    def due_chores(self) -> list[sqlite3.Row]:
        return self._db.execute("SELECT * FROM chore WHERE due <= ? ORDER BY number", (time.time(),)).fetchall()

    def end_chore(self, number: int) -> None:
        self._db.execute("DELETE FROM chore WHERE number = ?", (number,))

    def next_due(self, *, deliveries: bool) -> float | None:
        """When the next chore (or, with ``deliveries``, event) is due, as a Unix time."""
        row = self._db.execute(
            "SELECT MIN(due) AS due FROM"
            " (SELECT due FROM event WHERE due IS NOT NULL AND ? UNION ALL SELECT due FROM chore)",
            (deliveries,),
        ).fetchone()
        return row["due"] if row["due"] is None else float(row["due"])
