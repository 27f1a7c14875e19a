"""What the terminal shows is what was meant: nothing in it is taken for a picture or for markup."""

from __future__ import annotations

import pytest

from command_center.console_text import Speaker


def test_a_fingerprint_is_printed_to_the_letter(capsys: pytest.CaptureFixture[str]) -> None:
    """ ":CD:" and ":AB:" are names of emoji; one certificate in five has such a pair."""
    fingerprint = ":".join(["AB", "CD"] * 16)
    Speaker().line("certificate", fingerprint=fingerprint)
    Speaker().plain(fingerprint)
    assert capsys.readouterr().out.count(fingerprint) == 2
