"""Taking geography out of packages: datum, encoding, and borders that stay common."""

from __future__ import annotations

import pytest

from command_center.demo.extract import _simplified, _thinned, decode_ring, to_wgs84


def test_gcj02_goes_back_to_wgs84() -> None:
    """Guangzhou's city hall: the two datums lie about 600 m apart there."""
    east, north = to_wgs84(113.264385, 23.12911)
    assert (east, north) == (pytest.approx(113.25906, abs=2e-5), pytest.approx(23.13179, abs=2e-5))


def test_a_ring_of_an_echarts_file_is_read() -> None:
    """Zigzag deltas from the offset, 1024 steps a degree: '@' is 0, 'B' is +1, 'A' is -1."""
    assert decode_ring("@@BA@B", (1024, 2048)) == [
        (1.0, 2.0),
        (1025 / 1024, 2047 / 1024),
        (1025 / 1024, 2048 / 1024),
    ]


def test_a_straight_line_keeps_its_ends_only() -> None:
    """Points nearer than 250 m to the chord are left out."""
    line = [(k / 100, 0.0005 * (k % 2)) for k in range(11)]
    assert _thinned(line) == [line[0], line[-1]]


def test_a_common_border_stays_common() -> None:
    """Else neighbours would overlap or leave gaps on the map."""
    border = [(1.0 + (0.004 if k % 7 == 0 else 0.0), k / 50) for k in range(51)]
    west = [*border, *((1 - k / 5, 1.0) for k in range(1, 6)), (0.0, 0.0), (0.5, 0.0), border[0]]
    east = [*border, *((1 + k / 5, 1.0) for k in range(1, 6)), (2.0, 0.0), (1.5, 0.0), border[0]]
    features = [
        {"properties": {"code": code}, "geometry": {"coordinates": [[ring]]}}
        for code, ring in (("1", west), ("2", east))
    ]
    made = _simplified(features)["features"]
    kept = [set(f["geometry"]["coordinates"][0][0]) & set(border) for f in made]
    assert kept[0] == kept[1]
    assert 2 < len(kept[0]) < len(border)
