"""TOTP, tokens, keys, face comparison and QR codes of the emulator."""
