"""The year's report: expectations met or not, figures for people and for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from common.money import dollars, plain
from headway.simulate.findings import Accuracy, Findings, Held, accuracy, by_month, money

EXAMPLES = 8


@dataclass(frozen=True, slots=True)
class Expectation:
    name: str
    met: bool
    detail: str


def expectations(found: Findings) -> list[Expectation]:
    """What must hold at the end of any year."""
    differing, undetected = found.differing, [each for each in found.wrong if each.detected_after is None]
    uncorrected = [each for each in found.wrong if each.applied_after is None and each.detected_after is not None]
    return [
        Expectation(
            "every final cost is what the insurer's books say",
            bool(found.held) and not differing,
            f"{len(found.held) - len(differing)} of {len(found.held)} sessions",
        ),
        Expectation(
            "every wrong plan is detected",
            not undetected,
            f"{len(found.wrong) - len(undetected)} of {len(found.wrong)} plans"
            + "".join(f"; not client {each.case}: {each.way}" for each in undetected[:EXAMPLES]),
        ),
        Expectation(
            "every detected plan is corrected",
            not uncorrected,
            f"{len(found.wrong) - len(uncorrected) - len(undetected)} of {len(found.wrong) - len(undetected)} plans"
            + "".join(f"; not client {each.case}: {each.way}" for each in uncorrected[:EXAMPLES]),
        ),
        Expectation(
            "no plan told rightly is corrected without cause",
            not found.unexplained,
            f"{len(found.unexplained)} corrections" + "".join(f"; {each}" for each in found.unexplained[:EXAMPLES]),
        ),
        _none("every plan that can be billed was asked while something was left", found.coordination.not_asked),
        _none("no claim came to an insurer out of sequence", found.coordination.out_of_sequence),
        _none("every order of plans is the true one in the end", found.coordination.orders_wrong),
        _none("no session was confirmed in a pause", found.coordination.confirmed_in_a_pause),
        _none("every pause had a cause", found.coordination.pauses_without_cause),
        _none("every insurer that stopped paying was noticed", found.coordination.unnoticed),
        _none("every pause has ended", found.coordination.still_paused),
        _none("no session or claim is left unfinished", found.coordination.unfinished),
        Expectation("the books balance", not found.books_broken, ", ".join(found.books_broken) or "every check"),
        Expectation(
            "nothing failed on the way",
            not found.troubles,
            f"{len(found.troubles)} errors" + "".join(f"; {each}" for each in found.troubles[:EXAMPLES]),
        ),
    ]


def _none(name: str, faults: list[str]) -> Expectation:
    examples = "".join(f"; {each}" for each in faults[:EXAMPLES])
    return Expectation(name, not faults, f"{len(faults)} exceptions{examples}")


def _row(held: list[Held]) -> dict[str, Any]:
    return {
        "charged": _accuracy(accuracy((each.charged, each.first) for each in held)),
        "held": _accuracy(accuracy((each.held, each.first) for each in held)),
    }


def _accuracy(one: Accuracy) -> dict[str, Any]:
    return {
        "sessions": one.sessions,
        "within_a_dollar": one.close,
        "mean_error": plain(one.mean_error),
        "median_error": plain(one.median_error),
    }


def as_data(found: Findings, **options: int) -> dict[str, Any]:
    """Everything but timings, the same for the same options. Shares are of 1; money is a string of dollars.

    Accuracy is that of the estimate: what the first plan was thought to leave, against what it left.
    """
    wrong = [each for each in found.held if each.told_wrong]
    right = [each for each in found.held if not each.told_wrong and each.plans == 1]
    more = [each for each in found.held if each.plans > 1]
    back, asked = money(found.held)
    return {
        "options": options,
        "expectations": [asdict(each) for each in expectations(found)],
        "counts": found.counts,
        "differences": [_difference(each) for each in found.differing],
        "wrong_plans": [asdict(each) for each in found.wrong],
        "right_plans_corrected": found.right,
        "comparisons": found.comparisons,
        "accuracy": {
            "all": _row(found.held),
            "told rightly": _row(right),
            "several plans, in order": _row([each for each in more if each.in_order]),
            "several plans, out of order at first": _row([each for each in more if not each.in_order]),
            "told wrongly": _row(wrong),
            "told wrongly, before the first correction": _row([each for each in wrong if not each.corrected]),
            "told wrongly, after it": _row([each for each in wrong if each.corrected]),
        },
        "by_month": {
            month: {
                "told rightly": _row([each for each in held if not each.told_wrong and each.plans == 1]),
                "told wrongly": _row([each for each in held if each.told_wrong]),
            }
            for month, held in by_month(found.held).items()
        },
        "orders": found.coordination.orders,
        "pauses": found.coordination.pauses,
        "money": {"given_back": plain(back), "asked_for": plain(asked)},
    }  # fmt: skip


def _difference(each: Held) -> dict[str, Any]:
    return {
        "client": each.case,
        "date": each.on.isoformat(),
        "charged": plain(each.charged),
        "final": plain(each.final),
        "insurer": plain(each.theirs),
    }


def as_text(data: dict[str, Any]) -> Iterator[str]:
    """The report in lines."""
    counts = data["counts"]
    yield ", ".join(f"{value} {name}" for name, value in counts.items())
    yield ""
    for each in data["expectations"]:
        yield f"{'✓' if each['met'] else '✗'} {each['name']}: {each['detail']}"
    for each in data["differences"][:EXAMPLES]:
        yield (
            f"    client {each['client']}, {each['date']}: charged {each['charged']}, final {each['final']}, "
            f"by the insurer's books {each['insurer']}"
        )
    yield ""
    yield f"{'Wrong or stale plans':<44} {'detected':>9} {'corrected':>10}  as"
    for each in data["wrong_plans"]:
        name = f"client {each['case']}: {each['way']}"
        corrections = (
            ", ".join(f"{kind} × {count}" for kind, count in each["corrections"].items()) or each["detected_by"]
        )
        yield f"{name:<52} {_after(each['detected_after']):>5} {_after(each['applied_after']):>6}  {corrections}"
    yield "  (after so many answered sessions)"
    if data["right_plans_corrected"]:
        kinds = ", ".join(f"{kind} × {count}" for kind, count in data["right_plans_corrected"].items())
        yield f"Plans told rightly whose figures had moved (care elsewhere): {kinds}"
    yield ""
    yield f"{'Within a dollar of the insurer':<44} {'sessions':>8} {'charged':>9} {'held':>8} {'mean error':>11}"
    for name, row in data["accuracy"].items():
        yield _accuracy_line(name, row)
    for month, rows in data["by_month"].items():
        for name, row in rows.items():
            yield _accuracy_line(f"{month}, {name}", row)
    yield ""
    for how, row in data["orders"].items():
        yield f"Order of plans, {how}: " + ", ".join(f"{value} {name}" for name, value in row.items())
    if data["pauses"]:
        yield "Pauses: " + ", ".join(f"{value} by {name}" for name, value in data["pauses"].items())
    given, asked = Decimal(data["money"]["given_back"]), Decimal(data["money"]["asked_for"])
    yield ""
    yield f"Given back after the charge {dollars(given)}, asked for {dollars(asked)}."


def _after(number: int | None) -> str:
    return "–" if number is None else str(number)


def _accuracy_line(name: str, row: dict[str, Any]) -> str:
    charged, held = row["charged"], row["held"]
    if not charged["sessions"]:
        return f"{name:<44} {0:>8}"
    return (
        f"{name:<44} {charged['sessions']:>8} {charged['within_a_dollar']:>9.1%} {held['within_a_dollar']:>8.1%} "
        f"{'$' + charged['mean_error']:>11}"
    )
