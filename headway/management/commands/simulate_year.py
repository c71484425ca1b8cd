"""``manage.py simulate_year``: a year of weekly sessions against insurers whose answers are partly wrong."""

import json
import logging
import os
import signal
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from headway.demo.seed_team import TeamFailed
from headway.simulate import report
from headway.simulate.draw import population
from headway.simulate.figure import draw as draw_figure
from headway.simulate.house import NoHouse, database_name, own_database, own_world
from headway.simulate.run import live

MOST_CLIENTS, MOST_WEEKS = 600, 104


class Command(BaseCommand):
    help = (
        "Play a year of weekly sessions in a database and with stand-ins of its own, insurers answering wrongly about "
        "a tenth of the plans, and hold the end against the insurers' own books. Exit code 1: an expectation not met."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=2026, help="other numbers draw other people and errors")
        parser.add_argument("--clients", type=int, default=200)
        parser.add_argument("--weeks", type=int, default=52)
        parser.add_argument("--wrong", type=int, default=10, help="percentage of plans told wrongly (default: 10)")
        parser.add_argument("--several", type=int, default=25, help="percentage of clients with more plans than one")
        parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="that share the work")
        parser.add_argument("--json", action="store_true", help="print the report as JSON, progress on standard error")
        parser.add_argument("--figure", type=Path, metavar="FILE", help="draw the accuracy by month there, as SVG")
        parser.add_argument("--keep", action="store_true", help="keep the database and tell its name")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO or not settings.STRIPE_STAND_IN:
            raise CommandError("The simulated year is for one's own machine with stand-ins only (HEADWAY_MODE=demo).")
        clients, weeks = options["clients"], options["weeks"]
        if not 1 <= clients <= MOST_CLIENTS or not 1 <= weeks <= MOST_WEEKS or not 1 <= options["processes"] <= 16:
            raise CommandError(
                f"--clients is from 1 to {MOST_CLIENTS}, --weeks from 1 to {MOST_WEEKS}, --processes from 1 to 16."
            )
        for share in ("wrong", "several"):
            if not 0 <= options[share] <= 100:
                raise CommandError(f"--{share} is from 0 to 100.")
        figure = options["figure"]
        if figure is not None and not figure.parent.is_dir():
            raise CommandError(f"--figure: there is no folder {figure.parent}.")
        self._progress = self.stderr if options["json"] else self.stdout
        data = self._live(options)
        if options["json"]:
            self.stdout.write(json.dumps(data, indent=1))
        else:
            for line in report.as_text(data):
                self.stdout.write(line)
        if figure is not None:
            figure.write_text(draw_figure(data))
            self._tell(f"the figure is in {figure}")
        if not all(each["met"] for each in data["expectations"]):
            raise CommandError("Not every expectation was met.")

    def _live(self, options: dict[str, Any]) -> dict[str, Any]:
        began = time.monotonic()
        name = database_name(kept=options["keep"], seed=options["seed"])
        level = logging.root.manager.disable
        former = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
        logging.disable(logging.WARNING)
        given = {key: options[key] for key in ("seed", "clients", "weeks", "wrong", "several")}
        people = population(**given)
        try:
            with ExitStack() as house:
                house.enter_context(own_database(name, keep=options["keep"]))
                house.enter_context(own_world())
                wrong = sum(bool(plan.wrong) for case in people.cases for plan in case.plans)
                more = sum(len(case.plans) > 1 for case in people.cases)
                self._tell(f"{len(people.cases)} clients, {wrong} told wrongly of a plan, {more} with several plans")
                found = live(people, tell=self._tell, processes=options["processes"])
        except (NoHouse, TeamFailed) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; nothing is left behind.") from None
        finally:
            logging.disable(level)
            for number, handler in former.items():
                signal.signal(number, handler)
        if options["keep"]:
            self._tell(f"the database is kept: {name}")
        self._tell(f"done in {time.monotonic() - began:.0f} s")
        return report.as_data(found, **given)

    def _tell(self, words: str) -> None:
        self._progress.write(f"year: {words}")
        self._progress.flush()


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """Stopping has begun: a second Ctrl-C must not leave a database or a stand-in behind."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
