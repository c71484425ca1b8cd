"""The file by which a bank pays many people at once: ACH credits (PPD) in the NACHA format, written and read back.

Lines of 94 characters: a file header, a batch header, an entry for each person, a batch control, a file control, and
lines of nines until their number is a multiple of ten. Nacha Operating Rules, Appendix Three (ACH Record Format
Specifications); service class 220 (credits only). Worked figures: ``docs/payouts.md``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from itertools import pairwise

from common.errors import BadInput
from common.money import ZERO, from_cents, to_cents

WIDTH, BLOCK = 94, 10
CREDITS_ONLY, PPD = "220", "PPD"
CHECKING, SAVINGS = "22", "32"
"""Transaction codes of a credit to an account of either kind."""

LARGEST = Decimal("99999999.99")
"""An entry's amount has ten places, in cents."""

_WEIGHTS = (3, 7, 1) * 3
_ACCOUNT = re.compile(r"[0-9A-Z-]{1,17}")


def routing_number_is_valid(number: str) -> bool:
    """Whether nine digits are a routing number: a prefix that is in use, and the check digit (3, 7, 1, modulo ten)."""
    if not (len(number) == 9 and number.isascii() and number.isdigit()):
        return False
    prefix = int(number[:2])
    in_use = 1 <= prefix <= 12 or 21 <= prefix <= 32 or 61 <= prefix <= 72 or prefix == 80
    return in_use and sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=True)) % 10 == 0


@dataclass(frozen=True, slots=True)
class Company:
    """Who pays, and the bank that pays for it. ``company_id``: ten characters that the bank has given, as a rule "1"
    and the taxpayer ID; ``routing_number``: the bank's own nine digits."""

    name: str
    company_id: str
    bank_name: str
    routing_number: str


@dataclass(frozen=True, slots=True)
class Credit:
    """One person's money. ``amount`` in dollars above zero; ``reference``: our own of up to 15 characters."""

    routing_number: str
    account_number: str
    savings: bool
    amount: Decimal
    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class AchFile:
    """A file as it was read. ``traces`` are the entries' numbers, in their order; ``total`` in dollars."""

    company_id: str
    created: datetime
    modifier: str
    pay_on: date
    credits: tuple[Credit, ...]
    traces: tuple[str, ...]

    @property
    def total(self) -> Decimal:
        return sum((each.amount for each in self.credits), ZERO)


def _text(value: str, width: int) -> str:
    """Left-justified capitals; what the format does not know becomes a space."""
    plain = "".join(char if " " <= char <= "~" else " " for char in value.upper())
    return plain[:width].ljust(width)


def _number(value: int, width: int, what: str) -> str:
    text = f"{value:0{width}d}"
    if len(text) > width:
        raise BadInput(f"{what} {value} does not fit into {width} digits", what)
    return text


def _hash(credits: Sequence[Credit]) -> int:
    """The sum of the receiving banks' first eight digits, of which ten places are kept."""
    return sum(int(each.routing_number[:8]) for each in credits) % 10**10


def _entry(credit: Credit, trace: str) -> str:
    where = f"entry {credit.reference}"
    if not routing_number_is_valid(credit.routing_number):
        raise BadInput(f"{credit.routing_number} is not a routing number", where)
    if not _ACCOUNT.fullmatch(credit.account_number):
        raise BadInput("the account number has other than 1 to 17 digits, capitals and hyphens", where)
    if not ZERO < credit.amount <= LARGEST:
        raise BadInput(f"{credit.amount} cannot be paid: it must be above 0.00 and at most {LARGEST}", where)
    return (
        f"6{SAVINGS if credit.savings else CHECKING}{credit.routing_number}{credit.account_number:<17}"
        f"{to_cents(credit.amount):010d}{_text(credit.reference, 15)}{_text(credit.name, 22)}  0{trace}"
    )


def build(
    credits: Sequence[Credit],
    *,
    company: Company,
    created: datetime,
    pay_on: date,
    modifier: str = "A",
    description: str = "PAYOUT",
) -> bytes:
    """The file that pays ``credits`` on ``pay_on``. The same arguments give the same bytes.

    ``created``: local time of the bank; ``modifier`` (A to Z, 0 to 9) tells several files of one day apart. Raises
    ``BadInput`` naming the entry that cannot be paid, or when there is nothing to pay.
    """
    if not credits:
        raise BadInput("there is nobody to pay", "credits")
    if not routing_number_is_valid(company.routing_number):
        raise BadInput(f"{company.routing_number} is not a routing number", "company")
    if len(company.company_id) != 10:
        raise BadInput(f"{company.company_id!r} does not have ten characters", "company id")
    if not re.fullmatch(r"[A-Z0-9]", modifier):
        raise BadInput(f"{modifier!r} is neither a capital nor a digit", "modifier")
    odfi = company.routing_number[:8]
    batch = f"{1:07d}"
    count, debit = len(credits), f"{0:012d}"
    hashed = f"{_hash(credits):010d}"
    credit = _number(to_cents(sum((each.amount for each in credits), ZERO)), 12, "total")
    lines = [
        f"101 {company.routing_number}{_text(company.company_id, 10)}{created:%y%m%d%H%M}{modifier}094101"
        f"{_text(company.bank_name, 23)}{_text(company.name, 23)}{'':8}",
        f"5{CREDITS_ONLY}{_text(company.name, 16)}{'':20}{_text(company.company_id, 10)}{PPD}{_text(description, 10)}"
        f"{created:%y%m%d}{pay_on:%y%m%d}   1{odfi}{batch}",
        *(_entry(each, f"{odfi}{place:07d}") for place, each in enumerate(credits, start=1)),
        f"8{CREDITS_ONLY}{_number(count, 6, 'count')}{hashed}{debit}{credit}{_text(company.company_id, 10)}{'':25}"
        f"{odfi}{batch}",
    ]
    blocks = -(-(len(lines) + 1) // BLOCK)
    lines.append(f"9{1:06d}{blocks:06d}{count:08d}{hashed}{debit}{credit}{'':39}")
    lines += ["9" * WIDTH] * (blocks * BLOCK - len(lines))
    return "".join(f"{line}\n" for line in lines).encode("ascii")


# --- Read back --------------------------------------------------------------------------------------------------------


def read(raw: bytes) -> AchFile:
    """A file of one batch of credits. Raises ``BadInput`` naming the line, and what about it does not hold.

    It does not share :func:`build`'s arithmetic: every count, hash and total is worked out from the lines themselves.
    """
    try:
        lines = raw.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise BadInput("other characters than ASCII", f"byte {error.start + 1}") from None
    if lines[-1] == "":
        lines.pop()
    if not lines or len(lines) % BLOCK:
        raise BadInput(f"{len(lines)} lines are not a multiple of {BLOCK}", "file")
    for number, line in enumerate(lines, start=1):
        if len(line) != WIDTH:
            raise BadInput(f"{len(line)} characters instead of {WIDTH}", f"line {number}")
    end = next((place for place, line in enumerate(lines) if line[0] == "9"), None)
    kinds = "".join(line[0] for line in lines[: end if end is not None else len(lines)])
    if end is None or not re.fullmatch("156+8", kinds):
        raise BadInput("the lines are not a header, one batch of entries and their controls", "file")
    for number, line in enumerate(lines[end + 1 :], start=end + 2):
        _hold(line == "9" * WIDTH, number, "a line of nines", line)
    header, batch, *entries, batch_end = lines[:end]
    odfi = batch[79:87]
    _hold(header[1:3] == "01" and header[34:40] == "094101", 1, "priority 01, record size 094, blocking 10, format 1",
          header)  # fmt: skip
    _hold(routing_number_is_valid(header[4:13]), 1, "the bank's routing number", header)
    _hold(header[4:12] == odfi, 2, "the bank of the file's header", batch)
    _hold(batch[1:4] == CREDITS_ONLY and batch[50:53] == PPD, 2, "service class 220 and PPD", batch)
    _hold(batch[78] == "1", 2, "originator status 1", batch)
    credits = tuple(_read_entry(line, number) for number, line in enumerate(entries, start=3))
    traces = tuple(line[79:94] for line in entries)
    for number, (one, other) in enumerate(pairwise(traces), start=4):
        _hold(one < other, number, "a trace number above the one before", other)
    for number, trace in enumerate(traces, start=3):
        _hold(trace[:8] == odfi, number, "the bank's own trace numbers", trace)
    cents = sum(int(line[29:39]) for line in entries)
    hashed = sum(int(line[3:11]) for line in entries) % 10**10
    sums = f"{hashed:010d}{0:012d}{cents:012d}"
    _hold(batch_end[1:4] == CREDITS_ONLY and batch_end[4:10] == f"{len(entries):06d}", end, "the number of entries",
          batch_end)  # fmt: skip
    _hold(batch_end[10:44] == sums, end, f"hash, debits and credits {sums}", batch_end)
    same = batch_end[44:54] == batch[40:50] and batch_end[79:] == batch[79:]
    _hold(same, end, "company, bank and batch of its header", batch_end)
    told = f"{1:06d}{len(lines) // BLOCK:06d}{len(entries):08d}{sums}"
    _hold(lines[end][1:55] == told, end + 1, f"batches, blocks, entries, hash and totals {told}", lines[end])
    return AchFile(
        company_id=batch[40:50],
        created=datetime.combine(_day(header[23:29], 1), _time(header[29:33], 1)),
        modifier=header[33],
        pay_on=_day(batch[69:75], 2),
        credits=credits,
        traces=traces,
    )


def _hold(holds: bool, number: int, wanted: str, found: str) -> None:
    if not holds:
        raise BadInput(f"expected {wanted}, found {found.strip()!r}", f"line {number}")


def _read_entry(line: str, number: int) -> Credit:
    _hold(line[1:3] in (CHECKING, SAVINGS), number, "a credit to a checking or savings account", line[1:3])
    _hold(routing_number_is_valid(line[3:12]), number, "a routing number", line[3:12])
    account = line[12:29].rstrip()
    _hold(bool(_ACCOUNT.fullmatch(account)), number, "an account number", account)
    _hold(line[29:39].isdigit() and int(line[29:39]) > 0, number, "an amount in cents", line[29:39])
    _hold(line[78] == "0" and line[79:94].isdigit(), number, "no addenda and a trace number", line[78:94])
    return Credit(
        routing_number=line[3:12],
        account_number=account,
        savings=line[1:3] == SAVINGS,
        amount=from_cents(int(line[29:39])),
        reference=line[39:54].rstrip(),
        name=line[54:76].rstrip(),
    )


def _day(text: str, number: int) -> date:
    try:
        return datetime.strptime(text, "%y%m%d").date()  # noqa: DTZ007 - the bank's own day, without a zone
    except ValueError:
        raise BadInput(f"{text!r} is not a day", f"line {number}") from None


def _time(text: str, number: int) -> time:
    try:
        return time(int(text[:2]), int(text[2:]))
    except ValueError:
        raise BadInput(f"{text!r} is not a time", f"line {number}") from None
