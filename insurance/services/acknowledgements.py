"""Reading 999s and 277CAs: what became of the claims we sent, before anyone decides on them."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from common import clock
from common.states import move
from insurance.domain import cob_evidence
from insurance.models import AccountPause, Claim, EdiFile
from insurance.services import claims, discovery, files, pauses
from insurance.services.plan_order import plans_in_order
from insurance.x12 import x277ca, x837p, x999
from insurance.x12.segments import Finding, X12Error
from people.models import Client


def record_999(file: EdiFile) -> None:
    """Take in a 999: its group names the file we sent (GS06), its transactions the claims in it, in order.

    An unreadable file is quarantined whole. Late or repeated news changes nothing.
    """
    findings: list[Finding] = []
    try:
        groups = list(x999.read(bytes(file.raw), findings))
    except X12Error as error:
        files.quarantine(file, [{"where": error.where, "message": str(error)}])
        return
    with transaction.atomic():
        if not files.take(file):
            return
        for group in groups:
            sent = _sent_file(group.control_number)
            if sent is None:
                findings.append(Finding(group.where, f"group {group.control_number} is no file of ours"))
                continue
            rejected = {each.control_number: each for each in group.transactions if not each.accepted}
            for place, claim in enumerate(_claims_in_order(sent), start=1):
                refused = rejected.get(f"{place:04d}")
                if refused is None and (group.accepted or rejected):
                    _received(claim, file)
                else:
                    faults = refused.faults if refused is not None else group.all_faults
                    why = "; ".join(fault.text for fault in faults) or _("the whole file was refused")
                    _rejected(claim, why, file)
        _finish(file, findings)


def record_277ca(file: EdiFile) -> None:
    """Take in a 277CA: each claim by its own number (CLM01), accepted or rejected with the cause in words."""
    findings: list[Finding] = []
    try:
        acknowledgements = list(x277ca.read(bytes(file.raw), findings))
    except X12Error as error:
        files.quarantine(file, [{"where": error.where, "message": str(error)}])
        return
    with transaction.atomic():
        if not files.take(file):
            return
        _lock_clients(said.control_number for each in acknowledgements for said in each.claims if _may_pause(said))
        rows = _locked(said.control_number for each in acknowledgements for said in each.claims)
        for acknowledgement in acknowledgements:
            by_payer = acknowledgement.source_kind == "PR"
            for said in acknowledgement.claims:
                claim = rows.get(said.control_number)
                if claim is None:
                    findings.append(Finding(said.where, f"claim {said.control_number} is not ours"))
                    continue
                if said.payer_control_number and not claim.payer_control_number:
                    Claim.objects.filter(pk=claim.pk).update(payer_control_number=said.payer_control_number[:50])
                words = "; ".join(status.text for status in said.statuses)
                if said.accepted is False:
                    _rejected(claim, words, file)
                    discovery.from_acknowledgement(claim, said, file)
                    if by_payer:
                        _member_must_act(claim, said, words, file)
                elif said.accepted and by_payer:
                    _accepted(claim, words, file)
                else:
                    claims.note(claim, "acknowledged", words, file=file)
        _finish(file, findings)


def _sent_file(control_number: str) -> EdiFile | None:
    if not control_number.isdigit():
        return None
    return EdiFile.objects.filter(direction=EdiFile.Direction.OUT, control_number=int(control_number)).first()


def _claims_in_order(sent: EdiFile) -> list[Claim]:
    """The claims of a file of ours, as they stand in it: one ST…SE each."""
    numbers = [claim.control_number for submission in x837p.read(bytes(sent.raw)) for claim in submission.claims]
    rows = _locked(numbers)
    return [rows[number] for number in numbers]


def _locked(numbers: Iterable[str]) -> dict[str, Claim]:
    """Claims by number, locked in the order everyone locks them, so that no decision passes an acknowledgement."""
    claims = Claim.objects.select_for_update(of=("self",), no_key=True).select_related("coverage__payer")
    return {claim.control_number: claim for claim in claims.filter(control_number__in=set(numbers)).order_by("pk")}


def _received(claim: Claim, file: EdiFile) -> None:
    if claim.submission == Claim.Submission.SUBMITTED and move(claim, Claim.SUBMISSIONS, Claim.Submission.RECEIVED):
        claims.note(claim, "received", _("%(payer)s has received it.") % {"payer": claim.coverage.payer}, file=file)


def _accepted(claim: Claim, words: str, file: EdiFile) -> None:
    if Claim.SUBMISSIONS.allows(claim.submission, Claim.Submission.ACCEPTED):
        move(claim, Claim.SUBMISSIONS, Claim.Submission.ACCEPTED, reason="")
    claims.note(claim, "accepted", words, file=file)


def _rejected(claim: Claim, why: str, file: EdiFile) -> None:
    if claim.decision == Claim.Decision.NONE and Claim.SUBMISSIONS.allows(claim.submission, Claim.Submission.REJECTED):
        move(claim, Claim.SUBMISSIONS, Claim.Submission.REJECTED, reason=why[:300])
    claims.note(claim, "rejected", why, file=file)


def _cob_codes(said: x277ca.AcknowledgedClaim, *, other_plans: bool) -> str:
    statuses = ((status.category, status.code) for status in said.statuses)
    return cob_evidence.in_acknowledgement(statuses, other_plans=other_plans)


def _may_pause(said: x277ca.AcknowledgedClaim) -> bool:
    return said.accepted is False and bool(_cob_codes(said, other_plans=False))


def _lock_clients(numbers: Iterable[str]) -> None:
    """The clients whose accounts may pause, before their claims: in the order in which every flow locks them."""
    wanted = set(numbers)
    if wanted:
        mine = Client.objects.filter(pk__in=Claim.objects.filter(control_number__in=wanted).values("session__client"))
        list(mine.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def _member_must_act(claim: Claim, said: x277ca.AcknowledgedClaim, words: str, file: EdiFile) -> None:
    """A payer that takes the claim in only once its member has settled who pays first: the account pauses."""
    if claim.submission != Claim.Submission.REJECTED:
        return
    plans = plans_in_order(claim.session.client, on=claim.session.date)
    codes = _cob_codes(said, other_plans=any(plan.pk != claim.coverage_id for plan in plans))
    if not codes:
        return
    claims.note(claim, pauses.COB_REJECTION, words, file=file)
    days = [status.on for status in said.statuses if status.on]
    pauses.open_on_claim(
        claim=claim,
        evidence=AccountPause.Evidence.CLAIM_ACKNOWLEDGEMENT,
        codes=codes,
        file=file,
        decided_on=max(days, default=clock.today()),
        reason=words,
    )


def _finish(file: EdiFile, findings: list[Finding]) -> None:
    EdiFile.objects.filter(pk=file.pk).update(
        findings=[{"where": each.where, "message": each.message} for each in findings]
    )
    files.mark_processed(file)
