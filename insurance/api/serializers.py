"""How plans, benefits, pauses and claims read."""

from datetime import date
from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from rest_framework import serializers

from care.api import ClientName
from common import clock
from common.api import Id, Money, SignedMoney, Strict
from insurance.models import (
    AccountPause,
    BenefitSnapshot,
    Claim,
    Coverage,
    EdiFile,
    EligibilityCheck,
    PlanOrder,
    Recertification,
    SuggestedCoverage,
)
from insurance.services.next_step import next_step
from notifications.messages.account import words_of_a_pause, words_of_a_year


class PayerOut(serializers.Serializer[Any]):
    """An insurer."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    payer_id = serializers.CharField(help_text="As on claims.")
    member_services_phone = serializers.CharField()


class CheckOut(serializers.Serializer[Any]):
    """A question about a plan to its insurer (X12 270) and how it went."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=EligibilityCheck.State.choices)
    reason = serializers.ChoiceField(choices=EligibilityCheck.Reason.choices)
    created_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    refusals = serializers.SerializerMethodField(help_text="Why the insurer could not answer.")
    next_step = serializers.SerializerMethodField(help_text="What to do about it; empty: nothing.")

    def get_refusals(self, check: EligibilityCheck) -> list[str]:
        return [str(each.get("text", "")) for each in check.rejections if each.get("text")]

    def get_next_step(self, check: EligibilityCheck) -> str:
        step = next_step(check)
        return step.text if step else ""


class PlanOut(serializers.Serializer[Any]):
    """One plan of a client. Of the member id only the end is told."""

    id = serializers.IntegerField()
    payer = PayerOut()
    member_id_last4 = serializers.CharField()
    group_number = serializers.CharField()
    plan_type = serializers.ChoiceField(choices=Coverage.PlanType.choices)
    holder = serializers.ChoiceField(choices=Coverage.Holder.choices)
    stated_rank = serializers.IntegerField(help_text="The place you gave it.")
    begins_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)


class RankedPlan(PlanOut):
    """A plan with the place it has in the order in force, and the newest question to its insurer."""

    rank = serializers.IntegerField(help_text="1 pays first.")
    check = CheckOut(allow_null=True)


class DecisionOut(serializers.Serializer[Any]):
    """Why the plans are in this order."""

    source = serializers.ChoiceField(choices=PlanOrder.Source.choices)  # type: ignore[assignment]  # a field
    rule = serializers.CharField()
    certain = serializers.BooleanField()
    changed = serializers.BooleanField(help_text="The order differs from the one you gave.")
    why = serializers.ListField(child=serializers.CharField())
    effective_from = serializers.DateField()


def _not_in_future(day: date) -> None:
    if day > clock.today():
        raise serializers.ValidationError(_("This day is in the future."))


class PlanIn(Strict):
    """A plan as it stands on the card, and the facts that decide which plan pays first."""

    MEMBER_ID: ClassVar = [RegexValidator(r"^[A-Za-z0-9][A-Za-z0-9 -]+$")]

    payer = Id(help_text="From `payers`.")
    member_id = serializers.CharField(max_length=80, validators=MEMBER_ID)
    group_number = serializers.CharField(max_length=30, required=False, allow_blank=True)
    plan_type = serializers.ChoiceField(choices=Coverage.PlanType.choices, required=False)
    holder = serializers.ChoiceField(
        choices=Coverage.Holder.choices, required=False, help_text="Anyone but `self` needs a name and a birthday."
    )
    holder_first_name = serializers.CharField(max_length=35, required=False, allow_blank=True)
    holder_last_name = serializers.CharField(max_length=60, required=False, allow_blank=True)
    holder_born = serializers.DateField(required=False, allow_null=True, validators=[_not_in_future])
    holder_status = serializers.ChoiceField(choices=Coverage.HolderStatus.choices, required=False, allow_null=True)
    employer_size = serializers.IntegerField(min_value=1, max_value=10_000_000, required=False, allow_null=True)
    since = serializers.DateField(
        required=False,
        allow_null=True,
        validators=[_not_in_future],
        help_text="Covered by this employer's plans since.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("holder", Coverage.Holder.SELF) == Coverage.Holder.SELF:
            attrs |= {"holder_first_name": "", "holder_last_name": "", "holder_born": None}
        elif attrs.get("holder_born") is None:
            message = _("Please give the birthday of the person whose plan it is.")
            raise serializers.ValidationError({"holder_born": [message]})
        return attrs


class SuggestedPlanIn(PlanIn):
    """What the insurer that named the plan has not told. ``payer`` and ``member_id`` only where they are missing."""

    payer = Id(required=False, help_text="From `payers`.")
    member_id = serializers.CharField(max_length=80, required=False, validators=PlanIn.MEMBER_ID)


class AccumulatorOut(serializers.Serializer[Any]):
    """A deductible or out-of-pocket maximum."""

    limit = Money(allow_null=True)
    remaining = Money(allow_null=True)


class AccumulatorsOut(serializers.Serializer[Any]):
    """The member's own figure and the family's."""

    individual = AccumulatorOut()
    family = AccumulatorOut()


class VisitsOut(serializers.Serializer[Any]):
    """A limit of visits."""

    limit = serializers.IntegerField(allow_null=True)
    remaining = serializers.IntegerField(allow_null=True)


class TelehealthOut(serializers.Serializer[Any]):
    """Behavioural-health benefits of one network. Null: the insurer did not say."""

    covered = serializers.BooleanField(allow_null=True)
    copay = Money(allow_null=True)
    copay_rule = serializers.CharField(allow_null=True)
    copay_rule_inferred = serializers.BooleanField(help_text="Concluded by us, not written by the insurer.")
    copay_rule_why = serializers.CharField()
    coinsurance = serializers.CharField(allow_null=True, help_text="Your share, between 0 and 1: `0.20`.")
    deductible = AccumulatorsOut()
    deductible_applies = serializers.BooleanField(allow_null=True)
    out_of_pocket = AccumulatorsOut()
    visits = VisitsOut()
    authorization_required = serializers.BooleanField(allow_null=True)


class NetworkOut(TelehealthOut):
    """Behavioural-health benefits of one network, with what differs for telehealth."""

    telehealth = TelehealthOut(allow_null=True)


class OtherPayerOut(serializers.Serializer[Any]):
    """Another insurer that the answer names."""

    name = serializers.CharField(allow_null=True)
    rank = serializers.CharField(allow_null=True)


class BenefitsFigures(serializers.Serializer[Any]):
    """What the insurer said. ``benefits`` of a snapshot, as it is kept."""

    plan_name = serializers.CharField(allow_null=True)
    in_network = NetworkOut()
    out_of_network = NetworkOut()
    network_not_stated = NetworkOut(help_text="Figures that do not say for which network they are; never used.")
    other_payers = OtherPayerOut(many=True)
    cob_signal = serializers.CharField(help_text="What the answer says about other insurance.")
    notes = serializers.ListField(child=serializers.CharField())
    conflicts = serializers.ListField(child=serializers.CharField())
    messages = serializers.ListField(child=serializers.CharField())


class SnapshotOut(serializers.Serializer[Any]):
    """Benefits as they were known at one moment."""

    observed_at = serializers.DateTimeField()
    source = serializers.ChoiceField(choices=BenefitSnapshot.Source.choices)  # type: ignore[assignment]  # a field
    active = serializers.BooleanField(allow_null=True, help_text="Null: the insurer did not say.")
    plan_begin = serializers.DateField(allow_null=True)
    plan_end = serializers.DateField(allow_null=True)
    figures = BenefitsFigures(source="benefits")


class PlanBenefits(serializers.Serializer[Any]):
    """A plan in its place, and the newest answer about it; null: no answer yet."""

    plan = RankedPlan(source="*")
    benefits = SnapshotOut(allow_null=True, source="snapshot")


class PauseOut(serializers.Serializer[Any]):
    """An account on hold because an insurer says coordination of benefits is unresolved: whom to call, how it is."""

    id = serializers.IntegerField()
    plan = PlanOut(source="coverage")
    opened_at = serializers.DateTimeField()
    cleared_at = serializers.DateTimeField(allow_null=True, help_text="Null: still open.")
    reference_number = serializers.CharField()
    reference_given_at = serializers.DateTimeField(allow_null=True)


class CallOut(serializers.Serializer[Any]):
    """What to say on the phone. The number is ``plan.payer.member_services_phone``; only the client can call."""

    contact = serializers.CharField(source="coverage.payer.cob_contact", help_text="Whom to ask for; may be empty.")
    say = serializers.SerializerMethodField(help_text="The words to say.")


class ClientPause(PauseOut, CallOut):
    """A pause as its client reads it: with the words for the call."""

    def get_say(self, _pause: AccountPause) -> str:
        return words_of_a_pause()


class RecertificationOut(CallOut):
    """The confirmation that an insurer wants once a year, by phone, of which plans somebody has."""

    id = serializers.IntegerField()
    plan = PlanOut(source="coverage")
    due_on = serializers.DateField()
    state = serializers.ChoiceField(choices=Recertification.State.choices)
    overdue = serializers.SerializerMethodField(help_text="Its day has passed and you have not called.")
    reference_number = serializers.CharField()
    called_on = serializers.DateField(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True, help_text="When the insurer's records were found right.")

    def get_say(self, _row: Recertification) -> str:
        return words_of_a_year()

    def get_overdue(self, row: Recertification) -> bool:
        return row.state == Recertification.State.DUE and row.due_on < clock.today()


class SuggestedPlanOut(serializers.Serializer[Any]):
    """A plan that another insurer named. Of the member id only the end is told."""

    id = serializers.IntegerField()
    named_by = serializers.CharField(source="named_by.payer.name")
    name = serializers.CharField(source="payer_name", help_text="As it was named.")
    payer = PayerOut(allow_null=True, help_text="Null: we do not know which insurer is meant; say it when you confirm.")
    member_id_last4 = serializers.SerializerMethodField(help_text="Empty: not told; give it when you confirm.")
    state = serializers.ChoiceField(choices=SuggestedCoverage.State.choices)
    coverage = serializers.IntegerField(source="coverage_id", allow_null=True, help_text="The plan it has become.")
    created_at = serializers.DateTimeField()

    def get_member_id_last4(self, suggestion: SuggestedCoverage) -> str:
        return (suggestion.member_id or "")[-4:]


class SupportPause(PauseOut):
    """A pause with its evidence."""

    client = ClientName()
    evidence = serializers.ChoiceField(choices=AccountPause.Evidence.choices)
    evidence_codes = serializers.CharField()
    evidence_file = serializers.IntegerField(source="evidence_file_id", allow_null=True)


class ReferenceIn(Strict):
    """What the insurer gave the client for the call."""

    reference_number = serializers.CharField(max_length=40)


class YearlyCallIn(ReferenceIn):
    """The client's yearly call to an insurer."""

    called_on = serializers.DateField(help_text="The day of the call.")


class ClaimProgress(serializers.Serializer[Any]):
    """How one claim stands: how it travels, and what the insurer decided."""

    rank = serializers.IntegerField(help_text="1 primary, 2 secondary.")
    payer = serializers.CharField(source="coverage.payer.name")
    submission = serializers.ChoiceField(choices=Claim.Submission.choices)
    decision = serializers.ChoiceField(choices=Claim.Decision.choices)
    reason = serializers.CharField(help_text="Why it is not sent, or was refused.")
    submitted_at = serializers.DateTimeField(allow_null=True)


class SupportClaim(ClaimProgress):
    """A claim in the list of support."""

    id = serializers.IntegerField()
    control_number = serializers.CharField()
    payer_control_number = serializers.CharField()
    frequency = serializers.CharField(help_text="1 original, 7 replacement, 8 void.")
    charge = Money()
    session = serializers.IntegerField(source="session_id")
    date = serializers.DateField(source="session.date")
    client = ClientName(source="session.client")
    provider = serializers.CharField(source="session.provider.__str__")
    file = serializers.IntegerField(source="file_id", allow_null=True)
    file_by = serializers.DateField(allow_null=True)
    created_at = serializers.DateTimeField()


class EventOut(serializers.Serializer[Any]):
    """One thing that happened to a claim."""

    kind = serializers.CharField()
    text = serializers.CharField()
    file = serializers.IntegerField(source="file_id", allow_null=True)
    created_at = serializers.DateTimeField()


class AdjustmentOut(serializers.Serializer[Any]):
    """Why an amount was not paid (CAS)."""

    group = serializers.CharField()
    code = serializers.CharField()
    amount = SignedMoney()


class AdjudicationOut(serializers.Serializer[Any]):
    """What an insurer decided and paid (835)."""

    remittance = serializers.CharField(source="remittance.trace")
    status_code = serializers.CharField()
    charge = SignedMoney()
    paid = SignedMoney()
    client_responsibility = SignedMoney(allow_null=True)
    remarks = serializers.ListField(child=serializers.CharField())
    explanation = serializers.CharField()
    posted_at = serializers.DateTimeField(allow_null=True)
    adjustments = AdjustmentOut(many=True, source="adjustments.all")


class SupportClaimStory(SupportClaim):
    """One claim with its history and results."""

    events = EventOut(many=True, source="events.all")
    adjudications = AdjudicationOut(many=True, source="adjudications.all")


class FindingOut(serializers.Serializer[Any]):
    """What was wrong with a file."""

    where = serializers.CharField(default="", help_text="Segment.")
    message = serializers.CharField(default="")


class FileOut(serializers.Serializer[Any]):
    """An X12 file, without its content."""

    id = serializers.IntegerField()
    direction = serializers.ChoiceField(choices=EdiFile.Direction.choices)
    kind = serializers.ChoiceField(choices=EdiFile.Kind.choices)
    state = serializers.ChoiceField(choices=EdiFile.State.choices)
    payer = serializers.CharField(source="payer.name", allow_null=True, default=None)
    sha256 = serializers.CharField()
    payload_id = serializers.UUIDField()
    control_number = serializers.IntegerField(allow_null=True)
    findings = FindingOut(many=True)
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class FileSearch(serializers.Serializer[Any]):
    """Which files."""

    direction = serializers.ChoiceField(choices=EdiFile.Direction.choices, required=False)
    kind = serializers.ChoiceField(choices=EdiFile.Kind.choices, required=False)
    state = serializers.ChoiceField(choices=EdiFile.State.choices, required=False)


class ClaimSearch(serializers.Serializer[Any]):
    """Which claims."""

    submission = serializers.ChoiceField(choices=Claim.Submission.choices, required=False)
    decision = serializers.ChoiceField(choices=Claim.Decision.choices, required=False)
    client = Id(required=False)
    control_number = serializers.CharField(max_length=20, required=False, allow_blank=True)


class PauseSearch(serializers.Serializer[Any]):
    """Which pauses."""

    open = serializers.BooleanField(required=False, allow_null=True, default=None)
