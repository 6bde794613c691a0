"""QR pictures, drawn by segno, which is loaded when the first one is asked for."""

from __future__ import annotations

import io

__all__ = ["png_data_url", "svg"]


def png_data_url(text: str) -> str | None:
    """*text* as a QR picture, a ``data:image/png;base64,…`` address; None where segno (extra `emulator`) is not installed."""
    try:
        import segno
    except ImportError:
        return None
    return segno.make(text, micro=False).png_data_uri(scale=5, border=4)


def svg(text: str) -> bytes:
    """*text* as a QR picture in SVG, black on white so that it can be scanned from a dark page too.

    Raises:
        ImportError: segno (extra `emulator`) is not installed.
    """
    import segno

    out = io.BytesIO()
    segno.make(text, micro=False).save(out, kind="svg", scale=5, border=4, light="#ffffff", dark="#000000")
    return out.getvalue()
