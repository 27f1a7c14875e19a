"""The roof: incidents, consultations, security, web; the only room that knows every other room.

It is entered by its commands (`command-center --help`), not by import.
"""

__all__: tuple[str, ...] = ()
