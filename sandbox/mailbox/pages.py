"""The two pages: the list and one message. A message's text is escaped, its HTML is shown in a sandboxed frame."""

import re
from datetime import UTC, datetime
from html import escape
from zoneinfo import ZoneInfo

from sandbox.mailbox.store import Mail

REFRESH_SECONDS = 5
_ZONE = ZoneInfo("America/New_York")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Mailbox</title>
<link rel="stylesheet" href="/style.css">
{head}
</head>
<body>
<header><a class="brand" href="/">Mailbox</a>
<p>Every e-mail the demo sends ends here. None leaves this computer.</p></header>
<main>
{body}
</main>
</body>
</html>
"""


def _page(title: str, body: str, head: str = "") -> str:
    return _PAGE.format(title=escape(title), head=head, body=body)


def _time(at: float) -> str:
    moment = datetime.fromtimestamp(at, tz=UTC).astimezone(_ZONE)
    return f'<time datetime="{moment.isoformat(timespec="seconds")}">{moment:%a %d %b, %H:%M:%S}</time>'


def inbox(mails: list[Mail], to: str) -> str:
    """The list, the newest first; it loads itself again unless someone is looking for an address."""
    rows = "".join(
        f'<tr><td class="to">{escape(mail.to)}</td>'
        f'<td class="subject"><a href="/messages/{mail.id}">{escape(mail.subject) or "(no subject)"}</a></td>'
        f'<td class="when">{_time(mail.received)}</td></tr>'
        for mail in mails
    )
    if mails:
        table = (
            '<table><caption class="hidden">Messages, the newest first</caption><thead><tr><th scope="col">To</th>'
            f'<th scope="col">Subject</th><th scope="col">Received</th></tr></thead><tbody>{rows}</tbody></table>'
        )
    elif to:
        table = f'<p class="empty">No message to “{escape(to)}”. <a href="/">Show all messages</a></p>'
    else:
        table = '<p class="empty">No messages yet. They appear here as soon as the product sends one.</p>'
    search = (
        '<form class="search" role="search"><label for="to">Recipient</label>'
        f'<input id="to" name="to" type="search" value="{escape(to)}" autocomplete="off">'
        '<button type="submit">Find</button></form>'
    )
    refresh = "" if to else '<script src="/refresh.js" defer></script>'
    return _page(
        "Inbox", f'<h1>Inbox</h1>{search}<div id="messages" data-every="{REFRESH_SECONDS}">{table}</div>', refresh
    )


def message(mail: Mail) -> str:
    """One message: its HTML, its plain text with links that can be followed, its headers."""
    facts = "".join(
        f"<dt>{name}</dt><dd>{value}</dd>"
        for name, value in (
            ("From", escape(str(mail.parsed.get("From", mail.sender)))),
            ("To", escape(mail.to)),
            ("Received", _time(mail.received)),
        )
    )
    parts = [
        f'<p><a href="/">← Inbox</a></p><h1>{escape(mail.subject) or "(no subject)"}</h1><dl class="facts">{facts}</dl>'
    ]
    if mail.part("html"):
        parts.append(
            '<section aria-labelledby="as-html"><h2 id="as-html">As it looks</h2>'
            f'<iframe title="The message as it looks" src="/messages/{mail.id}/html"'
            ' sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"></iframe>'
            "</section>"
        )
    if mail.part("plain"):
        parts.append(
            '<section aria-labelledby="as-text"><h2 id="as-text">Plain text</h2>'
            f'<pre class="text">{_linked(mail.part("plain"))}</pre></section>'
        )
    if mail.attachments:
        items = "".join(f"<li>{escape(name)} <span>({escape(kind)})</span></li>" for name, kind in mail.attachments)
        parts.append(f"<section><h2>Attachments</h2><ul>{items}</ul></section>")
    headers = "\n".join(f"{escape(name)}: {escape(str(value))}" for name, value in mail.parsed.items())
    parts.append(
        f"<details><summary>Headers</summary><pre>{headers}</pre></details>"
        f'<p><a href="/messages/{mail.id}/raw">The message as it came (.eml)</a></p>'
    )
    return _page(mail.subject or "(no subject)", "".join(parts))


def missing() -> str:
    return _page("Not found", '<h1>No such message</h1><p>It may have been removed. <a href="/">To the inbox</a></p>')


def _linked(text: str) -> str:
    """Escaped text whose addresses are links."""
    out, at = [], 0
    for found in _LINK.finditer(text):
        address = escape(found[0])
        out += [escape(text[at : found.start()]), f'<a href="{address}">{address}</a>']
        at = found.end()
    return "".join([*out, escape(text[at:])])
