"""Answers of an insurer about Ana, written by hand: the segments below her, and the benefits read from them."""

from datetime import date

from insurance.domain.benefits import Benefits
from insurance.x12 import x271
from insurance.x12.x271_benefits import benefits_of
from tests.x12.text import interchange

ON = date(2026, 3, 12)
ACTIVE = "EB*1*IND*30**ALPHA PPO"
HEAD = """
    BHT*0022*11*E1*20260312*0930
    HL*1**20*1
    NM1*PR*2*ALPHA HEALTH*****PI*ALPH1
    HL*2*1*21*1
    NM1*1P*2*HEADWAY*****XX*1234567893
    HL*3*2*22*0
    TRN*2*T1*9HEADWAY00
    NM1*IL*1*LOPEZ*ANA****MI*ANA001
"""


def told(*rows: str, dates: str = "") -> Benefits:
    """The benefits of an answer with these segments below the subscriber."""
    raw = interchange("HB", "005010X279A1", "271", f"{HEAD}\n{dates}\n" + "\n".join(rows))
    (response,) = x271.read(raw).responses
    return benefits_of(response, on=ON)
