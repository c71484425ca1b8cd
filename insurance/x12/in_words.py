"""What an X12 file says, as text for a person. Input: the JSON of ``insurance.x12.kinds.describe``; output: lines."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Json = dict[str, Any]
_LABEL = 20


def render(data: Json) -> str:
    """A readable summary of any kind of file; characters that a terminal would obey are made harmless."""
    lines = [*_KINDS[data["type"]](data)]
    if data["errors"]:
        lines += ["", f"{_count(data['errors'], 'fault')} in the file, read all the same:"]
        lines += [f"  {error['where']}: {error['message']}" for error in data["errors"]]
    return "\n".join("".join(ch if ch.isprintable() else "?" for ch in line) for line in lines)


def _count(items: list[Any], one: str) -> str:
    return f"{len(items)} {one}" + ("" if len(items) == 1 else "s")


def _row(label: str, *values: object) -> Iterator[str]:
    """A label and what is known of its values; nothing at all when nothing is."""
    known = [str(value) for value in values if value not in (None, "", [])]
    if known:
        yield f"  {label:<{_LABEL}}{', '.join(known)}"


def _money(text: str | None) -> str | None:
    if text is None:
        return None
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, cents = digits.partition(".")
    return f"{sign}${int(whole):,}.{cents}"


def _percent(text: str | None) -> str | None:
    return None if text is None else f"{float(text) * 100:g}%"


def _yes(value: bool | None, yes: str, no: str) -> str | None:
    return None if value is None else yes if value else no


# 270 and 271


def _inquiries(data: Json) -> Iterator[str]:
    yield f"270: {_count(data['inquiries'], 'question')} to an insurer about coverage"
    for inquiry in data["inquiries"]:
        yield ""
        yield f"{inquiry['patient'] or 'A patient without a name'} (trace {inquiry['trace'] or 'none'})"
        yield from _row("Insurer", inquiry["payer"])
        yield from _row("Provider", inquiry["provider"], inquiry["npi"] and f"NPI {inquiry['npi']}")
        yield from _row("Member", inquiry["member_id"], inquiry["born"] and f"born {inquiry['born']}")
        yield from _row("Asks about", *inquiry["service_types"])
        yield from _row("On", inquiry["date"], inquiry["through"] and f"through {inquiry['through']}")


def _responses(data: Json) -> Iterator[str]:
    yield f"271: {_count(data['responses'], 'answer')} of an insurer about coverage"
    for response in data["responses"]:
        yield ""
        yield f"{response['patient'] or 'A patient without a name'} (trace {response['trace'] or 'none'})"
        yield from _row("Insurer", response["payer"])
        yield from _row("Member", response["member_id"])
        active = _yes(response["active"], "active", "not active") or "not known whether active"
        yield from _row("Coverage", active, response["plan"])
        if response["plan_begin"] or response["plan_end"]:
            yield from _row("Plan dates", f"{response['plan_begin'] or '…'} to {response['plan_end'] or '…'}")
        year = (response["year_begin"], response["year_end"])
        if year[0] and year != (response["plan_begin"], response["plan_end"]):
            yield from _row("Deductible's year", f"{year[0]} to {year[1]}")
        for rejection in response["rejections"]:
            yield from _row("Rejected", f"{rejection['code']} {rejection['text']}")
            yield from _row("  What to do", rejection["next"])
        for payer in response["other_payers"]:
            rank = f"as {payer['rank']}" if payer["rank"] else "order not said"
            yield from _row("Other insurance", payer["name"] or "no name", rank, payer["member_id"])
        yield from _row("Ask instead", response["carve_out"])
        if response["cob_signal"] != "none":
            yield from _row("Who pays first", response["cob_signal"].replace("_", " "))
        for name, network in response["behavioral_health"].items():
            yield from _network(name.replace("_", " ").capitalize(), network)
        yield from _many("Conflict", response["conflicts"])
        yield from _many("Note", response["notes"])
        yield from _many("The insurer writes", response["messages"])


def _network(title: str, network: Json) -> Iterator[str]:
    if not network["source"] and not network["telehealth"]:
        return
    rule = network["copay_rule"]
    words = (rule.replace("_", " ") + (", concluded" if network["copay_rule_inferred"] else "")) if rule else ""
    copay = _money(network["copay"])
    yield f"  {title}"
    for label, values in (
        ("Therapy", [_yes(network["covered"], "covered", "not covered")]),
        ("Copay", [copay and f"{copay}{f' ({words})' if words else ''}"]),
        ("Coinsurance", [_percent(network["coinsurance"])]),
        ("Deductible", _accumulators(network["deductible"])),
        ("Out-of-pocket maximum", _accumulators(network["out_of_pocket"])),
        ("Visits", [_of(network["visits"], str)]),
        ("Authorization", [_yes(network["authorization_required"], "required", "not required")]),
    ):
        known = [value for value in values if value]
        if known:
            yield f"    {label:<{_LABEL + 4}}{', '.join(known)}"
    if network["telehealth"]:
        yield from _network(f"{title}, telehealth", network["telehealth"])


def _accumulators(both: Json) -> list[str]:
    return [f"{level} {text}" for level, pair in both.items() if (text := _of(pair, lambda value: _money(value) or ""))]


def _of(pair: Json, show: Callable[[Any], str]) -> str:
    limit, remaining = pair["limit"], pair["remaining"]
    if limit is None and remaining is None:
        return ""
    if remaining is None:
        return f"limit {show(limit)}, what is left is not known"
    return f"{show(remaining)} left" + (f" of {show(limit)}" if limit is not None else "")


def _many(label: str, sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        yield from _row(label, sentence)


# 835


def _payments(data: Json) -> Iterator[str]:
    yield f"835: {_count(data['payments'], 'payment')} of an insurer"
    for payment in data["payments"]:
        yield ""
        yield f"{payment['payer'] or 'An insurer without a name'} (trace {payment['trace'] or 'none'})"
        yield from _row("Paid", _money(payment["amount"]), payment["date"], payment["method"])
        yield from _row("To NPI", payment["payee_npi"])
        yield from _row("Sums", _yes(payment["balanced"], "agree", "do not agree"))
        for claim in payment["claims"]:
            yield f"  Claim {claim['control_number'] or 'without a number'}, {claim['patient'] or 'no patient named'}"
            charge, paid, share = (_money(claim[key]) for key in ("charge", "paid", "client_responsibility"))
            yield from _indented("Status", claim["status_text"] or claim["status"])
            yield from _indented("Charge, paid, client", f"{charge}, {paid}, {share}")
            yield from _indented("Adjustments", _adjustments(claim["adjustments"]))
            for line in claim["lines"]:
                charge, paid = _money(line["charge"]), _money(line["paid"])
                reasons = _adjustments(line["adjustments"])
                yield from _indented(
                    f"{line['procedure'] or '?'} {line['date'] or ''}", f"{charge}, paid {paid} {reasons}".rstrip()
                )
            yield from _indented("Remarks", ", ".join(claim["remarks"]))
            yield from _indented("In words", claim["explanation"])
        for adjustment in payment["provider_adjustments"]:
            yield from _row(
                "Beside the claims", adjustment["code"], _money(adjustment["amount"]), adjustment["reference"]
            )


def _indented(label: str, text: str | None) -> Iterator[str]:
    if text:
        yield f"    {label:<{_LABEL + 4}}{text}"


def _adjustments(adjustments: list[Json]) -> str:
    return ", ".join(f"{each['group']}-{each['code']} {_money(each['amount'])}" for each in adjustments)


# 837P, 277CA, 999


def _claims(data: Json) -> Iterator[str]:
    yield f"837P: {_count(data['claims'], 'claim')}"
    for claim in data["claims"]:
        yield ""
        yield f"Claim {claim['control_number'] or 'without a number'}, {claim['patient'] or 'no patient named'}"
        yield from _row("Charge", _money(claim["charge"]))
        yield from _row("Insurer", claim["payer"], claim["rank"] and f"as {claim['rank']}")
        yield from _row("Member", claim["member_id"])
        yield from _row("Diagnoses", *claim["diagnoses"])
        for other in claim["other_payers"]:
            paid, share = _money(other["paid"]), _money(other["client_responsibility"])
            yield from _row(
                "Other insurance", other["name"], other["rank"] and f"as {other['rank']}",
                paid and f"paid {paid}", share and f"left {share} to the client",
            )  # fmt: skip
        for line in claim["lines"]:
            yield from _row(
                "Line", " ".join((line["procedure"] or "?", *line["modifiers"])), line["date"], _money(line["charge"])
            )
            for prior in line["prior"]:
                adjustments = _adjustments(prior["adjustments"])
                yield from _row("  before", prior["payer"], f"paid {_money(prior['paid'])}", adjustments)


def _acknowledged(data: Json) -> Iterator[str]:
    yield f"277CA: {_count(data['claims'], 'claim')} acknowledged"
    for claim in data["claims"]:
        yield ""
        accepted = _yes(claim["accepted"], "accepted", "not accepted") or "not known whether accepted"
        yield f"Claim {claim['control_number'] or 'without a number'}: {accepted}"
        yield from _row("Insurer's number", claim["payer_control_number"])
        for status in claim["statuses"]:
            codes = ":".join(code for code in (status["category"], status["code"], status["entity"]) if code)
            yield from _row(codes, status["text"])


def _groups(data: Json) -> Iterator[str]:
    yield f"999: {_count(data['groups'], 'group')} acknowledged"
    for group in data["groups"]:
        yield ""
        accepted = _yes(group["accepted"], "accepted", "not accepted") or "not known whether accepted"
        yield f"Group {group['control_number'] or 'without a number'}: {accepted}"
        for error in group["errors"]:
            yield from _row(
                f"{error['segment'] or 'group'} {error['position'] or ''}", f"{error['code']} {error['text']}"
            )


_KINDS: dict[str, Callable[[Json], Iterator[str]]] = {
    "270": _inquiries,
    "271": _responses,
    "277CA": _acknowledged,
    "835": _payments,
    "837P": _claims,
    "999": _groups,
}
