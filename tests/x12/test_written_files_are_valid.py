"""The answers our stand-in insurers write keep the form of their guides, as pyx12 sees it."""

from insurance.x12 import validate, x837p, x999
from tests.x12 import cast
from tests.x12.test_835_balance import whole


def test_a_remittance() -> None:
    assert validate.findings(cast.pay(whole())) == []


def test_an_acceptance_and_a_rejection() -> None:
    fault = x999.SyntaxFault("element", "7", "CLM", 22, "2300", 5, 3, "Z")
    first, second = (
        x999.AcknowledgedTransaction("837", "0001", "A"),
        x999.AcknowledgedTransaction("837", "0002", "R", (fault,)),
    )
    for group in (
        x999.AcknowledgedGroup("HC", "17", "A", (first,), x837p.VERSION),
        x999.AcknowledgedGroup("HC", "17", "P", (first, second), x837p.VERSION),
    ):
        assert validate.findings(cast.acknowledge(group)) == []


def test_what_is_only_logged_is_told_too() -> None:
    raw = cast.pay(whole()).replace(b"ST*835*0001~", b"ST*835*0001*005010X221A1~")
    assert ["ST03" in each.message for each in validate.findings(raw)] == [True]
