"""A page for people: the insurers, their members, what they decided and which files wait."""

from html import escape

from aiohttp import web

from sandbox.clearinghouse.control import OFFICE

MOST = 200
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Stand-in insurers</title><style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1c2430 }}
.wide {{ overflow-x: auto }} table {{ border-collapse: collapse; width: 100%; margin: 0 0 2rem }}
caption {{ text-align: left; font-weight: 600; font-size: 1.2rem; padding: .5rem 0 }}
th, td {{ text-align: left; padding: .35rem .75rem; border-bottom: 1px solid #cfd6df; white-space: nowrap }}
td.money {{ text-align: right; font-variant-numeric: tabular-nums }}
</style></head><body><main>
<h1>Stand-in insurers</h1>
<p>These insurers are made up. They answer eligibility inquiries and decide claims by rules of their own.
Their clock says <strong>{clock}</strong>. The last {most} claims are shown.</p>
{tables}</main></body></html>
"""


async def page(request: web.Request) -> web.Response:
    """``GET /``: tables only; everything that changes something is in the control API."""
    office = request.app[OFFICE]
    insurers = office.books.insurers()
    payers = [
        [insurer.payer_id, insurer.name, insurer.cob_method.replace("_", " "), "down" if insurer.down else "answering"]
        for insurer in insurers
    ]
    people = []
    for insurer in insurers:
        for member in office.books.members(insurer.payer_id):
            used = office.books.used(member, member.plan.year_of(office.today()))
            name = f"{member.person.first_name} {member.person.last_name}"
            people.append(
                [insurer.name, name, member.card_id, member.cob.rank, f"{used.deductible:.2f}",
                 f"{used.out_of_pocket:.2f}", str(used.visits)]
            )  # fmt: skip
    claims = []
    for claim in office.books.listing()[-MOST:][::-1]:
        current = claim["current"] or {"paid": "", "client": "", "adjustments": []}
        reasons = " ".join(f"{each['group']}-{each['code']}" for each in current["adjustments"])
        claims.append(
            [claim["payer_id"], claim["control_number"], claim["payer_control_number"], claim["served"],
             claim["state"], claim["charge"], current["paid"], current["client"], reasons]
        )  # fmt: skip
    files = [[row["kind"], row["recipient"], row["ready_at"][:19]] for row in office.mailbox.waiting_out()]
    tables = [
        _table("Insurers", ("Payer id", "Name", "Second payment by", "State"), payers),
        _table("Claims", ("Payer", "Claim", "Its number", "Date", "State", "Charge", "Paid", "Client", "Why"), claims),
        _table(
            "Members",
            ("Insurer", "Name", "Card", "This insurer is", "Deductible used", "Out of pocket", "Visits"),
            people,
        ),
        _table("Files nobody has acknowledged", ("Kind", "For", "Ready since"), files),
    ]
    clock = escape(f"{office.mailbox.now():%Y-%m-%d %H:%M} UTC")
    html = _PAGE.format(clock=clock, tables="".join(tables), most=MOST)
    return web.Response(text=html, content_type="text/html")


def _table(caption: str, heads: tuple[str, ...], rows: list[list[str]]) -> str:
    if not rows:
        return f"<h2>{escape(caption)}</h2><p>None yet.</p>"
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    body = "".join("<tr>" + "".join(_cell(each) for each in row) + "</tr>" for row in rows)
    return (
        f'<div class="wide"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(text: str) -> str:
    whole, _point, cents = text.partition(".")
    money = len(cents) == 2 and (whole + cents).isdigit()
    return f'<td class="money">{escape(text)}</td>' if money else f"<td>{escape(text)}</td>"
