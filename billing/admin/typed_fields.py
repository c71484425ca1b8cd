"""Amounts and percentages as people type them."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from common.errors import BadInput
from common.money import parse_money

_LONGEST = 20


class _Typed(forms.Field):
    """A text that cleans to ``Decimal``; blank is ``None``: not known."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "maxlength": str(_LONGEST)})

    def to_python(self, value: Any) -> Decimal | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            if len(text) > _LONGEST:
                raise BadInput("longer than any figure")
            return self.read(text)
        except BadInput:
            raise forms.ValidationError(self.refusal()) from None

    def read(self, text: str) -> Decimal:
        """The figure. Raises ``BadInput``."""
        raise NotImplementedError

    def refusal(self) -> str:
        """What to write instead, in words."""
        raise NotImplementedError


class MoneyText(_Typed):
    """Dollars: ``"25"``, ``"1,250.00"``, ``"$42.10"``."""

    def read(self, text: str) -> Decimal:
        text = text.removeprefix("$").strip()
        whole, point, cents = text.partition(".")
        groups = whole.split(",")
        if len(groups) > 1 and 0 < len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]):
            text = "".join(groups) + point + cents
        return parse_money(text)

    def refusal(self) -> str:
        return _("Please write an amount such as 25 or 1,250.00.")


class PercentText(_Typed):
    """A percentage from 0 to 100, such as ``"20"`` or ``"12.5%"``; cleans to the share from 0 to 1."""

    def read(self, text: str) -> Decimal:
        percent = parse_money(text.removesuffix("%").strip())
        if percent > 100:
            raise BadInput("more than all")
        return percent / 100

    def refusal(self) -> str:
        return _("Please write a percentage from 0 to 100, such as 20.")
