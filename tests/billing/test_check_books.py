"""The check of the books finds nothing in a whole story, and finds each thing that was broken on purpose."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from billing.flows import confirm_session
from billing.flows.exchange_claims import read
from billing.services import books
from insurance.services import exchange
from notifications.models import Email
from tests.cast import Cast, card
from tests.remittance_files import adjustments, payment, received, result


@pytest.fixture
def story(cast: Cast) -> Cast:
    """Confirmed, charged nothing yet, answered by the primary."""
    card(cast.ana)
    session = cast.book()
    confirm_session.confirm(session)
    exchange.build_batches()
    first = session.claims.get(rank=1)
    says = adjustments(("CO", "45", "60.00"), ("PR", "1", "50.00"), ("PR", "2", "22.00"))
    read(received(payment(first, result(first, paid="88.00", why=says))))
    return cast


def broken() -> list[str]:
    return [outcome.check.name for outcome in books.run() if outcome.violations]


def test_good_books_break_nothing(story: Cast) -> None:
    out = StringIO()
    call_command("check_books", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["ok"] is True
    assert [check["name"] for check in answer["checks"]] == [check.name for check in books.CHECKS]


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("UPDATE billing_payment SET state = 'succeeded', payment_intent_id = 'pi_' || id", "payments_are_booked"),
        ("UPDATE billing_payment SET amount = amount + 1", "payments_are_their_parts"),
        ("UPDATE people_client SET paused_since = now()", "pauses_are_summed_up"),
        ("UPDATE insurance_claim SET submitted_at = now(), decision = 'none'", "claims_in_sequence"),
        ("UPDATE notifications_email SET state = 'sent', sent_at = NULL", "sent_mail_says_when"),
        ("UPDATE insurance_adjudication SET posted_at = NULL", "insurer_money_is_booked"),
    ],
)
def test_damage_is_found(story: Cast, damage: str, found: str) -> None:
    confirm_session.confirm(story.book(days=-7))
    Email.objects.create(key="x", kind="x", to="x@example.com", subject="x", text="x", html="x")
    with connection.cursor() as cursor:
        cursor.execute(damage)
    assert found in broken()


def test_the_command_exits_1_and_names_what_is_broken(story: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_client SET paused_since = now() WHERE first_name = 'Eve'")
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("check_books", stdout=out)
    assert stop.value.code == 1
    assert f"client {story.eve.pk}" in out.getvalue()
