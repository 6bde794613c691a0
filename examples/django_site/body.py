"""The JSON object that a request brings, for both kinds of views."""

import json
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest


def texts(request: HttpRequest, *names: str) -> dict[str, Any]:
    """Return the request's JSON object, in which each of *names* is a text.

    A form of another site cannot send JSON: without this check it could log a browser in as somebody else.
    """
    if request.content_type != "application/json":
        raise BadRequest("The request must be JSON.")
    try:
        given = json.loads(request.body)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in names):
        raise BadRequest(f"The request must be a JSON object with {' and '.join(names)}.")
    return given
