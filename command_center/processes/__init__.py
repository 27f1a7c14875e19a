"""What it takes to run the product's processes on one machine.

Leashes (children die with their parent), the instance lock, the self-made certificate.
"""

from .addresses import is_loopback, local_ipv4_addresses, reachable_host
from .certificate import CertificateFiles, ensure_certificate
from .instance_lock import AlreadyRunningError, InstanceLock
from .leashing import exit_when_orphaned, leashed_argv
from .leaving import leave
from .logs import configure_logs
from .probes import http_answers, http_json, wire_answers

__all__ = [
    "AlreadyRunningError",
    "CertificateFiles",
    "InstanceLock",
    "configure_logs",
    "ensure_certificate",
    "exit_when_orphaned",
    "http_answers",
    "http_json",
    "is_loopback",
    "leashed_argv",
    "leave",
    "local_ipv4_addresses",
    "reachable_host",
    "wire_answers",
]
