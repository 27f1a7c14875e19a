"""Errors of the security room: stable codes and fields; the edge adds status and words."""

from __future__ import annotations

from ..errors import RoomError


class SecurityError(RoomError):
    """Base of this room's errors."""

    code = "security_error"


class NotSignedInError(SecurityError):
    code = "not_signed_in"


class WrongCredentialsError(SecurityError):
    """Unknown user, wrong password and locked account answer alike."""

    code = "wrong_credentials"


class PermissionDeniedError(SecurityError):
    code = "permission_denied"


class OutsideRegionError(SecurityError):
    code = "not_found"


class PasswordTooWeakError(SecurityError):
    code = "password_too_weak"


class OldPasswordWrongError(SecurityError):
    code = "old_password_wrong"


class SecondFactorNeededError(SecurityError):
    """The password was right; the code of the second factor is missing."""

    code = "second_factor_needed"


class TotpCodeWrongError(SecurityError):
    code = "totp_code_wrong"


class SourceBannedError(SecurityError):
    """Log-ins from this address are shut out after guesses under many names."""

    code = "source_banned"


class OwnAccountError(SecurityError):
    """Nobody locks or promotes himself."""

    code = "own_account"


class AdministratorProtectedError(SecurityError):
    """An administrator whose password another one makes is no second person."""

    code = "administrator_protected"


class AdministratorUnknownError(SecurityError):
    code = "not_found"


class PasswordNotOwnError(SecurityError):
    """Who made the password still knows it: no administrator's role yet."""

    code = "password_not_own"


class RolesConflictError(SecurityError):
    code = "roles_conflict"


class UsernameTakenError(SecurityError):
    code = "username_taken"


class JoinTokenInvalidError(SecurityError):
    code = "join_token_invalid"


class JoinTokenExpiredError(JoinTokenInvalidError):
    code = "join_token_expired"


class CsrfHeaderMissingError(SecurityError):
    code = "csrf_header_missing"


class AuditUnavailableError(SecurityError):
    """The audit row could not be written, so the change is refused (fail closed)."""

    code = "audit_unavailable"
