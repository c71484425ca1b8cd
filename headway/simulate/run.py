"""One simulated year from an empty database and fresh stand-ins to its findings."""

import logging
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from django.db import transaction

from billing.gateways.stripe_gateway import gateway
from care.models import Session
from common import clock
from common.hurry import unhurried
from headway import demo
from headway.demo import cast
from headway.demo.seed_people import THERAPISTS
from headway.demo.seed_team import Team, together
from headway.demo.seed_year import local
from headway.demo.stories import quiet
from headway.demo.world import World
from headway.simulate.draw import FIRST_DAY, INSURERS, REMIT_DAYS, Population
from headway.simulate.findings import Findings, look
from headway.simulate.several import AT_INTAKE, FORWARDS
from headway.simulate.year import Year
from insurance.models import Payer
from people.models import User
from people.models.user import Role

Tell = Callable[[str], None]


def live(people: Population, *, tell: Tell, processes: int = 1) -> Findings:
    """Play the year in the database and at the stand-ins that the settings name, both empty.

    Raises :class:`headway.demo.seed_team.TeamFailed`, and whatever a step raises that should not.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="headway-year-") as folder, unhurried(), quiet():
        troubles = Path(folder) / "troubles"
        fay = _open(World())

        def work(team: Team) -> None:
            gateway.cache_clear()  # a connection to Stripe cannot be shared
            with _noting(troubles):
                Year(World(), team, people, fay).play(lambda day: _tell(day, tell, began) if team.leads else None)

        together(processes, work)
        noted = troubles.read_text().splitlines() if troubles.exists() else []
    return look(people, World(), noted)


def _open(world: World) -> User:
    """Insurers and providers, as they were before the first day; returns who is support."""
    world.start_afresh()
    with clock.as_of(local(FIRST_DAY - timedelta(days=60), 9)), transaction.atomic():
        payers: dict[str, Payer] = {}
        for insurer in INSURERS:
            payer = cast.open_insurer(world, insurer)
            if insurer.in_network:
                payers[insurer.payer_id] = payer
            delays = {"remit_days": REMIT_DAYS[insurer.payer_id], "remit_seconds": 0}
            cast.set_up_insurer(
                world, insurer, delays=delays,
                not_credentialed=[each.npi for each in THERAPISTS if insurer.payer_id in each.not_with],
                forwards_to=list(FORWARDS.get(insurer.payer_id, ())), cob_at_intake=insurer.payer_id in AT_INTAKE,
            )  # fmt: skip
        for each in THERAPISTS:
            cast.open_provider(
                first=each.first, last=each.last, npi=each.npi, email=each.email, licence=each.licence,
                state=each.state, payers=[payer for key, payer in payers.items() if key not in each.not_with],
            )  # fmt: skip
        return cast.login("fay@example.com", Role.SUPPORT, demo.PASSWORD, staff=True)


def _tell(day: date, tell: Tell, began: float) -> None:
    confirmed = Session.objects.filter(status=Session.Status.CONFIRMED).count()
    tell(f"{day:%B %Y}: {confirmed} sessions held ({time.monotonic() - began:.0f} s)")


class _noting(logging.Handler):  # noqa: N801 - used as `with _noting(file):`
    """Errors that the product logs and goes on after are the simulation's errors too: written down, one a line."""

    def __init__(self, file: Path) -> None:
        super().__init__(logging.ERROR)
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        line = " ".join(record.getMessage().split())
        if record.exc_info and record.exc_info[1] is not None:
            line += f" [{type(record.exc_info[1]).__name__}: {record.exc_info[1]}]"
        with self._file.open("a") as stream:
            stream.write(line[:500].replace("\n", " ") + "\n")

    def __enter__(self) -> None:
        root = logging.getLogger()
        self._others, root.handlers = root.handlers, [self]

    def __exit__(self, *_: object) -> None:
        logging.getLogger().handlers = self._others
