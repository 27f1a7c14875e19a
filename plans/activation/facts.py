"""The facts of an incident as plans see them: what is known, and what is not known yet.

A fact that is None is 不详 or 待核. It is neither true nor false nor zero: expressions over it stay
undecided, so that a plan is not activated, and not ruled out, by a figure nobody has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from .chemicals import chemical_named_in


@dataclass(frozen=True, slots=True)
class Facts:
    """Counts are people, `direct_loss_wan` is 10,000 yuan, distances are kilometres.

    `grade` is general | larger | major | extraordinary (Order 493, art. 3). `cross_city` means
    that an effect beyond the city was observed; `border_city_km` only says how near the next
    city is. `warning` is the highest public warning in force: blue | yellow | orange | red.
    """

    event_type: str | None = None
    grade: str | None = None
    near_accident: bool | None = None
    deaths: int | None = None
    missing: int | None = None
    trapped: int | None = None
    endangered: int | None = None
    serious_injuries: int | None = None
    poisoned_diagnosed: int | None = None
    observed: int | None = None
    seen: int | None = None
    evacuated: int | None = None
    direct_loss_wan: int | None = None
    chemical: str | None = None
    chemical_is_toxic: bool | None = None
    cross_city: bool | None = None
    border_city_km: float | None = None
    water_polluted: bool | None = None
    weather: str | None = None
    warning: str | None = None
    magnitude: float | None = None
    burnt_hectares: float | None = None


FactValue = bool | int | float | str | None

NUMBER_FACTS = frozenset(
    {
        "deaths",
        "missing",
        "trapped",
        "endangered",
        "serious_injuries",
        "poisoned_diagnosed",
        "observed",
        "seen",
        "evacuated",
        "direct_loss_wan",
        "border_city_km",
        "magnitude",
        "burnt_hectares",
    }
)
TRUTH_FACTS = frozenset({"near_accident", "chemical_is_toxic", "cross_city", "water_polluted"})
TEXT_FACTS = frozenset({"event_type", "grade", "chemical", "weather", "warning"})
FACT_NAMES = frozenset(field.name for field in fields(Facts))


def facts_from_incident(
    incident: Mapping[str, object],
    *,
    border_city_km: float | None = None,
    cross_city: bool | None = None,
    warning: str | None = None,
) -> Facts:
    """Facts of an incident as the API shows it (title, course, event_type, grade, casualties ...).

    A casualty figure counts as unknown when it is null. The chemical is the first known name in
    title, course and measures. What the incident cannot say itself is handed in by the caller.
    """
    casualties = _mapping(incident.get("casualties"))
    grade = _mapping(incident.get("grade")).get("value")
    near = _mapping(incident.get("near_accident")).get("recognised")
    words = " ".join(str(incident.get(key) or "") for key in ("title", "course", "measures"))
    chemical = chemical_named_in(words)

    def count(name: str) -> int | None:
        return _count(casualties.get(name))

    return Facts(
        event_type=_text(incident.get("event_type")),
        grade=_text(grade),
        near_accident=near if isinstance(near, bool) else None,
        chemical=chemical.name if chemical else None,
        chemical_is_toxic=chemical.is_toxic if chemical else None,
        cross_city=cross_city,
        border_city_km=border_city_km,
        warning=warning,
        deaths=count("deaths"),
        missing=count("missing"),
        trapped=count("trapped"),
        endangered=count("endangered"),
        serious_injuries=count("serious_injuries"),
        poisoned_diagnosed=count("poisoned_diagnosed"),
        observed=count("observed"),
        seen=count("seen"),
        evacuated=count("evacuated"),
        direct_loss_wan=count("direct_loss_wan"),
    )


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _count(value: object) -> int | None:
    """bool is an int in Python and no count here."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
