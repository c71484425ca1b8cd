"""Taking contracts, credentials and rates in from a file: all of it or nothing, and first shown what it would do."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, BinaryIO, TypeVar

import pghistory
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from common.errors import DomainError
from insurance.domain.timeline import Change, Kind, Recorded, Stated, lay
from insurance.models import Credential, FeeSchedule, NetworkContract, Payer
from insurance.services.network_file import Fault, Line, Subject, lines
from people.models import Provider

CHUNK = 2000
"""Rows that are looked up, compared or written together."""

SHOWN = 100
"""So many faults, and so many changes, are told one by one; all of them are counted."""

Key = tuple[Any, ...]
Tell = Callable[[str, int], None]
T = TypeVar("T")

_MODELS: Mapping[Subject, type[NetworkContract] | type[Credential] | type[FeeSchedule]] = {
    Subject.CONTRACTS: NetworkContract,
    Subject.CREDENTIALS: Credential,
    Subject.FEES: FeeSchedule,
}
_KEYS: Mapping[Subject, tuple[str, ...]] = {
    Subject.CONTRACTS: ("payer_id",),
    Subject.CREDENTIALS: ("payer_id", "provider_id", "state"),
    Subject.FEES: ("payer_id", "provider_id", "network", "licence", "cpt", "modifier"),
}


class ImportRefused(DomainError):
    """The file cannot be taken in now; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Told:
    """A change as it is shown: what it is about in words, and what is in force before and after."""

    kind: Kind
    line: int
    about: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file does, or did when ``applied``. With faults it does nothing.

    ``changes`` and ``faults`` hold the first :data:`SHOWN`; ``counts`` (by kind) and ``fault_count`` count all.
    ``digest`` tells whether another reading of a file would do the same.
    """

    subject: Subject
    rows: int
    unchanged: int
    counts: Mapping[Kind, int]
    changes: tuple[Told, ...]
    faults: tuple[Fault, ...]
    fault_count: int
    digest: str
    applied: bool


def take_in(
    subject: Subject,
    file: BinaryIO,
    *,
    apply: bool,
    source: str = "",
    expected: str = "",
    tell: Tell = lambda _what, _rows: None,
) -> Outcome:
    """Read a file of up to 100,000 rows, work out what it changes, and with ``apply`` change it, all in one step.

    ``source`` is kept in the history of every row it changes. ``expected`` is the digest somebody has looked at: when
    the file would do anything else by now, :class:`ImportRefused`. Raises ``BadInput`` for a file that cannot be
    read at all; what is wrong in single cells is in the outcome.
    """
    book = _Book(subject)
    for chunk in _chunks(lines(subject, file)):
        book.read(chunk)
        tell("read", book.rows)
    try:
        with transaction.atomic(), pghistory.context(source=f"import of {subject}: {source}"[:200]):
            if apply:
                # Nobody else writes between the comparison and the change; everybody may read.
                table = connection.ops.quote_name(_MODELS[subject]._meta.db_table)
                with connection.cursor() as cursor:
                    cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            changes = book.compare(tell)
            digest = _digest(subject, changes)
            if apply and not book.fault_count:
                if expected and digest != expected:
                    raise ImportRefused(
                        _("What is recorded has changed since you looked. Please look again at what the file would do.")
                    )
                _write(subject, changes, tell)
    except (IntegrityError, OperationalError) as error:
        raise ImportRefused(
            _("Somebody else was changing the same rows. Nothing was changed: please try again.")
        ) from error
    return Outcome(
        subject=subject,
        rows=book.rows,
        unchanged=book.unchanged,
        counts=Counter(change.kind for _key, change in changes),
        changes=tuple(book.told(key, change) for key, change in changes[:SHOWN]),
        faults=tuple(sorted(book.faults, key=lambda each: each.line)),
        fault_count=book.fault_count,
        digest=digest,
        applied=apply and not book.fault_count,
    )


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


class _Book:
    """What a file says, by key, and everything wrong with it."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.rows = 0
        self.unchanged = 0
        self.faults: list[Fault] = []
        self.fault_count = 0
        self.payers = {each.payer_id: each for each in Payer.objects.only("payer_id", "name")}
        self.payer_names = {each.pk: each.name for each in self.payers.values()}
        self.npis: dict[int, str] = {}
        self.stated: dict[Key, list[Stated]] = {}

    def fault(self, line: int, column: str, message: str) -> None:
        self.fault_count += 1
        if len(self.faults) < SHOWN:
            self.faults.append(Fault(line, column, message))

    def read(self, chunk: Sequence[Line | Fault]) -> None:
        good = [each for each in chunk if isinstance(each, Line)]
        self.rows += len({each.line if isinstance(each, Fault) else each.number for each in chunk})
        npis = {each.npi for each in good} - {""}
        known = {each.npi: each for each in Provider.objects.filter(npi__in=npis).only("npi", "licence")}
        self.npis |= {each.pk: npi for npi, each in known.items()}
        for each in chunk:
            if isinstance(each, Fault):
                self.fault(each.line, each.column, each.message)
            else:
                self._file(each, known.get(each.npi))

    def _file(self, line: Line, provider: Provider | None) -> None:
        payer = self.payers.get(line.payer_id)
        if payer is None:
            self.fault(line.number, "payer_id", _("%(id)r is no insurer we know.") % {"id": line.payer_id[:40]})
            return
        if line.npi and provider is None:
            self.fault(line.number, "npi", _("%(npi)s is no provider we know.") % {"npi": line.npi})
            return
        if self.subject == Subject.FEES and provider is not None and provider.licence != line.licence:
            message = _("The provider with this NPI has the licence %(licence)s.") % {"licence": provider.licence}
            self.fault(line.number, "licence", message)
            return
        own = {
            "payer_id": payer.pk, "provider_id": None if provider is None else provider.pk, "state": line.state,
            "network": line.network, "licence": line.licence, "cpt": line.cpt, "modifier": line.modifier,
        }  # fmt: skip
        key = tuple(own[name] for name in _KEYS[self.subject])
        self.stated.setdefault(key, []).append(Stated(line.number, line.begins_on, line.ends_on, line.rate))

    def compare(self, tell: Tell) -> list[tuple[Key, Change]]:
        changes: list[tuple[Key, Change]] = []
        done = 0
        # By insurer, so that the rows of one chunk are of few insurers.
        for keys in _chunks(sorted(self.stated, key=lambda key: tuple(str(part) for part in key))):
            recorded = self._recorded(keys)
            for key in keys:
                laid = lay(recorded.get(key, ()), self.stated[key])
                self.unchanged += laid.unchanged
                for clash in laid.clashes:
                    self.fault(clash.line, clash.column, clash.message)
                changes += [(key, change) for change in laid.changes]
            done += len(keys)
            tell("compared", done)
        return changes

    def _recorded(self, keys: Sequence[Key]) -> dict[Key, list[Recorded]]:
        columns = _KEYS[self.subject]
        wanted = set(keys)
        # By each column alone: a little more than is asked for, and sorted out below.
        condition = Q()
        for place, name in enumerate(columns):
            values = {key[place] for key in keys}
            own = Q(**{f"{name}__in": values - {None}})
            condition &= own | Q(**{f"{name}__isnull": True}) if None in values else own
        model: Any = _MODELS[self.subject]
        rows = model.objects.filter(condition)
        more = ("rate",) if self.subject == Subject.FEES else ()
        found: dict[Key, list[Recorded]] = {}
        for row in rows.values_list("pk", "begins_on", "ends_on", *columns, *more).iterator(chunk_size=CHUNK):
            key = tuple(row[3 : 3 + len(columns)])
            if key in wanted:
                found.setdefault(key, []).append(Recorded(row[0], row[1], row[2], row[-1] if more else None))
        return found

    def told(self, key: Key, change: Change) -> Told:
        own = dict(zip(_KEYS[self.subject], key, strict=True))
        parts = [self.payer_names[own["payer_id"]]]
        if own.get("provider_id") is not None:
            parts.append(f"NPI {self.npis[own['provider_id']]}")
        parts += [str(own[name]) for name in ("state", "licence", "cpt", "modifier") if own.get(name)]
        if own.get("network") == "out":
            parts.append(_("out of network"))
        was = change.was
        return Told(
            kind=change.kind,
            line=change.line,
            about=", ".join(parts),
            before="" if was is None else _span(was.begins_on, was.ends_on, was.rate),
            after=_span(change.begins_on, change.ends_on, change.rate),
        )


def _span(begins: date, ends: date | None, rate: object) -> str:
    until = _("until further notice") if ends is None else _("to %(day)s") % {"day": ends}
    return f"{begins} {until}" + (f", ${rate}" if rate is not None else "")


def _digest(subject: Subject, changes: Sequence[tuple[Key, Change]]) -> str:
    seal = hashlib.sha256(subject.encode())
    for key, change in changes:
        seal.update(repr((key, change.kind, change.begins_on, change.ends_on, change.rate, change.was)).encode())
    return seal.hexdigest()


def _write(subject: Subject, changes: Sequence[tuple[Key, Change]], tell: Tell) -> None:
    """What is shortened goes first and what is new last: at no step are two rows of a key in force at once."""
    model: Any = _MODELS[subject]
    rewritten = [(key, each) for key, each in changes if each.was is not None]
    shorter = [pair for pair in rewritten if _ends(pair[1]) < _was_ending(pair[1])]
    others = [pair for pair in rewritten if _ends(pair[1]) >= _was_ending(pair[1])]
    columns = ["ends_on", "rate"] if subject == Subject.FEES else ["ends_on"]
    done = 0
    for group in (shorter, others):
        for chunk in _chunks(group):
            rows = [model(pk=change.was.pk, **_values(subject, change)) for _key, change in chunk if change.was]
            model.objects.bulk_update(rows, columns, batch_size=500)
            done += len(chunk)
            tell("changed", done)
    for chunk in _chunks([(key, each) for key, each in changes if each.was is None]):
        rows = [
            model(**dict(zip(_KEYS[subject], key, strict=True)), begins_on=each.begins_on, **_values(subject, each))
            for key, each in chunk
        ]
        model.objects.bulk_create(rows, batch_size=500)
        done += len(chunk)
        tell("changed", done)


def _values(subject: Subject, change: Change) -> dict[str, Any]:
    return {"ends_on": change.ends_on, **({"rate": change.rate} if subject == Subject.FEES else {})}


def _ends(change: Change) -> date:
    return change.ends_on or date.max


def _was_ending(change: Change) -> date:
    return (change.was.ends_on if change.was else None) or date.max
