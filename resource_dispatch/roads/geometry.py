"""Distances and projections on the sphere, good to a few parts in a thousand inside a province."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

EARTH_RADIUS_M = 6_371_008.8
Floats = npt.NDArray[np.float64]


def distance_m(longitude_a: float, latitude_a: float, longitude_b: float, latitude_b: float) -> int:
    """Great-circle metres between two WGS-84 points (haversine)."""
    phi_a, phi_b = math.radians(latitude_a), math.radians(latitude_b)
    d_phi = phi_b - phi_a
    d_lambda = math.radians(longitude_b - longitude_a)
    h = math.sin(d_phi / 2) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(d_lambda / 2) ** 2
    return round(2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h))))


def project_m(longitudes: Floats, latitudes: Floats, middle_latitude: float) -> Floats:
    """Plane metres, shape (n, 2), equirectangular around `middle_latitude`."""
    scale = math.pi / 180 * EARTH_RADIUS_M
    x = longitudes * scale * math.cos(math.radians(middle_latitude))
    return np.column_stack((x, latitudes * scale))


def bearing_deg(
    longitude_a: float, latitude_a: float, longitude_b: float, latitude_b: float
) -> float:
    """Initial bearing from a to b, degrees clockwise from north, 0 <= b < 360."""
    phi_a, phi_b = math.radians(latitude_a), math.radians(latitude_b)
    d_lambda = math.radians(longitude_b - longitude_a)
    y = math.sin(d_lambda) * math.cos(phi_b)
    x = math.cos(phi_a) * math.sin(phi_b) - math.sin(phi_a) * math.cos(phi_b) * math.cos(d_lambda)
    return math.degrees(math.atan2(y, x)) % 360
