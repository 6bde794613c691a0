"""What all tests share. The suite runs in Python's development mode, which turns asyncio's debug mode on as well."""

import signal

# A program that is started in the background by a shell ignores Ctrl-C, and so would every process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
