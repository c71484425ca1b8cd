"""What an insurer's answer to a claim means for us."""

from decimal import Decimal

import pytest

from insurance.domain.decisions import Meaning, Reason, read_decision

D = Decimal


def reasons(text: str) -> list[Reason]:
    """``"CO-45 60 PR-1 50"`` as reasons."""
    words = text.split()
    found = []
    for word, amount in zip(words[::2], words[1::2], strict=True):
        group, code = word.split("-")
        found.append(Reason(group, code, D(amount)))
    return found


@pytest.mark.parametrize(
    ("status", "paid", "why", "remarks", "meaning", "codes"),
    [
        ("1", "88", "CO-45 60 PR-1 50 PR-2 22", "", Meaning.PROCESSED, ""),
        ("1", "0", "CO-45 60 PR-1 160", "", Meaning.PROCESSED, ""),
        ("1", "0", "PR-3 20 CO-45 60", "", Meaning.PROCESSED, ""),
        ("4", "88", "CO-45 132", "", Meaning.PROCESSED, ""),
        ("2", "0", "OA-23 220", "", Meaning.PROCESSED, ""),
        ("2", "30", "OA-23 148 PR-1 42", "", Meaning.PROCESSED, ""),
        ("22", "-88", "CO-45 -60", "", Meaning.REVERSED, ""),
        ("1", "0", "CO-22 220", "N197", Meaning.MEMBER_MUST_UPDATE_COB, "CO-22 N197"),
        ("4", "0", "CO-16 220", "N197", Meaning.MEMBER_MUST_UPDATE_COB, "CO-16 N197"),
        ("1", "0", "PR-227 220", "N179", Meaning.MEMBER_MUST_UPDATE_COB, "PR-227 N179"),
        ("1", "0", "PR-227 220", "N686", Meaning.MEMBER_MUST_UPDATE_COB, "PR-227 N686"),
        ("1", "0", "PR-227 220", "", Meaning.DENIED, "PR-227"),
        ("1", "0", "CO-22 220", "", Meaning.OTHER_PAYS_FIRST, "CO-22"),
        ("1", "0", "OA-22 220", "N598", Meaning.OTHER_PAYS_FIRST, "OA-22 N598"),
        ("4", "0", "CO-109 220", "", Meaning.WRONG_PAYER, "CO-109"),
        ("1", "0", "OA-B11 220", "", Meaning.WRONG_PAYER, "OA-B11"),
        ("4", "0", "CO-301 220", "", Meaning.WRONG_PAYER, "CO-301"),
        ("23", "0", "OA-45 220", "", Meaning.WRONG_PAYER, ""),
        ("4", "0", "CO-197 220", "", Meaning.DENIED, "CO-197"),
        ("1", "0", "PR-204 220", "", Meaning.DENIED, "PR-204"),
        ("1", "0", "CO-29 220", "N30", Meaning.DENIED, "CO-29 N30"),
        ("1", "0", "CO-45 60 PR-119 160", "", Meaning.PROCESSED, ""),
        ("1", "0", "CO-119 220", "", Meaning.DENIED, "CO-119"),
    ],
)
def test_the_meaning_of_an_answer(status: str, paid: str, why: str, remarks: str, meaning: Meaning, codes: str) -> None:
    found = read_decision(status=status, paid=D(paid), reasons=reasons(why), remarks=remarks.split())
    assert (found.meaning, found.codes) == (meaning, codes)


@pytest.mark.parametrize("alert", ["N155", "MA07", "MA18", "N89"])
def test_an_alert_is_never_a_reason(alert: str) -> None:
    found = read_decision(status="1", paid=D("88"), reasons=reasons("CO-45 60 PR-1 72"), remarks=[alert])
    assert found.meaning is Meaning.PROCESSED


def test_a_paid_claim_never_pauses_anybody() -> None:
    found = read_decision(status="1", paid=D("88"), reasons=reasons("CO-45 60 PR-1 72"), remarks=["N197"])
    assert found.meaning is Meaning.PROCESSED
