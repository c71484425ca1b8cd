"""Support's pages about insurers' money, who owes us for how long, and what we do not ask for."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from billing.flows import confirm_session
from billing.ledger.posting import Book, balance
from billing.models import SuspenseMove, WriteOff
from billing.services.balances import session_balance
from care.models import Session
from insurance.models import Adjudication, ProviderAdjustment
from people.models import AccessEvent, Role
from tests.billing.answers import claim, confirmed, evergreen, reversal, told
from tests.billing.test_insurer_money import plb
from tests.cast import Cast, assemble, card, user

D = Decimal


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


@pytest.fixture
def fay(cast: Cast) -> Browser:
    found = Browser()
    found.force_login(cast.fay)
    return found


@pytest.fixture
def gus(cast: Cast) -> Browser:
    found = Browser()
    found.force_login(user("gus@example.com", Role.AUDITOR, staff=True))
    return found


@pytest.fixture
def session(cast: Cast) -> Session:
    card(cast.ana)
    return confirmed(cast)


def page(row: Adjudication | ProviderAdjustment | Session, name: str) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_page", args=[row.pk, name])


SUSPENSE = "admin:insurance_provideradjustment_tool"


def lost(session: Session) -> Adjudication:
    told(claim(session, 1), replace(evergreen(session), control_number="NOTOURS"))
    return Adjudication.objects.get(claim=None)


# Suspense


def test_what_waits_is_listed_and_counted_on_the_first_page(session: Session, fay: Browser) -> None:
    assert "Nothing waits" in fay.get(reverse(SUSPENSE, args=["suspense"])).content.decode()
    result, pair = lost(session), plb(session, "WO", "", "10.00")
    shown = fay.get(reverse(SUSPENSE, args=["suspense"])).content.decode()
    assert page(result, "match") in shown
    assert page(pair, "place") in shown
    assert "WO: overpayment taken back" in shown
    tiles = {tile["label"]: tile["count"] for tile in fay.get(reverse("admin:index")).context["tiles"]}
    assert tiles["Insurers' money to be placed"] == 2


def test_the_list_takes_as_many_queries_for_many(
    session: Session, fay: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        plb(session, "CS", "", "1.00")
    with django_assert_max_num_queries(8):
        fay.get(reverse(SUSPENSE, args=["suspense"]))


def test_a_result_is_matched_by_support_and_settled(session: Session, fay: Browser) -> None:
    result = lost(session)
    shown = fay.get(page(result, "match")).content.decode()
    assert claim(session, 1).control_number in shown
    assert "the member is the same" in shown
    answer = fay.post(page(result, "match"), {"number": claim(session, 1).control_number, "note": "Same day."})
    assert answer.status_code == 302
    assert claim(session, 1).decision == "paid"
    assert balance(Book.INSURER_SUSPENSE) == D("0.00")
    assert "It answers" in fay.get(page(result, "match")).content.decode()


@pytest.mark.parametrize(
    ("number", "note", "says"),
    [
        ("HW9999999999", "It is.", "We have no claim HW9999999999."),
        ("", "It is.", "Please say which claim it is."),
        ("{ours}", "", "Please write why."),
    ],
)
def test_a_wrong_match_keeps_what_was_typed(session: Session, fay: Browser, number: str, note: str, says: str) -> None:
    result = lost(session)
    typed = number.replace("{ours}", claim(session, 1).control_number)
    answer = fay.post(page(result, "match"), {"number": typed, "note": note})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert f'value="{typed}"' in answer.content.decode() or not typed
    assert not SuspenseMove.objects.exists()


def test_an_amount_is_placed_with_its_session_suggested_and_the_state_s_limit_told(
    session: Session, fay: Browser
) -> None:
    told(claim(session, 1), evergreen(session))
    pair = plb(session, "WO", claim(session, 1).payer_control_number, "10.00")
    shown = fay.get(page(pair, "place")).content.decode()
    assert f'value="{session.pk}"' in shown
    assert "In New York an insurer may take back until" in shown
    assert "It is within the time." in shown
    answer = fay.post(
        page(pair, "place"), {"kind": "recoupment", "amount": "10.00", "session": session.pk, "note": "Their letter."}
    )
    assert answer.status_code == 302
    (move,) = SuspenseMove.objects.all()
    assert (move.kind, move.amount, move.session) == ("recoupment", D("-10.00"), session)
    assert "Nothing of it is in suspense" in fay.get(page(pair, "place")).content.decode()


def test_an_amount_above_what_is_there_is_refused_beside_its_field(session: Session, fay: Browser) -> None:
    pair = plb(session, "CS", "", "10.00")
    answer = fay.post(page(pair, "place"), {"kind": "other", "amount": "10.01", "session": "", "note": "Why not."})
    assert answer.status_code == 422
    assert "Only $10.00 of it is in suspense." in answer.content.decode()
    answer = fay.post(page(pair, "place"), {"kind": "other", "amount": "1.00", "session": "nonsense", "note": "Why."})
    assert answer.status_code == 422
    assert "There is no such session." in answer.content.decode()


def test_amounts_that_cancel_each_other_are_shown(session: Session, fay: Browser) -> None:
    forward, back = plb(session, "FB", "A1", "-25.00"), plb(session, "FB", "A1", "25.00")
    assert page(back, "place") in fay.get(page(forward, "place")).content.decode()


def test_a_reversal_tells_whether_it_is_in_time(session: Session, fay: Browser) -> None:
    said = evergreen(session)
    told(claim(session, 1), said)
    told(claim(session, 1), reversal(said))
    shown = fay.get(page(Adjudication.objects.latest("pk"), "match")).content.decode()
    assert "May the insurer take this back?" in shown
    assert "New York Insurance Law, section 3224-b" in shown


def test_an_auditor_looks_and_changes_nothing(session: Session, gus: Browser) -> None:
    result, pair = lost(session), plb(session, "CS", "", "10.00")
    assert gus.get(page(result, "match")).status_code == 200
    shown = gus.get(page(pair, "place"))
    assert (shown.status_code, "Book it" in shown.content.decode()) == (200, False)
    assert gus.post(page(result, "match"), {"number": "x", "note": "x"}).status_code == 404
    assert gus.post(page(pair, "place"), {"kind": "other", "amount": "1.00", "note": "x"}).status_code == 404
    assert gus.get(page(session, "write_off")).status_code == 404
    assert not SuspenseMove.objects.exists()


# Write-offs


def test_support_writes_off_and_takes_back_and_the_client_s_page_says_so(cast: Cast, fay: Browser) -> None:
    session = cast.book()
    confirm_session.confirm(session)
    assert "$72.00" in fay.get(page(session, "write_off")).content.decode()
    refused = fay.post(page(session, "write_off"), {"amount": "72.01", "reason": "hardship", "note": "She called."})
    assert (refused.status_code, "more than the client has to pay" in refused.content.decode()) == (422, True)
    done = fay.post(page(session, "write_off"), {"amount": "50.00", "reason": "hardship", "note": "She called."})
    assert done.status_code == 302
    ana = Browser()
    assert cast.ana.user is not None
    ana.force_login(cast.ana.user)
    assert "We do not ask for" in ana.get(reverse("portal:client:session", args=[session.pk])).content.decode()
    assert "We do not ask for $50.00 of this." in ana.get(reverse("portal:client:past")).content.decode()

    row = WriteOff.objects.get()
    take_back = reverse("admin:billing_writeoff_repair", args=[row.pk, "take_back"])
    assert fay.post(take_back, {"text": ""}).status_code == 422
    assert fay.post(take_back, {"text": "The wrong client."}).status_code == 302
    again = fay.post(take_back, {"text": "Once more."})
    assert (again.status_code, "not possible any more" in again.content.decode()) == (422, True)
    assert session_balance(session).due == D("72.00")
    assert "We do not ask for" not in ana.get(reverse("portal:client:past")).content.decode()


# Who owes us


def test_the_ages_lead_to_claims_and_sessions(session: Session, fay: Browser, cast: Cast) -> None:
    other = cast.book(days=-7)
    card_of_ana = cast.ana.cards.get()
    card_of_ana.is_default = False
    card_of_ana.save()
    confirm_session.confirm(other)
    insurers, clients = (
        reverse("admin:insurance_claim_tool", args=["aging"]),
        reverse("admin:people_client_tool", args=["aging"]),
    )
    shown = fay.get(insurers).content.decode()
    assert "Evergreen Health" in shown
    assert "Up to 30 days: $88.00 in 1" in shown
    detail = fay.get(insurers, {"who": str(cast.evergreen.pk), "bucket": "0-30"}).content.decode()
    assert reverse("admin:insurance_claim_change", args=[claim(session, 1).pk]) in detail
    assert AccessEvent.objects.filter(client=cast.ana, purpose="support: aging").exists()
    assert "Rivera, Ana" in fay.get(clients).content.decode()
    detail = fay.get(clients, {"who": str(cast.ana.pk)}).content.decode()
    assert reverse("admin:care_session_change", args=[other.pk]) in detail


def test_the_file_holds_every_claim_and_no_formula(session: Session, fay: Browser, cast: Cast) -> None:
    cast.evergreen.name = "=Evergreen()"
    cast.evergreen.save()
    answer = fay.get(reverse("admin:insurance_claim_tool", args=["aging"]), {"as": "csv"})
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("insurer,claim,session,date of service,sent on,days since,expected $")
    assert lines[1].startswith(f"'=Evergreen(),{claim(session, 1).control_number},{session.pk},")
    assert lines[1].endswith(",88.00,0,submitted none")
    assert len(lines) == 2


@pytest.mark.parametrize("query", [{"who": "x"}, {"who": "-1"}, {"bucket": "31"}, {"who": "9" * 30}, {"page": "²"}])
def test_a_made_up_address_is_not_found(cast: Cast, fay: Browser, query: dict[str, str]) -> None:
    assert fay.get(reverse("admin:insurance_claim_tool", args=["aging"]), query).status_code == 404


def test_nobody_owes_anything(cast: Cast, fay: Browser) -> None:
    assert "Nobody owes us anything" in fay.get(reverse("admin:people_client_tool", args=["aging"])).content.decode()


def test_the_ages_take_few_queries(
    session: Session, fay: Browser, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(6):
        fay.get(reverse("admin:insurance_claim_tool", args=["aging"]))
    with django_assert_max_num_queries(8):
        fay.get(reverse("admin:insurance_claim_tool", args=["aging"]), {"bucket": "0-30"})
