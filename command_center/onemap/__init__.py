"""One map: where things are, drawn and listed from the libraries of every room.

Boundaries of cities and counties, and the lists of organisations, sites, teams, depots, hazards,
experts and cameras by name and window.
"""

from .geometry import Region, boundary_text, holds, nearest_other_city, region_at, regions

__all__ = [
    "Region",
    "boundary_text",
    "holds",
    "nearest_other_city",
    "region_at",
    "regions",
]
