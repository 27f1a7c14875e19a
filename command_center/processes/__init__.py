"""What it takes to run the product's processes on one machine.

Leashes (children die with their parent), the instance lock, the self-made certificate.
"""

from .certificate import CertificateFiles, ensure_certificate
from .instance_lock import AlreadyRunningError, InstanceLock
from .leashing import exit_when_orphaned, leashed_argv

__all__ = [
    "AlreadyRunningError",
    "CertificateFiles",
    "InstanceLock",
    "ensure_certificate",
    "exit_when_orphaned",
    "leashed_argv",
]
