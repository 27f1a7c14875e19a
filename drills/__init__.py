"""The drills room: exercises run on copies of plans and resources, never on the real ones.

Not built yet: this release marks drills (`is_drill`) on every record but runs no scenario.
"""

__all__: tuple[str, ...] = ()
