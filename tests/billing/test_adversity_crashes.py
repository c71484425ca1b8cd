"""Workers that die in the middle, and two at once: posted again, everything stands as if nothing had happened."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction

from billing.flows import confirm_session
from billing.flows.exchange_claims import read
from billing.flows.settle_remittance import settle_what_is_left
from billing.ledger.models import Line
from billing.models import Refund, SessionCost
from billing.services import books
from care.models import Session
from insurance.models import Claim, EdiFile
from insurance.services import exchange, remittances
from insurance.x12 import validate
from notifications.models import Email
from tests import cast as people
from tests.billing.answers import EVERGREEN_SAYS, HARBOR_SAYS, claim, confirmed, evergreen, told
from tests.cast import Cast, assemble
from tests.remittance_files import payment, received, result


class Died(BaseException):
    """Not an error that anyone may catch: the worker is gone."""


class DiesAt:
    """Lets so many queries pass, then dies. ``passed`` tells afterwards how many there were."""

    def __init__(self, query: int) -> None:
        self.query = query
        self.passed = 0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if "SAVEPOINT" in sql:  # how a transaction inside the test's own ends; there is no dying between
            return execute(sql, params, many, context)
        if self.passed == self.query:
            raise Died
        self.passed += 1
        return execute(sql, params, many, context)


@pytest.fixture(autouse=True)
def _no_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validate, "findings", lambda raw: [])  # slow, and tested where claims are written


def standing(session: Session) -> dict[str, object]:
    """All that a death in the middle could have doubled or lost."""
    return {
        "lines": sorted(Line.objects.values_list("account_id", "amount")),
        "costs": list(SessionCost.objects.filter(session=session).order_by("pk").values_list("amount", "basis")),
        "claims": list(session.claims.order_by("rank").values_list("rank", "submission", "decision")),
        "events": sorted(session.claims.values_list("events__kind", flat=True)),
        "refunds": list(Refund.objects.values_list("amount", "state")),
        "mails": sorted(Email.objects.values_list("kind", flat=True)),
        "files": list(EdiFile.objects.filter(direction="in").values_list("state", flat=True)),
    }


class _Undone(Exception):
    """Rolls one death back."""


def deaths(step: Callable[[], object], again: Callable[[], object], session: Session) -> None:
    """Die at one query after the other (each fifth, to be quick), do it again, and compare with a life undisturbed."""

    def lived(query: int) -> tuple[int, dict[str, object]]:
        death = DiesAt(query)
        found: dict[str, object] = {}
        try:
            with transaction.atomic():
                try:
                    with connection.execute_wrapper(death):
                        step()
                except Died:
                    again()
                found = standing(session)
                raise _Undone
        except _Undone:
            return death.passed, found

    queries, undisturbed = lived(10_000)
    for query in range(0, queries, 5):
        assert lived(query)[1] == undisturbed, f"differs after a death at query {query} of {queries}"


def test_a_worker_that_dies_while_it_reads_and_settles_an_answer(cast: Cast) -> None:
    people.card(cast.ana)
    session = confirmed(cast)
    told(claim(session, 1), evergreen(session))
    exchange.build_batches()
    second = claim(session, 2)
    file = received(payment(second, result(second, paid="30.00", why=HARBOR_SAYS)), number=900)

    def again() -> None:
        read(EdiFile.objects.get(pk=file.pk))
        settle_what_is_left()

    deaths(lambda: read(file), again, session)


def test_a_worker_that_dies_while_it_confirms(cast: Cast) -> None:
    people.card(cast.ana)
    session = cast.book()
    deaths(lambda: confirm_session.confirm(session), lambda: confirm_session.confirm(session), session)


def test_a_worker_that_dies_while_it_writes_a_batch(cast: Cast) -> None:
    people.card(cast.ana)
    session = cast.book()
    confirm_session.confirm(session)
    deaths(exchange.build_batches, exchange.build_batches, session)


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_post_every_result_once() -> None:
    cast = assemble()
    people.card(cast.ana)
    sessions = [confirmed(cast, days=-days) for days in range(3)]
    firsts = [claim(session, 1) for session in sessions]
    results = [result(first, paid="88.00", why=EVERGREEN_SAYS) for first in firsts]
    remittances.record(received(payment(firsts[0], *results), number=901))

    def work(_: int) -> None:
        try:
            settle_what_is_left()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert Claim.objects.filter(rank=2, submission="ready").count() == 3
    assert SessionCost.objects.filter(basis="after_primary").count() == 3
    assert [(outcome.check.name, outcome.examples) for outcome in books.run() if outcome.violations] == []
