"""The permanent cast as claims carry them: Ana, client with two plans; Ben, her spouse; Dr. Cole, her provider."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from insurance.x12 import x277ca, x835, x837p, x999
from insurance.x12.segments import Party

US = Party("HEADWAYTEST")
HOUSE = Party("CLEARHOUSE")
NOW = datetime(2026, 3, 10, 9, 30)  # noqa: DTZ001 - an interchange says no zone
SEEN = date(2026, 3, 3)
DECIDED = date(2026, 3, 24)
DECIDED_SECOND = date(2026, 4, 14)

SUBMITTER = x837p.Submitter("HEADWAY", "HWY001", "BILLING DESK", "2125550100")
RECEIVER = x837p.Receiver("TEST CLEARINGHOUSE", "CLR001")

ALPHA = x837p.Payer("ALPHA HEALTH", "ALPH1")
BETA = x837p.Payer("BETA MUTUAL", "BETA1")
GAMMA = x837p.Payer("GAMMA STATE PLAN", "GAMM1")

HOME = x837p.Address("12 LARK LANE", "ALBANY", "NY", "122031234")
PRACTICE = x837p.BillingProvider(
    "HEADWAY PRACTICE OF NEW YORK PC", "1234567893", "131234567",
    x837p.Address("400 MAIN ST", "NEW YORK", "NY", "100010001"), taxonomy="261QM0801X",
)  # fmt: skip
COLE = x837p.RenderingProvider("COLE", "DANA", "1999999984", taxonomy="103TC0700X")

ANA = x837p.Person("LOPEZ", "ANA", "M", born=date(1988, 5, 17), sex="F", address=HOME)
BEN = x837p.Person("LOPEZ", "BEN", born=date(1986, 2, 9), sex="M", address=HOME)

BETA_LATER = x837p.OtherPayer("S", BETA, "BEN777", BEN, relationship="01", group_number="B-200")
GAMMA_LATER = x837p.OtherPayer("T", GAMMA, "ANAG42", ANA, relationship="18", filing_indicator="MC")


def money(text: str) -> Decimal:
    return Decimal(text)


def line(charge: str = "200.00", number: str = "S1L1", procedure: str = "90837") -> x837p.ServiceLine:
    return x837p.ServiceLine(procedure, money(charge), SEEN, number, modifiers=("95",))


def claim(*lines: x837p.ServiceLine, others: tuple[x837p.OtherPayer, ...] = (BETA_LATER,)) -> x837p.Claim:
    """Ana's session with Dr. Cole, to her own plan Alpha; Ben's plan Beta named as the later payer."""
    lines = lines or (line(),)
    return x837p.Claim(
        control_number="S1P", charge=sum((each.charge for each in lines), Decimal(0)), place_of_service="10",
        billing=PRACTICE, rendering=COLE, payer=ALPHA, member_id="ANA001", subscriber=ANA, lines=lines,
        diagnoses=("F411", "F329"), group_number="A-100", other_payers=others,
    )  # fmt: skip


def send(*claims: x837p.Claim, control_number: int = 17) -> bytes:
    return x837p.build(
        claims,
        submitter=SUBMITTER,
        receiver=RECEIVER,
        sender=US,
        recipient=HOUSE,
        control_number=control_number,
        at=NOW,
    )


def adjustments(*parts: tuple[str, str, str]) -> tuple[x835.Adjustment, ...]:
    return tuple(x835.Adjustment(group, code, money(amount)) for group, code, amount in parts)


def paid_line(sent: x837p.ServiceLine, paid: str, *parts: tuple[str, str, str]) -> x835.RemittedLine:
    return x835.RemittedLine(
        sent.procedure, sent.charge, money(paid), adjustments(*parts), sent.modifiers, units=Decimal(1),
        service_date=sent.service_date, control_number=sent.control_number,
        references=(x835.Reference("6R", sent.control_number),),
    )  # fmt: skip


def answer(sent: x837p.Claim, lines: tuple[x835.RemittedLine, ...], status: str = "1") -> x835.RemittedClaim:
    """``sent`` as its payer decided it line by line."""
    share = sum((each.amount for line in lines for each in line.adjustments if each.group == "PR"), Decimal("0.00"))
    return x835.RemittedClaim(
        control_number=sent.control_number, status=status, charge=sent.charge,
        paid=sum((line.paid or Decimal(0) for line in lines), Decimal("0.00")),
        stated_responsibility=share or None, payer_control_number="ICN" + sent.control_number, filing_indicator="12",
        place_of_service=sent.place_of_service, frequency=sent.frequency,
        patient=x835.Name(ANA.last, ANA.first, ANA.middle, qualifier="MI", identifier=sent.member_id, person=True),
        lines=lines,
    )  # fmt: skip


def remittance(payer: x837p.Payer, *claims: x835.RemittedClaim, on: date = DECIDED, **more: Any) -> x835.Remittance:
    """One cheque or transfer from ``payer`` for ``claims``."""
    whole = x835.Remittance(
        amount=sum((each.paid for each in claims), Decimal("0.00")), method="ACH", trace="EFT0001",
        payer=x835.Organisation(payer.name, address=HOME, contact="EDI DESK", phone="8005550100"),
        payee=x835.Organisation(PRACTICE.name, "XX", PRACTICE.npi), originator="1512345678",
        claims=claims, paid_on=on, produced_on=on,
    )  # fmt: skip
    return replace(whole, **more)


def pay(*remittances: x835.Remittance) -> bytes:
    return x835.build(remittances, sender=HOUSE, receiver=US, control_number=31, at=NOW)


def acknowledge(*groups: x999.AcknowledgedGroup) -> bytes:
    return x999.build(groups, sender=HOUSE, receiver=US, control_number=41, at=NOW)


def receipt(*acknowledgements: x277ca.Acknowledgement) -> bytes:
    return x277ca.build(acknowledgements, sender=HOUSE, receiver=US, control_number=51, at=NOW)
