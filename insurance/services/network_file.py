"""Reading a CSV file of contracts, credentials or rates, cell by cell, as spreadsheets really write them."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import BinaryIO, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import BadInput
from common.money import parse_money
from common.us_states import STATES
from people.models import Licence

MAX_ROWS = 100_000
MAX_BYTES = 50_000_000
T = TypeVar("T")
_MOST_DOLLARS = Decimal("100000.00")


class Subject(StrEnum):
    """What a file is about."""

    CONTRACTS = "contracts"
    CREDENTIALS = "credentials"
    FEES = "fees"


REQUIRED: Mapping[Subject, tuple[str, ...]] = {
    Subject.CONTRACTS: ("payer_id", "begins_on"),
    Subject.CREDENTIALS: ("npi", "payer_id", "state", "begins_on"),
    Subject.FEES: ("payer_id", "licence", "cpt", "rate", "begins_on"),
}
OPTIONAL: Mapping[Subject, tuple[str, ...]] = {
    Subject.CONTRACTS: ("ends_on",),
    Subject.CREDENTIALS: ("ends_on",),
    Subject.FEES: ("network", "modifier", "npi", "ends_on"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one cell; ``line`` counts as a text editor does, the header being 1. Line 0: the whole file."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line that could be read. What its kind of file has no column for is empty."""

    number: int
    payer_id: str
    begins_on: date
    ends_on: date | None
    npi: str = ""
    state: str = ""
    licence: str = ""
    cpt: str = ""
    modifier: str = ""
    network: str = ""
    rate: Decimal | None = None


def lines(subject: Subject, file: BinaryIO) -> Iterator[Line | Fault]:
    """The lines of a file, one after the other, and everything wrong with them. ``file`` can be sought in.

    UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252; commas, semicolons or tabs; quotes;
    any order of columns. Raises :class:`BadInput` when the file as a whole cannot be read.
    """
    text = io.TextIOWrapper(file, encoding=_encoding(file), newline="")
    try:
        yield from _rows(subject, text)
    except (csv.Error, UnicodeError) as error:
        raise BadInput(_("The file is no CSV file that can be read: %(why)s.") % {"why": error}, "file") from error
    finally:
        text.detach()


def _encoding(file: BinaryIO) -> str:
    """Found by its mark, or by whether all of it is UTF-8; read in pieces."""
    file.seek(0)
    start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        file.seek(0)
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    found = "utf-8-sig"
    size = 0
    try:
        while piece := file.read(1 << 20):
            size += len(piece)
            if size > MAX_BYTES:
                raise BadInput(_("The file is larger than %(most)s MB.") % {"most": MAX_BYTES // 1_000_000}, "file")
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        found = "cp1252"
    file.seek(0)
    return found


def _rows(subject: Subject, text: io.TextIOWrapper) -> Iterator[Line | Fault]:
    head = text.readline()
    separator = max(",;\t", key=head.count)
    names = [re.sub(r"[\s-]+", "_", name.strip().lower()) for name in next(csv.reader([head], delimiter=separator), [])]
    while names and not names[-1]:
        names.pop()  # a spreadsheet's empty columns at the right
    _check_header(subject, names)
    reader = csv.reader(text, delimiter=separator)
    count = 0
    for cells in reader:
        number = reader.line_num + 1
        while len(cells) > len(names) and not cells[-1].strip():
            cells.pop()
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > MAX_ROWS:
            yield Fault(number, "", _("A file has at most %(most)s rows: please split it.") % {"most": f"{MAX_ROWS:,}"})
            return
        if len(cells) > len(names):
            yield Fault(number, "", _("There are more cells than columns: is a comma not in quotes?"))
            continue
        padded = [*cells, *[""] * (len(names) - len(cells))]
        yield from _line(subject, number, {name: cell.strip() for name, cell in zip(names, padded, strict=True)})


def _check_header(subject: Subject, names: Sequence[str]) -> None:
    required, known = REQUIRED[subject], {*REQUIRED[subject], *OPTIONAL[subject]}
    wanted = ", ".join((*required, *OPTIONAL[subject]))
    missing = [name for name in required if name not in names]
    unknown = [name for name in names if name not in known]
    twice = {name for name in names if names.count(name) > 1}
    if missing or unknown or twice:
        what = [
            *([_("missing: %(names)s") % {"names": ", ".join(missing)}] if missing else []),
            *([_("not known: %(names)s") % {"names": ", ".join(name or "?" for name in unknown)}] if unknown else []),
            *([_("twice: %(names)s") % {"names": ", ".join(sorted(twice))}] if twice else []),
        ]
        message = _("The first line must name the columns %(wanted)s (%(what)s).")
        raise BadInput(message % {"wanted": wanted, "what": "; ".join(what)}, "line 1")


def _line(subject: Subject, number: int, cells: Mapping[str, str]) -> Iterator[Line | Fault]:
    faults: list[Fault] = []

    def read(column: str, how: Callable[[str], T], default: T) -> T:
        text = cells.get(column, "")
        if not text:
            if column in REQUIRED[subject]:
                faults.append(Fault(number, column, _("This is empty.")))
            return default
        try:
            return how(text)
        except ValueError as error:
            faults.append(Fault(number, column, f"{text[:40]!r}: {error}"))
            return default

    begins = read("begins_on", _day, date.min)
    ends = read("ends_on", _day, None)
    line = Line(
        number=number, payer_id=read("payer_id", str, ""), begins_on=begins, ends_on=ends, npi=read("npi", _npi, ""),
        state=read("state", _state, ""), licence=read("licence", _licence, ""), cpt=read("cpt", _cpt, ""),
        modifier=read("modifier", _modifier, ""), network=read("network", _network, "in"),
        rate=read("rate", _rate, None),
    )  # fmt: skip
    if ends is not None and ends < begins and not faults:
        faults.append(Fault(number, "ends_on", _("It ends before it begins.")))
    if faults:
        yield from faults
    else:
        yield line


def _day(text: str) -> date:
    for form in ("%Y-%m-%d", "%m/%d/%Y"):
        try:
            found = datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
        if not 1990 <= found.year <= 2100:
            raise ValueError(_("is this year right?"))
        return found
    raise ValueError(_("a day is written 2026-01-31 or 1/31/2026"))


def _matching(pattern: str, why: Promise) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text.upper()):
            raise ValueError(str(why))
        return text.upper()

    return read


_npi = _matching(r"[12]\d{9}", gettext_lazy("an NPI has ten digits"))
_cpt = _matching(r"[0-9A-Z]\d{3}[0-9A-Z]", gettext_lazy("a procedure code has five characters, such as 90837"))
_modifier = _matching(r"[0-9A-Z]{2}", gettext_lazy("a modifier has two characters, such as 95"))


def _state(text: str) -> str:
    if text.upper() not in STATES:
        raise ValueError(_("a state is written with its two letters, such as NY"))
    return text.upper()


def _licence(text: str) -> str:
    if text.upper() not in Licence.values:
        raise ValueError(_("a licence is one of %(all)s") % {"all": ", ".join(Licence.values)})
    return text.upper()


def _network(text: str) -> str:
    if text.lower() not in ("in", "out"):
        raise ValueError(_("write in or out"))
    return text.lower()


def _rate(text: str) -> Decimal:
    try:
        found = parse_money(text.replace("$", "").replace(",", "").strip())
    except BadInput:
        raise ValueError(_("a rate is written in dollars, such as 160.00")) from None
    if not 0 < found <= _MOST_DOLLARS:
        raise ValueError(_("a rate is more than zero and at most %(most)s") % {"most": _MOST_DOLLARS})
    return found
