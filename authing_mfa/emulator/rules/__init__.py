"""The behaviour of the service, one rule for each operation: `handle` dispatches on the operation's class.

The modules register their rules when they are imported, which happens here.
"""

from __future__ import annotations

from authing_mfa.emulator.rules import codes, face, factors, graphql, login, passwords, profile, session, totp
from authing_mfa.emulator.rules.base import handle

__all__ = ["codes", "face", "factors", "graphql", "handle", "login", "passwords", "profile", "session", "totp"]
