"""Input files, output files, and a batch of one file on this machine."""
