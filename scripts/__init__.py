"""What the maintainers run: `python -m scripts.NAME`."""
