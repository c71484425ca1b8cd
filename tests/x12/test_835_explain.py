"""What support and clients read about a decision: plain, complete, and telling who must act."""

from dataclasses import replace
from typing import Any

import pytest

from insurance.x12 import x835
from tests.x12 import cast
from tests.x12.cast import money

Part = tuple[str, str, str]


def decided(*parts: Part, paid: str = "0", status: str = "1", **more: Any) -> x835.RemittedClaim:
    claim = cast.claim()
    answer = cast.answer(claim, (cast.paid_line(claim.lines[0], paid, *parts),), status)
    assert answer.difference == 0 or status in ("23", "25")
    return replace(answer, **more)


def name(full: str) -> x835.Name:
    return x835.Name(full, qualifier="PI", identifier="X1")


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (
            decided(("CO", "45", "70"), ("PR", "2", "26"), paid="104"),
            "The insurer allowed $130.00, paid $104.00 and leaves $26.00 to the patient (coinsurance).",
        ),
        (
            decided(("CO", "45", "70"), paid="130"),
            "The insurer allowed $130.00, paid $130.00 and leaves nothing to the patient.",
        ),
        (
            decided(("CO", "45", "70"), ("PR", "1", "130")),
            "The insurer allowed $130.00, paid $0.00 and leaves $130.00 to the patient (deductible).",
        ),
        (
            decided(("OA", "23", "174"), paid="26", status="2"),
            "After $174.00 that the earlier plan paid or adjusted, the insurer paid $26.00 and leaves nothing to the"
            " patient.",
        ),
        (
            decided(("CO", "29", "200"), status="4"),
            "The insurer paid nothing: the claim came too late.",
        ),
        (
            decided(("CO", "22", "200"), claim_remarks=("N197",)),
            "The insurer paid nothing: the insurer believes another plan pays first; the member must update"
            " insurance information with the insurer."
            " The member must call the insurer and update their coordination of benefits.",
        ),
        (
            decided(("CO", "22", "200")),
            "The insurer paid nothing: the insurer believes another plan pays first. If another plan covers the"
            " patient, bill it first; if not, the member must tell the insurer so.",
        ),
        (
            decided(("CO", "22", "200"), corrected_payer=name("BETA MUTUAL")),
            "The insurer paid nothing: the insurer believes another plan pays first. The insurer says that BETA MUTUAL"
            " pays first.",
        ),
        (
            decided(("PR", "227", "200"), claim_remarks=("N179",)),
            "The insurer paid nothing: information asked of the member has not come or is not enough; the insurer asked"
            " the member for more information and will decide when it comes. The member must answer what the insurer"
            " asked them.",
        ),
        (
            decided(("CO", "45", "70"), ("PR", "1", "47"), paid="83", status="19", crossover=name("BETA MUTUAL")),
            "The insurer allowed $130.00, paid $83.00 and leaves $47.00 to the patient (deductible)."
            " The insurer sent the claim on to BETA MUTUAL.",
        ),
        (
            decided(("OA", "B11", "200"), status="23"),
            "The insurer did not decide this claim: it is not theirs."
            " The insurer sent the claim on to another insurer.",
        ),
        (
            decided(("CO", "999", "200")),
            "The insurer paid nothing: reason code 999.",
        ),
        (
            replace(decided(paid="200"), paid=money("104"), lines=()),
            "The insurer paid $104.00; what it leaves to the patient cannot be told from this answer.",
        ),
    ],
    ids=[
        "coinsurance", "nothing left", "all deductible", "secondary", "denied", "22 and N197", "22 alone",
        "22 and a corrected payer", "member was asked", "crossover", "not theirs", "a code without words",
        "unexplained",
    ],
)  # fmt: skip
def test_explanation(claim: x835.RemittedClaim, sentence: str) -> None:
    assert x835.explain(claim) == sentence


def test_n197_counts_at_a_line_as_at_the_claim() -> None:
    claim = decided(("CO", "22", "200"))
    at_line = replace(claim, lines=(replace(claim.lines[0], remarks=("N197",)),))
    assert x835.explain(at_line).endswith("The member must call the insurer and update their coordination of benefits.")


def test_a_reversal_says_what_no_longer_stands() -> None:
    claim = decided(("CO", "45", "70"), ("PR", "2", "26"), paid="104")
    line = replace(
        claim.lines[0],
        charge=money("-200"),
        paid=money("-104"),
        adjustments=cast.adjustments(("CO", "45", "-70"), ("PR", "2", "-26")),
    )
    back = replace(
        claim, status="22", charge=money("-200"), paid=money("-104"), stated_responsibility=None, lines=(line,)
    )
    assert back.difference == 0
    assert x835.explain(back) == (
        "The insurer takes back an earlier decision on this claim: $104.00 paid and $26.00 of the patient's share no"
        " longer stand. A corrected decision may follow."
    )


@pytest.mark.parametrize("status", ["1", "2", "3", "4", "19", "20", "21", "22", "23", "25"])
def test_every_status_of_the_guide_has_words(status: str) -> None:
    assert "not known" not in x835.status_text(status)


def test_a_status_of_no_guide_says_so() -> None:
    assert x835.status_text("77") == "Status 77, not known"
