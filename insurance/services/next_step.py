"""What to do about a question that an insurer could not answer, in words for the client who reads them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from insurance.models import EligibilityCheck
from insurance.x12 import rejections
from insurance.x12.rejections import Helper

_NOT_ON_THE_PLAN = frozenset({"64", "65", "67", "68", "77"})
"""AAA03: the plan was found, the client on it as a dependent was not."""

_FIRST = (Helper.CLIENT, Helper.PROVIDER, Helper.SUPPORT, Helper.NOBODY)
"""Whose step is told when an answer has several rejections."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """``helper`` does it, ``text`` says what: a sentence or two. ``NOBODY``: it is asked again by itself."""

    helper: Helper
    text: str

    @property
    def who(self) -> str:
        """Who does it, in a word for support."""
        return {
            Helper.NOBODY: _("Nobody"),
            Helper.CLIENT: _("Client"),
            Helper.PROVIDER: _("Provider"),
            Helper.SUPPORT: _("Support"),
        }[self.helper]


def next_step(check: EligibilityCheck) -> NextStep | None:
    """The next step after a question that was rejected or given up; ``None`` when nothing is wrong with it.

    ``check.coverage`` is best loaded with its payer.
    """
    if check.state not in (EligibilityCheck.State.REJECTED, EligibilityCheck.State.FAILED):
        return None
    coverage = check.coverage
    payer = {"payer": coverage.payer.name}
    codes = {each.get("code", "") for each in check.rejections}
    if not coverage.client_is_subscriber and codes & _NOT_ON_THE_PLAN:
        words = _(
            "%(payer)s knows the plan, but did not find you on it. Please ask %(holder)s to check with %(payer)s that "
            "you are listed, with your name and birthday as you gave them to us. If your own card shows another member "
            "ID, remove the plan and add it again with that ID."
        )
        return NextStep(Helper.CLIENT, words % {**payer, "holder": coverage.holder_first_name})
    advice = [
        rejections.advice(each.get("loop", ""), each.get("code", ""), each.get("follow_up", ""))
        for each in check.rejections
    ]
    helper = next((one for one in _FIRST if any(each.helper is one for each in advice)), Helper.NOBODY)
    if helper is Helper.NOBODY:
        return NextStep(helper, _("%(payer)s did not answer. We ask again before your next session.") % payer)
    said = " ".join(dict.fromkeys(each.sentence for each in advice if each.helper is helper))
    if helper is not Helper.CLIENT:
        said = f"{_('There is nothing for you to do.')} {said}"
    return NextStep(helper, said)
