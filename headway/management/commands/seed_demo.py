"""``manage.py seed_demo``: the demo's people and a year of their sessions, made once."""

import logging
import os
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from headway.demo import seed
from headway.demo.seed_summary import summary
from headway.demo.seed_team import TeamFailed
from headway.demo.world import World


class Command(BaseCommand):
    help = "Make the demo: the cast, more clients, a year of sessions. Does nothing when it is there already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clients", type=int, default=50, help="clients besides the cast (default: %(default)s)")
        parser.add_argument("--months", type=int, default=12, help="months of history, 2 at least (default: 12)")
        parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1), help="that share the work")
        parser.add_argument("--seed", type=int, default=2026, help="other numbers draw other people")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo's people are for one's own machine only (HEADWAY_MODE=demo).")
        if options["clients"] < 0 or not 2 <= options["months"] <= 24:
            raise CommandError("--clients is 0 or more, --months from 2 to 24.")
        if seed.is_finished():
            self._tell("the demo is there already")
            return
        began = time.monotonic()
        self._tell("making the demo's year (about a minute)")
        before = logging.root.manager.disable
        logging.disable(logging.INFO)
        try:
            seed.seed(
                world=World(),
                tell=self._tell,
                clients=options["clients"],
                months=options["months"],
                number=options["seed"],
                processes=max(1, options["processes"]),
            )
        except (seed.NotSeeded, TeamFailed) as error:
            raise CommandError(str(error)) from error
        finally:
            logging.disable(before)
        for line in summary():
            self.stdout.write(f"  {line}")
        self._tell(f"done in {time.monotonic() - began:.0f} s")

    def _tell(self, words: str) -> None:
        self.stdout.write(f"demo: {words}")
        self.stdout.flush()
