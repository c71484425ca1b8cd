"""The yearly confirmation of plans as pages show it: how it stands, whom to call, what to say."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from common import clock
from insurance.access import visible_recertifications
from insurance.models import AccountPause, EligibilityCheck, Recertification
from notifications.messages.account import words_of_a_year
from notifications.messages.parts import phone_link
from people.access import Visitor


@dataclass(frozen=True, slots=True)
class ConfirmationView:
    """One open confirmation, with the newest question to its insurer since the client called."""

    row: Recertification
    check: EligibilityCheck | None = None

    @property
    def payer(self) -> str:
        return str(self.row.coverage.payer)

    @property
    def phone(self) -> str:
        return self.row.coverage.payer.member_services_phone

    @property
    def phone_url(self) -> str:
        return phone_link(self.phone)

    @property
    def contact(self) -> str:
        return self.row.coverage.payer.cob_contact

    @property
    def words(self) -> str:
        return words_of_a_year()

    @property
    def lapsed(self) -> bool:
        return self.row.state == Recertification.State.DUE and self.row.due_on < clock.today()

    @property
    def reported(self) -> bool:
        return self.row.state == Recertification.State.REPORTED

    @property
    def verified(self) -> bool:
        return self.row.state == Recertification.State.VERIFIED

    @property
    def checking(self) -> bool:
        """The insurer has still to answer; else a person looks at what it answered."""
        return self.reported and (self.check is None or self.check.state in EligibilityCheck.OPEN)


def view_of(row: Recertification) -> ConfirmationView:
    """One confirmation, with what the insurer said since the call."""
    check = None
    if row.state == Recertification.State.REPORTED:
        check = EligibilityCheck.objects.filter(coverage=row.coverage_id, pk__gte=row.check_after_id or 0).first()
    return ConfirmationView(row, check)


def open_confirmations(user: Visitor) -> list[ConfirmationView]:
    """What insurers want confirmed now, the longest due first; none that a pause's call settles anyway."""
    paused = AccountPause.objects.filter(coverage=OuterRef("coverage"), cleared_at=None)
    rows = visible_recertifications(user).exclude(state=Recertification.State.VERIFIED).filter(~Exists(paused))
    return [view_of(row) for row in rows.order_by("due_on", "pk")]
