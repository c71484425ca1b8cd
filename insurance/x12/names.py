"""People, organisations and addresses as NM1, N3 and N4 carry them."""

from dataclasses import dataclass

from insurance.x12.segments import Row, Segment


@dataclass(frozen=True, slots=True)
class Name:
    """An NM1's name and id. An organisation has only ``last``; ``qualifier`` says what ``identifier`` is
    (XX NPI, MI member id, PI payer id, 46 electronic id)."""

    last: str = ""
    first: str = ""
    middle: str = ""
    suffix: str = ""
    qualifier: str = ""
    identifier: str = ""
    person: bool = False

    @property
    def full(self) -> str:
        """As a person would write it: ``ANA MARIA LOPEZ``."""
        return " ".join(part for part in (self.first, self.middle, self.last, self.suffix) if part)


@dataclass(frozen=True, slots=True)
class Address:
    line1: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    line2: str = ""


def read_name(segment: Segment) -> Name:
    """An NM1 as a :class:`Name`."""
    get = segment.get
    return Name(get(3), get(4), get(5), get(7), get(8), get(9), get(2) == "1")


def write_name(entity: str, name: Name) -> Row:
    """An NM1 row; ``entity`` is NM101 (IL, QC, 82, PR…)."""
    kind = "1" if name.person else "2"
    return ("NM1", entity, kind, name.last, name.first, name.middle, "", name.suffix, name.qualifier, name.identifier)


def write_address(address: Address | None) -> list[Row]:
    """N3 and N4 rows; none when the address is not known."""
    if address is None:
        return []
    return [("N3", address.line1, address.line2), ("N4", address.city, address.state, address.zip)]
