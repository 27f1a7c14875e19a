"""Recording and live out: a process of its own takes encoded frames and writes or pushes them.

Nothing is encoded here but the programme's sound (AAC, once). A recorder that dies, or whose disk
is full, never touches the conference: the node only hands over, and drops what is not taken.
"""
