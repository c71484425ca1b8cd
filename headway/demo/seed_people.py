"""Invented people: names, towns and the therapists of the demo. Nobody here exists."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from people.models import Licence


def npi(number: int) -> str:
    """A number in the form of an NPI with its check digit (Luhn over 80840 and the first nine digits)."""
    nine = f"19999{number:04d}"
    total = 24  # what the prefix 80840 adds
    for place, digit in enumerate(int(each) for each in reversed(nine)):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return f"{nine}{-total % 10}"


@dataclass(frozen=True, slots=True)
class Therapist:
    """A provider. ``not_with`` are ids of insurers that have not credentialed them, ``also_in`` further states in which
    all others have; what clients look for follows: specialties, by video, at an office in ``city``, new clients."""

    first: str
    last: str
    licence: str
    state: str
    npi: str
    not_with: tuple[str, ...] = field(default=())
    city: str = ""
    specialties: tuple[str, ...] = ()
    telehealth: bool = True
    office: bool = True
    accepting: bool = True
    also_in: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        return f"{self.last.lower()}@example.com"

    @property
    def looked_for(self) -> dict[str, Any]:
        """Columns of :class:`people.models.Provider` that the page "find a provider" looks at."""
        return {
            "specialties": list(self.specialties),
            "telehealth": self.telehealth,
            "office": self.office,
            "city": self.city,
            "accepting": self.accepting,
        }


COLE = Therapist(
    "Maya", "Cole", Licence.DOCTORAL, "NY", "1234567893", city="Albany", specialties=("anxiety", "trauma", "grief"),
)  # fmt: skip
DIAZ = Therapist(
    "Rafael", "Diaz", Licence.DOCTORAL, "NY", npi(11), city="Brooklyn", specialties=("couples", "depression"),
    also_in=("NJ",),
)  # fmt: skip
OKOYE = Therapist(
    "Tessa", "Okoye", Licence.NURSE, "NY", npi(12), not_with=("HARB1",), specialties=("medication", "adhd"),
    office=False,
)  # fmt: skip

THERAPISTS = (
    COLE,
    DIAZ,
    OKOYE,
    Therapist(
        "Hannah", "Lindqvist", Licence.MASTERS, "NY", npi(13), city="Rochester", specialties=("children", "anxiety"),
        telehealth=False,
    ),
    Therapist(
        "Omar", "Haddad", Licence.PHYSICIAN, "NJ", npi(14), city="Trenton", specialties=("medication", "addiction"),
        accepting=False, also_in=("NY",),
    ),
    Therapist(
        "Priya", "Raman", Licence.DOCTORAL, "NJ", npi(15), city="Montclair", specialties=("eating", "depression"),
        also_in=("NY",),
    ),
    Therapist(
        "Jonah", "Whitfield", Licence.MASTERS, "NJ", npi(16), not_with=("CDRG1",), city="Hoboken",
        specialties=("addiction", "trauma"),
    ),
    Therapist(
        "Mei", "Tanaka", Licence.DOCTORAL, "CA", npi(17), city="Oakland", specialties=("adhd", "children"),
    ),
    Therapist(
        "Lucia", "Ferrante", Licence.MASTERS, "CA", npi(18), specialties=("anxiety", "couples"), office=False,
    ),
    Therapist(
        "Kwame", "Boateng", Licence.MASTERS, "TX", npi(19), city="Austin", specialties=("grief", "depression"),
    ),
    Therapist(
        "Ingrid", "Solberg", Licence.NURSE, "TX", npi(20), not_with=("GRPK1",), city="Houston",
        specialties=("medication", "depression"),
    ),
    Therapist(
        "Caleb", "Stone", Licence.MASTERS, "IL", npi(21), city="Evanston", specialties=("anxiety", "trauma"),
    ),
)  # fmt: skip

TOWNS = {
    "NY": (("Albany", "12207"), ("Yonkers", "10701"), ("Rochester", "14604"), ("Brooklyn", "11201")),
    "NJ": (("Trenton", "08608"), ("Hoboken", "07030"), ("Montclair", "07042")),
    "CA": (("Oakland", "94612"), ("Fresno", "93721"), ("San Diego", "92101")),
    "TX": (("Austin", "78701"), ("Houston", "77002"), ("El Paso", "79901")),
    "IL": (("Evanston", "60201"), ("Peoria", "61602"), ("Chicago", "60614")),
}
STREETS = ("Linden Street", "Mill Road", "Harrison Avenue", "Orchard Lane", "Second Street", "Lake Drive", "Elm Court")

FIRST = {
    "F": (
        "Amara", "Sofia", "Yuki", "Fatima", "Grace", "Noor", "Camila", "Leila", "Hazel", "Anjali", "Ximena", "Ruth",
        "Zainab", "Ioana", "Mei-Lin", "Chloe", "Dolores", "Adaeze", "Petra", "Shira", "Talia", "Wren", "Keiko",
        "Marisol",
    ),
    "M": (
        "Mateo", "Kofi", "Liam", "Arjun", "Tomas", "Hassan", "Elijah", "Kenji", "Marcus", "Dmitri", "Andre", "Felix",
        "Ravi", "Samuel", "Idris", "Pablo", "Caleb", "Nikolai", "Theo", "Jamal", "Owen", "Bao", "Emeka", "Gabriel",
    ),
    "U": ("River", "Sage", "Quinn", "Rowan", "Ari", "Skyler"),
}  # fmt: skip
LAST = (
    "Abara", "Bergstrom", "Castellano", "Delacroix", "Eriksen", "Farouk", "Gutierrez", "Hoang", "Ibarra", "Jankowski",
    "Kaplan", "Lombardi", "Mbeki", "Nakamura", "Olsen", "Pereira", "Qureshi", "Rosenthal", "Santos", "Takahashi",
    "Ueda", "Vargas", "Washington", "Yilmaz", "Zhang", "Adeyemi", "Brennan", "Chowdhury", "Dimitrov", "Espinoza",
    "Fitzgerald", "Goldberg", "Haile", "Ivanova", "Johansson", "Kowalski", "Lindgren", "Moreau", "Nwosu", "Oyelaran",
    "Park", "Romero", "Silva", "Tran", "Usman", "Villanueva", "Weiss", "Xiong", "Young", "Zapata", "Begum", "Cruz",
    "Doyle", "Ellison", "Freeman", "Grant", "Hughes", "Irving", "Joyce", "Kelly", "Lane", "Mercer", "Novak", "Ortega",
    "Pruitt", "Quigley", "Ramsey", "Sutton", "Thorne", "Underhill", "Vance", "Walsh",
)  # fmt: skip
DIAGNOSES = (
    ("F41.1",), ("F33.1",), ("F43.23",), ("F32.1", "F41.1"), ("F43.10",), ("F40.10",), ("F90.0",), ("F42.2",),
    ("F34.1",),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Person:
    """A client to be."""

    first: str
    last: str
    born: date
    sex: str
    state: str
    city: str
    zip_code: str
    street: str

    @property
    def email(self) -> str:
        return f"{self.first}.{self.last}@example.com".lower().replace(" ", "-")
