"""Public answers of insurers, each read by eye first: our reader must come to the same facts.

``golden/271-NNN.json`` holds what the answer says, in our words and without anything that names a person: ``checked``
tells which segments were read by eye and what they say; of a network only what is known is written down.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from insurance.domain.benefits import NetworkBenefits, network_to_json
from insurance.x12 import x271
from insurance.x12.x271 import Response
from insurance.x12.x271_benefits import benefits_of

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "x12" / "271"
GOLDEN = sorted((Path(__file__).parent / "golden").glob("271-*.json"))


def facts_of_network(network: NetworkBenefits) -> dict[str, Any]:
    """What is known of one network, flat: ``{"deductible.individual.remaining": "1000.00"}``."""
    told = network_to_json(network)
    facts: dict[str, Any] = {}
    for name in ("covered", "copay", "copay_rule", "coinsurance", "deductible_applies", "authorization_required"):
        facts[name] = told[name]
    facts["copay_rule_concluded"] = told["copay_rule_inferred"] or None
    for name in ("deductible", "out_of_pocket"):
        for level in ("individual", "family"):
            for half in ("limit", "remaining"):
                facts[f"{name}.{level}.{half}"] = told[name][level][half]
    facts["visits.limit"], facts["visits.remaining"] = told["visits"]["limit"], told["visits"]["remaining"]
    facts["telehealth"] = facts_of_network(network.telehealth) if network.telehealth else None
    facts["service_types"] = told["basis"] or None
    return {name: value for name, value in facts.items() if value is not None}


def facts_of(response: Response) -> dict[str, Any]:
    """What one answer says, without the names in it."""
    benefits = benefits_of(response)
    return {
        "patient": "dependent" if response.dependent else "subscriber",
        "active": benefits.active,
        "plan_is_named": benefits.plan_name is not None,
        "plan_begin": benefits.plan_begin.isoformat() if benefits.plan_begin else None,
        "plan_end": benefits.plan_end.isoformat() if benefits.plan_end else None,
        "year_begin": benefits.year_begin.isoformat() if benefits.year_begin else None,
        "year_end": benefits.year_end.isoformat() if benefits.year_end else None,
        "in_network": facts_of_network(benefits.in_network),
        "out_of_network": facts_of_network(benefits.out_of_network),
        "network_not_stated": facts_of_network(benefits.network_not_stated),
        "other_payers": [{"rank": payer.rank, "overlaps": payer.overlaps} for payer in benefits.other_payers],
        "cob_signal": benefits.cob_signal.value,
        "carved_out": benefits.carve_out is not None,
        "rejections": [
            {"loop": each.loop, "code": each.code, "follow_up": each.follow_up, "helper": each.advice.helper.value}
            for each in response.all_rejections
        ],
        "conflicts": list(benefits.conflicts),
        "notes": len(benefits.notes),
    }


def test_every_sample_has_a_golden_file_and_says_what_was_read_by_eye() -> None:
    assert len(GOLDEN) >= 14
    for path in GOLDEN:
        golden = json.loads(path.read_text())
        assert golden["checked"], path.name
        assert all(response["answers"] for response in golden["responses"]), path.name


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not beside the project")
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_the_reader_agrees_with_the_eye(path: Path) -> None:
    golden = json.loads(path.read_text())
    (sample,) = SAMPLES.glob(f"{path.stem.removeprefix('271-')}-*.x12")
    reading = x271.read(sample.read_bytes())
    assert [{"where": each.where, "message": each.message} for each in reading.findings] == golden["errors"]
    expected: dict[int, dict[str, Any]] = {}
    for response in golden["responses"]:
        for first, last in response["answers"]:
            expected |= dict.fromkeys(range(first, last + 1), response["facts"])
    assert sorted(expected) == list(range(1, len(reading.responses) + 1))
    for number, response in enumerate(reading.responses, 1):
        told = facts_of(response)
        notes = benefits_of(response).notes
        wanted = dict(expected[number])
        said = wanted.pop("notes_say")
        assert {name: value for name, value in told.items() if name != "notes"} == wanted, f"answer {number}"
        assert told["notes"] == len(said), notes
        for part in said:
            assert any(part in note for note in notes), (part, notes)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not beside the project")
def test_no_sample_is_without_a_golden_file() -> None:
    assert {path.stem.removeprefix("271-") for path in GOLDEN} == {path.name[:3] for path in SAMPLES.glob("*.x12")}
