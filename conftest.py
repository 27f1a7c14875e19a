"""Registers the harness of real peers for every test below."""

pytest_plugins = ["tests.harness.plugin"]
