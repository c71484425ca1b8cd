"""The benefits page in each state that an account can be in, "what if", and the same facts for the provider."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client as Browser

from billing.models import Payment, SessionCost
from billing.services import costs
from care.models import Session
from common import clock
from insurance.domain.benefits import Accumulator, Accumulators, Benefits, NetworkBenefits
from insurance.models import BenefitSnapshot, Coverage
from insurance.services import pauses
from tests.cast import Cast, assemble, benefits, card, observe
from tests.portal.client_world import held
from tests.portal.test_client_pages import words

D = Decimal
TODAY = datetime(2026, 10, 1, 12, tzinfo=clock.BUSINESS_ZONE)


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    with clock.as_of(TODAY):
        yield assemble()


def signed_in(user: Any) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


@pytest.fixture
def ana(cast: Cast) -> Browser:
    return signed_in(cast.ana.user)


@pytest.fixture
def cole(cast: Cast) -> Browser:
    return signed_in(cast.cole.user)


def plan(left: str = "400.00", **figures: Any) -> Benefits:
    told = benefits(deductible=left)
    maximum = Accumulators(Accumulator(D("3000.00"), D("2500.00")))
    return replace(told, in_network=replace(told.in_network, out_of_pocket=maximum, **figures))


def book(cast: Cast, *days: int) -> list[Session]:
    found = [cast.book(days=each, hour=15) for each in days]
    costs.reprice(cast.ana)
    return found


def section(page: str, title: str, until: str) -> str:
    return page.split(title, 1)[1].split(until, 1)[0]


# --- When it changes --------------------------------------------------------------------------------------------------


def test_it_says_after_how_many_sessions_the_cost_changes(ana: Browser, cast: Cast) -> None:
    observe(cast.own_plan, plan("400.00"))
    book(cast, 4, 11, 18)
    page = words(ana, "/benefits/")
    assert page.index("What a session costs you, and why") < page.index("When this will change")
    ahead = section(page, "When this will change", "Pays first (primary)")
    # 160, 160, 80 + 20% of 80 = 96, then 32. On 1 January 500 of deductible again: 160 x 3, then 20 + 28 = 48.
    assert "After 3 more sessions, the next one costs $32.00." in ahead
    assert "After 3 more sessions, on Mon 19 Oct 2026 The deductible is met Before: $160.00 → Then: $32.00" in ahead
    assert "On Fri 1 Jan 2027 The plan year starts again Before: $32.00 → Then: $160.00" in ahead
    assert "Evergreen Health has not told us about that year yet." in ahead
    assert "3 sessions are booked. The others are not booked: we go on with a session every week." in ahead


def test_the_drawing_has_words_and_a_table_behind_it(ana: Browser, cast: Cast) -> None:
    observe(cast.own_plan, plan("400.00"))
    book(cast, 4, 11, 18)
    page = ana.get("/benefits/").content.decode()
    (drawing,) = re.findall(r'<svg class="chart__plot".*?</svg>', page, re.S)
    assert 'role="img" aria-labelledby="ahead-title" aria-describedby="ahead-desc"' in drawing
    assert '<title id="ahead-title">What a session costs, from Mon 5 Oct 2026 to' in drawing
    assert "Mon 19 Oct 2026: $96.00" in drawing
    assert "style=" not in drawing
    (table,) = re.findall(r'<table class="table table--stack">.*?</table>', page, re.S)
    rows = [
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in re.findall(r"<tr>.*?</tr>", table, re.S)
    ]
    assert rows[1] == "Mon 5 Oct 2026 to Mon 12 Oct 2026 2 (2 booked) $160.00 Deductible $160.00"
    assert rows[2] == "Mon 19 Oct 2026 1 (1 booked) $96.00 Deductible $80.00 + coinsurance $16.00"
    assert rows[3] == "Mon 26 Oct 2026 to Mon 28 Dec 2026 10 $32.00 Coinsurance $32.00"
    assert "Plan year until Thu 31 Dec 2026 13 $736.00" in rows


def test_a_steady_cost_is_said_to_be_steady(ana: Browser, cast: Cast) -> None:
    copay: dict[str, Any] = {
        "coinsurance": None,
        "copay": D("25.00"),
        "deductible": Accumulators(Accumulator(D("0.00"), D("0.00"))),
    }
    observe(cast.own_plan, plan(**copay))
    book(cast, 4)
    ahead = section(words(ana, "/benefits/"), "When this will change", "Pays first (primary)")
    assert "It stays at $25.00, also after the plan year starts again on Fri 1 Jan 2027." in ahead
    assert "The cost of a session stays the same." in ahead


# --- Meters -----------------------------------------------------------------------------------------------------------


def test_what_the_insurer_told_and_what_sessions_since_add_are_told_apart(ana: Browser, cast: Cast) -> None:
    card(cast.ana)
    family = Accumulators(Accumulator(D("500.00"), D("400.00")), Accumulator(D("1000.00"), D("700.00")))
    observe(cast.own_plan, plan(deductible=family))
    with clock.as_of(TODAY + timedelta(days=8)):
        held(cast, days=-1)
        costs.reprice(cast.ana)
        page = words(ana, "/benefits/")
    assert (
        "Yours $240.00 to go, by our count $100.00 of $500.00: Evergreen Health told us on Thu 1 Oct 2026 "
        "$160.00 more: your 1 session since then, by our count" in page
    )
    assert "Your family's together $540.00 to go, by our count $300.00 of $1,000.00:" in page
    assert "$500.00 of $3,000.00: Evergreen Health told us on Thu 1 Oct 2026" in page
    assert "What others in your family pay counts to the family's figures too." in page


def test_sessions_that_use_nothing_of_the_figures_are_said_to(ana: Browser, cast: Cast) -> None:
    card(cast.ana)
    told = NetworkBenefits(copay=D("20.00"), deductible=Accumulators(Accumulator(D("0.00"), D("0.00"))))
    observe(cast.own_plan, replace(benefits(), in_network=told))
    with clock.as_of(TODAY + timedelta(days=8)):
        held(cast, days=-1)
        page = words(ana, "/benefits/")
    assert "1 session since then is not in them and, by our count, uses nothing of them." in page


# --- What was put right -----------------------------------------------------------------------------------------------


def put_right(cast: Cast, corrects: dict[str, Any], *, note: str = "", source: str = "835") -> None:
    told = plan(coinsurance=None, copay=D("40.00"))
    BenefitSnapshot.objects.create(
        coverage=cast.own_plan, source=source, effective_on=clock.today(), active=True, plan_begin=told.plan_begin,
        plan_end=told.plan_end, benefits=told.to_json(), corrects=corrects, note=note,
    )  # fmt: skip


def test_a_correction_names_figure_before_after_and_why(ana: Browser, cast: Cast) -> None:
    put_right(
        cast,
        {
            "in_network.copay": {"said": "25.00", "is": "40.00"},
            "in_network.coinsurance": {"said": "0.20", "is": None},
            "in_network.deductible.family.remaining": {"said": "10.00", "is": "0.00"},
        },
        note="Evergreen Health took $40.00 for the session of 3 September",
    )
    page = section(words(ana, "/benefits/"), "What we put right", "Pays second")
    assert "Thu 1 Oct 2026: Evergreen Health took $40.00 for the session of 3 September." in page
    assert "Copay for a visit: the insurer had said $25.00; it is $40.00." in page
    assert "Coinsurance: the insurer had said 20%; this plan has none." in page
    assert "Family deductible, what is left: the insurer had said $10.00; it is $0.00." in page


def test_a_correction_that_is_carried_on_is_told_once(ana: Browser, cast: Cast) -> None:
    figures = {"in_network.copay": {"said": "25.00", "is": "40.00"}}
    put_right(cast, figures, source="support")
    with clock.as_of(TODAY + timedelta(days=30)):
        put_right(cast, figures, source="271")
        page = words(ana, "/benefits/")
    assert page.count("the insurer had said $25.00; it is $40.00.") == 1
    assert "Thu 1 Oct 2026: Our support team put this right." in page


# --- Every state ------------------------------------------------------------------------------------------------------


def test_without_a_session_it_says_what_will_be_here(ana: Browser, cast: Cast) -> None:
    page = words(ana, "/benefits/")
    assert "No price yet" in page
    assert "When your first session is booked, you see here what the next ones will cost" in page
    assert "What if I come more or less often?" not in page


def test_without_a_plan_it_says_to_add_one(cast: Cast) -> None:
    page = words(signed_in(cast.eve.user), "/benefits/")
    assert "Add your plan" in page
    assert "When this will change" not in page
    assert "No plan on your account" in words(signed_in(cast.eve.user), "/benefits/what-if/")


def test_benefits_that_decide_nothing_draw_no_picture(ana: Browser, cast: Cast) -> None:
    observe(cast.own_plan, Benefits(active=None, in_network=NetworkBenefits(), conflicts=("Two copays are named.",)))
    book(cast, 4)
    page = words(ana, "/benefits/")
    assert "Nobody can say yet when it changes: Evergreen Health has not told us enough about this plan." in page
    assert "Show as a table" not in page
    assert "By video not known yet" in section(page, "Pays first (primary)", "Pays second (secondary)")


def test_a_plan_that_is_not_active_shows_no_figures_that_do_not_hold(ana: Browser, cast: Cast) -> None:
    observe(cast.own_plan, replace(plan(), active=False))
    book(cast, 4)
    page = words(ana, "/benefits/")
    assert "Evergreen Health says that this plan is not active, so nothing can be said of the sessions to come." in page
    assert "Deductible" not in section(page, "Pays first (primary)", "Pays second (secondary)")


def test_while_paused_it_does_not_look_ahead(ana: Browser, cast: Cast) -> None:
    book(cast, 4)
    pauses.open_pause(coverage=cast.own_plan, evidence="835")
    page = words(ana, "/benefits/")
    assert "Your account is paused until Evergreen Health knows which of your plans pays first." in page
    assert "After 1 more session" not in page
    assert "Your account is paused until Evergreen Health" in words(ana, "/benefits/what-if/?rhythm=weekly")


def test_a_second_plan_says_that_it_is_not_counted(ana: Browser, cast: Cast) -> None:
    page = words(ana, "/benefits/")
    second = page.split("Pays second (secondary)", 1)[1]
    assert "What it pays is not counted in the estimate you are charged, so that part comes back to you." in second
    assert "not counted in the estimate you are charged" not in page.split("Pays second (secondary)", 1)[0]


def test_a_year_without_a_known_end_is_said_to_be_one(ana: Browser, cast: Cast) -> None:
    observe(cast.own_plan, replace(plan(), plan_begin=None, plan_end=None))
    book(cast, 4)
    assert "has not told us when its plan year ends, so we look no further than Thu 31 Dec 2026." in words(
        ana, "/benefits/"
    )


def test_a_session_booked_in_the_new_year_is_said_to_be_unverified(ana: Browser, cast: Cast) -> None:
    observe(cast.own_plan, plan())
    book(cast, 4, 100)
    assert "Sessions booked in the new plan year have a price that is not verified" in words(ana, "/benefits/")


def test_every_word_that_is_linked_is_explained_and_a_mistake_can_be_reported(ana: Browser, cast: Cast) -> None:
    page = ana.get("/benefits/").content.decode()
    linked = set(re.findall(r'href="#(word-\w+)"', page))
    assert {"word-copay", "word-coinsurance", "word-deductible", "word-maximum", "word-year"} <= linked
    assert linked <= set(re.findall(r'id="(word-\w+)"', page))
    for coverage in Coverage.objects.filter(client=cast.ana):
        assert f'href="/benefits/{coverage.pk}/report/"' in page


# --- What if ----------------------------------------------------------------------------------------------------------


def test_what_if_every_two_weeks(ana: Browser, cast: Cast) -> None:
    observe(cast.own_plan, plan("400.00"))
    book(cast, 4, 11)
    before = (Session.objects.count(), SessionCost.objects.count(), Payment.objects.count())
    page = words(ana, "/benefits/what-if/?rhythm=two_weeks&place=office")
    # 5 and 12 October are booked; then 26 October to 21 December: 160, 160, 96, then 32 four times.
    assert "Then your sessions would cost Until Thu 31 Dec 2026 $544.00 7 sessions together" in page
    assert "Going on as now: 13 sessions until Thu 31 Dec 2026, $736.00; 52 sessions until Fri 31 Dec 2027," in page
    assert "This is an estimate and nothing is saved." in page
    assert (Session.objects.count(), SessionCost.objects.count(), Payment.objects.count()) == before


def test_what_if_other_care_comes_first(ana: Browser, cast: Cast) -> None:
    observe(cast.own_plan, plan("400.00"))
    book(cast, 4, 11)
    page = words(ana, "/benefits/what-if/?other_amount=%241,000&other_month=2026-10")
    assert "With the other care, a session costs $32.00 from Thu 1 Oct 2026 on." in page
    assert "We count $1,000.00 for other care on Thu 1 Oct 2026" in page
    assert 'value="$1,000"' in ana.get("/benefits/what-if/?other_amount=%241,000&other_month=2026-10").content.decode()


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ("other_amount=lots", "Please write an amount in dollars, such as 500 or 1,250.50."),
        ("other_amount=-5&other_month=2026-11", "Please write an amount in dollars"),
        ("other_amount=500", "Please choose the month of the other care."),
        ("rhythm=daily", "Select a valid choice. daily is not one of the available choices."),
        ("other_month=2031-01", "Select a valid choice."),
        ("kind=7-99999x1", "Select a valid choice."),
    ],
)
def test_a_question_that_cannot_be_answered_says_why_and_keeps_what_was_typed(
    ana: Browser, cast: Cast, asked: str, refusal: str
) -> None:
    book(cast, 4)
    answer = ana.get(f"/benefits/what-if/?{asked}")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert refusal in page
    if asked.startswith("other_amount"):
        assert f'value="{asked.split("=")[1].split("&", maxsplit=1)[0]}"' in page
    assert "chart__plot" not in page


def test_what_if_offers_the_client_s_own_kinds_of_session(ana: Browser, cast: Cast) -> None:
    shorter, _usual = book(cast, 4, 11)
    shorter.lines.update(cpt="90834")
    Session.objects.filter(pk=shorter.pk).update(minutes=38)
    page = ana.get("/benefits/what-if/").content.decode()
    assert "53 minutes with Dr. Cole" in page
    assert "38 minutes with Dr. Cole" in page


# --- The provider -----------------------------------------------------------------------------------------------------


def test_the_provider_sees_the_same_of_their_client(cole: Browser, cast: Cast) -> None:
    card(cast.ana)
    observe(cast.own_plan, plan("400.00"))
    with clock.as_of(TODAY + timedelta(days=2)):
        held(cast, days=-1)
        book(cast, 4, 11)
        page = words(cole, f"/provider/clients/{cast.ana.pk}/")
    assert "After 2 more sessions, the next one costs $32.00." in page  # 240 left: 160, then 80 + 16
    assert "After 2 more sessions, on Wed 14 Oct 2026 The deductible is met" in page
    assert "Client's part of a visit 20% of the price Deductible left $240.00" in page
    assert "What is left counts 1 session since the insurer's figures of 1 Oct." in page


def test_the_provider_sees_no_colleague_s_session(cole: Browser, cast: Cast) -> None:
    observe(cast.own_plan, plan("400.00"))
    _mine, colleague = book(cast, 4, 6)
    Session.objects.filter(pk=colleague.pk).update(provider=cast.diaz)
    page = cole.get(f"/provider/clients/{cast.ana.pk}/").content.decode()
    assert "Mon 5 Oct 2026: $160.00" in page
    assert "7 Oct 2026" not in page


def test_the_provider_is_told_of_a_correction_and_of_a_pause(cole: Browser, cast: Cast) -> None:
    put_right(cast, {"in_network.copay": {"said": "25.00", "is": "40.00"}}, note="A decision said so")
    book(cast, 4)
    assert "Figures put right on 1 Oct. A decision said so." in words(cole, f"/provider/clients/{cast.ana.pk}/")
    pauses.open_pause(coverage=cast.own_plan, evidence="835")
    page = words(cole, f"/provider/clients/{cast.ana.pk}/")
    assert "While Ana's account is paused, it is open which plan pays first." in page


@pytest.mark.parametrize("day", [date(2026, 12, 31), date(2027, 1, 1)])
def test_the_turn_of_the_year_breaks_nothing(ana: Browser, cast: Cast, day: date) -> None:
    observe(cast.own_plan, plan())
    book(cast, 95, 102)
    with clock.as_of(datetime(day.year, day.month, day.day, 12, tzinfo=clock.BUSINESS_ZONE)):
        assert "What a session costs you" in words(ana, "/benefits/")
        assert "What would it cost?" in words(ana, "/benefits/what-if/")
