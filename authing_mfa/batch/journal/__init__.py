"""The journal: what was sent and what came of it, durably."""
