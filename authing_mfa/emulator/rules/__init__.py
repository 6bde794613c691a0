"""What the service does, operation by operation: `act` dispatches on the operation's class.

The modules register their rules with it when they are imported, which happens here.
"""

from __future__ import annotations

from authing_mfa.emulator.rules import codes, face, factors, graphql, login, profile, totp
from authing_mfa.emulator.rules.base import act

__all__ = ["act", "codes", "face", "factors", "graphql", "login", "profile", "totp"]
