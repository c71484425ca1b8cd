"""``manage.py reconcile``: hold Stripe's account against the books now."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.flows import stripe_account
from billing.gateways.results import GatewayError
from billing.services import reconciliation
from common.money import dollars, plain


class Command(BaseCommand):
    help = (
        "Take in every movement of Stripe's balance since the last time, match each to its entry in the books, and "
        "list the open differences; exits 1 when there are any. Puts nothing right by itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="write JSON to standard output")

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        try:
            made = stripe_account.reconcile()
        except GatewayError as error:
            raise CommandError(f"Stripe's account cannot be read: {error}") from error
        cases = list(reconciliation.open_cases())
        if as_json:
            found = {
                "ok": not cases,
                "since": made.since.isoformat(),
                "until": made.until.isoformat(),
                "transactions": made.transactions,
                "matched": made.matched,
                "stripe_balance": plain(made.stripe_balance),
                "books_balance": plain(made.books_balance),
                "open_cases": [
                    {
                        "key": case.key,
                        "kind": case.kind,
                        "ours": plain(case.ours),
                        "theirs": plain(case.theirs),
                        "explanation": case.explanation,
                    }
                    for case in cases
                ],
            }
            self.stdout.write(json.dumps(found, indent=2))
        else:
            self.stdout.write(f"{made.matched} of {made.transactions} movements since {made.since:%Y-%m-%d} matched")
            self.stdout.write(f"Stripe holds {dollars(made.stripe_balance)}, the books {dollars(made.books_balance)}")
            for case in cases:
                self.stdout.write(self.style.ERROR(f"{case.get_kind_display()}: ") + case.explanation)
            if not cases:
                self.stdout.write(self.style.SUCCESS("no open difference"))
        if cases:
            sys.exit(1)
