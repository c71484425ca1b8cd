"""Does an 837P keep the form of its guide? Asks pyx12, which knows 005010X222A1 segment by segment.

What it does not check, and our own scrubbing must: amounts that add up (``balance_837p``), NPI check digits, diagnosis
pointers, that SVD01 names a payer of the claim. Its first call reads the map, about a quarter of a second: call it once
per file, in a worker. Known to be wrong: it refuses PWK02 AD, which we do not send.
"""

import io
import json
import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pyx12.errors
import pyx12.map_if
import pyx12.params
import pyx12.x12n_document

from insurance.x12.segments import Finding, segments_of


@lru_cache(maxsize=8)
def _map(name: str) -> Any:
    return _read_map(name, pyx12.params.ParamsBase())


# pyx12 reads and parses its XML map for each file anew. A map does not change while it is walked (the walker keeps its
# own counts), so that one reading per process is enough: batches are validated four times as fast.
_read_map = pyx12.map_if.load_map_file
pyx12.map_if.load_map_file = lambda name, param, map_path=None: _map(name)


def findings(raw: bytes) -> list[Finding]:
    """Everything pyx12 objects to, in file order; empty when the file is fit to send.

    ``where`` names the segment by its place in the file. Raises :class:`X12Error` for text that is no X12 at all; a
    version without a map, or a file pyx12 itself cannot walk, is a finding.
    """
    ids = [segment.id for segment in segments_of(raw)]
    answer = io.StringIO()
    spoken = _Spoken()
    logger = logging.getLogger("pyx12")
    logger.propagate = False
    logger.addHandler(spoken)
    try:
        valid = pyx12.x12n_document.x12n_document(
            pyx12.params.ParamsBase(), io.StringIO(raw.decode("utf-8", "replace")), None, None, fd_json=answer
        )
    except pyx12.errors.EngineError as problem:
        return [Finding("file", str(problem))]
    except Exception as problem:  # it walks broken envelopes into errors of every type
        return [Finding("file", f"the validator cannot walk this file: {problem}")]
    finally:
        logger.removeHandler(spoken)
    found = [
        Finding(_where(line, ids), f"{message} ({code})")
        for line, code, message in _errors(json.loads(answer.getvalue() or "{}"), 0)
    ]
    if not valid and not found:
        # Its tree leaves out faults of ST and SE; those are only logged.
        found = [Finding("file", text) for text in spoken.texts or ["refused without a reason"]]
    return found


class _Spoken(logging.Handler):
    """What pyx12 says while it reads, kept instead of printed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def _where(line: int, ids: list[str]) -> str:
    return f"segment {line} ({ids[line - 1]})" if 0 < line <= len(ids) else "file"


def _errors(node: Any, line: int) -> Iterator[tuple[int, str, str]]:
    """Walk pyx12's tree of interchanges, groups, transactions, segments and elements."""
    if isinstance(node, list):
        for each in node:
            yield from _errors(each, line)
    elif isinstance(node, dict):
        line = node.get("cur_line") or line
        for error in node.get("errors", ()):
            yield line, str(error.get("err_cde", "")), str(error.get("err_str", ""))
        for key, value in node.items():
            if key != "errors":
                yield from _errors(value, line)
