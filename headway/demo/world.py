"""Setting up the stand-in insurers and reading the stand-in mailbox, over HTTP as anything outside would."""

from datetime import datetime
from typing import Any

import requests
from django.conf import settings

TIMEOUT = 10


class World:
    """The stand-ins' control APIs. Shapes: ``docs/clearinghouse.md``."""

    def __init__(self, insurers: str = "", mailbox: str = "") -> None:
        self.insurers = (insurers or settings.SANDBOX_URL).rstrip("/")
        self.mailbox = (mailbox or settings.MAILBOX_URL).rstrip("/")
        self._http = requests.Session()

    def _send(self, method: str, url: str, body: object = None) -> Any:
        answer = self._http.request(method, url, json=body, timeout=TIMEOUT)
        if not answer.ok:
            raise RuntimeError(f"{method} {url} answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def put_payer(self, payer_id: str, document: dict[str, Any]) -> None:
        self._send("PUT", f"{self.insurers}/control/payers/{payer_id}", document)

    def put_member(self, payer_id: str, member_id: str, document: dict[str, Any]) -> None:
        self._send("PUT", f"{self.insurers}/control/members/{payer_id}/{member_id}", document)

    def member(self, payer_id: str, member_id: str) -> dict[str, Any]:
        """An insurer's record of a member, and what of the year is used and left by its books."""
        found: dict[str, Any] = self._send("GET", f"{self.insurers}/control/members/{payer_id}/{member_id}")
        return found

    def patch_member(self, payer_id: str, member_id: str, document: dict[str, Any]) -> None:
        self._send("PATCH", f"{self.insurers}/control/members/{payer_id}/{member_id}", document)

    def use_elsewhere(self, payer_id: str, member_id: str, document: dict[str, Any]) -> None:
        """Care that others gave the member: what it adds to the year of its day."""
        self._send("POST", f"{self.insurers}/control/members/{payer_id}/{member_id}/used", document)

    def set_cob(self, payer_id: str, member_id: str, document: dict[str, Any]) -> None:
        """What happens when the member calls: the insurer's own record of who pays first."""
        self._send("POST", f"{self.insurers}/control/members/{payer_id}/{member_id}/cob", document)

    def set_clock(self, moment: datetime | None) -> None:
        """Take the insurers to a moment, ``None`` for the present; all that is due there is done on return."""
        self._send("PUT", f"{self.insurers}/control/clock", {"now": moment and moment.isoformat()})

    def lay_file(self, *, recipient: str, kind: str, payload: str) -> None:
        """Put a file in a recipient's box at the clearinghouse, right or wrong."""
        body = {"recipient": recipient, "kind": kind, "payload": payload}
        self._send("POST", f"{self.insurers}/control/files", body)

    def start_afresh(self) -> None:
        """Let the insurers forget everybody."""
        self._send("POST", f"{self.insurers}/control/reset")

    def payers(self) -> list[str]:
        """Ids of the insurers that are set up."""
        return [each["payer_id"] for each in self._send("GET", f"{self.insurers}/control/payers")["payers"]]

    def books(self, **query: str) -> list[dict[str, Any]]:
        """The insurers' own books: what they decided of each claim."""
        answer = requests.get(f"{self.insurers}/control/books", params=query, timeout=TIMEOUT)
        answer.raise_for_status()
        claims: list[dict[str, Any]] = answer.json()["claims"]
        return claims

    def mail_to(self, address: str) -> list[dict[str, Any]]:
        """E-mails that arrived for an address, oldest first."""
        answer = requests.get(f"{self.mailbox}/api/messages", params={"to": address}, timeout=TIMEOUT)
        answer.raise_for_status()
        found = answer.json()
        messages: list[dict[str, Any]] = found["messages"] if isinstance(found, dict) else found
        return messages
