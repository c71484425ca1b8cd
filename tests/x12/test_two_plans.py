"""One session, two plans, on the wire: claim to Alpha, its answers, claim to Beta with Alpha's decision inside, Beta's
answer. Charge $200.00; Alpha allows $130.00."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from common.errors import BadInput
from insurance.x12 import balance_837p, next_payer, validate, x277ca, x835, x837p, x999
from insurance.x12.names import Name
from insurance.x12.segments import Finding
from tests.x12 import cast
from tests.x12.cast import money


def remitted(raw: bytes) -> x835.Remittance:
    findings: list[Finding] = []
    (found,) = x835.read(raw, findings)
    assert findings == []
    assert found.balanced
    return found


def claim_of(raw: bytes) -> x837p.Claim:
    (submission,) = x837p.read(raw)
    (claim,) = submission.claims
    return claim


def to_beta(sent: x837p.Claim, decided: x835.RemittedClaim) -> x837p.Claim:
    return next_payer.bill_next(sent, decided, adjudicated_on=cast.DECIDED, to=cast.BETA_LATER, control_number="S1S")


def test_from_primary_claim_to_final_share() -> None:
    primary = cast.claim()
    raw = cast.send(primary)
    assert validate.findings(raw) == []

    # Alpha's clearinghouse takes the file, Alpha takes the claim.
    group = x999.AcknowledgedGroup("HC", "17", "A", (x999.AcknowledgedTransaction("837", "0001", "A"),), x837p.VERSION)
    (form,) = x999.read(cast.acknowledge(group))
    assert form.accepted
    assert form.control_number == "17"
    taken = x277ca.AcknowledgedClaim(
        "S1P", (x277ca.Status("A2", "20", "", "WQ", date(2026, 3, 11), money("200")),), payer_control_number="ICNS1P"
    )
    payer = Name("ALPHA HEALTH", qualifier="PI", identifier="ALPH1")
    batch = x277ca.Acknowledgement(payer, "PR", payer, x837p.batch_reference(17, 1), (taken,))
    (receipt,) = x277ca.read(cast.receipt(batch))
    assert receipt.batch_reference == "000000017-0001"
    assert [(each.control_number, each.accepted, each.payer_control_number) for each in receipt.claims] == [
        ("S1P", True, "ICNS1P")
    ]

    # Alpha pays: 200.00 charged, 70.00 written off, 20.00 deductible, 22.00 coinsurance, 5.00 copay, 83.00 paid.
    received = claim_of(raw)
    decision = cast.paid_line(
        received.lines[0], "83.00", ("CO", "45", "70"), ("PR", "1", "20"), ("PR", "2", "22"), ("PR", "3", "5")
    )
    first = remitted(cast.pay(cast.remittance(cast.ALPHA, cast.answer(received, (decision,)))))
    (alpha,) = first.claims
    assert (alpha.paid, alpha.client_responsibility) == (money("83.00"), money("47.00"))
    assert x835.allowed(alpha) == money("130.00")
    assert x835.explain(alpha) == (
        "The insurer allowed $130.00, paid $83.00 and leaves $47.00 to the patient"
        " (deductible $20.00, coinsurance $22.00, copay $5.00)."
    )

    # The claim to Beta carries that decision, line by line, and adds up.
    secondary = to_beta(primary, alpha)
    assert balance_837p.findings(secondary) == []
    wire = cast.send(secondary, control_number=18)
    assert validate.findings(wire) == []
    texts = wire.decode().split("~")
    assert [text for text in texts if text.startswith(("SBR", "AMT", "OI", "SVD", "CAS", "DTP*573", "REF*F8"))] == [
        "SBR*S**B-200******CI",
        "SBR*P*18*A-100******CI",
        "AMT*D*83",
        "OI***Y***Y",
        "REF*F8*ICNS1P",
        "SVD*ALPH1*83*HC:90837:95**1",
        "CAS*CO*45*70",
        "CAS*PR*1*20**2*22**3*5",
        "DTP*573*D8*20260324",
        "AMT*EAF*47",
    ]
    assert [text for text in texts if text.startswith(("PAT", "NM1*IL", "NM1*QC"))] == [
        "NM1*IL*1*LOPEZ*BEN****MI*BEN777",
        "PAT*01",
        "NM1*QC*1*LOPEZ*ANA*M",
        "NM1*IL*1*LOPEZ*ANA*M***MI*ANA001",
    ]
    assert cast.send(claim_of(wire), control_number=18) == wire

    # Beta counts 153.00 as Alpha's part and pays all but 7.00 of what Alpha left.
    beta_line = cast.paid_line(claim_of(wire).lines[0], "40.00", ("OA", "23", "153"), ("PR", "2", "7"))
    second = remitted(cast.pay(cast.remittance(cast.BETA, cast.answer(secondary, (beta_line,), "2"))))
    (beta,) = second.claims
    assert beta.client_responsibility == money("7.00")
    assert x835.explain(beta) == (
        "After $153.00 that the earlier plan paid or adjusted, the insurer paid $40.00"
        " and leaves $7.00 to the patient (coinsurance)."
    )


def test_a_third_plan_gets_both_decisions() -> None:
    primary = cast.claim(others=(cast.BETA_LATER, cast.GAMMA_LATER))
    alpha = cast.answer(primary, (cast.paid_line(primary.lines[0], "83", ("CO", "45", "70"), ("PR", "1", "47")),))
    secondary = to_beta(primary, alpha)
    assert [(each.rank, each.paid) for each in secondary.other_payers] == [("P", money("83.00")), ("T", None)]
    beta = cast.answer(
        secondary, (cast.paid_line(secondary.lines[0], "40", ("OA", "23", "153"), ("PR", "2", "7")),), "2"
    )
    third = next_payer.bill_next(
        secondary, beta, adjudicated_on=cast.DECIDED_SECOND, to=cast.GAMMA_LATER, control_number="S1T"
    )
    assert balance_837p.findings(third) == []
    raw = cast.send(third, control_number=19)
    assert validate.findings(raw) == []
    assert cast.send(claim_of(raw), control_number=19) == raw
    assert (third.rank, third.subscriber.first, third.patient, third.payer) == ("T", "ANA", None, cast.GAMMA)
    assert [(each.payer_id, each.paid, each.adjudicated_on) for each in third.lines[0].prior] == [
        ("ALPH1", money("83"), cast.DECIDED),
        ("BETA1", money("40"), cast.DECIDED_SECOND),
    ]


def test_a_decision_without_lines_travels_at_the_claim() -> None:
    primary = cast.claim()
    whole = replace(
        cast.answer(primary, ()),
        paid=money("83.00"),
        adjustments=cast.adjustments(("CO", "45", "70"), ("PR", "1", "47"), ("CO", "253", "0")),
        stated_responsibility=money("47.00"),
        claim_remarks=("MA18",),
    )
    secondary = to_beta(primary, whole)
    assert balance_837p.findings(secondary) == []
    raw = cast.send(secondary)
    assert validate.findings(raw) == []
    texts = raw.decode().split("~")
    assert [text for text in texts if text.startswith(("CAS", "AMT", "MOA", "DTP*573", "SVD"))] == [
        "CAS*CO*45*70",
        "CAS*PR*1*47",
        "AMT*D*83",
        "AMT*EAF*47",
        "MOA***MA18",
        "DTP*573*D8*20260324",
    ]


def test_lines_are_matched_by_our_number_else_by_what_was_billed() -> None:
    long, short = cast.line("200", "L1"), cast.line("40", "L2", "90785")
    by_number = [replace(cast.paid_line(short, "0"), charge=money("39")), cast.paid_line(long, "0")]
    assert [[each.procedure for each in answers] for answers in next_payer.match_lines((long, short), by_number)] == [
        ["90837"],
        ["90785"],
    ]
    unnumbered = replace(cast.paid_line(short, "0"), control_number="", references=())
    assert next_payer.match_lines((long, short), [unnumbered]) == [[], [unnumbered]]
    with pytest.raises(next_payer.LineNotMatched, match=r"90785 of 39\.00"):
        next_payer.match_lines((long, short), [replace(unnumbered, charge=money("39.00"))])


def test_a_line_paid_under_another_says_which() -> None:
    long, short = cast.line("200", "L1"), cast.line("40", "L2", "90785")
    primary = cast.claim(long, short)
    bundled = replace(cast.paid_line(short, "0", ("CO", "97", "40")), procedure="90837", original_procedure="90785")
    answer = cast.answer(primary, (cast.paid_line(long, "130", ("CO", "45", "70")), bundled))
    secondary = to_beta(primary, answer)
    assert [each.bundled_line for line in secondary.lines for each in line.prior] == ["", "1"]
    assert validate.findings(cast.send(secondary)) == []


def test_a_reversal_is_never_carried_on() -> None:
    primary = cast.claim()
    with pytest.raises(BadInput, match="takes a decision back"):
        to_beta(primary, cast.answer(primary, (cast.paid_line(primary.lines[0], "0"),), "22"))


class TestBalance:
    """Each broken rule is named; docs/remittances.md has the figures."""

    def secondary(self) -> x837p.Claim:
        primary = cast.claim()
        line = cast.paid_line(primary.lines[0], "83", ("CO", "45", "70"), ("PR", "1", "47"))
        return to_beta(primary, cast.answer(primary, (line,)))

    def messages(self, claim: x837p.Claim) -> list[str]:
        return [f"{each.where}: {each.message}" for each in balance_837p.findings(claim)]

    def test_whole(self) -> None:
        assert self.messages(self.secondary()) == []
        assert self.messages(cast.claim()) == []

    def test_claim_and_lines_charge_different_amounts(self) -> None:
        broken = replace(cast.claim(), charge=money("190"))
        assert self.messages(broken) == ["claim S1P: the lines charge 200.00, the claim 190"]

    def test_line_does_not_account_for_its_charge(self) -> None:
        good = self.secondary()
        prior = replace(good.lines[0].prior[0], adjustments=cast.adjustments(("CO", "45", "60"), ("PR", "1", "47")))
        broken = replace(good, lines=(replace(good.lines[0], prior=(prior,)),))
        assert self.messages(broken) == [
            "claim S1S payer ALPH1 line 1: charge 200.00 is not paid 83.00 plus adjustments 107.00",
            "claim S1S payer ALPH1: charge 200.00 is not accounted for: paid and adjustments make 190.00",
        ]

    def test_payer_total_differs_from_its_lines(self) -> None:
        good = self.secondary()
        broken = replace(good, other_payers=(replace(good.other_payers[0], paid=money("80")),))
        assert self.messages(broken) == [
            "claim S1S payer ALPH1: AMT*D says 80 paid, the lines less claim adjustments say 83.00",
            "claim S1S payer ALPH1: charge 200.00 is not accounted for: paid and adjustments make 197.00",
        ]

    def test_claim_level_adjustment_lowers_what_the_lines_paid(self) -> None:
        good = self.secondary()
        other = replace(good.other_payers[0], paid=money("80"), adjustments=cast.adjustments(("CO", "253", "3")))
        assert self.messages(replace(good, other_payers=(other,))) == []

    def test_adjudication_date_stands_at_one_level_only(self) -> None:
        good = self.secondary()
        both = replace(good, other_payers=(replace(good.other_payers[0], adjudicated_on=cast.DECIDED),))
        assert self.messages(both) == [
            "claim S1S payer ALPH1: its adjudication date stands both at the claim and at a line"
        ]
        prior = replace(good.lines[0].prior[0], adjudicated_on=None)
        none = replace(good, lines=(replace(good.lines[0], prior=(prior,)),))
        assert self.messages(none) == ["claim S1S payer ALPH1: its adjudication date is missing"]

    def test_line_decided_by_a_payer_the_claim_does_not_name(self) -> None:
        good = self.secondary()
        prior = replace(good.lines[0].prior[0], payer_id="NOONE")
        broken = replace(good, lines=(replace(good.lines[0], prior=(prior,)),))
        assert self.messages(broken)[0] == (
            "claim S1S line 1: payer 'NOONE' decided the line but is not among the other payers"
        )

    def test_amounts_without_a_total_are_missing_it(self) -> None:
        good = self.secondary()
        broken = replace(good, other_payers=(replace(good.other_payers[0], paid=None),))
        assert self.messages(broken) == [
            "claim S1S payer ALPH1: it has adjudicated, but what it paid (AMT*D) is missing"
        ]

    def test_two_payers_of_one_rank_and_a_pointer_to_nothing(self) -> None:
        broken = replace(cast.claim(replace(cast.line(), pointers=(1, 5))), rank="S")
        assert self.messages(broken) == [
            "claim S1P line 1: it points to diagnosis 5, which is not there",
            "claim S1P: two payers have one rank: S S",
        ]


def test_client_responsibility_of_a_prior_payer() -> None:
    secondary = TestBalance().secondary()
    (alpha,) = secondary.other_payers
    assert x837p.client_responsibility(secondary, alpha) == money("47.00")
    assert x837p.client_responsibility(cast.claim(), cast.BETA_LATER) is None
    assert x837p.client_responsibility(secondary, replace(alpha, remaining=Decimal("40"))) == Decimal("40")
