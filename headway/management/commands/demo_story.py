"""``manage.py demo_story``: play the three stories of ``docs/demo-stories.md`` and compare every figure."""

import re
import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.ledger.posting import lines_of
from headway.demo.stories import STORIES, Stage, Story, StoryFailed, quiet
from headway.demo.world import World

PAGE = Path(settings.BASE_DIR) / "docs" / "demo-stories.md"


def expected_figures() -> dict[str, dict[str, str]]:
    """The tables of the docs page: story → figure → what it must be."""
    stories: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            current = stories.setdefault(line[3:].strip(), {})
        elif (row := re.match(r"\| ([^|]+) \| ([^|]+) \|", line)) and row[1] != "Figure" and not row[1].startswith("-"):
            current[row[1].strip()] = row[2].strip()
    return stories


class Command(BaseCommand):
    help = "Play three clients with two plans from booking to the end; exits 1 when a figure is not the one expected."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--story", type=int, choices=range(1, len(STORIES) + 1), help="play only this one")

    def handle(self, *args: Any, **options: Any) -> None:
        self._needs_the_servers()
        expected = expected_figures()
        chosen = [STORIES[options["story"] - 1]] if options["story"] else list(STORIES)
        wrong = 0
        with quiet():
            for number, story in enumerate(chosen, start=1):
                self.stdout.write(self.style.MIGRATE_HEADING(f"\n{number} of {len(chosen)}: {story.name}"))
                try:
                    stage = story.play(World(), self._tell)
                except StoryFailed as error:
                    raise CommandError(str(error)) from error
                self._show(stage)
                wrong += self._compare(story, stage, expected.get(story.name, {}))
        if wrong:
            self.stdout.write(self.style.ERROR(f"\n{wrong} figures are not those of {PAGE.name}"))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("\nEvery figure is as worked out by hand."))

    def _needs_the_servers(self) -> None:
        try:
            requests.get(f"{settings.SANDBOX_URL}/control/clock", timeout=3).raise_for_status()
        except requests.RequestException as error:
            raise CommandError(
                "The stand-in insurers do not answer: start everything with `make run` first."
            ) from error

    def _tell(self, words: str) -> None:
        self.stdout.write(f"  · {words}")
        self.stdout.flush()

    def _show(self, stage: Stage) -> None:
        self.stdout.write(f"\n  Timeline of {stage.client}")
        for when, what in _timeline(stage):
            self.stdout.write(f"    {when:%H:%M:%S}  {what}")
        self.stdout.write(f"\n  Ledger of session {stage.session.pk}")
        for line in lines_of(session=stage.session):
            self.stdout.write(f"    {line.entry.key:<16} {line.account.name:<44} {line.amount:>9.2f}")

    def _compare(self, story: Story, stage: Stage, expected: dict[str, str]) -> int:
        self.stdout.write("\n  Figures")
        wrong = 0
        for name in [*expected, *(each for each in stage.figures if each not in expected)]:
            found, wanted = stage.figures.get(name, "missing"), expected.get(name, "not in the docs")
            good = found == wanted
            wrong += not good
            mark = self.style.SUCCESS("ok") if good else self.style.ERROR(f"expected {wanted}")
            self.stdout.write(f"    {name:<36} {found:<38} {mark}")
        return wrong


def _timeline(stage: Stage) -> list[tuple[datetime, str]]:
    """What happened to the client, in order of time."""
    client, session = stage.client, stage.session
    return sorted(
        [
            *((order.created_at, "plans in order: " + "; ".join(order.why)) for order in client.plan_orders.all()),
            *(
                (cost.created_at, f"cost ${cost.amount} ({cost.get_basis_display()}): {cost.breakdown['sentence']}")
                for cost in session.costs.all()
            ),
            *(
                (event.created_at, f"{claim.coverage.payer}: {event.text}")
                for claim in session.claims.all()
                for event in claim.events.all()
            ),
            *(
                (part.payment.settled_at or part.created_at, f"payment ${part.amount}: {part.payment.state}")
                for part in session.payment_parts.select_related("payment")
            ),
            *(
                (refund.processed_at or refund.created_at, f"refund ${refund.amount}: {refund.state}")
                for refund in session.refunds.all()
            ),
            *((pause.opened_at, f"account paused ({pause.evidence_codes})") for pause in client.pauses.all()),
            *((pause.cleared_at, "account resumed") for pause in client.pauses.all() if pause.cleared_at),
        ],
        key=lambda each: each[0],
    )
