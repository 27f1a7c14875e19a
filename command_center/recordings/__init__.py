"""The recordings room: what of a consultation is kept, for how long, and who may see it again.

`service` decides, `keeper` keeps the media node to what was decided and books every closed segment.
"""

__all__: list[str] = []
