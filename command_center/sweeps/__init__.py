"""Coverage studies as jobs: hundreds of throws of chance, worked off by any number of workers.

A study changes nothing in the real world; its teams are those of the moment it was asked.
"""
