"""The plan library: digital plans as data, each beside its source document.

It holds the tables, the queries and the reading of plans.
"""
