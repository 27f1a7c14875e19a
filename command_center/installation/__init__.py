"""The installation as its administrators see it: processes, parts, disk, versions, settings.

Register an `Installation` with the web application; `GET /installation` asks it.
"""

from .look import Installation

__all__ = ["Installation"]
