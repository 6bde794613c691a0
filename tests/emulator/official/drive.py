"""Call methods of the service's own Python client, one JSON object per line; run by the interpreter that has it.

The argument is the client's generation: ``v2`` or ``v3``.

``{"new": options}`` makes a client, ``{"call": name, "args": […], "kwargs": {…}}`` calls it; the answer is ``{"value": …}`` or
``{"error": {code, message, type}}``.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")  # the client's own, of a library of 2018

if sys.argv[1] == "v2":
    from authing.v2.authentication import AuthenticationClient, AuthenticationClientOptions

    def make(options):
        """A client of the second generation."""
        return AuthenticationClient(AuthenticationClientOptions(**options))

else:
    from authing import AuthenticationClient

    def make(options):
        """A client of the third generation."""
        return AuthenticationClient(**options)


def run(client, order):
    """What *order* answers, and the client from now on."""
    if "new" in order:
        return make(order["new"]), None
    if "methods" in order:
        return client, [name for name in dir(client) if not name.startswith("_")]
    return client, getattr(client, order["call"])(*order["args"], **order.get("kwargs", {}))


def main():
    """Do what each line says."""
    client = None
    for line in sys.stdin:
        try:
            client, value = run(client, json.loads(line))
            answer = {"value": value}
        except Exception as error:  # noqa: BLE001 - whatever the client raises is an answer
            code, message = getattr(error, "code", None), getattr(error, "message", None) or str(error)
            answer = {"error": {"code": code, "message": message, "type": type(error).__name__}}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
