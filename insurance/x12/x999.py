"""Implementation acknowledgements (999, 005010X231A1): whether a file's form was right; nothing about its claims.

AK9 (group) and IK5 (transaction): A accepted, E accepted with errors noted, P partly accepted, R and M, W, X rejected.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from insurance.x12 import codes
from insurance.x12.segments import (
    Finding,
    Party,
    Row,
    Segment,
    TransactionSet,
    X12Error,
    transactions_of,
    write_interchange,
)

VERSION = "005010X231A1"
_ACCEPTING = frozenset({"A", "E"})
_VERDICTS = frozenset({"A", "E", "P", "R", "M", "W", "X"})


@dataclass(frozen=True, slots=True)
class SyntaxFault:
    """One IK3 or IK4 (or a code of IK5 or AK9, then without segment).

    ``position`` is the segment's place in its transaction (IK302, ST is 1), ``element`` and ``component`` the place
    inside the segment (IK401), ``level`` which list the code is from: segment, element, transaction or group.
    """

    level: str
    code: str
    segment: str = ""
    position: int | None = None
    loop: str = ""
    element: int | None = None
    component: int | None = None
    bad_value: str = ""

    @property
    def text(self) -> str:
        """In our words, naming the element where there is one."""
        table = {
            "segment": codes.SEGMENT_ERROR,
            "element": codes.ELEMENT_ERROR,
            "transaction": codes.TRANSACTION_ERROR,
            "group": codes.GROUP_ERROR,
        }[self.level]
        known = table.get(self.code)
        words = _(known) if known else _("error code %(code)s") % {"code": self.code}
        if self.element is None:
            return words
        place = f"{self.segment}{self.element:02d}"
        if self.component is not None:
            place += f"-{self.component}"
        return f"{place}: {words}"


@dataclass(frozen=True, slots=True)
class AcknowledgedTransaction:
    """AK2 to IK5: one ST…SE that was received."""

    code: str
    control_number: str
    verdict: str
    faults: tuple[SyntaxFault, ...] = ()

    @property
    def accepted(self) -> bool:
        return self.verdict in _ACCEPTING


@dataclass(frozen=True, slots=True)
class AcknowledgedGroup:
    """One 999: the functional group (AK1) and what became of its transactions.

    ``accepted`` only when all of it was (A, E): a partly accepted group names the rejected transactions.
    """

    functional_id: str
    control_number: str
    verdict: str
    transactions: tuple[AcknowledgedTransaction, ...] = ()
    version: str = ""
    faults: tuple[SyntaxFault, ...] = ()
    included: int | None = None
    received: int | None = None
    taken: int | None = None
    where: str = ""

    @property
    def accepted(self) -> bool:
        return self.verdict in _ACCEPTING

    @property
    def all_faults(self) -> tuple[SyntaxFault, ...]:
        """The transactions' faults in order, then the group's own."""
        return tuple(fault for each in self.transactions for fault in each.faults) + self.faults


# -- reading


def read(raw: bytes, findings: list[Finding] | None = None) -> Iterator[AcknowledgedGroup]:
    """Every 999 of the file in order; tolerated faults are appended to ``findings``.

    Raises :class:`X12Error` when a 999 does not name its group (AK1) or its verdict (AK9).
    """
    notes = findings if findings is not None else []
    for transaction in transactions_of(raw, notes):
        if transaction.code != "999":
            message = f"a transaction {transaction.code} is not an acknowledgement (999): left out"
            notes.append(Finding(transaction.first.where, message))
            continue
        yield _group(transaction, notes)


@dataclass(slots=True)
class _Transaction:
    code: str
    control_number: str
    verdict: str = ""
    faults: list[SyntaxFault] = field(default_factory=list)

    def done(self) -> AcknowledgedTransaction:
        return AcknowledgedTransaction(self.code, self.control_number, self.verdict, tuple(self.faults))


def _group(transaction: TransactionSet, notes: list[Finding]) -> AcknowledgedGroup:
    ak1: Segment | None = None
    ak9: Segment | None = None
    ik3: Segment | None = None
    found: list[_Transaction] = []
    for segment in transaction.segments:
        match segment.id:
            case "AK1":
                ak1 = ak1 or segment
            case "AK2":
                found.append(_Transaction(segment.get(1), segment.get(2)))
                ik3 = None
            case "AK9":
                ak9 = ak9 or segment
            case "IK3" | "IK4" | "IK5" if not found:
                raise X12Error(f"{segment.id} stands before the transaction it speaks of (AK2)", segment.where)
            case "IK3":
                ik3 = segment
                if segment.get(4):
                    found[-1].faults.append(_segment_fault(segment))
            case "IK4":
                if ik3 is None:
                    raise X12Error("IK4 stands before the segment it speaks of (IK3)", segment.where)
                found[-1].faults.append(_element_fault(ik3, segment))
            case "IK5":
                found[-1].verdict = _verdict(segment, notes)
                if not found[-1].faults:
                    codes_given = [code for index in range(2, 7) if (code := segment.get(index))]
                    found[-1].faults += [SyntaxFault("transaction", code) for code in codes_given]
            case _:
                continue
    where = transaction.first.where
    if ak1 is None:
        raise X12Error("the 999 has no AK1: what it acknowledges cannot be told", where)
    if ak9 is None:
        raise X12Error("the 999 has no AK9: whether the group was accepted cannot be told", where)
    notes += [
        Finding(where, f"transaction {each.control_number!r} has no verdict (IK5)")
        for each in found
        if not each.verdict
    ]
    return AcknowledgedGroup(
        functional_id=ak1.get(1),
        control_number=ak1.get(2),
        verdict=_verdict(ak9, notes),
        transactions=tuple(each.done() for each in found),
        version=ak1.get(3),
        faults=tuple(SyntaxFault("group", code) for index in range(5, 10) if (code := ak9.get(index))),
        included=_whole(ak9.get(2)),
        received=_whole(ak9.get(3)),
        taken=_whole(ak9.get(4)),
        where=where,
    )


def _verdict(segment: Segment, notes: list[Finding]) -> str:
    verdict = segment.get(1)
    if not verdict:
        raise X12Error(f"{segment.id}01 is missing: neither accepted nor rejected", segment.where)
    if verdict not in _VERDICTS:
        notes.append(Finding(segment.where, f"{segment.id}01 {verdict!r} is no verdict of this guide"))
    return verdict


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def _segment_fault(ik3: Segment) -> SyntaxFault:
    return SyntaxFault("segment", ik3.get(4), ik3.get(1), _whole(ik3.get(2)), ik3.get(3))


def _element_fault(ik3: Segment, ik4: Segment) -> SyntaxFault:
    element, component, *_rest = [*ik4.components(1), "", ""]
    return SyntaxFault(
        "element",
        ik4.get(3),
        ik3.get(1),
        _whole(ik3.get(2)),
        ik3.get(3),
        _whole(element),
        _whole(component),
        ik4.get(4),
    )


# -- writing


def build(
    groups: Iterable[AcknowledgedGroup],
    *,
    sender: Party,
    receiver: Party,
    control_number: int,
    at: datetime,
    production: bool = False,
) -> bytes:
    """One interchange, one 999 per acknowledged group. Counts that are ``None`` are taken from the transactions.
    Raises ``ValueError`` for a text with a separator."""
    return write_interchange(
        functional_id="FA",
        version=VERSION,
        transactions=(("999", _transaction(group)) for group in groups),
        sender=sender,
        receiver=receiver,
        control_number=control_number,
        at=at,
        production=production,
    )


def _transaction(group: AcknowledgedGroup) -> Iterator[Row]:
    yield ("AK1", group.functional_id, group.control_number, group.version)
    for each in group.transactions:
        yield ("AK2", each.code, each.control_number, group.version)
        yield from _faults(each.faults)
        own = [fault.code for fault in each.faults if fault.level == "transaction"]
        if not own and not each.accepted:
            own = ["5"]
        yield ("IK5", each.verdict, *own[:5])
    count = len(group.transactions)
    taken = sum(1 for each in group.transactions if each.accepted)
    numbers = [
        str(stated if stated is not None else counted)
        for stated, counted in ((group.included, count), (group.received, count), (group.taken, taken))
    ]
    yield ("AK9", group.verdict, *numbers, *(fault.code for fault in group.faults[:5]))


def _faults(faults: Iterable[SyntaxFault]) -> Iterator[Row]:
    """IK3 rows, each followed by the IK4 rows of the same segment."""
    last: tuple[str, int | None] | None = None
    for fault in faults:
        if fault.level not in ("segment", "element"):
            continue
        here = (fault.segment, fault.position)
        place = "" if fault.position is None else str(fault.position)
        if fault.level == "segment":
            yield ("IK3", fault.segment, place, fault.loop, fault.code)
        else:
            if here != last:
                yield ("IK3", fault.segment, place, fault.loop, "8")
            element = "" if fault.element is None else str(fault.element)
            if fault.component is not None:
                element += f":{fault.component}"
            yield ("IK4", element, "", fault.code, fault.bad_value)
        last = here


# -- describing


def describe(raw: bytes) -> dict[str, object]:
    """The 999 part of the ``read_edi`` contract. Raises :class:`X12Error` for what cannot be read."""
    findings: list[Finding] = []
    groups = [
        {
            "control_number": group.control_number,
            "accepted": group.accepted,
            "errors": [
                {
                    "segment": fault.segment or None,
                    "position": fault.position,
                    "code": fault.code,
                    "text": fault.text,
                }
                for fault in group.all_faults
            ],
        }
        for group in read(raw, findings)
    ]
    errors = [{"where": each.where, "message": each.message} for each in findings]
    return {"type": "999", "errors": errors, "groups": groups}
