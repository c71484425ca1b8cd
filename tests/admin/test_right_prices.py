"""The desk's pages about right prices: both sides of an answer, benefits by hand, accuracy, what-if, whole insurers."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db.models import Model
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from billing.models import Comparison, Recalculation, Repricing
from billing.services import recalculation, repricing
from common import clock
from insurance.models import BenefitSnapshot, Coverage, EdiFile, EligibilityCheck
from people.models import AccessEvent, Role
from tests.cast import Cast, assemble, benefits, observe, user
from tests.comparison_rows import compared, told

pytestmark = pytest.mark.django_db
D = Decimal

COPAY = {"in_network.copay": {"said": "25.00", "is": "40.00"}}


@pytest.fixture
def cast() -> Cast:
    return assemble()


@pytest.fixture
def fay(cast: Cast) -> Browser:
    return signed_in(cast.fay)


def signed_in(who: object) -> Browser:
    found = Browser()
    found.force_login(who)  # type: ignore[arg-type]  # one of the cast's accounts
    return found


def at(row: Model, kind: str = "change", *more: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{kind}", args=[row.pk, *more])


def tool(model: str, name: str) -> str:
    return reverse(f"admin:billing_{model}_tool", args=[name])


ACCURACY, WHATIF = tool("comparison", "accuracy"), tool("sessioncost", "whatif")
QUEUE = reverse("admin:billing_comparison_changelist")


def words(page: object) -> str:
    return " ".join(page.content.decode().split())  # type: ignore[attr-defined]


def waiting(cast: Cast, *, last: str = "15.00", days: int = 1, **columns: Any) -> Comparison:
    columns = {"state": "waiting", "figures": COPAY} | columns
    return compared(cast.book(days=days), cast.own_plan, first=last, last=last, snapshot=told(cast.own_plan), **columns)


# --- The queue --------------------------------------------------------------------------------------------------------


def test_those_that_wait_come_first_by_money_then_by_age(fay: Browser, cast: Cast) -> None:
    closed = waiting(cast, last="200.00", days=1, state="closed")
    small, old, new, less = (
        waiting(cast, last=last, days=days) for last, days in (("5.00", 2), ("15.00", 3), ("15.00", 4), ("-90.00", 5))
    )
    Comparison.objects.filter(pk=old.pk).update(created_at=clock.now() - timedelta(days=3))
    page = fay.get(QUEUE)
    assert [row.pk for row in page.context["cl"].result_list] == [less.pk, old.pk, new.pk, small.pk, closed.pk]
    said = words(page)
    for told_there in ("$90.00 less", "$15.00 more", "3 days", "A visit at the office: copay: $25.00 → $40.00"):
        assert told_there in said


def test_both_sides_stand_beside_each_other_with_everything_behind_them(fay: Browser, cast: Cast) -> None:
    row = waiting(cast)
    earlier = waiting(cast, days=2, state="dismissed")
    page = fay.get(at(row))
    side = page.context["side"]
    assert [(part.label, part.predicted, part.decided, part.difference) for part in side["parts"]] == [
        ("Allowed amount", D("160.00"), D("160.00"), D("0.00")),
        ("Deductible", D("0.00"), D("0.00"), D("0.00")),
        ("Copay", D("25.00"), D("40.00"), D("15.00")),
        ("Coinsurance", D("0.00"), D("0.00"), D("0.00")),
        ("Not covered", D("0.00"), D("0.00"), D("0.00")),
        ("Client pays", D("25.00"), D("40.00"), D("15.00")),
    ]
    said = words(page)
    for told_there in (
        "The insurer took another copay.",
        "A copay of $25.00.",
        "You owe a copay of $40.00.",
        "$15.00 more than estimated",
        at(row.adjudication.remittance.file, "page", "contents"),
        at(earlier),
        "1 other answer about this plan",
        "What correcting would change",
    ):
        assert told_there in said
    assert AccessEvent.objects.filter(user=cast.fay, client=cast.ana, purpose="support: comparison").count() == 1


def test_the_271_is_linked_also_when_its_benefits_were_put_right(fay: Browser, cast: Cast) -> None:
    file = EdiFile.objects.create(
        direction="in", kind="271", state="processed", raw=b"ISA", sha256="1" * 64,
        payload_id="6a3c1c1e-2f4e-4a6c-9a51-0a4a3f1b2c11",
    )  # fmt: skip
    check = EligibilityCheck.objects.create(
        coverage=cast.own_plan, reason="refresh", service_date=clock.today(), state="answered", trace="T1",
        response=file,
    )  # fmt: skip
    answer = told(cast.own_plan)
    BenefitSnapshot.objects.bulk_create(
        [
            BenefitSnapshot(
                coverage=cast.own_plan, source="271", effective_on=clock.today(), active=True,
                benefits=answer.benefits, eligibility_check=check,
            )
        ]
    )  # fmt: skip
    corrected = BenefitSnapshot.objects.create(
        coverage=cast.own_plan, source="835", effective_on=clock.today(), active=True, benefits=answer.benefits,
        corrects=COPAY,
    )  # fmt: skip
    row = compared(cast.book(days=1), cast.own_plan, first="0.00", last="0.00", snapshot=corrected)
    said = words(fay.get(at(row)))
    assert at(file, "page", "contents") in said
    assert "Put right in them before:" in said


def test_unknown_parts_are_told_as_unknown(fay: Browser, cast: Cast) -> None:
    row = waiting(cast, figures={})
    Comparison.objects.filter(pk=row.pk).update(predicted={"client": "25.00"})
    page = fay.get(at(row))
    assert [part.difference for part in page.context["side"]["parts"]] == [None] * 5 + [D("15.00")]
    said = words(page)
    assert "not known yet" in said
    assert "so nothing is proposed" in said
    assert at(cast.own_plan, "page", "enter") in said


def test_the_page_takes_as_many_queries_for_many_answers_as_for_few(
    fay: Browser, cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    row = waiting(cast)
    for days in range(2, 17):
        waiting(cast, days=days, state="closed")
    with django_assert_max_num_queries(30):
        fay.get(at(row))
    with django_assert_max_num_queries(16):
        fay.get(QUEUE)


def test_correcting_takes_the_proposed_figures_for_true(fay: Browser, cast: Cast) -> None:
    row = waiting(cast)
    answer = fay.post(at(row, "repair", "apply"), {"text": "The insurer said so on the phone"})
    assert answer.headers["Location"] == at(row)
    row.refresh_from_db()
    assert (row.state, row.owner, row.note) == ("applied", cast.fay, "The insurer said so on the phone")
    assert row.snapshot is not None
    assert row.snapshot.benefits["in_network"]["copay"] == "40.00"
    said = words(fay.get(at(row)))
    assert "What was corrected" in said
    assert "Correct the benefits" not in said


def test_leaving_it_needs_a_reason_and_changes_no_benefits(fay: Browser, cast: Cast) -> None:
    row = waiting(cast)
    before = BenefitSnapshot.objects.count()
    assert fay.post(at(row, "repair", "dismiss"), {"text": " "}).status_code == 422
    row.refresh_from_db()
    assert row.state == "waiting"
    fay.post(at(row, "repair", "dismiss"), {"text": "They paid this one claim wrongly"})
    row.refresh_from_db()
    assert (row.state, row.owner, row.note) == ("dismissed", cast.fay, "They paid this one claim wrongly")
    assert BenefitSnapshot.objects.count() == before


def test_what_is_closed_or_proposes_nothing_offers_no_button(fay: Browser, cast: Cast) -> None:
    nothing = waiting(cast, figures={})
    closed = waiting(cast, days=2, state="closed")
    assert [each.name for each, _url in fay.get(at(nothing)).context["desk_repairs"]] == ["dismiss"]
    assert fay.get(at(closed)).context["desk_repairs"] == []
    assert fay.post(at(nothing, "repair", "apply"), {"text": "why"}).status_code == 422
    assert fay.post(at(nothing), {"state": "applied"}).status_code == 403


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_an_auditor_looks_and_does_nothing(cast: Cast) -> None:
    row = waiting(cast)
    auditor = signed_in(user("gus@example.com", Role.AUDITOR, staff=True))
    for address in (QUEUE, ACCURACY, WHATIF, at(row)):
        assert auditor.get(address).status_code == 200
    assert auditor.get(at(row)).context["desk_repairs"] == []
    assert "Enter benefits by hand" not in words(auditor.get(at(cast.own_plan)))
    before = BenefitSnapshot.objects.count()
    for address in (
        at(row, "repair", "apply"),
        at(row, "repair", "dismiss"),
        at(cast.own_plan, "page", "enter"),
        at(cast.evergreen, "repair", "recalculate"),
    ):
        assert auditor.post(address, {"text": "why", "note": "why"}).status_code == 404, address
    row.refresh_from_db()
    assert (row.state, BenefitSnapshot.objects.count(), Recalculation.objects.count()) == ("waiting", before, 0)


@pytest.mark.parametrize("who", ["ana", "eve", "cole", "diaz"])
def test_clients_and_providers_find_nothing(cast: Cast, who: str) -> None:
    row = waiting(cast)
    visitor = signed_in(getattr(cast, who).user)
    for address in (QUEUE, ACCURACY, WHATIF, at(row), at(cast.own_plan, "page", "enter")):
        assert visitor.get(address).status_code == 404, address
    assert visitor.post(at(row, "repair", "apply"), {"text": "please"}).status_code == 404
    row.refresh_from_db()
    assert row.state == "waiting"
    assert not AccessEvent.objects.filter(user=getattr(cast, who).user).exists()


def test_an_unknown_tool_is_not_found(fay: Browser) -> None:
    assert fay.get(tool("comparison", "nothing")).status_code == 404


# --- Benefits by hand -------------------------------------------------------------------------------------------------


def typed(browser: Browser, plan: Coverage, **changes: str) -> dict[str, str]:
    """The form as the page shows it, with some fields changed."""
    form = browser.get(at(plan, "page", "enter")).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else str(value) for name, value in shown.items()} | changes


def test_the_form_holds_what_we_have_and_keeps_only_what_was_changed(fay: Browser, cast: Cast) -> None:
    plan = cast.own_plan
    observe(plan, benefits(deductible="50.00", coinsurance="0.20"))
    form = typed(fay, plan)
    assert (form["in_network.coinsurance"], form["in_network.deductible.individual.remaining"]) == ("20", "50.00")
    assert (form["active"], form["in_network.copay"]) == ("yes", "")
    answer = fay.post(
        at(plan, "page", "enter"),
        form
        | {
            "in_network.copay": "$40",
            "in_network.copay_rule": "waives_deductible",
            "in_network.coinsurance": "",
            "in_network.visits.remaining": "12",
            "in_network.deductible.individual.limit": "1,500.00",
            "note": "Told by member services",
        },
    )
    newest = BenefitSnapshot.objects.order_by("-pk")[0]
    assert answer.headers["Location"] == at(newest)
    assert (newest.source, newest.entered_by, newest.note) == ("support", cast.fay, "Told by member services")
    kept = newest.read().in_network
    assert (kept.copay, kept.coinsurance, kept.visits.remaining) == (D("40.00"), None, 12)
    assert (kept.deductible.individual.limit, kept.deductible.individual.remaining) == (D("1500.00"), D("50.00"))
    assert set(newest.corrects) == {
        "in_network.copay",
        "in_network.copay_rule",
        "in_network.coinsurance",
        "in_network.visits.remaining",
        "in_network.deductible.individual.limit",
    }


@pytest.mark.parametrize(
    ("field", "value", "told_there"),
    [
        ("in_network.copay", "twenty", "Please write an amount"),
        ("in_network.copay", "-5", "Please write an amount"),
        ("in_network.copay", "1,2,3", "Please write an amount"),
        ("in_network.copay", "1e3", "Please write an amount"),
        ("in_network.coinsurance", "120", "from 0 to 100"),
        ("in_network.visits.remaining", "-1", "greater than or equal to 0"),
        ("in_network.copay_rule", "sometimes", "not one of the available choices"),
        ("in_network.deductible.individual.remaining", "501.00", "No more can be left"),
        ("note", " ", "Please say where you have it from"),
    ],
)
def test_what_cannot_be_is_marked_at_its_field_and_keeps_what_was_typed(
    fay: Browser, cast: Cast, field: str, value: str, told_there: str
) -> None:
    before = BenefitSnapshot.objects.count()
    form = typed(fay, cast.own_plan, **{"note": "Told by member services", "in_network.copay": "33.00", field: value})
    answer = fay.post(at(cast.own_plan, "page", "enter"), form)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert told_there in words(answer)
    if field != "in_network.copay":
        assert 'value="33.00"' in words(answer)
    assert BenefitSnapshot.objects.count() == before


def test_nothing_changed_is_told(fay: Browser, cast: Cast) -> None:
    form = typed(fay, cast.own_plan, note="Nothing really")
    answer = fay.post(at(cast.own_plan, "page", "enter"), form)
    assert answer.status_code == 422
    assert "That is what we have already." in words(answer)


def test_a_plan_nobody_has_told_about_is_asked_for_first(fay: Browser, cast: Cast) -> None:
    plan = Coverage.objects.create(client=cast.eve, payer=cast.harbor, member_id="HB7", stated_rank=1)
    page = fay.get(at(plan, "page", "enter"))
    assert page.status_code == 200
    assert "Harbor Mutual has not told us anything about this plan yet" in words(page)
    assert fay.post(at(plan, "page", "enter"), {"note": "x"}).status_code == 200
    assert not plan.snapshots.exists()


# --- What would it cost -----------------------------------------------------------------------------------------------

TERMS = {
    "ask": "1",
    "deductible_remaining": "250",
    "coinsurance": "20",
    "out_of_pocket_remaining": "$300.00",
    "network": "in",
}


def test_weekly_sessions_cross_the_deductible_and_the_maximum(fay: Browser) -> None:
    page = fay.get(WHATIF, TERMS | {"first": "2026-12-01", "times": "5", "allowed": "160"})
    answer = page.context["answer"]
    # docs/repricing.md works this example by hand.
    assert [(each["date"], each["client"]) for each in answer["sessions"]] == [
        (date(2026, 12, 1), D("160.00")),
        (date(2026, 12, 8), D("104.00")),
        (date(2026, 12, 15), D("32.00")),
        (date(2026, 12, 22), D("4.00")),
        (date(2026, 12, 29), D("0.00")),
    ]
    assert answer["total"] == D("300.00")
    assert answer["left"] == [("Own deductible", D("0.00")), ("Own out-of-pocket maximum", D("0.00"))]
    said = words(page)
    assert "deductible" in answer["sessions"][0]["why"][0].lower() and answer["sessions"][0]["why"][0] in said
    assert 'value="250"' in said and 'value="$300.00"' in said


def test_sessions_one_by_one_go_with_the_weekly_ones_in_order_of_date(fay: Browser) -> None:
    asked = TERMS | {"first": "2026-12-08", "times": "1", "allowed": "160", "sessions": "2026-12-01 90.00\n\n"}
    answer = fay.get(WHATIF, asked).context["answer"]
    assert [(each["date"].day, each["client"]) for each in answer["sessions"]] == [(1, D("90.00")), (8, D("160.00"))]
    assert answer["left"][0] == ("Own deductible", D("0.00"))


def test_what_is_not_known_stays_not_known(fay: Browser) -> None:
    page = fay.get(WHATIF, {"ask": "1", "coinsurance": "20", "sessions": "2026-12-01 160.00"})
    answer = page.context["answer"]
    assert (answer["total"], answer["sessions"][0]["client"]) == (None, None)
    assert "not known yet" in words(page)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({}, ["first"]),
        ({"first": "2026-12-01"}, ["times", "allowed"]),
        ({"first": "2026-12-01", "times": "105", "allowed": "1"}, ["times"]),
        ({"sessions": "2026-12-01 160.00\ntomorrow 160.00"}, ["sessions"]),
        ({"sessions": "2026-12-01"}, ["sessions"]),
        ({"sessions": "2026-02-30 10.00"}, ["sessions"]),
        ({"sessions": "2026-12-01 1.00\n" * 201}, ["sessions"]),
        ({"sessions": "2026-12-01 160.00", "coinsurance": "abc"}, ["coinsurance"]),
        ({"sessions": "2026-12-01 160.00", "visits_remaining": "1.5"}, ["visits_remaining"]),
    ],
)
def test_what_cannot_be_answered_is_marked_at_its_field(
    fay: Browser, change: dict[str, str], fields: list[str]
) -> None:
    page = fay.get(WHATIF, TERMS | change)
    assert page.status_code == 422
    assert list(page.context["form"].errors) == fields
    assert page.context["answer"] is None
    assert 'value="250"' in words(page)


def test_the_form_is_filled_in_from_benefits(fay: Browser, cast: Cast) -> None:
    snapshot = observe(cast.own_plan, benefits(deductible="50.00", coinsurance="0.20"))
    page = fay.get(at(snapshot, "page", "whatif"), follow=True)
    shown = page.context["form"]
    assert (shown["deductible_remaining"].value(), shown["coinsurance"].value()) == ("50.00", "20")
    assert shown["first"].value() == (clock.today() + timedelta(weeks=1)).isoformat()
    assert page.context["answer"] is None and not shown.errors


# --- Accuracy ---------------------------------------------------------------------------------------------------------


def test_before_the_first_answer_the_page_says_when_there_will_be_something(fay: Browser, cast: Cast) -> None:
    said = words(fay.get(ACCURACY))
    assert "Nothing to compare yet" in said and "<svg" not in said.split("<main")[-1].split("desk-chart")[0]
    assert "No answers in this selection" in words(fay.get(ACCURACY, {"since": "2026-01"}))


def test_the_page_has_chart_and_tables_that_say_the_same(fay: Browser, cast: Cast) -> None:
    ppo = told(cast.own_plan, plan_name="Choice PPO")
    next_month = (clock.today().replace(day=1) + timedelta(days=32)).replace(day=10)
    ahead = (next_month - clock.today()).days
    for days, first, last in ((0, "15.00", "0.00"), (ahead, "-3.00", "-3.00"), (ahead + 1, "0.00", "0.00")):
        compared(cast.book(days=days), cast.own_plan, first=first, last=last, snapshot=ppo)
    page = fay.get(ACCURACY)
    chart = page.context["chart"]
    assert [point.words.partition(": ")[2] for point in chart.first] == ["0% of 1 sessions", "50% of 2 sessions"]
    assert [point.words.partition(": ")[2] for point in chart.last] == ["100% of 1 sessions", "50% of 2 sessions"]
    # 0% lies at the bottom of the field, 100% at its top, 50% between.
    assert [point.y for point in chart.first] == [216, 116]
    assert [point.y for point in chart.last] == [16, 116]
    assert [point.x for point in chart.last] == [44, 684]
    (line,) = page.context["plans"]
    assert (line.name, line.first_share, line.last_share) == ("Evergreen Health: Choice PPO", "33%", "67%")
    assert [(each.first_share, each.last_share) for each in page.context["months"]] == [("0%", "100%"), ("50%", "50%")]
    said = words(page)
    assert 'role="img"' in said and "<polyline" in said
    assert "0 too low, 1 too high" in said


def test_one_month_alone_and_a_share_of_almost_all(fay: Browser, cast: Cast) -> None:
    compared(cast.book(), cast.own_plan, first="0.00", last="0.00")
    page = fay.get(ACCURACY)
    assert [(point.x, point.y) for point in page.context["chart"].last] == [(364, 16)]
    assert page.context["plans"][0].name == "Evergreen Health: plan not named"


def test_the_filters_narrow_and_keep_what_was_chosen(fay: Browser, cast: Cast) -> None:
    compared(cast.book(), cast.own_plan, first="0.00", last="0.00")
    compared(cast.book(days=1), cast.bens_plan, first="9.00", last="9.00")
    page = fay.get(ACCURACY, {"payer": str(cast.harbor.pk)})
    assert (page.context["whole"].sessions, page.context["whole"].first.near) == (1, 0)
    month = f"{clock.today():%Y-%m}"
    assert fay.get(ACCURACY, {"since": "2020-01", "until": month}).context["whole"].sessions >= 1
    assert "whole" not in fay.get(ACCURACY, {"until": "2020-01"}).context
    wrong = fay.get(ACCURACY, {"since": "2026-05", "until": "2026-04"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["until"])
    odd = fay.get(ACCURACY, {"since": "May", "payer": "0"})
    assert (odd.status_code, sorted(odd.context["form"].errors)) == (422, ["payer", "since"])
    assert 'value="May"' in words(odd)


def test_the_file_has_every_line_and_no_formula(fay: Browser, cast: Cast) -> None:
    evil = told(cast.own_plan, plan_name="=HYPERLINK(1)")
    day = cast.book()
    compared(day, cast.own_plan, first="15.00", last="-2.50", snapshot=evil)
    answer = fay.get(ACCURACY, {"as": "csv", "payer": str(cast.evergreen.pk)})
    assert "attachment" in answer.headers["Content-Disposition"]
    header, line = list(csv.reader(StringIO(answer.content.decode())))
    found = dict(zip(header, line, strict=True))
    assert (found["insurer"], found["plan"]) == ("Evergreen Health", "'=HYPERLINK(1)")
    assert (found["month"], found["sessions"]) == (f"{day.date:%Y-%m}", "1")
    assert found["first estimate: median error $"] == "15.00"
    assert found["estimate in force: median error $"] == "2.50"
    assert (found["first estimate: too low"], found["estimate in force: too high"]) == ("1", "1")


def test_the_page_is_a_few_queries(
    fay: Browser, cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for days in range(12):
        compared(cast.book(days=days * 20), cast.own_plan, first="0.00", last="0.00")
    with django_assert_max_num_queries(6):
        fay.get(ACCURACY)


# --- A whole insurer --------------------------------------------------------------------------------------------------


def test_a_whole_insurer_is_begun_with_a_reason_and_watched(fay: Browser, cast: Cast) -> None:
    address = at(cast.evergreen, "repair", "recalculate")
    assert fay.post(address, {"text": " "}).status_code == 422
    answer = fay.post(address, {"text": "Their new contract"})
    run = Recalculation.objects.get()
    assert (run.requested_by, run.reason, run.total) == (cast.fay, "Their new contract", 1)
    (message,) = get_messages(answer.wsgi_request)
    assert at(run, "page", "progress") in str(message)
    assert f'<a href="{at(run, "page", "progress")}">' in words(fay.get(at(cast.evergreen)))
    page = fay.get(at(run, "page", "progress"))
    said = words(page)
    assert '<meta http-equiv="refresh" content="3">' in said
    assert "0 of 1 clients" in said and "Their new contract" in said and "fay@example.com" in said
    recalculation.work(run.pk, 60)
    done = words(fay.get(at(run, "page", "progress")))
    assert 'http-equiv="refresh"' not in done
    assert 'value="100"' in done and "1 of 1 clients" in done


def test_a_second_run_is_refused_with_what_was_typed(fay: Browser, cast: Cast) -> None:
    recalculation.start(cast.evergreen, by=cast.fay, reason="first")
    answer = fay.post(at(cast.evergreen, "repair", "recalculate"), {"text": "second thoughts"})
    assert answer.status_code == 422
    assert "being worked out again already" in words(answer) and "second thoughts" in words(answer)


def test_a_run_is_stopped_and_goes_on(fay: Browser, cast: Cast) -> None:
    run = recalculation.start(cast.evergreen, by=cast.fay, reason="why not")
    fay.post(at(run, "repair", "stop"), {"text": "Too early"})
    run.refresh_from_db()
    assert run.state == "stopped"
    assert fay.post(at(run, "repair", "stop"), {"text": "again"}).status_code == 422
    fay.post(at(run, "repair", "go-on"), {"text": "Now"})
    run.refresh_from_db()
    assert run.state == "waiting"


def test_clients_that_failed_are_led_to(fay: Browser, cast: Cast) -> None:
    run = recalculation.start(cast.evergreen, by=cast.fay, reason="why not")
    repricing._keep_failure(cast.ana.pk, ValueError("a snapshot of schema 2"))
    Recalculation.objects.filter(pk=run.pk).update(state="running", done=1, failed=1, cursor=cast.ana.pk)
    page = fay.get(at(run, "page", "progress"))
    row = Repricing.objects.get()
    assert at(row) in words(page) and "ValueError: a snapshot of schema 2" in words(page)
    listed = fay.get(page.context["failing_url"])
    assert listed.context["cl"].result_count == 1
    fay.post(at(row, "repair", "again"), {"text": "The snapshot was put right"})
    assert repricing.due() == [cast.ana.pk]


def test_a_run_that_stands_still_says_so(fay: Browser, cast: Cast) -> None:
    run = recalculation.start(cast.evergreen, by=cast.fay, reason="why not")
    assert "Nothing has moved since" not in words(fay.get(at(run, "page", "progress")))
    Recalculation.objects.filter(pk=run.pk).update(touched_at=clock.now() - timedelta(minutes=3))
    assert "Nothing has moved since" in words(fay.get(at(run, "page", "progress")))


# --- The first page ---------------------------------------------------------------------------------------------------


def test_the_first_page_counts_them_and_leads_there(fay: Browser, cast: Cast) -> None:
    waiting(cast)
    waiting(cast, days=2, state="closed")
    repricing.mark_stale([cast.ana.pk, cast.eve.pk], "news")
    repricing._keep_failure(cast.eve.pk, ValueError("broken"))
    recalculation.start(cast.evergreen, by=cast.fay, reason="why not")
    tiles = {tile["label"]: tile for tile in fay.get(reverse("admin:index")).context["tiles"]}
    expected = {
        "Answers unlike our estimate": 1,
        "Stale prices": 2,
        "Prices that failed": 1,
        "Whole insurers priced again": 1,
    }
    assert {label: tiles[label]["count"] for label in expected} == expected
    for label, count in expected.items():
        assert fay.get(tiles[label]["url"]).context["cl"].result_count == count, label


def test_lists_lead_to_the_pages_about_all_their_rows(fay: Browser, cast: Cast) -> None:
    assert f'href="{ACCURACY}"' in words(fay.get(QUEUE))
    assert f'href="{WHATIF}"' in words(fay.get(reverse("admin:billing_sessioncost_changelist")))
