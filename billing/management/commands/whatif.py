"""``manage.py whatif FILE``: answer what-if questions about prices, two plans on one session, and who pays first."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from billing.domain.scenarios import BadScenarios, read_scenarios
from billing.domain.whatif import answer
from billing.domain.whatif_text import in_words
from common.strict_json import Fault

_FAULTS_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Answer what-if scenarios: what sessions cost under a plan (price), what two plans pay for a session "
        "(coordinate), which plan pays first (order). Reads no database. Shapes: docs/pricing.md, "
        "docs/coordination.md, docs/plan-order.md."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="JSON: one scenario or a list of them; - is standard input")
        parser.add_argument("--json", action="store_true", dest="as_json", help="answer in JSON")

    def handle(self, *args: Any, file: str, as_json: bool, **options: Any) -> None:
        try:
            asked = read_scenarios(_contents(file))
        except BadScenarios as bad:
            self._refuse(bad.faults, as_json=as_json)
        answers = [answer(scenario) for scenario in asked.scenarios]
        if as_json:
            self.stdout.write(json.dumps(answers if asked.as_list else answers[0], indent=1))
        else:
            texts = [in_words(scenario, one) for scenario, one in zip(asked.scenarios, answers, strict=True)]
            self.stdout.write(_printable("\n\n".join(texts)))

    def _refuse(self, faults: tuple[Fault, ...], *, as_json: bool) -> None:
        if as_json:
            errors = [{"where": fault.where, "message": fault.message} for fault in faults]
            self.stdout.write(json.dumps({"errors": errors}, indent=1))
        for fault in faults[:_FAULTS_SHOWN]:
            self.stderr.write(_printable(f"{fault.where or 'input'}: {fault.message}"))
        if len(faults) > _FAULTS_SHOWN:
            self.stderr.write(f"and {len(faults) - _FAULTS_SHOWN} more; --json lists all")
        sys.exit(1)


def _contents(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BadScenarios([Fault(file, f"the file cannot be read: {reason}")]) from None


def _printable(text: str) -> str:
    """Text that any terminal's encoding takes; an id may hold characters that none does."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
