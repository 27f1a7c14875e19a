"""会控: what the conference desk orders, each function a module of its own.

Orders are rows, never calls: `staging` derives from them what every member sees and whose
microphone is open, and the consultation's loop keeps the node to it. So a late joiner, a restarted
node and a killed web process all end up with what the desk ordered last.
"""

__all__: list[str] = []
