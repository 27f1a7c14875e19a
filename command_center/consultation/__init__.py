"""The consultation room: one meeting of halls, phones and cameras that knows its incident.

`service` and `access` decide, `switchboard` keeps media node and gateway to what was decided,
`gateway_directory` answers the gateway. Each process imports the module it needs.
"""

__all__: list[str] = []
