"""The one place that decides between English and Chinese."""

from __future__ import annotations

__all__ = ["in_language"]


def in_language(lang: str, texts: tuple[str, str]) -> str:
    """Return the text for *lang* out of *texts*, a pair (English, Chinese): Chinese where *lang* starts with ``zh``."""
    english, chinese = texts
    return chinese if lang.lower().startswith("zh") else english
