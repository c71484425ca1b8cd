"""What an insurer said about a claim, in plain sentences for support, providers and clients."""

from decimal import Decimal

from django.utils.translation import gettext as _

from common.money import dollars
from insurance.x12 import codes
from insurance.x12.adjustments import ZERO, Adjustment, total
from insurance.x12.x835_model import RemittedClaim, RemittedLine

MEMBER_MUST_UPDATE = frozenset({"N197"})
"""RARC: the member must tell the insurer about their other insurance; nobody else can."""

MEMBER_WAS_ASKED = frozenset({"N179", "N375", "N686"})
"""RARC: the insurer waits for an answer from the member."""

_COST_SHARE = ("1", "2", "3")


def reason(code: str) -> str:
    """A CARC in words; the bare code when we have no words for it."""
    text = codes.CARC.get(code)
    return _(text) if text else _("reason code %(code)s") % {"code": code}


def remark(code: str) -> str:
    """A RARC in words; the bare code when we have no words for it."""
    text = codes.RARC.get(code)
    return _(text) if text else _("remark code %(code)s") % {"code": code}


def status_text(status: str) -> str:
    """CLP02 in words."""
    text = codes.CLAIM_STATUS.get(status)
    return _(text) if text else _("Status %(code)s, not known") % {"code": status or "?"}


def allowed(claim: RemittedClaim) -> Decimal | None:
    """What the payer's contract allows for the claim, in dollars: each line's AMT*B6, or what it paid and left as
    deductible, coinsurance and copay. Without any AMT*B6 only a primary's answer tells; otherwise ``None``."""
    if any(line.allowed is not None for line in claim.lines):
        return sum((_line_allowed(line) for line in claim.lines), ZERO)
    if claim.status not in ("1", "19"):
        return None
    shares = [each for each in claim.all_adjustments if each.group == "PR"]
    if any(each.code not in _COST_SHARE for each in shares):
        return None
    return claim.paid + total(shares)


def _line_allowed(line: RemittedLine) -> Decimal:
    if line.allowed is not None:
        return line.allowed
    shares = [each.amount for each in line.adjustments if each.group == "PR" and each.code in _COST_SHARE]
    return (line.paid or ZERO) + sum(shares, ZERO)


def explain(claim: RemittedClaim) -> str:
    """One to three plain sentences: what was decided, why, and what must happen next."""
    sentences = [_decision(claim), *_next_step(claim)]
    return " ".join(sentences)


def _decision(claim: RemittedClaim) -> str:
    if claim.reversal:
        return _(
            "The insurer takes back an earlier decision on this claim: %(paid)s paid and %(share)s of the patient's"
            " share no longer stand. A corrected decision may follow."
        ) % {"paid": dollars(-claim.paid), "share": dollars(-(claim.client_responsibility or ZERO))}
    if claim.status == "23":
        return _("The insurer did not decide this claim: it is not theirs.")
    if claim.status == "25":
        return _("This is a price told in advance, not a payment.")
    if claim.paid == ZERO and claim.charge != ZERO and not _cost_share(claim):
        reasons = _reasons(claim)
        if reasons or not _earlier(claim):
            return _("The insurer paid nothing: %(reasons)s.") % {"reasons": reasons or _("no reason given")}
    return _paid(claim)


def _paid(claim: RemittedClaim) -> str:
    earlier, share, may = _earlier(claim), claim.client_responsibility, allowed(claim)
    values = {
        "allowed": dollars(may or ZERO),
        "paid": dollars(claim.paid),
        "left": dollars(share) if share else _("nothing"),
        "why": _share_reasons(claim) if share else "",
        "earlier": dollars(earlier),
    }
    if share is None:
        text = _("The insurer paid %(paid)s; what it leaves to the patient cannot be told from this answer.")
    elif earlier:
        text = _(
            "After %(earlier)s that the earlier plan paid or adjusted, the insurer paid %(paid)s"
            " and leaves %(left)s to the patient%(why)s."
        )
    elif may is None:
        text = _("The insurer paid %(paid)s and leaves %(left)s to the patient%(why)s.")
    else:
        text = _("The insurer allowed %(allowed)s, paid %(paid)s and leaves %(left)s to the patient%(why)s.")
    return text % values


def _earlier(claim: RemittedClaim) -> Decimal:
    """OA 23: what earlier plans paid and adjusted, as this one counts it; never to be posted again."""
    return sum((each.amount for each in claim.all_adjustments if (each.group, each.code) == ("OA", "23")), ZERO)


def _next_step(claim: RemittedClaim) -> list[str]:
    if claim.reversal:
        return []
    steps = []
    remarks = set(claim.remarks)
    reasons = {each.code for each in claim.all_adjustments}
    first = claim.corrected_payer.full if claim.corrected_payer else ""
    if remarks & MEMBER_MUST_UPDATE:
        steps.append(_("The member must call the insurer and update their coordination of benefits."))
    elif "227" in reasons or remarks & MEMBER_WAS_ASKED:
        steps.append(_("The member must answer what the insurer asked them."))
    elif "22" in reasons and not first:
        step = _("If another plan covers the patient, bill it first; if not, the member must tell the insurer so.")
        steps.append(step)
    if first:
        steps.append(_("The insurer says that %(payer)s pays first.") % {"payer": first})
    if claim.forwarded:
        to = claim.crossover.full if claim.crossover is not None else ""
        step = _("The insurer sent the claim on to %(payer)s.")
        steps.append(step % {"payer": to or _("another insurer")})
    return steps


def _cost_share(claim: RemittedClaim) -> bool:
    return any(each.group == "PR" and each.code in _COST_SHARE for each in claim.all_adjustments)


def _reasons(claim: RemittedClaim) -> str:
    """Why nothing was paid: each reason once, then the remarks. An earlier plan's part (23, 94) is no reason, the plain
    write-off (45) only when it stands alone."""
    found = list(dict.fromkeys(each.code for each in claim.all_adjustments if each.amount))
    found = [code for code in found if code not in ("23", "94")]
    chosen = [code for code in found if code != "45"] or ([] if _earlier(claim) else found)
    texts = [reason(code) for code in chosen]
    texts += [remark(code) for code in claim.remarks if code in codes.RARC]
    return "; ".join(texts)


def _share_reasons(claim: RemittedClaim) -> str:
    """`` (deductible $20.00, coinsurance $6.00)``, or `` (coinsurance)`` when there is one reason."""
    sums: dict[str, Decimal] = {}
    for each in claim.all_adjustments:
        if each.group == "PR":
            sums[each.code] = sums.get(each.code, ZERO) + each.amount
    parts = [(reason(code), amount) for code, amount in sums.items() if amount]
    if not parts:
        return ""
    if len(parts) == 1:
        return f" ({parts[0][0]})"
    return " ({})".format(", ".join(f"{text} {dollars(amount)}" for text, amount in parts))


def adjustment_text(adjustment: Adjustment) -> str:
    """``CO 45: $70.00, the charge is above what the contract allows`` for tables and the claim's history."""
    return f"{adjustment.group} {adjustment.code}: {dollars(adjustment.amount)}, {reason(adjustment.code)}"
