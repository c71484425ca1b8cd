"""The bank's file: figures worked by hand, and a reader of its own that no damaged file gets past."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.nacha import Company, Credit, build, read, routing_number_is_valid
from common.errors import BadInput

D = Decimal
HEADWAY = Company("Headway Therapy Group", "1131234567", "Hudson Valley Bank", "123456780")
COLE = Credit("123456780", "000123456789", False, D("1120.00"), "PAYOUT 7", "Maya Cole")
DIAZ = Credit("211111115", "98-7654", True, D("310.05"), "PAYOUT 8", "Rafael Diaz")
CREATED, PAY_ON = datetime(2026, 11, 17, 9, 5), date(2026, 11, 20)  # noqa: DTZ001 - the bank has no zone


def written(*credits: Credit) -> bytes:
    return build(credits, company=HEADWAY, created=CREATED, pay_on=PAY_ON)


def test_two_providers_as_the_bank_reads_it() -> None:
    lines = written(COLE, DIAZ).decode().splitlines()
    assert lines == [
        "101 12345678011312345672611170905A094101HUDSON VALLEY BANK     HEADWAY THERAPY GROUP          ",
        "5220HEADWAY THERAPY                     1131234567PPDPAYOUT    261117261120   1123456780000001",
        "622123456780000123456789     0000112000PAYOUT 7       MAYA COLE               0123456780000001",
        "63221111111598-7654          0000031005PAYOUT 8       RAFAEL DIAZ             0123456780000002",
        # 12345678 + 21111111 = 33456789; 1,120.00 + 310.05 = 1,430.05
        "822000000200334567890000000000000000001430051131234567                         123456780000001",
        "9000001000001000000020033456789000000000000000000143005                                       ",
        *["9" * 94] * 4,
    ]
    assert all(len(line) == 94 for line in lines)


def test_what_is_read_is_what_was_written() -> None:
    found = read(written(COLE, DIAZ))
    assert found.credits == (
        Credit("123456780", "000123456789", False, D("1120.00"), "PAYOUT 7", "MAYA COLE"),
        Credit("211111115", "98-7654", True, D("310.05"), "PAYOUT 8", "RAFAEL DIAZ"),
    )
    assert (found.total, found.pay_on, found.created) == (D("1430.05"), PAY_ON, CREATED)
    assert found.traces == ("123456780000001", "123456780000002")


@pytest.mark.parametrize("number", ["123456780", "211111115", "011000015", "021000021"])
def test_routing_numbers_that_hold(number: str) -> None:
    assert routing_number_is_valid(number)


@pytest.mark.parametrize(
    "number", ["123456789", "12345678", "1234567800", "000000000", "991111119", "12345678x", "", "१२३४५६७८०"]
)
def test_routing_numbers_that_do_not(number: str) -> None:
    assert not routing_number_is_valid(number)


@pytest.mark.parametrize("place", range(8))
def test_one_wrong_digit_of_a_routing_number_is_noticed(place: int) -> None:
    right = "123456780"
    for digit in set("0123456789") - {right[place]}:
        assert not routing_number_is_valid(right[:place] + digit + right[place + 1 :])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (Credit("123456789", "1", False, D("1.00"), "P", "N"), "not a routing number"),
        (Credit("123456780", "", False, D("1.00"), "P", "N"), "account number"),
        (Credit("123456780", "1" * 18, False, D("1.00"), "P", "N"), "account number"),
        (Credit("123456780", "1", False, D("0.00"), "P", "N"), "cannot be paid"),
        (Credit("123456780", "1", False, D("-5.00"), "P", "N"), "cannot be paid"),
        (Credit("123456780", "1", False, D("100000000.00"), "P", "N"), "cannot be paid"),
    ],
)
def test_nobody_is_paid_wrongly(wrong: Credit, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        written(COLE, wrong)


def test_a_file_for_nobody_is_none() -> None:
    with pytest.raises(BadInput, match="nobody"):
        written()


def test_names_of_any_letters_keep_the_width() -> None:
    (line,) = [each for each in written(Credit("123456780", "1", False, D("1.00"), "P", "Zoë Ñ")).splitlines()
               if each.startswith(b"6")]  # fmt: skip
    assert len(line) == 94
    assert line[54:76] == b"ZO                    "


@pytest.mark.parametrize("count", [1, 5, 6, 7, 16, 17])
def test_the_file_is_filled_to_tens(count: int) -> None:
    lines = written(*[COLE] * count).decode().splitlines()
    assert len(lines) % 10 == 0
    assert len(lines) - len([each for each in lines if each == "9" * 94]) == count + 4
    assert read("\n".join(lines).encode()).total == COLE.amount * count


def test_a_hash_of_more_than_ten_digits_keeps_the_last_ten() -> None:
    credits = [Credit("800000006", "1", False, D("0.01"), "P", "N")] * 126  # 126 × 80,000,000 = 10,080,000,000
    (control,) = [line for line in written(*credits).decode().splitlines() if line.startswith("8")]
    assert control[10:20] == "0080000000"
    read(written(*credits))


people = st.builds(
    Credit,
    routing_number=st.sampled_from(["123456780", "211111115", "011000015"]),
    account_number=st.from_regex(r"\A[0-9]{4,17}\Z"),
    savings=st.booleans(),
    amount=st.integers(1, 10**10 - 1).map(lambda cents: D(cents) / 100),
    reference=st.from_regex(r"\APAYOUT [0-9]{1,8}\Z"),
    name=st.from_regex(r"\A[A-Z][A-Z ]{0,20}[A-Z]\Z"),
)


@given(st.lists(people, min_size=1, max_size=25))
def test_any_file_reads_back(credits: list[Credit]) -> None:
    assert list(read(written(*credits)).credits) == credits


@given(st.data())
def test_no_changed_digit_goes_unnoticed(data: st.DataObject) -> None:
    """Of what moves money: every digit of a bank, an amount, a trace, a count and a total."""
    raw = bytearray(written(COLE, DIAZ))
    line, first, last = data.draw(
        st.sampled_from([(2, 3, 12), (2, 29, 39), (3, 29, 39), (4, 4, 44), (5, 1, 55), (3, 79, 87)])
    )
    place = 95 * line + data.draw(st.integers(first, last - 1))
    raw[place] = ord(data.draw(st.sampled_from(sorted(set("0123456789") - {chr(raw[place])}))))
    with pytest.raises(BadInput):
        read(bytes(raw))


@pytest.mark.parametrize("cut", [1, 95, 300, 949])
def test_a_file_cut_short_is_refused(cut: int) -> None:
    with pytest.raises(BadInput):
        read(written(COLE, DIAZ)[:-cut] if cut > 1 else b"")
