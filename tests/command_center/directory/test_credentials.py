"""Digest secrets of SIP accounts."""

from command_center.directory import digest_secrets


def test_ha1_follows_the_example_of_rfc_8760() -> None:
    """The RFC 7616/8760 worked values pin both algorithms: a wrong HA1 locks every hall out."""
    secrets = digest_secrets("Mufasa", "Circle of Life", realm="http-auth@example.org")
    assert secrets.ha1_md5 == "3d78807defe7de2157e2b0b6573a855f"
    assert secrets.ha1_sha256 == "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"
