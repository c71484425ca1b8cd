"""The insurers' own books in SQLite: members, claims as received, decisions, accumulators, money carried forward.

A decision is never edited: a reversal marks it no longer live, and accumulators are sums over live decisions.
"""

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from common.clock import BUSINESS_ZONE
from insurance.x12.adjustments import Adjustment
from sandbox.insurers.adjudicate import Decision, LineDecision
from sandbox.insurers.records import (
    ZERO,
    Insurer,
    Member,
    OtherCover,
    Used,
    read_insurer,
    read_member,
)
from sandbox.insurers.reported import Reported, reported_member

STAMP = "%Y-%m-%dT%H:%M:%S.%f"
"""How moments are stored: UTC text that sorts as time does."""

FAMILY = ("family_deductible", "family_out_of_pocket")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS insurers (payer_id TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS members (
    payer_id TEXT NOT NULL, key TEXT NOT NULL, card_id TEXT NOT NULL, family TEXT NOT NULL, document TEXT NOT NULL,
    PRIMARY KEY (payer_id, key)
);
CREATE INDEX IF NOT EXISTS members_card ON members (payer_id, card_id);
CREATE INDEX IF NOT EXISTS members_family ON members (payer_id, family);
CREATE TABLE IF NOT EXISTS claims (
    number INTEGER PRIMARY KEY AUTOINCREMENT, payer_id TEXT NOT NULL, member_key TEXT NOT NULL,
    recipient TEXT NOT NULL, payload_id TEXT NOT NULL, place INTEGER NOT NULL, control_number TEXT NOT NULL,
    frequency TEXT NOT NULL, replaces INTEGER, fingerprint TEXT NOT NULL, charge TEXT NOT NULL, served TEXT NOT NULL,
    received_at TEXT NOT NULL, due_at TEXT NOT NULL, state TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS claims_due ON claims (due_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS claims_same ON claims (payer_id, member_key, fingerprint);
CREATE TABLE IF NOT EXISTS decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, claim INTEGER NOT NULL REFERENCES claims, document TEXT NOT NULL,
    plan_year TEXT NOT NULL, decided_at TEXT NOT NULL, live INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS decisions_claim ON decisions (claim);
CREATE TABLE IF NOT EXISTS forwarded (
    payer_id TEXT NOT NULL, payee TEXT NOT NULL, amount TEXT NOT NULL, PRIMARY KEY (payer_id, payee)
);
"""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as received: where its 837 is kept (file and place in it), and when it will be decided."""

    number: int
    payer_id: str
    member_key: str
    recipient: str
    payload_id: str
    place: int
    control_number: str
    frequency: str
    replaces: int | None
    fingerprint: str
    charge: Decimal
    served: date
    received_at: str
    due_at: str
    state: str

    @property
    def received_on(self) -> date:
        """The business date it came in."""
        return datetime.fromisoformat(self.received_at).replace(tzinfo=UTC).astimezone(BUSINESS_ZONE).date()

    @property
    def payer_number(self) -> str:
        """The insurer's own claim number, as 277CA and 835 give it."""
        return payer_number(self.payer_id, self.number)


def payer_number(payer_id: str, number: int) -> str:
    return f"{payer_id[:6]}{number:09d}"


class UnknownMember(KeyError):
    """No such member in the insurer's books."""


class Books:
    """All insurers' books. Writes belong inside the mailbox's transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(_SCHEMA)

    # Insurers and members

    def put_insurer(self, payer_id: str, document: Mapping[str, Any]) -> Insurer:
        insurer = read_insurer(document, payer_id)
        self._db.execute("INSERT OR REPLACE INTO insurers VALUES (?, ?)", (payer_id, json.dumps(document)))
        return insurer

    def insurer_document(self, payer_id: str) -> dict[str, Any] | None:
        row = self._db.execute("SELECT document FROM insurers WHERE payer_id = ?", (payer_id,)).fetchone()
        return json.loads(row["document"]) if row else None

    def insurer(self, payer_id: str) -> Insurer | None:
        document = self.insurer_document(payer_id)
        return None if document is None else read_insurer(document, payer_id)

    def insurers(self) -> list[Insurer]:
        rows = self._db.execute("SELECT payer_id, document FROM insurers ORDER BY payer_id")
        return [read_insurer(json.loads(row["document"]), row["payer_id"]) for row in rows]

    def put_member(self, payer_id: str, key: str, document: Mapping[str, Any]) -> Member:
        """Write a member's record; ``reported`` is read once so that a mistake in it shows now, not in a 271."""
        member = read_member(document, payer_id, key)
        reported_member(document, payer_id, key)
        self._db.execute(
            "INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?, ?)",
            (payer_id, key, member.card_id, member.family, json.dumps(document)),
        )
        return member

    def member_document(self, payer_id: str, key: str) -> dict[str, Any]:
        row = self._db.execute(
            "SELECT document FROM members WHERE payer_id = ? AND key = ?", (payer_id, key)
        ).fetchone()
        if row is None:
            raise UnknownMember(key)
        document: dict[str, Any] = json.loads(row["document"])
        return document

    def member(self, payer_id: str, key: str) -> Member:
        return read_member(self.member_document(payer_id, key), payer_id, key)

    def on_card(self, payer_id: str, card_id: str) -> list[Member]:
        """Everyone whose card bears this id."""
        rows = self._db.execute(
            "SELECT key, document FROM members WHERE payer_id = ? AND upper(card_id) = ?", (payer_id, card_id.upper())
        )
        return [read_member(json.loads(row["document"]), payer_id, row["key"]) for row in rows]

    def members(self, payer_id: str) -> list[Member]:
        rows = self._db.execute("SELECT key, document FROM members WHERE payer_id = ? ORDER BY key", (payer_id,))
        return [read_member(json.loads(row["document"]), payer_id, row["key"]) for row in rows]

    # Claims

    def add_claim(self, **columns: object) -> ClaimRow:
        names = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        cursor = self._db.execute(
            f"INSERT INTO claims ({names}) VALUES ({marks})",  # noqa: S608 - the names are our own keywords
            tuple(str(value) if isinstance(value, Decimal | date) else value for value in columns.values()),
        )
        return self.claim(int(cursor.lastrowid or 0))

    def claim(self, number: int) -> ClaimRow:
        return _row(self._db.execute("SELECT * FROM claims WHERE number = ?", (number,)).fetchone())

    def claim_by_payer_number(self, payer_id: str, text: str) -> ClaimRow | None:
        tail = text[len(payer_id[:6]) :]
        if not text.startswith(payer_id[:6]) or not tail.isdigit() or len(tail) != 9:
            return None
        row = self._db.execute(
            "SELECT * FROM claims WHERE number = ? AND payer_id = ?", (int(tail), payer_id)
        ).fetchone()
        return _row(row) if row else None

    def due(self, payer_id: str, now: str) -> list[ClaimRow]:
        rows = self._db.execute(
            "SELECT * FROM claims WHERE payer_id = ? AND state = 'waiting' AND due_at <= ? ORDER BY number",
            (payer_id, now),
        )
        return [_row(row) for row in rows]

    def next_due(self, *, except_of: Collection[str]) -> str | None:
        """When the next claim is due, of insurers that are up."""
        rows = self._db.execute(
            "SELECT payer_id, min(due_at) AS due FROM claims WHERE state = 'waiting' GROUP BY payer_id"
        )
        return min((row["due"] for row in rows if row["payer_id"] not in except_of), default=None)

    def same_services(self, row: ClaimRow) -> bool:
        """Whether a claim before this one holds the same services and was neither withdrawn, reversed nor unpaid.

        A zero-pay leaves the way open for a new claim.
        """
        others = self._db.execute(
            "SELECT number, state FROM claims WHERE payer_id = ? AND member_key = ? AND fingerprint = ? AND number < ?"
            " AND state <> 'withdrawn'",
            (row.payer_id, row.member_key, row.fingerprint, row.number),
        ).fetchall()
        for other in others:
            if other["state"] == "waiting":
                return True
            live = self.live_decision(other["number"])
            if live is not None and (live[1].paid or live[1].client):
                return True
        return False

    def release(self, *, now: str, payer_id: str = "", member_key: str = "") -> int:
        """Make waiting claims due at once; returns how many."""
        changed = self._db.execute(
            "UPDATE claims SET due_at = ? WHERE state = 'waiting' AND due_at > ?"
            " AND (? = '' OR payer_id = ?) AND (? = '' OR member_key = ?)",
            (now, now, payer_id, payer_id, member_key, member_key),
        )
        return changed.rowcount

    def close(self, number: int, state: str) -> None:
        self._db.execute("UPDATE claims SET state = ? WHERE number = ?", (state, number))

    # Decisions

    def decide(self, number: int, decision: Decision, at: str) -> None:
        self._db.execute(
            "INSERT INTO decisions (claim, document, plan_year, decided_at, live) VALUES (?, ?, ?, ?, 1)",
            (number, json.dumps(asdict(decision), default=str), decision.plan_year.isoformat(), at),
        )
        self.close(number, "decided")

    def live_decision(self, number: int) -> tuple[int, Decision] | None:
        row = self._db.execute("SELECT * FROM decisions WHERE claim = ? AND live = 1", (number,)).fetchone()
        return (row["id"], _decision(json.loads(row["document"]))) if row else None

    def reverse(self, decision_id: int) -> None:
        self._db.execute("UPDATE decisions SET live = 0 WHERE id = ?", (decision_id,))

    def unresolved(self, payer_id: str, member_key: str) -> list[ClaimRow]:
        """Claims whose live decision is a zero-pay over the order of payers (CARC 22), and which nothing replaced."""
        rows = self._db.execute(
            "SELECT * FROM claims WHERE payer_id = ? AND member_key = ? AND state = 'decided' ORDER BY number",
            (payer_id, member_key),
        )
        found = []
        for row in map(_row, rows):
            live = self.live_decision(row.number)
            newer = self._db.execute(
                "SELECT 1 FROM claims WHERE payer_id = ? AND member_key = ? AND fingerprint = ? AND number > ?",
                (payer_id, member_key, row.fingerprint, row.number),
            ).fetchone()
            if live and not newer and any(each.code == "22" for line in live[1].lines for each in line.adjustments):
                found.append(row)
        return found

    def used(self, member: Member, plan_year: date, *, as_of: datetime | None = None) -> Used:
        """What the plan year shows: the figures the record came with, care elsewhere, live decisions of the family.

        ``as_of`` looks back: only what was decided, and what care was given, up to then.
        """
        own, family = Used(), Used()
        until = None if as_of is None else as_of.astimezone(UTC).strftime(STAMP)
        rows = self._db.execute(
            "SELECT d.document, c.member_key FROM decisions d JOIN claims c ON c.number = d.claim"
            " JOIN members m ON m.payer_id = c.payer_id AND m.key = c.member_key"
            " WHERE d.live = 1 AND c.payer_id = ? AND m.family = ? AND d.plan_year = ?"
            " AND (? IS NULL OR d.decided_at <= ?)",
            (member.payer_id, member.family, plan_year.isoformat(), until, until),
        )
        adds = [(row["member_key"], _used(json.loads(row["document"])["adds"])) for row in rows]
        day = None if as_of is None else as_of.astimezone(BUSINESS_ZONE).date()
        for one in self._family(member):
            adds += [
                (one.key, each.used)
                for each in one.elsewhere
                if one.plan.year_of(each.on) == plan_year and (day is None or each.on <= day)
            ]
        for key, each in adds:
            family = family.plus(each)
            if key == member.key:
                own = own.plus(each)
        base = member.used if plan_year == member.plan.year_of(member.plan.begins) else Used()
        return Used(
            deductible=base.deductible + own.deductible,
            family_deductible=base.family_deductible + family.family_deductible,
            out_of_pocket=base.out_of_pocket + own.out_of_pocket,
            family_out_of_pocket=base.family_out_of_pocket + family.family_out_of_pocket,
            visits=base.visits + own.visits,
        )

    def told(self, found: Member, reported: Reported, plan_year: date, *, now: datetime) -> Used:
        """The used figures that a 271 of ``now`` gives for a plan year."""
        if reported.used is not None:
            return reported.used
        today = self.used(found, plan_year)
        if reported.stale is None:
            return today
        then = self.used(found, plan_year, as_of=now - timedelta(days=reported.stale.days))
        if reported.stale.whose == "own":
            return replace(then, **{name: getattr(today, name) for name in FAMILY})
        if reported.stale.whose == "family":
            return replace(today, **{name: getattr(then, name) for name in FAMILY})
        return then

    def _family(self, member: Member) -> list[Member]:
        """The members of a family who had care elsewhere."""
        rows = self._db.execute(
            "SELECT key, document FROM members WHERE payer_id = ? AND family = ? AND document LIKE '%\"elsewhere\"%'"
            " ORDER BY key",
            (member.payer_id, member.family),
        )
        return [read_member(json.loads(row["document"]), member.payer_id, row["key"]) for row in rows]

    # Money carried forward

    def take_forwarded(self, payer_id: str, payee: str) -> Decimal:
        """What the payee owes from earlier takings-back; zero afterwards."""
        row = self._db.execute(
            "SELECT amount FROM forwarded WHERE payer_id = ? AND payee = ?", (payer_id, payee)
        ).fetchone()
        self._db.execute("DELETE FROM forwarded WHERE payer_id = ? AND payee = ?", (payer_id, payee))
        return Decimal(row["amount"]) if row else ZERO

    def forward(self, payer_id: str, payee: str, amount: Decimal) -> None:
        self._db.execute("INSERT OR REPLACE INTO forwarded VALUES (?, ?, ?)", (payer_id, payee, str(amount)))

    def listing(self, *, payer_id: str = "", member_key: str = "", control_number: str = "") -> list[dict[str, Any]]:
        """Every claim with every decision on it, for ``GET /control/books``."""
        rows = self._db.execute(
            "SELECT * FROM claims WHERE (? = '' OR payer_id = ?) AND (? = '' OR member_key = ?)"
            " AND (? = '' OR control_number = ?) ORDER BY number",
            (payer_id, payer_id, member_key, member_key, control_number, control_number),
        ).fetchall()
        return [self._listed(_row(row)) for row in rows]

    def _listed(self, row: ClaimRow) -> dict[str, Any]:
        decisions = self._db.execute("SELECT * FROM decisions WHERE claim = ? ORDER BY id", (row.number,)).fetchall()
        listed = [
            {**_figures(_decision(json.loads(each["document"]))), "decided_at": each["decided_at"],
             "plan_year": each["plan_year"], "live": bool(each["live"])}
            for each in decisions
        ]  # fmt: skip
        current = next((each for each in listed if each["live"]), None)
        return {
            "payer_id": row.payer_id,
            "member_id": row.member_key,
            "control_number": row.control_number,
            "payer_control_number": row.payer_number,
            "frequency": row.frequency,
            "served": row.served.isoformat(),
            "charge": f"{row.charge:.2f}",
            "state": row.state,
            "received_at": row.received_at,
            "due_at": row.due_at,
            "current": current,
            "decisions": listed,
        }


def _figures(decision: Decision) -> dict[str, Any]:
    return {
        "status": decision.status,
        "allowed": f"{decision.allowed:.2f}",
        "paid": f"{decision.paid:.2f}",
        "client": f"{decision.client:.2f}",
        "adjustments": [
            {"group": each.group, "code": each.code, "amount": f"{each.amount:.2f}"}
            for line in decision.lines
            for each in line.adjustments
        ],
        "remarks": list(decision.remarks),
        "adds": {name: str(value) for name, value in asdict(decision.adds).items()},
    }


def _row(row: sqlite3.Row) -> ClaimRow:
    columns: dict[str, Any] = dict(row)
    columns["charge"] = Decimal(columns["charge"])
    columns["served"] = date.fromisoformat(columns["served"])
    return ClaimRow(**columns)


def _used(document: Mapping[str, Any]) -> Used:
    return Used(
        Decimal(document["deductible"]),
        Decimal(document["family_deductible"]),
        Decimal(document["out_of_pocket"]),
        Decimal(document["family_out_of_pocket"]),
        int(document["visits"]),
    )


def _decision(document: Mapping[str, Any]) -> Decision:
    corrected = document["corrected_payer"]
    return Decision(
        status=document["status"],
        lines=tuple(
            LineDecision(
                Decimal(line["allowed"]),
                Decimal(line["paid"]),
                tuple(Adjustment(each["group"], each["code"], Decimal(each["amount"])) for each in line["adjustments"]),
            )
            for line in document["lines"]
        ),
        plan_year=date.fromisoformat(document["plan_year"]),
        adds=_used(document["adds"]),
        remarks=tuple(document["remarks"]),
        corrected_payer=OtherCover(**corrected) if corrected else None,
    )
