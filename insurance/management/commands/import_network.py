"""``manage.py import_network KIND FILE [--dry-run]``: take contracts, credentials or rates in from a CSV file."""

import io
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from common.errors import BadInput, DomainError
from insurance.domain.timeline import Kind
from insurance.services.network_file import OPTIONAL, REQUIRED, Subject
from insurance.services.network_import import Outcome, take_in

_COLUMNS = "; ".join(f"{each}: {', '.join((*REQUIRED[each], *OPTIONAL[each]))}" for each in Subject)


class Command(BaseCommand):
    """All of the file or nothing: faults are told by row and column, and then the exit code is 1."""

    help = f"Takes contracts, credentials or rates in from a CSV file. Columns of {_COLUMNS}."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=[each.value for each in Subject])
        parser.add_argument("file", help="the file to read; - reads standard input")
        parser.add_argument("--dry-run", action="store_true", help="tell what it would do, and do nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        name: str = options["file"]
        talks = sys.stderr.isatty() or options["verbosity"] > 1
        try:
            with io.BytesIO(sys.stdin.buffer.read()) if name == "-" else Path(name).open("rb") as file:
                outcome = take_in(
                    Subject(options["kind"]), file, apply=not options["dry_run"], source=Path(name).name,
                    tell=self._progress if talks else lambda _what, _rows: None,
                )  # fmt: skip
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CommandError(_("%(name)s cannot be opened: %(reason)s") % {"name": name, "reason": reason}) from None
        except BadInput as error:
            raise CommandError(f"{name}: {error.where}: {error}") from None
        except DomainError as error:
            raise CommandError(str(error)) from None
        self._report(outcome)

    def _progress(self, what: str, rows: int) -> None:
        self.stderr.write(f"{what} {rows:,}")

    def _report(self, outcome: Outcome) -> None:
        for fault in outcome.faults:
            place = f"line {fault.line}" + (f", {fault.column}" if fault.column else "")
            self.stderr.write(f"{place}: {fault.message}")
        if outcome.fault_count:
            more = outcome.fault_count - len(outcome.faults)
            if more:
                self.stderr.write(_("… and %(more)s more") % {"more": f"{more:,}"})
            raise CommandError(_("%(count)s faults: nothing was changed.") % {"count": f"{outcome.fault_count:,}"})
        for change in outcome.changes:
            arrow = f"{change.before} -> {change.after}" if change.before else change.after
            self.stdout.write(f"{change.kind:8} {change.about}: {arrow} (line {change.line})")
        total = sum(outcome.counts.values())
        if total > len(outcome.changes):
            self.stdout.write(_("… and %(more)s more") % {"more": f"{total - len(outcome.changes):,}"})
        counts = ", ".join(f"{outcome.counts.get(kind, 0):,} {kind}" for kind in Kind)
        end = "" if outcome.applied else _(" (dry run: nothing was changed)")
        self.stdout.write(f"{outcome.rows:,} rows: {counts}, {outcome.unchanged:,} unchanged{end}")
