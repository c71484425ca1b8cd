"""Contracts, credentials and rates from a file: all or nothing, never two in force at once, and again nothing."""

import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from common.errors import BadInput
from insurance.domain.timeline import Kind, Recorded, Stated, lay
from insurance.models import Credential, FeeSchedule, NetworkContract
from insurance.services import network_import
from insurance.services.network_file import Subject
from insurance.services.network_import import ImportRefused, Outcome, take_in
from people.models import Licence
from tests.cast import LONG_AGO, Cast, assemble

D = Decimal
COLE = "1234567893"


@pytest.fixture
def cast(db: None) -> Cast:
    return assemble()


def given(subject: str, text: str | bytes, *, apply: bool = True, **more: Any) -> Outcome:
    raw = text.encode() if isinstance(text, str) else text
    return take_in(Subject(subject), io.BytesIO(raw), apply=apply, **more)


def credentials(*rows: str) -> str:
    return "\n".join(["npi,payer_id,state,begins_on,ends_on", *rows]) + "\n"


def fees(*rows: str) -> str:
    return "\n".join(["payer_id,licence,cpt,rate,begins_on,ends_on", *rows]) + "\n"


def counts(outcome: Outcome) -> dict[str, int]:
    return {kind.value: count for kind, count in outcome.counts.items()}


def spans(cast: Cast, state: str = "NY") -> list[tuple[date, date | None]]:
    rows = Credential.objects.filter(provider=cast.cole, payer=cast.evergreen, state=state).order_by("begins_on")
    return list(rows.values_list("begins_on", "ends_on"))


# --- The timeline of one key ------------------------------------------------------------------------------------------


def day(month: int, number: int = 1) -> date:
    return date(2026, month, number)


def test_a_new_row_ends_the_one_before_it_on_the_day_before() -> None:
    laid = lay([Recorded(7, LONG_AGO, None)], [Stated(2, day(3), None)])
    assert [(each.kind, each.begins_on, each.ends_on) for each in laid.changes] == [
        (Kind.ENDED, LONG_AGO, day(2, 28)),
        (Kind.ADDED, day(3), None),
    ]


def test_an_open_end_lasts_until_the_next_row_whichever_comes_first_in_the_file() -> None:
    laid = lay([], [Stated(2, day(6), None), Stated(3, day(1), None)])
    assert [(each.begins_on, each.ends_on) for each in laid.changes] == [(day(1), day(5, 31)), (day(6), None)]
    again = lay(
        [Recorded(1, day(6), None), Recorded(2, day(1), day(5, 31))], [Stated(2, day(6), None), Stated(3, day(1), None)]
    )
    assert (again.changes, again.clashes, again.unchanged) == ((), (), 2)


def test_an_end_of_its_own_that_reaches_into_the_next_row_is_a_clash() -> None:
    in_file = lay([], [Stated(2, day(1), day(7)), Stated(3, day(6), None)])
    recorded = lay([Recorded(1, day(6), None)], [Stated(2, day(1), day(7))])
    assert [(each.line, each.column, each.message) for each in in_file.clashes] == [
        (2, "ends_on", "It ends on 2026-07-01, but line 3 begins on 2026-06-01.")
    ]
    assert [each.message for each in recorded.clashes] == [
        "It ends on 2026-07-01, but another one is recorded from 2026-06-01 on."
    ]


def test_the_same_first_day_twice_stands_only_when_it_says_the_same() -> None:
    assert not lay([], [Stated(2, day(1), None), Stated(3, day(1), None)]).clashes
    [clash] = lay([], [Stated(2, day(1), None), Stated(3, day(1), day(2))]).clashes
    assert (clash.line, clash.message) == (3, "Line 2 says something else for the same first day.")


def test_ended_and_changed_are_told_apart() -> None:
    was = Recorded(1, day(1), None, D("160.00"))
    [ended] = lay([was], [Stated(2, day(1), day(5), D("160.00"))]).changes
    [changed] = lay([was], [Stated(2, day(1), None, D("165.00"))]).changes
    [longer] = lay([Recorded(1, day(1), day(5))], [Stated(2, day(1), None)]).changes
    assert (ended.kind, changed.kind, longer.kind) == (Kind.ENDED, Kind.CHANGED, Kind.CHANGED)


# --- Files ------------------------------------------------------------------------------------------------------------


def test_a_file_adds_ends_and_changes_and_again_changes_nothing(cast: Cast) -> None:
    text = credentials(
        f"{COLE},EVGR1,NY,2026-01-01,",
        f"{COLE},EVGR1,NJ,2026-01-01,2026-12-31",
        f"{COLE},HARB1,NY,2020-01-01,2026-06-30",
    )
    outcome = given("credentials", text)
    assert (counts(outcome), outcome.unchanged, outcome.rows) == ({"added": 2, "ended": 2}, 0, 3)
    assert spans(cast) == [(LONG_AGO, date(2025, 12, 31)), (date(2026, 1, 1), None)]
    assert spans(cast, "NJ") == [(date(2026, 1, 1), date(2026, 12, 31))]
    assert Credential.objects.get(provider=cast.cole, payer=cast.harbor).ends_on == date(2026, 6, 30)

    again = given("credentials", text)
    assert (counts(again), again.unchanged, again.applied) == ({}, 3, True)
    longer = given("credentials", credentials(f"{COLE},HARB1,NY,2020-01-01,"))
    assert counts(longer) == {"changed": 1}


def test_looking_first_shows_what_it_would_do_and_does_nothing(cast: Cast) -> None:
    looked = given("fees", fees("EVGR1,PHD,90837,171.50,2027-01-01,"), apply=False)
    assert [(each.kind, each.about, each.before, each.after) for each in looked.changes] == [
        ("ended", "Evergreen Health, PHD, 90837", "2020-01-01 until further notice, $160.00",
         "2020-01-01 to 2026-12-31, $160.00"),
        ("added", "Evergreen Health, PHD, 90837", "", "2027-01-01 until further notice, $171.50"),
    ]  # fmt: skip
    assert not looked.applied
    assert not FeeSchedule.objects.filter(rate=D("171.50")).exists()
    assert given("fees", fees("EVGR1,PHD,90837,171.50,2027-01-01,"), expected=looked.digest).applied
    assert FeeSchedule.objects.get(rate=D("171.50")).licence == Licence.DOCTORAL


def test_what_was_looked_at_must_still_be_what_would_happen(cast: Cast) -> None:
    text = fees("EVGR1,PHD,90837,171.50,2027-01-01,")
    looked = given("fees", text, apply=False)
    FeeSchedule.objects.filter(payer=cast.evergreen, licence=Licence.DOCTORAL).update(rate=D("161.00"))
    with pytest.raises(ImportRefused, match="has changed since you looked"):
        given("fees", text, expected=looked.digest)
    assert not FeeSchedule.objects.filter(rate=D("171.50")).exists()


def test_a_providers_own_rate_and_one_out_of_network_are_other_keys(cast: Cast) -> None:
    text = (
        "payer_id,licence,cpt,rate,begins_on,npi,network,modifier\n"
        f'EVGR1,phd,90837,"$1,171.50",2026-01-01,{COLE},,\nEVGR1,PHD,90837,99.00,1/31/2026,,out,95\n'
    )
    assert counts(given("fees", text)) == {"added": 2}
    own = FeeSchedule.objects.get(provider=cast.cole)
    assert (own.rate, own.network) == (D("1171.50"), "in")
    out = FeeSchedule.objects.get(network="out")
    assert (out.begins_on, out.modifier) == (date(2026, 1, 31), "95")
    assert counts(given("fees", text)) == {}


def test_one_fault_anywhere_and_nothing_is_taken_in(cast: Cast) -> None:
    text = credentials(
        f"{COLE},EVGR1,NJ,2026-01-01,", "123,EVGR1,NJ,2026-01-01,", "1999999999,EVGR1,NJ,2026-01-01,",
        f"{COLE},NOPE,NJ,2026-01-01,", f"{COLE},EVGR1,Jersey,31.1.2026,", f"{COLE},EVGR1,NJ,2026-05-01,2026-04-30",
        f"{COLE},,NJ,,", "", f"{COLE},EVGR1,NJ,2026-01-01,2026-03-01,what",
    )  # fmt: skip
    outcome = given("credentials", text)
    told = [(each.line, each.column) for each in outcome.faults]
    assert told == [
        (3, "npi"), (4, "npi"), (5, "payer_id"), (6, "begins_on"), (6, "state"), (7, "ends_on"), (8, "begins_on"),
        (8, "payer_id"), (10, ""),
    ]  # fmt: skip
    assert (outcome.fault_count, outcome.applied, outcome.rows) == (9, False, 8)
    assert not Credential.objects.filter(state="NJ").exists()
    assert outcome.faults[0].message == "'123': an NPI has ten digits"


def test_a_rate_for_a_licence_the_provider_does_not_have_is_a_fault(cast: Cast) -> None:
    text = f"payer_id,licence,cpt,rate,begins_on,npi\nEVGR1,NP,90837,1.00,2026-01-01,{COLE}\n"
    [fault] = given("fees", text).faults
    assert (fault.line, fault.column, fault.message) == (
        2,
        "licence",
        "The provider with this NPI has the licence PHD.",
    )


@pytest.mark.parametrize("rate", ["0", "-5", "1.234", "ten", "1e3", "999999999", "NaN"])
def test_a_rate_that_is_none_is_a_fault(cast: Cast, rate: str) -> None:
    assert [each.column for each in given("fees", fees(f"EVGR1,PHD,90837,{rate},2026-01-01,")).faults] == ["rate"]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace(",", ";").replace("\n", "\r\n").encode("cp1252"),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace("npi,payer_id", '" NPI ","Payer-ID"').replace(",NJ,", ',"NJ" ,').encode(),
        lambda text: text.replace("\n", ",,,\n").encode(),
    ],
)
def test_files_as_spreadsheets_write_them_are_read(cast: Cast, encode: Any) -> None:
    outcome = given("credentials", encode(credentials(f"{COLE},EVGR1,NJ,2026-01-01,2026-12-31")))
    assert (outcome.faults, counts(outcome)) == ((), {"added": 1})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "missing: npi, payer_id, state, begins_on"),
        ("npi,payer_id,state\n", "missing: begins_on"),
        ("npi,payer_id,state,begins_on,ends\n", "not known: ends"),
        ("npi,npi,payer_id,state,begins_on\n", "twice: npi"),
        ("npi,payer_id,state,begins_on\n" + "x" * 200_000, "no CSV file that can be read"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x81", "no CSV file|must name the columns"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(cast: Cast, text: str | bytes, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        given("credentials", text)


def test_contracts_too(cast: Cast) -> None:
    outcome = given("contracts", "payer_id,begins_on,ends_on\nHARB1,2020-01-01,2026-12-31\n")
    assert counts(outcome) == {"ended": 1}
    assert NetworkContract.objects.get(payer=cast.harbor).ends_on == date(2026, 12, 31)


def test_a_file_of_too_many_rows_is_a_fault(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insurance.services.network_file.MAX_ROWS", 2)
    rows = [
        f"{COLE},EVGR1,NJ,{date(2026, 1, 1) + timedelta(days=n)},{date(2026, 1, 1) + timedelta(days=n)}"
        for n in range(3)
    ]
    outcome = given("credentials", credentials(*rows))
    assert outcome.fault_count == 1
    assert not Credential.objects.filter(state="NJ").exists()


def test_rows_of_many_chunks_and_the_history_says_where_they_came_from(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_import, "CHUNK", 7)
    rows = [f"{COLE},EVGR1,NJ,{date(2020 + n, 1, 1)}," for n in range(20)]
    seen: list[tuple[str, int]] = []
    outcome = given(
        "credentials", credentials(*reversed(rows)), source="july.csv", tell=lambda *each: seen.append(each)
    )
    assert counts(outcome) == {"added": 20}
    assert spans(cast, "NJ")[-2:] == [(date(2038, 1, 1), date(2038, 12, 31)), (date(2039, 1, 1), None)]
    assert ("read", 20) in seen and ("changed", 20) in seen
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT metadata->>'source' FROM pghistory_context")
        assert cursor.fetchall() == [("import of credentials: july.csv",)]


# --- The command ------------------------------------------------------------------------------------------------------


def test_the_command_tells_what_it_did_and_refuses_without_a_traceback(cast: Cast, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(credentials(f"{COLE},EVGR1,NJ,2026-01-01,"))
    bad.write_text(credentials(f"{COLE},EVGR1,XX,2026-01-01,"))
    out, err = io.StringIO(), io.StringIO()

    call_command("import_network", "credentials", str(good), "--dry-run", stdout=out, stderr=err)
    assert out.getvalue().endswith("1 rows: 1 added, 0 ended, 0 changed, 0 unchanged (dry run: nothing was changed)\n")
    assert not spans(cast, "NJ")
    call_command("import_network", "credentials", str(good), stdout=out, stderr=err)
    assert "added    Evergreen Health, NPI 1234567893, NJ: 2026-01-01 until further notice (line 2)" in out.getvalue()
    assert spans(cast, "NJ") == [(date(2026, 1, 1), None)]

    with pytest.raises(CommandError, match="1 faults: nothing was changed"):
        call_command("import_network", "credentials", str(bad), stdout=out, stderr=err)
    assert "line 2, state: 'XX': a state is written with its two letters, such as NY" in err.getvalue()
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("import_network", "credentials", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="must name the columns"):
        call_command("import_network", "fees", str(good))
