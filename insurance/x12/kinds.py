"""Which transaction set a file holds, and its description: the one door for a file of unknown kind."""

from collections.abc import Callable

from insurance.x12 import x270, x271, x277ca, x835, x837p, x999
from insurance.x12.segments import Segment, X12Error, segments_of

_READERS: dict[str, Callable[[bytes], dict[str, object]]] = {
    "270": x270.describe,
    "271": x271.describe,
    "277CA": x277ca.describe,
    "835": x835.describe,
    "837P": x837p.describe,
    "999": x999.describe,
}
KINDS = tuple(_READERS)

_OTHERS = {
    "276": "a claim status request",
    "277": "a claim status response, not a claim acknowledgement (277CA)",
    "278": "an authorization request or answer",
    "820": "a premium payment",
    "824": "an application advice",
    "834": "an enrollment",
    "837D": "a dental claim",
    "837I": "an institutional claim",
    "997": "a 997 acknowledgement, which the 999 replaced",
}
_GUIDES = {"X222": "837P", "X098": "837P", "X223": "837I", "X096": "837I", "X224": "837D", "X097": "837D"}
_SERVICE_LINES = {"SV1": "837P", "SV2": "837I", "SV3": "837D"}


def kind_of(raw: bytes) -> str:
    """``270``, ``271``, ``277CA``, ``835``, ``837P`` or ``999``.

    Told by ST01 and, where that is shared, by the guide that GS08 or ST03 names (then by what only one of them has).
    Raises :class:`X12Error` for a file of another kind, of several kinds, or without any transaction.
    """
    version, kind, pending, acknowledged = "", "", None, False
    for segment in segments_of(raw):
        match segment.id:
            case "GS":
                version = segment.get(8)
            case "TA1":
                acknowledged = True
            case "ST":
                if pending is not None:
                    kind = _agreed(kind, pending.get(1), pending)
                pending = segment
                found = _by_guide(segment.get(1), version or segment.get(3)) or _by_guide(
                    segment.get(1), segment.get(3)
                )
                if found:
                    kind, pending = _agreed(kind, found, segment), None
            case "BHT" if pending is not None and pending.get(1) == "277":
                kind = _agreed(kind, "277CA" if segment.get(1) == "0085" else "277", pending)
                pending = None
            case "SV1" | "SV2" | "SV3" if pending is not None and pending.get(1) == "837":
                kind, pending = _agreed(kind, _SERVICE_LINES[segment.id], pending), None
    if pending is not None:
        kind = _agreed(kind, "837P" if pending.get(1) == "837" else pending.get(1), pending)
    if not kind:
        only = "only an interchange acknowledgement (TA1)" if acknowledged else "no transaction (ST)"
        raise X12Error(f"there is {only} in the file", "end of file")
    return kind


def _by_guide(code: str, version: str) -> str:
    """The kind, or empty when ST01 and the guide leave it open."""
    if code == "837":
        return next((kind for guide, kind in _GUIDES.items() if guide in version), "")
    if code == "277":
        return "277CA" if "X214" in version else "277" if "X212" in version or "X228" in version else ""
    return code or "(none)"


def _agreed(kind: str, found: str, segment: Segment) -> str:
    if found not in _READERS:
        what = _OTHERS.get(found)
        kinds = ", ".join(KINDS)
        told = f"this transaction is {what}" if what else f"{found[:20]!r} is not a kind of transaction read here"
        raise X12Error(f"{told}; the kinds read are {kinds}", segment.where)
    if kind and found != kind:
        raise X12Error(f"the file holds both {kind} and {found}: give each kind a file of its own", segment.where)
    return found


def describe(raw: bytes) -> dict[str, object]:
    """What the file says, in the shape that ``manage.py read_edi --json`` prints.

    Raises :class:`X12Error` for what cannot be read.
    """
    return _READERS[kind_of(raw)](raw)
