"""A batch on several processes of this machine."""
