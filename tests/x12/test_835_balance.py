"""A payment adds up on three levels; a cent anywhere shows, with where and how much."""

from dataclasses import replace

from insurance.x12 import x835
from tests.x12 import cast
from tests.x12.cast import money


def whole() -> x835.Remittance:
    """Two claims (83.00 and 60.00 paid) and 10.00 taken back: 133.00 paid."""
    long, short = cast.line(), cast.line("100", "S2L1", "90834")
    first = cast.answer(cast.claim(long), (cast.paid_line(long, "83", ("CO", "45", "70"), ("PR", "1", "47")),))
    second = replace(
        cast.answer(cast.claim(short), (cast.paid_line(short, "65", ("CO", "45", "35")),)),
        paid=money("60"), adjustments=cast.adjustments(("CO", "253", "5")),
    )  # fmt: skip
    return cast.remittance(
        cast.ALPHA, first, second, amount=money("133"),
        provider_adjustments=(x835.ProviderAdjustment("WO", money("10"), "ICN0"),),
    )  # fmt: skip


def read(remittance: x835.Remittance) -> x835.Remittance:
    (found,) = x835.read(cast.pay(remittance))
    return found


def differences(remittance: x835.Remittance) -> list[tuple[str, str]]:
    return [(each.level, str(each.difference)) for each in x835.imbalances(remittance)]


def test_line_claim_and_payment_add_up() -> None:
    found = read(whole())
    assert found.balanced
    assert differences(found) == []
    assert found.findings == ()


def test_a_cent_at_a_line_shows_at_the_line_and_the_claim() -> None:
    good = whole()
    first = good.claims[0]
    line = replace(first.lines[0], adjustments=cast.adjustments(("CO", "45", "69.99"), ("PR", "1", "47")))
    found = read(replace(good, claims=(replace(first, lines=(line,)), good.claims[1])))
    assert not found.balanced
    assert differences(found) == [("line", "0.01"), ("claim", "0.01")]
    assert [each.message for each in found.findings] == [
        "service 90837: charge 200.00 less adjustments 116.99 is not the payment 83.00; 0.01 is unexplained",
        "claim S1P: charge 200.00 less adjustments 116.99 is not the payment 83.00; 0.01 is unexplained",
    ]


def test_an_adjustment_repeated_at_the_claim_breaks_the_claim_only() -> None:
    good = whole()
    first = replace(good.claims[0], adjustments=cast.adjustments(("CO", "45", "70")))
    found = read(replace(good, claims=(first, good.claims[1])))
    assert differences(found) == [("claim", "-70.00")]
    assert not found.balanced


def test_the_payment_must_be_the_claims_less_what_is_taken_back() -> None:
    found = read(replace(whole(), amount=money("143")))
    assert differences(found) == [("payment", "-10.00")]
    assert not found.balanced


def test_a_claim_without_lines_balances_at_the_claim() -> None:
    claim = replace(cast.answer(cast.claim(), ()), paid=money("130"), adjustments=cast.adjustments(("CO", "45", "70")))
    assert read(cast.remittance(cast.ALPHA, claim)).balanced


def test_a_secondarys_negative_adjustment_counts_with_its_sign() -> None:
    line = cast.paid_line(cast.line("541"), "34", ("OA", "23", "516"), ("OA", "94", "-9"))
    claim = cast.answer(cast.claim(cast.line("541")), (line,), "2")
    assert read(cast.remittance(cast.BETA, claim)).balanced


def test_a_provider_adjustment_without_amount_cannot_be_called_balanced() -> None:
    raw = cast.pay(whole()).replace(b"WO:ICN0*10~", b"WO:ICN0~").replace(b"BPR*I*133*", b"BPR*I*143*")
    (found,) = x835.read(raw)
    assert found.difference == 0
    assert not found.balanced
    assert [each.message for each in found.findings] == ["PLB04 is missing: the amount of WO is not known"]
