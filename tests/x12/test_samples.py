"""Files of the outside world: each is read or refused with a place, and what we say agrees with plain sums.

Runs over the public samples beside the project when they are there; none of them is part of it.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from insurance.x12 import x277ca, x835, x837p, x999
from insurance.x12.segments import X12Error

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "x12"
DESCRIBE: dict[str, Callable[[bytes], dict[str, object]]] = {
    "835": x835.describe, "837P": x837p.describe, "277CA": x277ca.describe, "999": x999.describe,
}  # fmt: skip
HOLDS = {"835": "payments", "837P": "claims", "277CA": "claims", "999": "groups"}

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not beside the project")


def files(kind: str) -> list[Path]:
    return sorted((SAMPLES / kind).glob("*.x12"))


@pytest.mark.parametrize("path", [path for kind in DESCRIBE for path in files(kind)], ids=lambda path: path.name)
def test_every_sample_is_read_or_refused_with_its_place(path: Path) -> None:
    kind = path.parent.name
    try:
        told = DESCRIBE[kind](path.read_bytes())
    except X12Error as refusal:
        assert refusal.where
        return
    assert told["type"] == kind
    assert told[HOLDS[kind]]


def plain_balance(text: str) -> list[bool]:
    """Whether each payment balances, from the text alone: no part of our reader takes part."""
    terminator = text[105]
    verdicts, levels = [], [Decimal(0)] * 3
    paid_in_all = taken = wanted = Decimal(0)
    good, open_claim, open_line = True, False, False
    for row in [*(part.strip().split("*") for part in text.split(terminator)), ["SE"]]:
        if row[0] in ("SVC", "CLP", "PLB", "SE", "LX") and open_line:
            good, open_line = good and levels[1] == 0, False
        if row[0] in ("CLP", "PLB", "SE", "LX") and open_claim:
            good, open_claim = good and levels[0] == 0, False
        if row[0] == "BPR":
            paid_in_all, taken, wanted, good = Decimal(0), Decimal(0), Decimal(row[2]), True
        elif row[0] == "CLP":
            levels[0], open_claim = Decimal(row[3]) - Decimal(row[4]), True
            paid_in_all += Decimal(row[4])
        elif row[0] == "SVC":
            levels[1], open_line = Decimal(row[2]) - Decimal(row[3] or 0), True
        elif row[0] == "CAS":
            amount = sum((Decimal(each) for each in row[3::3] if each), Decimal(0))
            levels[0] -= amount
            levels[1] -= amount
        elif row[0] == "PLB":
            taken += sum((Decimal(each) for each in row[4::2] if each), Decimal(0))
        elif row[0] == "SE" and len(row) > 1:
            verdicts.append(good and paid_in_all - taken == wanted)
    return verdicts


@pytest.mark.parametrize("path", files("835"), ids=lambda path: path.name)
def test_balanced_agrees_with_sums_of_the_bare_text(path: Path) -> None:
    raw = path.read_bytes()
    assert [found.balanced for found in x835.read(raw)] == plain_balance(raw.decode())


@pytest.mark.parametrize("path", files("835"), ids=lambda path: path.name)
def test_a_remittance_written_again_means_the_same(path: Path) -> None:
    from tests.x12 import cast

    for found in x835.read(path.read_bytes()):
        if any(each.amount is None for each in found.provider_adjustments) or "HC>" in path.read_text():
            continue
        (again,) = x835.read(cast.pay(found))
        assert (again.amount, again.balanced) == (found.amount, found.balanced)
        assert [(each.paid, each.all_adjustments, each.client_responsibility) for each in again.claims] == [
            (each.paid, each.all_adjustments, each.client_responsibility) for each in found.claims
        ]
