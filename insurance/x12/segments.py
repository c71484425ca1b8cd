"""X12 text: delimiters, segments, envelopes. Lossless both ways.

Everything here is tolerant on purpose: real files break the envelope rules, so a fault that does not hide meaning is
reported as a :class:`Finding` and reading goes on; only a file that cannot be read at all raises :class:`X12Error`.
Envelope rules are those of X12.5 and X12.6 as the HIPAA guides apply them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from common.errors import BadInput

MAX_SEGMENT_BYTES = 100_000
"""No HIPAA segment comes near this; a longer one is an attack or not X12."""


class X12Error(BadInput):
    """The file cannot be read; ``where`` names the segment, e.g. ``"segment 12 (CLP)"``."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that was tolerated."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The four separators that an ISA declares."""

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    segment: str = "~"


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its elements as text (``elements[0]`` is the segment id) and its 1-based place in the file."""

    elements: tuple[str, ...]
    position: int
    delimiters: Delimiters = Delimiters()

    @property
    def id(self) -> str:
        return self.elements[0]

    @property
    def where(self) -> str:
        """How messages name this segment: ``segment 12 (CLP)``."""
        return f"segment {self.position} ({self.id})"

    def get(self, index: int) -> str:
        """Element ``index`` (``get(1)`` is e.g. CLP01), stripped; empty when absent."""
        return self.elements[index].strip() if index < len(self.elements) else ""

    def components(self, index: int) -> tuple[str, ...]:
        """The components of a composite element; ``()`` when absent."""
        text = self.get(index)
        return tuple(text.split(self.delimiters.component)) if text else ()

    def repeats(self, index: int) -> tuple[str, ...]:
        """The repetitions of a repeating element (EB03); ``()`` when absent."""
        text = self.get(index)
        if not text:
            return ()
        return tuple(text.split(self.delimiters.repetition)) if self.delimiters.repetition else (text,)

    def __str__(self) -> str:
        return self.delimiters.element.join(self.elements)


@dataclass(slots=True)
class TransactionSet:
    """One ST…SE, with what its group and interchange said.

    ``segments`` are those strictly between ST and SE. ``version`` is GS08, or ST03 where the group says nothing.
    """

    code: str
    control_number: str
    version: str
    segments: list[Segment]
    sender: str
    receiver: str
    interchange_control_number: str
    group_control_number: str
    first: Segment
    findings: list[Finding] = field(default_factory=list)


_SEGMENT_ID = re.compile(r"^[A-Z][A-Z0-9]{1,2}$")


def _decode(raw: bytes) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _delimiters(text: str, start: int, position: int) -> Delimiters:
    """Read the separators from the ISA at ``start``.

    The ISA is fixed-width, so its 4th and 106th characters name two of them. Files in the wild get widths wrong: then
    the sixteen elements are counted instead.
    """
    head = text[start : start + 400]
    element = head[3:4]
    where = f"segment {position} (ISA)"
    if not element or element.isalnum() or element.isspace():
        raise X12Error("the ISA does not say how elements are separated", where)
    fixed = head[105:106]
    if (
        len(head) >= 106
        and fixed
        and not fixed.isalnum()
        and head[103:104] == element
        and head[:106].count(element) == 16
    ):
        component, terminator = head[104], fixed
    else:
        parts = head.split(element, 16)
        if len(parts) < 17 or len(parts[16]) < 2:
            raise X12Error("the ISA is cut short: sixteen elements and a terminator are needed", where)
        component, terminator = parts[16][0], parts[16][1]
    if component == element or terminator in (element, component):
        raise X12Error("the ISA uses one character for two separators", where)
    standards = head.split(element)[11].strip()
    repetition = standards if len(standards) == 1 and not standards.isalnum() else ""
    return Delimiters(element, component, repetition, terminator)


def segments_of(raw: bytes) -> Iterator[Segment]:
    """Every segment of the file in order, any number of interchanges, each with the delimiters of its own ISA.

    Raises :class:`X12Error` when the file is empty, does not begin with an ISA, or holds a segment no guide could.
    """
    text = _decode(raw)
    start = len(text) - len(text.lstrip())
    if start == len(text):
        raise X12Error("the file is empty", "start of file")
    if not text.startswith("ISA", start):
        raise X12Error(f"an X12 file begins with ISA, this one with {text[start : start + 12]!r}", "start of file")
    position = 0
    delimiters = Delimiters()
    while start < len(text):
        if text.startswith("ISA", start):
            delimiters = _delimiters(text, start, position + 1)
        end = text.find(delimiters.segment, start)
        if end < 0:
            end = len(text)
        body = text[start:end].strip("\r\n\t ")
        start = end + 1
        if not body:
            continue
        position += 1
        if len(body) > MAX_SEGMENT_BYTES:
            raise X12Error(f"a segment of {len(body)} characters is no X12", f"segment {position}")
        elements = tuple(body.split(delimiters.element))
        if not _SEGMENT_ID.match(elements[0]):
            raise X12Error(f"{elements[0][:20]!r} is no segment id", f"segment {position}")
        yield Segment(elements, position, delimiters)
        if delimiters.segment not in "\r\n":
            while start < len(text) and text[start] in "\r\n\t ":
                start += 1


def transactions_of(raw: bytes, findings: list[Finding] | None = None) -> Iterator[TransactionSet]:
    """Every ST…SE of the file, one at a time, so that a large file is never held parsed in memory at once.

    Faults of the envelope (wrong counts, control numbers that differ, trailers that miss) are appended to
    ``findings`` (the file's) and to the transaction's own. Segments outside any ST…SE other than envelope ones and TA1
    are findings too.
    """
    notes = findings if findings is not None else []
    interchange: Segment | None = None
    group: Segment | None = None
    current: TransactionSet | None = None
    groups = transactions = 0

    def close_transaction(at: str) -> TransactionSet | None:
        nonlocal current
        done, current = current, None
        if done is not None:
            finding = Finding(at, f"transaction {done.control_number} has no SE")
            done.findings.append(finding)
            notes.append(finding)
        return done

    for segment in segments_of(raw):
        match segment.id:
            case "ISA":
                if (unfinished := close_transaction(segment.where)) is not None:
                    yield unfinished
                if interchange is not None:
                    notes.append(Finding(segment.where, "the interchange before this one has no IEA"))
                interchange, group, groups = segment, None, 0
                if len(segment.elements) != 17 or any(
                    len(text) != width
                    for text, width in zip(
                        segment.elements[1:], (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1), strict=False
                    )
                ):
                    notes.append(Finding(segment.where, "the ISA's elements do not have their fixed widths"))
            case "IEA":
                if (unfinished := close_transaction(segment.where)) is not None:
                    yield unfinished
                if interchange is not None:
                    if segment.get(2) != interchange.get(13):
                        notes.append(
                            Finding(segment.where, f"IEA02 {segment.get(2)!r} is not ISA13 {interchange.get(13)!r}")
                        )
                    if segment.get(1) != str(groups):
                        notes.append(
                            Finding(segment.where, f"IEA01 says {segment.get(1)!r} groups, there are {groups}")
                        )
                interchange = group = None
            case "GS":
                if (unfinished := close_transaction(segment.where)) is not None:
                    yield unfinished
                group, transactions = segment, 0
                groups += 1
            case "GE":
                if (unfinished := close_transaction(segment.where)) is not None:
                    yield unfinished
                if group is not None:
                    if segment.get(2) != group.get(6):
                        notes.append(Finding(segment.where, f"GE02 {segment.get(2)!r} is not GS06 {group.get(6)!r}"))
                    if segment.get(1) != str(transactions):
                        notes.append(
                            Finding(
                                segment.where, f"GE01 says {segment.get(1)!r} transactions, there are {transactions}"
                            )
                        )
                group = None
            case "ST":
                if (unfinished := close_transaction(segment.where)) is not None:
                    yield unfinished
                transactions += 1
                if group is None:
                    notes.append(Finding(segment.where, "a transaction outside any group"))
                current = TransactionSet(
                    code=segment.get(1),
                    control_number=segment.get(2),
                    version=(group.get(8) if group is not None else "") or segment.get(3),
                    segments=[],
                    sender=interchange.get(6) if interchange is not None else "",
                    receiver=interchange.get(8) if interchange is not None else "",
                    interchange_control_number=interchange.get(13) if interchange is not None else "",
                    group_control_number=group.get(6) if group is not None else "",
                    first=segment,
                )
            case "SE":
                if current is None:
                    notes.append(Finding(segment.where, "an SE without an ST"))
                    continue
                count = len(current.segments) + 2
                for wrong, message in (
                    (segment.get(1) != str(count), f"SE01 says {segment.get(1)!r} segments, there are {count}"),
                    (
                        segment.get(2) != current.control_number,
                        f"SE02 {segment.get(2)!r} is not ST02 {current.control_number!r}",
                    ),
                ):
                    if wrong:
                        current.findings.append(Finding(segment.where, message))
                        notes.append(Finding(segment.where, message))
                done, current = current, None
                yield done
            case "TA1":
                continue
            case _ if current is not None:
                current.segments.append(segment)
            case _:
                notes.append(Finding(segment.where, "a segment outside any transaction"))
    if (unfinished := close_transaction("end of file")) is not None:
        yield unfinished
    if interchange is not None:
        notes.append(Finding("end of file", "the last interchange has no IEA"))


@dataclass(frozen=True, slots=True)
class Party:
    """One end of an interchange: ISA qualifier and id, which GS repeats."""

    identifier: str
    qualifier: str = "ZZ"


Row = Sequence[str]
"""A segment to be written: its id and elements; trailing empty ones are dropped."""


def composite(*components: str, delimiters: Delimiters = Delimiters()) -> str:
    """Join components, dropping empty ones at the end."""
    parts = list(components)
    while parts and not parts[-1]:
        parts.pop()
    return delimiters.component.join(parts)


def clean(text: str, delimiters: Delimiters = Delimiters()) -> str:
    """Free text made fit for an element: upper case, no accents (X12's characters have none), no separators, no control
    characters, single spaces."""
    banned = {delimiters.element, delimiters.component, delimiters.repetition, delimiters.segment}
    bare = "".join(ch for ch in unicodedata.normalize("NFKD", text) if not unicodedata.combining(ch))
    kept = "".join(" " if ch in banned or not ch.isprintable() else ch for ch in bare)
    return " ".join(kept.upper().split())


def write_interchange(
    *,
    functional_id: str,
    version: str,
    transactions: Iterable[tuple[str, Iterable[Row]]],
    sender: Party,
    receiver: Party,
    control_number: int,
    at: datetime,
    production: bool = False,
    delimiters: Delimiters = Delimiters(),
    version_in_st: bool = True,
) -> bytes:
    """Wrap transactions in ST/SE, one GS/GE and one ISA/IEA.

    ``transactions``: pairs of transaction code (``"837"``) and body rows. ``control_number`` (1 to 999,999,999) becomes
    ISA13 and GS06; ST02 counts from 0001. ``version_in_st`` is false for the 835, whose guide
    leaves ST03 out. Raises ``ValueError`` for a control number that does not fit, or for an element that contains a
    separator (data must be cleaned before, never here, silently).
    """
    if not 1 <= control_number <= 999_999_999:
        raise ValueError(f"control number {control_number} does not fit ISA13")
    out: list[str] = []

    def put(row: Row) -> None:
        elements = list(row)
        while len(elements) > 1 and not elements[-1]:
            elements.pop()
        for element in elements:
            if delimiters.element in element or delimiters.segment in element:
                raise ValueError(f"{elements[0]}: {element!r} contains a separator")
        out.append(delimiters.element.join(elements) + delimiters.segment)

    stamp = at
    out.append(
        delimiters.element.join(
            (
                "ISA", "00", " " * 10, "00", " " * 10,
                sender.qualifier, sender.identifier[:15].ljust(15),
                receiver.qualifier, receiver.identifier[:15].ljust(15),
                stamp.strftime("%y%m%d"), stamp.strftime("%H%M"),
                delimiters.repetition, "00501", f"{control_number:09d}", "0", "P" if production else "T",
                delimiters.component,
            )
        )
        + delimiters.segment
    )  # fmt: skip
    put(
        (
            "GS", functional_id, sender.identifier, receiver.identifier, stamp.strftime("%Y%m%d"),
            stamp.strftime("%H%M"), str(control_number), "X", version,
        )
    )  # fmt: skip
    count = 0
    for code, rows in transactions:
        count += 1
        number = f"{count:04d}"
        before = len(out)
        put(("ST", code, number, version if version_in_st else ""))
        for row in rows:
            put(row)
        put(("SE", str(len(out) - before + 1), number))
    put(("GE", str(count), str(control_number)))
    put(("IEA", "1", f"{control_number:09d}"))
    return "".join(out).encode("utf-8")
