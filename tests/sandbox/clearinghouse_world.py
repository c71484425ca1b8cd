"""The stand-in clearinghouse as a test holds it: set insurers up, send, and wait for what comes back."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from insurance.clearinghouse import InboundFile, PayloadType
from insurance.clearinghouse.caqh_core import CaqhCoreClearinghouse
from insurance.x12 import x271, x277ca, x835, x837p
from tests.stand_ins import free_port, running
from tests.x12 import cast

USER, PASSWORD = "headway", "headway-demo"

ALPHA = {
    "name": "Alpha Health",
    "phone": "800-555-0101",
    "fee_schedule": [
        {"cpt": "90837", "licence": "*", "allowed": "140.00"},
        {"cpt": "90837", "licence": "PSYCHOLOGIST", "allowed": "150.00"},
    ],
    "delays": {"remit_seconds": 0},
}
BETA = {
    "name": "Beta Mutual",
    "phone": "800-555-0102",
    "fee_schedule": [{"cpt": "90837", "allowed": "140.00"}],
    "delays": {"remit_seconds": 0},
}
ANA = {"first_name": "Ana", "last_name": "Lopez", "birth_date": "1988-05-17", "gender": "F"}
BEN = {"first_name": "Ben", "last_name": "Lopez", "birth_date": "1986-02-09", "gender": "M"}
YEAR = {"begins": "2026-01-01"}
ANA_AT_ALPHA: dict[str, Any] = {
    **ANA,
    "plan": {
        **YEAR,
        "name": "Alpha PPO",
        "group_number": "A-100",
        "deductible": "500.00",
        "out_of_pocket": "3000.00",
        "coinsurance": "0.20",
    },
    "used": {"deductible": "450.00", "out_of_pocket": "450.00"},
}
ANA_AT_BETA: dict[str, Any] = {
    **ANA,
    "relationship": "spouse",
    "subscriber": BEN,
    "plan": {**YEAR, "copay": "25.00", "deductible": "0.00"},
    "cob": {
        "rank": "secondary",
        "others": [
            {"payer_name": "Alpha Health", "payer_id": "ALPH1", "member_id": "ANA001", "rank": "primary"},
        ],
    },
}
"""Alpha: $50.00 of deductible left, then 20%. Beta: a copay of $25.00, through Ben, second."""


@dataclass
class World:
    """A running stand-in; ``core`` is our adapter against it."""

    base: str
    core: CaqhCoreClearinghouse
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(100, 10_000)))

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = requests.request(method, f"{self.base}/control/{path}", json=body, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def insure(
        self, payer_id: str, payer: dict[str, Any], member_id: str = "", member: dict[str, Any] | None = None
    ) -> None:
        self.control("PUT", f"payers/{payer_id}", payer)
        if member is not None:
            self.control("PUT", f"members/{payer_id}/{member_id}", member)

    def insure_ana(self, *, alpha: dict[str, Any] | None = None, beta: dict[str, Any] | None = None) -> None:
        """Ana's two plans, with changes to her member records."""
        self.insure("ALPH1", ALPHA, "ANA001", {**ANA_AT_ALPHA, **(alpha or {})})
        self.insure("BETA1", BETA, "BEN777", {**ANA_AT_BETA, **(beta or {})})

    def ask(self, payload: bytes) -> x271.Response:
        raw = self.core.real_time(payload, payload_type=PayloadType.ELIGIBILITY_INQUIRY, payload_id=str(uuid.uuid4()))
        answered = x271.read(raw)
        assert answered.findings == ()
        return answered.responses[0]

    def submit(self, *claims: x837p.Claim) -> str:
        payload_id = str(uuid.uuid4())
        payload = cast.send(*claims, control_number=next(self.numbers))
        self.core.submit_batch(payload, payload_type=PayloadType.PROFESSIONAL_CLAIM, payload_id=payload_id)
        return payload_id

    def fetch(self, payload_type: str, count: int = 1) -> list[InboundFile]:
        """Poll until ``count`` files came, acknowledging each."""
        found: list[InboundFile] = []
        deadline = time.monotonic() + 8
        while len(found) < count:
            assert time.monotonic() < deadline, f"only {len(found)} of {count} files came"
            for file in self.core.retrieve(payload_type=payload_type):
                found.append(file)
                self.core.acknowledge(file.payload_id)
            time.sleep(0.02)
        return found

    def statuses(self, count: int = 2) -> dict[str, list[tuple[str, str, str, bool | None]]]:
        """By CLM01: (source, category, code, accepted) of everything the next 277CAs say."""
        said: dict[str, list[tuple[str, str, str, bool | None]]] = {}
        for file in self.fetch(PayloadType.RETRIEVE_277CA, count):
            for acknowledgement in x277ca.read(file.payload):
                for claim in acknowledgement.claims:
                    for status in claim.statuses:
                        said.setdefault(claim.control_number, []).append(
                            (acknowledgement.source_kind, status.category, status.code, claim.accepted)
                        )
        return said

    def remittance(self) -> x835.Remittance:
        """The next 835; it must balance."""
        file = self.fetch(PayloadType.RETRIEVE_835)[0]
        remittances = list(x835.read(file.payload))
        assert len(remittances) == 1
        assert x835.imbalances(remittances[0]) == []
        return remittances[0]

    def books(self, control_number: str) -> list[dict[str, Any]]:
        claims: list[dict[str, Any]] = self.control("GET", f"books?control_number={control_number}")["claims"]
        return claims


@contextmanager
def clearinghouse(folder: Path, *, redeliver_after: float = 15.0, port: int = 0) -> Iterator[World]:
    """Run the stand-in on ``folder`` until the block ends."""
    port = port or free_port()
    base = f"http://127.0.0.1:{port}"
    command = ("sandbox.clearinghouse", f"--port={port}", f"--data={folder}", f"--redeliver-after={redeliver_after}")
    with running(*command, health=f"{base}/health"):
        yield World(base, core(base))


def core(base: str, **changes: Any) -> CaqhCoreClearinghouse:
    known: dict[str, Any] = {
        "url": base, "user": USER, "password": PASSWORD, "sender_id": "HEADWAYTEST", "receiver_id": "SANDBOX",
        "timeouts": (2.0, 5.0, 5.0),
    }  # fmt: skip
    return CaqhCoreClearinghouse(**{**known, **changes})


def adjusted(claim: x835.RemittedClaim) -> list[tuple[str, str, str]]:
    """Group, reason and dollars of every adjustment, as they stand."""
    return [(each.group, each.code, f"{each.amount:.2f}") for each in claim.all_adjustments]
