"""The provider's pages: what they show, what they never show, and who may open them."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from billing.models import Payment, ProviderEarning
from billing.services.costs import current_cost
from care.models import CareRelationship, Session
from common import clock
from insurance.models import FeeSchedule
from people.models import AccessEvent, Client, User
from tests.portal import provider_cast as cast
from tests.portal.provider_cast import Practice

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice() -> Practice:
    return cast.open_practice()


def browser(user: User | None) -> Browser:
    found = Browser()
    assert user is not None
    found.force_login(user)
    return found


@pytest.fixture
def cole(practice: Practice) -> Browser:
    return browser(practice.cole.user)


def url(name: str, *args: object) -> str:
    return reverse(f"portal:provider:{name}", args=args)


def text(found: Browser, address: str, status: int = 200) -> str:
    answer = found.get(address)
    assert answer.status_code == status
    return " ".join(answer.content.decode().split())


def offer(session: Session) -> dict[str, str]:
    """What the page shows beside the confirm button."""
    cost = current_cost(session)
    assert cost is not None
    return {"charge": str(cost.amount), "earning": str(cost.allowed)}


# --- Caseload ---------------------------------------------------------------------------------------------------------


def test_the_caseload_says_how_each_client_stands(cole: Browser, practice: Practice) -> None:
    page = cole.get(url("dashboard"))
    standing = {row.client.first_name: str(row.standing) for row in page.context["rows"]}
    assert standing == {
        "Ana": "active",
        "Ben": "paused",
        "Gil": "checking",
        "Hana": "attention",
        "Ivy": "attention",
    }
    assert page.context["tally"] == {"paused": 1, "attention": 2, "checking": 1, "active": 1}


def test_a_row_has_next_session_cost_last_change_and_claims(cole: Browser, practice: Practice) -> None:
    row = next(row for row in cole.get(url("dashboard")).context["rows"] if row.client == practice.ana)
    assert row.next_session == practice.upcoming
    assert str(row.cost.amount) == "20.00"
    assert row.change.cost.reason == "deductible_met"
    assert row.progress.label == "Being sent"
    assert row.to_do == "Confirm 1 session."


def test_a_paused_client_asks_nothing_of_the_provider(cole: Browser, practice: Practice) -> None:
    row = next(row for row in cole.get(url("dashboard")).context["rows"] if row.client == practice.ben)
    assert row.waiting and row.to_do == ""
    page = text(cole, url("client", practice.ben.pk))
    assert "Only your client can resolve it; nothing is asked of you." in page
    assert "Call Harbor Mutual at 800-555-0111" in page
    assert reverse("portal:provider:schedule") not in page


def test_search_takes_any_part_of_the_name_and_a_status(cole: Browser, practice: Practice) -> None:
    found = cole.get(url("dashboard"), {"q": "ana alv"}).context["rows"]
    assert [row.client for row in found] == [practice.ana]
    found = cole.get(url("dashboard"), {"status": "paused"}).context["rows"]
    assert [row.client for row in found] == [practice.ben]
    assert "No client fits" in text(cole, url("dashboard") + "?q=nobody")


def test_the_caseload_of_five_hundred_takes_as_many_queries_as_of_five(
    cole: Browser, practice: Practice, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Client.objects.bulk_create(
        Client(
            first_name=f"Kim{number}",
            last_name="Norton",
            birth_date="1990-01-01",
            email=f"kim{number}@example.com",
            address_line="1 Elm",
            city="Albany",
            state="NY",
            zip_code="12207",
        )
        for number in range(500)
    )
    CareRelationship.objects.bulk_create(
        CareRelationship(provider=practice.cole, client=client, began_on=cast.LONG_AGO)
        for client in Client.objects.filter(last_name="Norton")
    )
    with django_assert_max_num_queries(26):
        page = cole.get(url("dashboard"))
    assert len(page.context["rows"]) == 25
    assert page.context["total"] == 505
    with django_assert_max_num_queries(26):
        cole.get(url("dashboard"), {"page": "9", "q": "norton"})


@pytest.mark.parametrize("name", ["sessions", "claims", "earnings", "schedule"])
def test_lists_take_few_queries(
    cole: Browser, practice: Practice, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(16):
        assert cole.get(url(name)).status_code == 200


def test_every_client_shown_is_noted_as_seen(cole: Browser, practice: Practice) -> None:
    cole.get(url("dashboard"))
    cole.get(url("dashboard"))
    seen = AccessEvent.objects.filter(user=practice.cole.user, purpose="caseload").values_list("client", flat=True)
    assert sorted(seen) == sorted(c.pk for c in (practice.ana, practice.ben, practice.gil, practice.hana, practice.ivy))


# --- A client's page --------------------------------------------------------------------------------------------------


def test_the_client_page_shows_plans_in_order_and_hides_member_ids(cole: Browser, practice: Practice) -> None:
    page = text(cole, url("client", practice.ana.pk))
    assert page.index("Evergreen Health") < page.index("Harbor Mutual")
    assert "Member ID ends in 8842" in page
    assert "XQZ0018842" not in page and "HM77120933" not in page


def test_a_change_of_cost_is_told_with_its_reason(cole: Browser, practice: Practice) -> None:
    page = text(cole, url("client", practice.ana.pk))
    assert "The client has met the deductible for the year." in page
    assert "Why did my cost change?" in page and "3 to 5 business days" in page


def test_money_trouble_is_not_the_providers_to_see(cole: Browser, practice: Practice) -> None:
    Payment.objects.filter(client=practice.ana).update(
        state="failed", decline_code="insufficient_funds", message="Your card has insufficient funds."
    )
    for address in (
        url("dashboard"),
        url("client", practice.ana.pk),
        url("session", practice.confirmed.pk),
        url("earnings"),
    ):
        page = text(cole, address)
        assert "insufficient" not in page and "declined" not in page


# --- Confirming -------------------------------------------------------------------------------------------------------


def test_the_preview_says_charge_and_earning_and_nothing_of_the_card(cole: Browser, practice: Practice) -> None:
    page = text(cole, url("session", practice.waiting.pk))
    assert "$20.00" in page and "We see to that with your client." in page
    assert "4242" not in page
    assert "$160.00" in page and "the rate of Evergreen Health" in page


def test_confirming_charges_earns_and_says_so(cole: Browser, practice: Practice) -> None:
    answer = cole.post(url("confirm", practice.waiting.pk), offer(practice.waiting), follow=True)
    assert "You earn $160.00" in answer.content.decode()
    practice.waiting.refresh_from_db()
    assert practice.waiting.status == "confirmed"
    payment = Payment.objects.get(parts__session=practice.waiting)
    assert (str(payment.amount), payment.purpose) == ("20.00", "confirmation")
    assert str(ProviderEarning.objects.get(session=practice.waiting).amount) == "160.00"


def test_confirming_twice_changes_nothing(cole: Browser, practice: Practice) -> None:
    shown = offer(practice.waiting)
    for _ in range(2):
        cole.post(url("confirm", practice.waiting.pk), shown)
    assert Payment.objects.filter(parts__session=practice.waiting).count() == 1
    assert ProviderEarning.objects.filter(session=practice.waiting).count() == 1


@pytest.mark.parametrize("shown", [{}, {"charge": "19.99", "earning": "160.00"}, {"charge": "x", "earning": "-1"}])
def test_a_price_that_was_not_shown_is_not_charged(cole: Browser, practice: Practice, shown: dict[str, str]) -> None:
    answer = cole.post(url("confirm", practice.waiting.pk), shown)
    assert answer.status_code == 409
    assert "The price has changed" in answer.content.decode()
    practice.waiting.refresh_from_db()
    assert practice.waiting.status == "scheduled"
    assert not Payment.objects.filter(parts__session=practice.waiting).exists()


def test_a_session_to_come_cannot_be_confirmed(cole: Browser, practice: Practice) -> None:
    answer = cole.post(url("confirm", practice.upcoming.pk), offer(practice.upcoming))
    assert answer.status_code == 409
    assert "has not taken place yet" in answer.content.decode()
    assert not ProviderEarning.objects.filter(session=practice.upcoming).exists()


def test_a_paused_clients_session_is_refused_in_words(cole: Browser, practice: Practice) -> None:
    session = Session.objects.get(client=practice.ben)
    answer = cole.post(url("confirm", session.pk), offer(session))
    assert answer.status_code == 409
    assert "account is paused" in answer.content.decode()
    session.refresh_from_db()
    assert session.status == "scheduled"


def test_without_a_rate_the_page_says_why_there_is_no_price(cole: Browser, practice: Practice) -> None:
    FeeSchedule.objects.all().delete()
    assert "We have no contracted rate with Evergreen Health" in text(cole, url("session", practice.waiting.pk))
    answer = cole.post(url("confirm", practice.waiting.pk), offer(practice.waiting))
    assert answer.status_code == 409
    assert not ProviderEarning.objects.filter(session=practice.waiting).exists()


# --- Booking and cancelling -------------------------------------------------------------------------------------------


def booking(client: Client, **changed: str) -> dict[str, str]:
    day = (clock.today() + timedelta(days=20)).isoformat()
    form = {"client": str(client.pk), "date": day, "time": "14:30", "place": "10", "cpt": "90834", "diagnosis": "f41.1"}
    return form | changed


def test_a_booked_session_has_its_price_at_once(cole: Browser, practice: Practice) -> None:
    answer = cole.post(url("schedule"), booking(practice.ana))
    session = Session.objects.get(minutes=45)
    assert answer.headers["Location"] == url("session", session.pk)
    assert session.diagnoses == ["F41.1"] and session.place == "10"
    cost = current_cost(session)
    assert cost is not None and (str(cost.amount), str(cost.allowed)) == ("20.00", "128.00")


@pytest.mark.parametrize(
    "field, value",
    [("date", "2031-02-30"), ("date", "2019-01-01"), ("time", "25:99"), ("cpt", "99999"), ("diagnosis", "sad")],
)
def test_a_wrong_field_keeps_what_was_typed(cole: Browser, practice: Practice, field: str, value: str) -> None:
    answer = cole.post(url("schedule"), booking(practice.ana, **{field: value}))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert f'value="{value}"' in answer.content.decode() or field == "cpt"
    assert Session.objects.filter(client=practice.ana).count() == 3


def test_a_paused_client_cannot_be_booked(cole: Browser, practice: Practice) -> None:
    answer = cole.post(url("schedule"), booking(practice.ben))
    assert answer.status_code == 422
    assert "account is paused" in answer.content.decode()
    assert Session.objects.filter(client=practice.ben).count() == 1


def test_a_client_of_somebody_else_cannot_be_chosen(cole: Browser, practice: Practice) -> None:
    answer = cole.post(url("schedule"), booking(practice.eve))
    assert answer.status_code == 422
    assert not Session.objects.filter(client=practice.eve).exists()


def test_cancelling_frees_the_session_and_a_confirmed_one_stays(cole: Browser, practice: Practice) -> None:
    cole.post(url("cancel", practice.upcoming.pk))
    practice.upcoming.refresh_from_db()
    assert practice.upcoming.status == "cancelled"
    answer = cole.post(url("cancel", practice.confirmed.pk))
    assert answer.status_code == 409
    practice.confirmed.refresh_from_db()
    assert practice.confirmed.status == "confirmed"


# --- Earnings ---------------------------------------------------------------------------------------------------------


def test_earnings_add_up_by_month_and_to_what_is_owed(cole: Browser, practice: Practice) -> None:
    page = cole.get(url("earnings"))
    assert str(page.context["owed"]) == "160.00"
    month = practice.confirmed.date.replace(day=1)
    assert [(m["first"], m["count"], str(m["total"])) for m in page.context["months"]] == [(month, 1, "160.00")]
    assert cole.get(url("earnings"), {"month": "2001-01"}).context["page"].paginator.count == 0
    assert cole.get(url("earnings"), {"month": "nonsense"}).status_code == 200


# --- Strangers --------------------------------------------------------------------------------------------------------


def test_another_provider_finds_nothing_and_changes_nothing(practice: Practice) -> None:
    diaz = browser(practice.diaz.user)
    assert "No clients yet" in text(diaz, url("dashboard"))
    for address in (url("client", practice.ana.pk), url("session", practice.waiting.pk)):
        assert diaz.get(address).status_code == 404
    assert diaz.post(url("confirm", practice.waiting.pk), offer(practice.waiting)).status_code == 404
    assert diaz.post(url("cancel", practice.waiting.pk)).status_code == 404
    practice.waiting.refresh_from_db()
    assert practice.waiting.status == "scheduled"
    assert not ProviderEarning.objects.filter(session=practice.waiting).exists()
    assert not AccessEvent.objects.filter(user=practice.diaz.user).exists()


def test_a_colleagues_session_with_the_same_client_stays_hidden(cole: Browser, practice: Practice) -> None:
    theirs = cast.book(practice.ana, practice.diaz, days=6)
    assert cole.get(url("session", theirs.pk)).status_code == 404
    assert url("session", theirs.pk) not in text(cole, url("client", practice.ana.pk))


@pytest.mark.parametrize("who", ["ana", "eve", "fay"])
@pytest.mark.parametrize("name", ["dashboard", "sessions", "schedule", "claims", "earnings"])
def test_only_providers_open_provider_pages(practice: Practice, who: str, name: str) -> None:
    person = getattr(practice, who)
    visitor = browser(person if isinstance(person, User) else person.user)
    assert visitor.get(url(name)).status_code == 404


def test_a_visitor_is_asked_to_sign_in(practice: Practice) -> None:
    answer = Browser().get(url("dashboard"))
    assert answer.status_code == 302 and answer.headers["Location"].startswith(reverse("account_login"))
    assert Browser().post(url("confirm", practice.waiting.pk), offer(practice.waiting)).status_code == 302
    practice.waiting.refresh_from_db()
    assert practice.waiting.status == "scheduled"
