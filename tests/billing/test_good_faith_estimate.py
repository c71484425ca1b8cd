"""Good Faith Estimates: the figures, what must be said, by when, and the file itself."""

import hashlib
import io
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction
from pypdf import PdfReader

from billing.domain import good_faith
from billing.domain.good_faith import Frequency
from billing.models import GoodFaithEstimate
from billing.services import good_faith_estimate as estimates
from billing.services.good_faith_pdf import write
from care.models import Session, StandardCharge
from common import clock
from common.errors import BadInput
from insurance.services import pauses
from notifications.models import Email
from tests.cast import Cast, assemble, money


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def paused(cast: Cast) -> Cast:
    """Ana has seen Dr. Cole, has a session booked in two weeks, and is paused."""
    cast.book(days=-7)
    cast.book(days=14)
    pauses.open_pause(coverage=cast.own_plan, evidence="835")
    return cast


def issue(cast: Cast, **given: object) -> GoodFaithEstimate:
    wanted = {"frequency": "weekly", "first_on": clock.today() + timedelta(days=14), "months": 12, **given}
    return estimates.issue(client=cast.ana, provider=cast.cole, **wanted)  # type: ignore[arg-type]


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


# Rules


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2026, 3, 10), 12, date(2027, 3, 9)),
        (date(2026, 1, 31), 1, date(2026, 2, 27)),
        (date(2024, 2, 29), 12, date(2025, 2, 27)),
        (date(2026, 12, 1), 1, date(2026, 12, 31)),
    ],
)
def test_the_months_of_an_estimate(first: date, months: int, last: date) -> None:
    assert good_faith.last_day(first, months) == last


@pytest.mark.parametrize("months", [0, 13])
def test_never_more_than_twelve_months(months: int) -> None:
    with pytest.raises(ValueError, match="1 to 12"):
        good_faith.last_day(date(2026, 3, 10), months)


def test_a_year_of_weeks_and_of_fortnights() -> None:
    first, last = date(2026, 3, 10), date(2027, 3, 9)
    counts = {each: len(good_faith.planned_days(first, last, each)) for each in Frequency}
    assert counts == {Frequency.WEEKLY: 53, Frequency.BIWEEKLY: 27, Frequency.MONTHLY: 14, Frequency.ONCE: 1}


@pytest.mark.parametrize(("ahead", "within"), [(None, 3), (0, 0), (2, 0), (3, 1), (9, 1), (10, 3), (40, 3)])
def test_how_soon_it_must_be_given(ahead: int | None, within: int) -> None:
    assert good_faith.business_days_to_issue(ahead) == within


# Issuing


def test_what_is_issued(paused: Cast) -> None:
    estimate = issue(paused, months=3, first_on=clock.today() + timedelta(days=1))
    days = good_faith.planned_days(estimate.first_on, estimate.last_on, Frequency.WEEKLY)
    assert estimate.total == money("220.00") * len(days)
    assert estimate.content["items"] == [
        {
            "service": "Therapy session, 60 minutes", "cpt": "90837", "diagnoses": ["F41.1"], "charge": "220.00",
            "count": len(days), "total": f"{estimate.total}",
        }
    ]  # fmt: skip
    assert estimate.content["booked"] == [(clock.today() + timedelta(days=14)).isoformat()]
    assert (estimate.requested_on, estimate.issued_on) == (clock.today(), clock.today())
    assert estimate.due_on <= clock.add_business_days(clock.today(), 3)
    assert estimate.sha256 == hashlib.sha256(bytes(estimate.pdf)).hexdigest()


def test_the_file_says_what_the_rule_asks_for(paused: Cast) -> None:
    """45 CFR 149.610(c)(1), point by point."""
    said = text_of(bytes(issue(paused).pdf))
    for words in (
        "Ana Rivera", "April 12, 1988", "Therapy session, 60 minutes", "90837", "F41.1", "$220.00",
        "Maya Cole", "NPI 1234567893", "TIN", "13-1234567", "licensed in NY", "205 Hudson Street",
        "Every week, 53 sessions in all", "only an estimate", "have to be booked or asked for separately",
        "$400 or more", "www.cms.gov/nosurprises", "1-800-985-3059", "will not adversely affect", "not a contract",
    ):  # fmt: skip
        assert words in said, words


def test_the_file_has_title_language_and_embedded_fonts(paused: Cast) -> None:
    reader = PdfReader(io.BytesIO(bytes(issue(paused).pdf)))
    assert reader.metadata is not None
    assert (reader.metadata.title or "").startswith("Good Faith Estimate, ")
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "en-us"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    used: set[str] = set()

    def note(text: str, _user: Any, _place: Any, font: Any, _size: Any) -> None:
        if text.strip():
            used.add(font["/BaseFont"])

    for page in reader.pages:
        page.extract_text(visitor_text=note)
    assert used
    assert all("Vera" in name for name in used), used


def test_the_same_content_gives_the_same_bytes_and_strange_letters_do_no_harm(paused: Cast) -> None:
    content = issue(paused).content
    assert write(content) == write(content)
    content["client"]["name"] = "Łucja <b>Nguyễn</b> & 李"
    assert "Nguyen" in text_of(write(content)).replace("ễ", "e")


def test_a_change_of_charge_within_the_year_makes_two_rows(paused: Cast) -> None:
    first = clock.today() + timedelta(days=14)
    StandardCharge.objects.create(cpt="90837", effective_from=first + timedelta(days=21), amount=money("240.00"))
    rows = issue(paused, frequency="weekly", months=2).content["items"]
    assert [(rows[0]["count"], rows[0]["charge"]), rows[1]["charge"]] == [(3, "220.00"), "240.00"]


def test_a_first_visit_is_an_assessment_without_a_diagnosis(cast: Cast) -> None:
    session = cast.book(days=3)
    Session.objects.filter(pk=session.pk).update(status="cancelled")
    StandardCharge.objects.create(cpt="90791", effective_from=date(2020, 1, 1), amount=money("260.00"))
    pauses.open_pause(coverage=cast.own_plan, evidence="835")
    estimate = issue(cast, frequency="biweekly", months=1)
    assert [(row["cpt"], row["diagnoses"]) for row in estimate.content["items"]] == [("90791", []), ("90837", [])]


def test_twice_in_a_row_is_one_estimate_and_one_e_mail_without_anything_in_it(paused: Cast) -> None:
    assert issue(paused) == issue(paused)
    email = Email.objects.get(kind="estimate_ready")
    assert "90837" not in email.text
    assert "$" not in email.text
    assert "attach" not in email.text


def test_it_never_changes(paused: Cast) -> None:
    estimate = issue(paused)
    with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
        GoodFaithEstimate.objects.filter(pk=estimate.pk).update(total=money("1.00"))


# Refusals


def test_only_a_paused_account_needs_one(cast: Cast) -> None:
    cast.book(days=-7)
    with pytest.raises(estimates.NoEstimate):
        issue(cast)
    assert not GoodFaithEstimate.objects.exists()


def test_only_from_one_s_own_provider(paused: Cast) -> None:
    with pytest.raises(estimates.NoEstimate):
        estimates.issue(client=paused.ana, provider=paused.diaz, frequency="weekly", first_on=clock.today())


@pytest.mark.parametrize("days", [-1, 400])
def test_only_days_to_come(paused: Cast, days: int) -> None:
    with pytest.raises(BadInput):
        issue(paused, first_on=clock.today() + timedelta(days=days))
    assert not Email.objects.filter(kind="estimate_ready").exists()
