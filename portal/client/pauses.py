"""An open pause as pages show it: whom to call, what to say, and how it stands since the client called."""

from dataclasses import dataclass

from insurance.access import visible_pauses
from insurance.models import AccountPause, EligibilityCheck
from notifications.messages.account import words_of_a_pause
from notifications.messages.parts import phone_link
from people.access import Visitor
from portal.client.forms import ReferenceForm


@dataclass(frozen=True, slots=True)
class PauseView:
    """One open pause, with the newest question to its insurer since the client called."""

    pause: AccountPause
    form: ReferenceForm
    check: EligibilityCheck | None

    @property
    def payer(self) -> str:
        return str(self.pause.coverage.payer)

    @property
    def phone(self) -> str:
        return self.pause.coverage.payer.member_services_phone

    @property
    def phone_url(self) -> str:
        return phone_link(self.phone)

    @property
    def contact(self) -> str:
        return self.pause.coverage.payer.cob_contact

    @property
    def words(self) -> str:
        return words_of_a_pause()

    @property
    def checking(self) -> bool:
        return self.check is not None and self.check.state in ("waiting", "asked")

    @property
    def still_wrong(self) -> bool:
        """The insurer was asked after the call, and its records are not right yet."""
        return self.check is not None and not self.checking


def open_pauses(user: Visitor, wrong: ReferenceForm | None = None, wrong_pause: int = 0) -> list[PauseView]:
    """The open pauses. ``wrong`` is the form that was refused for the pause with the id ``wrong_pause``."""
    views = []
    for pause in visible_pauses(user).filter(cleared_at=None):
        check = None
        if pause.reference_given_at is not None:
            check = (
                EligibilityCheck.objects.filter(coverage=pause.coverage_id, created_at__gte=pause.opened_at)
                .order_by("-pk")
                .first()
            )
        form = wrong if wrong is not None and pause.pk == wrong_pause else ReferenceForm(auto_id=f"id_{pause.pk}_%s")
        views.append(PauseView(pause, form, check))
    return views
