"""What the emulator knows: users, settings, messages, faults, its clock."""
