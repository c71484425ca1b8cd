"""Which words of an insurer mean that its member must act: every row of the table in docs/pauses.md."""

import pytest

from insurance.domain.benefits import Benefits, CobSignal, OtherPayer
from insurance.domain.cob_evidence import in_acknowledgement, in_answer, names


def said(*messages: str, signal: CobSignal = CobSignal.UNDETERMINED) -> Benefits:
    return Benefits(active=True, cob_signal=signal, messages=messages)


@pytest.mark.parametrize(
    "message",
    [
        "COORDINATION OF BENEFITS INFORMATION IS NOT UP TO DATE. MEMBER MUST CALL MEMBER SERVICES",
        "Member must update other insurance information",
        "COB UPDATE REQUIRED",
        "SUBSCRIBER NEEDS TO CONTACT US REGARDING OTHER COVERAGE",
        "COORDINATION OF BENEFITS QUESTIONNAIRE NOT RECEIVED",
        "OTHER INSURANCE VERIFICATION OVERDUE",
    ],
)
def test_the_member_must_act(message: str) -> None:
    found = in_answer(said(message))
    assert found is not None
    assert (found.codes, found.reason) == ("MSG", message)


@pytest.mark.parametrize(
    "benefits",
    [
        said(),
        said("COB IS CURRENT"),
        said("OTHER INSURANCE ON FILE"),
        said("COB UPDATE NOT REQUIRED"),
        said("MEMBER MUST CALL FOR PRIOR AUTHORIZATION"),
        said("MEMBER MUST UPDATE OTHER INSURANCE", signal=CobSignal.ANOTHER_IS_PRIMARY),
        said("MEMBER MUST UPDATE OTHER INSURANCE", signal=CobSignal.THIS_IS_PRIMARY),
        said("MEMBER MUST UPDATE OTHER INSURANCE", signal=CobSignal.NONE),
    ],
)
def test_nothing_is_asked_of_the_member(benefits: Benefits) -> None:
    assert in_answer(benefits) is None


@pytest.mark.parametrize(
    ("statuses", "other_plans", "codes"),
    [
        ([("A3", "52")], False, "A3:52"),
        ([("A3", "52")], True, "A3:52"),
        ([("A6", "171")], False, "A6:171"),
        ([("A6", "171")], True, ""),
        ([("A7", "286")], False, "A7:286"),
        ([("A3", "85")], False, "A3:85"),
        ([("A3", "85")], True, ""),
        ([("A1", "52")], False, ""),
        ([("A2", "171")], False, ""),
        ([("A3", "33")], False, ""),
        ([("A3", "116")], False, ""),
        ([("A3", "116"), ("A3", "52")], True, "A3:52"),
    ],
)
def test_what_an_acknowledgement_means(statuses: list[tuple[str, str]], other_plans: bool, codes: str) -> None:
    assert in_acknowledgement(statuses, other_plans=other_plans) == codes


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (OtherPayer("HARBOR MUTUAL", rank="primary"), True),
        (OtherPayer("HM", rank="primary", payer_id="HARB1"), True),
        (OtherPayer("HARBOR MUTUAL"), True),
        (OtherPayer("HARBOR MUTUAL", rank="secondary"), False),
        (OtherPayer("SOMEBODY ELSE", rank="primary"), False),
        (OtherPayer("HARBOR MUTUAL", rank="primary", overlaps=False), False),
    ],
)
def test_naming_another_as_primary(other: OtherPayer, expected: bool) -> None:
    benefits = Benefits(active=True, cob_signal=CobSignal.ANOTHER_IS_PRIMARY, other_payers=(other,))
    assert names(benefits, name="Harbor Mutual", payer_id="HARB1") is expected
