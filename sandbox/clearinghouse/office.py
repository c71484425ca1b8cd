"""The day's work: answer inquiries, take batches in, acknowledge them, hand claims to insurers, deliver payments."""

import asyncio
import contextlib
import hashlib
import logging
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from common.clock import BUSINESS_ZONE
from insurance.x12 import x270, x271, x277ca, x835, x837p, x999
from insurance.x12.names import Name
from insurance.x12.segments import Party, TransactionSet, X12Error, clean, transactions_of, write_interchange
from insurance.x12.x277ca import ACCEPT, AcknowledgedClaim, Acknowledgement, Status
from insurance.x12.x837p_model import Claim, Submission
from insurance.x12.x999 import AcknowledgedGroup, AcknowledgedTransaction, SyntaxFault
from sandbox.clearinghouse.mailbox import FileIn, Mailbox, stamp, unstamp
from sandbox.insurers import benefits, intake, remit
from sandbox.insurers.books import Books, ClaimRow
from sandbox.insurers.records import Delays, Insurer

log = logging.getLogger(__name__)

OURSELVES = Name("STAND-IN CLEARINGHOUSE", qualifier="46", identifier="SANDBOX")
PARTY = Party("SANDBOX")
_FILES_KEPT_READ = 8
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""For an envelope that nobody sees."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS forwarding (
    payload_id TEXT NOT NULL, payer_id TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (payload_id, payer_id)
);
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """A real-time answer, and how long its insurer takes to give it."""

    payload: bytes
    payload_type: str
    after_seconds: float


@dataclass(frozen=True, slots=True)
class Taken:
    """One ST…SE of a batch: what it holds, or why it cannot be read."""

    set: TransactionSet
    submission: Submission | None
    faults: tuple[SyntaxFault, ...]


class Office:
    """Everything behind the two addresses. One thread; each step is one database transaction, so a crash repeats it."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.books = Books(mailbox.db)
        mailbox.db.executescript(_SCHEMA)
        self._read: OrderedDict[str, list[Taken]] = OrderedDict()
        self._claims: OrderedDict[str, list[Claim]] = OrderedDict()
        self._awake = asyncio.Event()
        self._stumbled = False

    def wall(self) -> datetime:
        """The stand-in's clock as it hangs on an insurer's wall."""
        return self.mailbox.now().astimezone(BUSINESS_ZONE)

    def today(self) -> date:
        """The business date of the stand-in's clock."""
        return self.wall().date()

    # Real time

    def inquire(self, payload: bytes) -> Answered:
        """Answer a 270; one that cannot be read gets a 999 that names the segment."""
        try:
            asked = x270.read(payload)
        except X12Error as error:
            return Answered(self._unreadable(payload, error), "X12_999_Response_005010X231A1", 0.0)
        responses, slowest = [], 0.0
        for inquiry in asked.inquiries:
            insurer = self.books.insurer(inquiry.payer.id)
            responses.append(benefits.answer(self.books, insurer, inquiry, now=self.wall()))
            if insurer is not None:
                slowest = max(slowest, insurer.delays.real_time_seconds)
        answer = x271.build(
            responses,
            sender=PARTY,
            receiver=Party(asked.sender or "UNKNOWN"),
            control_number=self.mailbox.next_number("interchange"),
            at=self.wall(),
        )
        return Answered(answer, "X12_271_Response_005010X279A1", slowest)

    def _unreadable(self, payload: bytes, error: X12Error) -> bytes:
        group = AcknowledgedGroup("HS", "1", "R", (AcknowledgedTransaction("270", "0001", "R", _faults(error, 0)),))
        with contextlib.suppress(X12Error):
            first = next(transactions_of(payload), None)
            if first is not None:
                group = replace(group, control_number=first.group_control_number or "1", version=first.version)
        return self._acknowledgement([group], "UNKNOWN")

    # Batches

    def work(self) -> None:
        """Do everything that is due now. A step that fails is undone, logged and tried again; the others go on."""
        for file in self.mailbox.unprocessed():
            with self._step(f"batch {file.payload_id}"):
                self._take_in(file)
        insurers = {insurer.payer_id: insurer for insurer in self.books.insurers() if not insurer.down}
        waiting = self.mailbox.db.execute("SELECT payload_id, payer_id FROM forwarding WHERE done = 0").fetchall()
        for row in waiting:
            if row["payer_id"] in insurers:
                with self._step(f"batch {row['payload_id']} at {row['payer_id']}"):
                    self._hand_over(self.mailbox.file_in(row["payload_id"]), insurers[row["payer_id"]])
        for insurer in insurers.values():
            with self._step(f"payments of {insurer.payer_id}"):
                self._pay(insurer)

    @contextlib.contextmanager
    def _step(self, what: str) -> Iterator[None]:
        try:
            with self.mailbox.transaction():
                yield
        except Exception:
            log.exception("%s failed", what)
            self._stumbled = True

    def start_afresh(self) -> None:
        """Forget every insurer, member, claim and file, and go back to the real time."""
        self.mailbox.empty()
        self._read.clear()
        self._claims.clear()

    def wake(self) -> None:
        """Something new is there to do."""
        self._awake.set()

    async def rest(self) -> None:
        """Wait until woken, or until the next claim is due; after a failed step a second."""
        if self._stumbled:
            self._stumbled = False
            await asyncio.sleep(1.0)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._awake.wait(), timeout=self._until_due())
        self._awake.clear()

    def _until_due(self) -> float:
        down = [insurer.payer_id for insurer in self.books.insurers() if insurer.down]
        due = self.books.next_due(except_of=down)
        if due is None:
            return 60.0
        return min(60.0, max(0.05, (unstamp(due) - self.mailbox.now()).total_seconds()))

    def _taken(self, file: FileIn) -> list[Taken]:
        """The file's transactions, read once for as long as it is among the last few."""
        known = self._read.get(file.payload_id)
        if known is None:
            known = [_take(each) for each in transactions_of(file.payload)]
            self._read[file.payload_id] = known
            if len(self._read) > _FILES_KEPT_READ:
                self._read.popitem(last=False)
        return known

    def _take_in(self, file: FileIn) -> None:
        """999 for the form, the clearinghouse's own 277CA for the routing, and a note to hand on what is readable."""
        try:
            taken = self._taken(file)
        except X12Error as error:
            log.warning("batch %s cannot be read: %s, %s", file.payload_id, error.where, error)
            group = AcknowledgedGroup("HC", "1", "R", (AcknowledgedTransaction("837", "0001", "R", _faults(error, 2)),))
            self._deliver(file, "999", self._acknowledgement([group], file.sender), Delays())
            self.mailbox.processed(file.payload_id)
            return
        self._deliver(file, "999", self._acknowledgement(_groups(taken), file.sender), Delays())
        told = []
        for each in taken:
            if each.submission is None:
                continue
            claims = [self._routed(claim) for claim in each.submission.claims]
            told.append(self._acknowledge(each.submission, OURSELVES, "AY", claims))
            for claim in each.submission.claims:
                if self.books.insurer(claim.payer.identifier) is not None:
                    self.mailbox.db.execute(
                        "INSERT OR IGNORE INTO forwarding (payload_id, payer_id) VALUES (?, ?)",
                        (file.payload_id, claim.payer.identifier),
                    )
        if told:
            self._deliver(file, "277CA", self._status_file(told, file.sender), Delays())
        self.mailbox.processed(file.payload_id)

    def _routed(self, claim: Claim) -> AcknowledgedClaim:
        known = self.books.insurer(claim.payer.identifier) is not None
        status = Status("A0", "16", "PR", "WQ") if known else Status("A7", "153", "PR", "U")
        status = replace(status, on=self.today(), charge=claim.charge)
        return intake.acknowledged(claim, status, clearinghouse_number=uuid.uuid4().hex[:12].upper())

    def _hand_over(self, file: FileIn, insurer: Insurer) -> None:
        """Give one insurer its claims of the file; its 277CA says which it took."""
        told = self._acknowledged(file, insurer)
        self._deliver(file, "277CA", self._status_file(told, file.sender), insurer.delays)
        self.mailbox.db.execute(
            "UPDATE forwarding SET done = 1 WHERE payload_id = ? AND payer_id = ?", (file.payload_id, insurer.payer_id)
        )

    def _acknowledged(self, file: FileIn, insurer: Insurer) -> list[Acknowledgement]:
        """Take an insurer's claims of the file into its books; what it says of each."""
        told, place = [], -1
        for each in self._taken(file):
            if each.submission is None:
                continue
            claims = []
            for claim in each.submission.claims:
                place += 1
                if claim.payer.identifier != insurer.payer_id:
                    continue
                verdict = intake.take(self.books, insurer, claim)
                status = replace(verdict.status, on=self.today(), charge=claim.charge)
                number = ""
                if verdict.member is not None:
                    delays = verdict.member.delays or insurer.delays
                    due = self.mailbox.now() + timedelta(seconds=delays.remit_seconds, days=delays.remit_days)
                    row = self.books.add_claim(
                        payer_id=insurer.payer_id,
                        member_key=verdict.member.key,
                        recipient=file.sender,
                        payload_id=file.payload_id,
                        place=place,
                        control_number=claim.control_number,
                        frequency=claim.frequency,
                        replaces=verdict.replaces,
                        fingerprint=intake.fingerprint(claim),
                        charge=claim.charge,
                        served=verdict.served,
                        received_at=stamp(file.received_at),
                        due_at=stamp(due),
                        state="waiting",
                    )
                    number = row.payer_number
                claims.append(intake.acknowledged(claim, status, payer_control_number=number))
            if claims:
                source = Name(clean(insurer.name), qualifier="PI", identifier=insurer.payer_id)
                told.append(self._acknowledge(each.submission, source, "PR", claims))
        return told

    def _pay(self, insurer: Insurer) -> None:
        now = self.mailbox.now()
        run = remit.run(
            self.books,
            insurer,
            now=stamp(now),
            on=self.today(),
            claim_of=self._claim_of,
            next_trace=lambda: self.mailbox.next_number(f"trace:{insurer.payer_id}"),
        )
        by_recipient: defaultdict[str, list[x835.Remittance]] = defaultdict(list)
        for payment in run.payments:
            by_recipient[payment.recipient].append(payment.remittance)
        for recipient, remittances in by_recipient.items():
            payload = x835.build(
                remittances,
                sender=Party(insurer.payer_id),
                receiver=Party(recipient),
                control_number=self.mailbox.next_number("interchange"),
                at=self.wall(),
            )
            self.mailbox.put(recipient=recipient, kind="835", payload=payload, ready_at=now)
        self._send_on(insurer, run.forwarded)

    def _send_on(self, insurer: Insurer, forwarded: list[remit.Forwarded]) -> None:
        """Claims that one insurer sends to the next (crossover). The next one acknowledges them to it, and to nobody
        else; its remittance goes to whoever billed."""
        piles: defaultdict[tuple[str, str], list[Claim]] = defaultdict(list)
        for each in forwarded:
            piles[each.recipient, each.payer_id].append(each.claim)
        for (recipient, payer_id), claims in piles.items():
            after = self.books.insurer(payer_id)
            if after is None:
                continue
            payload = x837p.build(
                claims,
                submitter=x837p.Submitter(clean(insurer.name), insurer.payer_id, "COORDINATION", "8005550100"),
                receiver=x837p.Receiver(clean(after.name), payer_id),
                sender=Party(insurer.payer_id),
                recipient=Party(payer_id),
                control_number=self.mailbox.next_number("interchange"),
                at=self.wall(),
            )
            payload_id = str(uuid.uuid4())
            digest = hashlib.sha1(payload, usedforsecurity=False).hexdigest()
            self.mailbox.receive(
                payload_id=payload_id, sender=recipient, payload_type="crossover", sha1=digest, payload=payload
            )
            self.mailbox.processed(payload_id)
            self._acknowledged(self.mailbox.file_in(payload_id), after)

    def reprocess(self, payer_id: str, member_key: str) -> int:
        """Run claims refused over the order of payers again, unless a newer claim has taken their place."""
        now = self.mailbox.now()
        rows = self.books.unresolved(payer_id, member_key)
        for row in rows:
            self.books.add_claim(
                payer_id=row.payer_id,
                member_key=row.member_key,
                recipient=row.recipient,
                payload_id=row.payload_id,
                place=row.place,
                control_number=row.control_number,
                frequency="1",
                replaces=row.number,
                fingerprint=row.fingerprint,
                charge=row.charge,
                served=row.served,
                received_at=row.received_at,
                due_at=stamp(now),
                state="waiting",
            )
        return len(rows)

    def _claim_of(self, row: ClaimRow) -> Claim:
        claims = self._claims.get(row.payload_id)
        if claims is None:
            taken = self._taken(self.mailbox.file_in(row.payload_id))
            claims = [claim for each in taken if each.submission is not None for claim in each.submission.claims]
            self._claims[row.payload_id] = claims
            if len(self._claims) > _FILES_KEPT_READ:
                self._claims.popitem(last=False)
        return claims[row.place]

    # Files out

    def _acknowledge(
        self, submission: Submission, source: Name, kind: str, claims: list[AcknowledgedClaim]
    ) -> Acknowledgement:
        submitter = submission.submitter
        billing = submission.claims[0].billing
        return Acknowledgement(
            source=source,
            source_kind=kind,
            receiver=Name(submitter.name, qualifier="46", identifier=submitter.identifier),
            batch_reference=submission.reference,
            claims=tuple(claims),
            batch_statuses=(Status("A1", "19", kind, ACCEPT, self.today(), _charge(submission)),),
            reference=f"{self.mailbox.next_number('acknowledgement'):09d}",
            provider=Name(billing.name, qualifier="XX", identifier=billing.npi),
        )

    def _status_file(self, told: list[Acknowledgement], recipient: str) -> bytes:
        return x277ca.build(
            told,
            sender=PARTY,
            receiver=Party(recipient),
            control_number=self.mailbox.next_number("interchange"),
            at=self.wall(),
        )

    def _acknowledgement(self, groups: list[AcknowledgedGroup], recipient: str) -> bytes:
        return x999.build(
            groups,
            sender=PARTY,
            receiver=Party(recipient),
            control_number=self.mailbox.next_number("interchange"),
            at=self.wall(),
        )

    def _deliver(self, file: FileIn, kind: str, payload: bytes, delays: Delays) -> None:
        ready = self.mailbox.now() + timedelta(seconds=delays.acknowledge_seconds)
        self.mailbox.put(recipient=file.sender, kind=kind, payload=payload, ready_at=ready.astimezone(UTC))


def _charge(submission: Submission) -> Decimal:
    return sum((claim.charge for claim in submission.claims), Decimal("0.00"))


def _take(one: TransactionSet) -> Taken:
    """Read one transaction by itself, so that a fault in it rejects it alone."""
    if one.findings:
        return Taken(one, None, (SyntaxFault("transaction", "4"),))
    alone = write_interchange(
        functional_id="HC",
        version=one.version or "UNKNOWN",
        transactions=[(one.code, [segment.elements for segment in one.segments])],
        sender=PARTY,
        receiver=PARTY,
        control_number=1,
        at=_ANY_TIME,
        delimiters=one.first.delimiters,
    )
    try:
        submissions = list(x837p.read(alone))
    except X12Error as error:
        return Taken(one, None, _faults(error, 2))
    if not submissions or not submissions[0].claims:
        return Taken(one, None, (SyntaxFault("segment", "3", "CLM", len(one.segments) + 2),))
    return Taken(one, submissions[0], ())


def _faults(error: X12Error, before: int) -> tuple[SyntaxFault, ...]:
    """``segment 12 (CLM)`` as a segment fault; ``before`` segments stand ahead of the ST."""
    words = error.where.replace("(", "").replace(")", "").split()
    if len(words) == 3 and words[1].isdigit():
        return (SyntaxFault("segment", "8", words[2], max(1, int(words[1]) - before)),)
    return (SyntaxFault("transaction", "5"),)


def _groups(taken: list[Taken]) -> list[AcknowledgedGroup]:
    """The verdict on each functional group: all, part or none of it accepted."""
    piles: dict[tuple[str, str], list[Taken]] = {}
    for each in taken:
        piles.setdefault((each.set.interchange_control_number, each.set.group_control_number), []).append(each)
    groups = []
    for (_interchange, number), members in piles.items():
        good = sum(1 for each in members if each.submission is not None)
        groups.append(
            AcknowledgedGroup(
                "HC",
                number,
                "A" if good == len(members) else "P" if good else "R",
                tuple(
                    AcknowledgedTransaction(
                        each.set.code, each.set.control_number, "A" if each.submission is not None else "R", each.faults
                    )
                    for each in members
                ),
                version=members[0].set.version,
            )
        )
    return groups
