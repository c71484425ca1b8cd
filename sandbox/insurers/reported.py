"""What an insurer says of a member where that is not what its books hold: wrong, or stale."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.insurers.fields import Fields
from sandbox.insurers.records import Member, Stale, Used, read_cob, read_member, read_stale


@dataclass(frozen=True, slots=True)
class Reported:
    """How a 271 tells a member: the record with its ``reported`` part laid over.

    ``used``, where given, is told as it is, whatever the books say; else the books decide, as they stood then where
    ``stale`` says so.
    """

    member: Member
    used: Used | None
    stale: Stale | None


def reported_member(document: Mapping[str, Any], payer_id: str, key: str) -> Reported:
    """Read ``reported``: ``plan`` and ``cob`` replace single keys of the record."""
    reported = Fields(document.get("reported") or {}, "reported")
    plan, cob, used = reported.object("plan"), reported.object("cob"), reported.object("used")
    stale = read_stale(reported.object("stale"))
    reported.done()
    overlaid = dict(document)
    overlaid.pop("reported", None)
    if plan is not None:
        overlaid["plan"] = {**(document.get("plan") or {}), **(document.get("reported") or {})["plan"]}
    if cob is not None:
        read_cob(cob)
        overlaid["cob"] = {**(document.get("cob") or {}), **(document.get("reported") or {})["cob"]}
    member = read_member(overlaid, payer_id, key)
    if used is None:
        return Reported(member, None, stale)
    overlaid["used"] = (document.get("reported") or {})["used"]
    return Reported(member, read_member(overlaid, payer_id, key).used, stale)
