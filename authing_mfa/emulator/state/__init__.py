"""The state of the emulator: users, settings, messages, faults, its clock."""
