"""The demonstration: a province with made-up people, teams and plans, and its accident.

`seed` fills an empty database, `clear` empties it; everything is marked is_demo.
"""

from .credentials import Credential, read_credentials
from .roads import demo_road_network
from .seeding import DEFAULT_SEED, Seeded, banner_log_ins, clear, is_empty, is_only_demo, seed

__all__ = [
    "DEFAULT_SEED",
    "Credential",
    "Seeded",
    "banner_log_ins",
    "clear",
    "demo_road_network",
    "is_empty",
    "is_only_demo",
    "read_credentials",
    "seed",
]
