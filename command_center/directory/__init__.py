"""The directory: organisations, sites with their SIP accounts, cameras and experts.

It answers who can be asked into a consultation, where they are and how they are reached.
"""

from .credentials import SIP_REALM, DigestSecrets, digest_secrets
from .tables import CameraRow, ExpertRow, OrganisationRow, SipAccountRow, SiteRow

__all__ = [
    "SIP_REALM",
    "CameraRow",
    "DigestSecrets",
    "ExpertRow",
    "OrganisationRow",
    "SipAccountRow",
    "SiteRow",
    "digest_secrets",
]
