"""``manage.py check_books``: every invariant of the books, claims and mail."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from billing.services import books


class Command(BaseCommand):
    help = "Check every invariant of the books, claims and mail; exits 1 when one is violated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="write JSON to standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            outcomes = books.run()
        ok = not any(outcome.violations for outcome in outcomes)
        if options["json"]:
            checks = [
                {"name": each.check.name, "violations": each.violations, "examples": list(each.examples)}
                for each in outcomes
            ]
            self.stdout.write(json.dumps({"ok": ok, "checks": checks}, indent=2))
        else:
            for each in outcomes:
                mark = self.style.ERROR(f"{each.violations:>5}") if each.violations else self.style.SUCCESS("   ok")
                self.stdout.write(f"{mark}  {each.check.says}")
                for example in each.examples:
                    self.stdout.write(f"         {example}")
        if not ok:
            sys.exit(1)
