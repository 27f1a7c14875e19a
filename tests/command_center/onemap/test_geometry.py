"""Where a point lies, and how near the next city is."""

from __future__ import annotations

import json

import pytest

from command_center.onemap import boundary_text, nearest_other_city, region_at, regions


def test_the_files_are_whole() -> None:
    """21 cities and 东沙群岛; 121 counties, two cities without counties, and 东沙群岛."""
    assert len(regions("city")) == 22
    assert len(regions("county")) == 124
    assert "东沙群岛" in {region.name for region in regions("county")}


@pytest.mark.parametrize("level", ["city", "county"])
def test_rings_are_closed_polygons_of_wgs84(level: str) -> None:
    """A map draws what it is given: each ring closes and lies in the province's window."""
    size = 0
    for region in regions(level):  # type: ignore[arg-type]
        for polygon in region.polygons:
            for ring in polygon:
                assert ring[0] == ring[-1]
                assert len(ring) >= 4
                assert all(109 < x < 118 and 20 < y < 26 for x, y in ring)
                size += 1
    assert size >= 22
    assert json.loads(boundary_text(level))["type"] == "FeatureCollection"  # type: ignore[arg-type]


def test_together_they_weigh_less_than_a_photograph() -> None:
    """Every console loads them."""
    assert len(boundary_text("city")) + len(boundary_text("county")) < 1_500_000


def test_the_scene_lies_in_wengyuan_six_kilometres_from_qingyuan() -> None:
    """Downwind is another city: the plan's reason to tell it."""
    county = region_at("county", 113.86, 24.40)
    assert county is not None
    assert (county.code, county.name) == ("440229", "翁源县")
    found = nearest_other_city(113.86, 24.40)
    assert found is not None
    assert found[0].name == "清远市"
    assert found[1] == pytest.approx(6.0, abs=0.3)


def test_the_sea_and_the_neighbours_belong_to_nobody() -> None:
    """Outside the province there is no region and no next city."""
    assert region_at("county", 114.5, 21.5) is None
    assert region_at("city", 113.0, 28.2) is None
    assert nearest_other_city(113.0, 28.2) is None
