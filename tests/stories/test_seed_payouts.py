"""The demo's payouts: every half month that is over was paid, and what is too new waits on the desk."""

from datetime import timedelta

import pytest

from billing.models import PayoutRun, ProviderBankAccount
from billing.services import payouts
from common import clock
from headway.demo import seed_payouts
from headway.demo.seed_people import THERAPISTS
from notifications.models import Email
from people.models import Provider
from tests.billing.paying import broken, earn, on
from tests.cast import assemble


@pytest.mark.django_db(transaction=True)
def test_half_months_that_are_over_were_paid() -> None:
    cast = assemble()
    therapists = []
    for place, each in enumerate(THERAPISTS):
        row = Provider.objects.filter(npi=each.npi).first() or Provider.objects.create(
            first_name=each.first, last_name=each.last, email=f"therapist{place}@example.com", npi=each.npi,
            licence=each.licence, taxonomy="103T00000X", state=each.state,
        )  # fmt: skip
        therapists.append(row)
    first_day = clock.today() - timedelta(days=60)
    for days in range(2, 60, 6):
        with on(first_day + timedelta(days=days)):
            for row in therapists:
                earn(cast, "160.00", provider=row)
    seed_payouts.pay(first_day=first_day, by=cast.fay)

    runs = list(PayoutRun.objects.order_by("through"))
    assert 3 <= len(runs) <= 4
    assert {run.state for run in runs[:-1]} == {"sent"}
    assert runs[-1].through == payouts.last_period_end(clock.today())
    assert ProviderBankAccount.objects.count() == len(THERAPISTS) - 1
    assert therapists[0].payouts.count() == len(runs)
    assert not therapists[-1].payouts.exists()
    assert broken() == []
    assert not Email.objects.filter(state="queued", kind="payout_sent").exists()
