"""QR pictures, drawn by segno, which is imported for the first picture."""

from __future__ import annotations

import io

__all__ = ["png_data_url", "svg"]


def png_data_url(text: str) -> str | None:
    """Return *text* as a QR picture in a ``data:image/png;base64,…`` address, or None if segno (extra `emulator`) is not installed."""
    try:
        import segno
    except ImportError:
        return None
    return segno.make(text, micro=False).png_data_uri(scale=5, border=4)


def svg(text: str) -> bytes:
    """Return *text* as a QR picture in SVG, black on white, so that it can also be scanned from a dark page.

    Raises:
        ImportError: segno (extra `emulator`) is not installed.
    """
    import segno

    out = io.BytesIO()
    segno.make(text, micro=False).save(out, kind="svg", scale=5, border=4, light="#ffffff", dark="#000000")
    return out.getvalue()
