"""Django: log in with a second factor; `views` for any server, `async_views` for an ASGI server.

Try it on the emulator, with the user `demo` / `emulator-demo`::

    SESSION_SECRET=change-me authing-mfa emulator exec -- python examples/django_site/manage.py runserver
    SESSION_SECRET=change-me authing-mfa emulator exec -- uvicorn --app-dir examples/django_site asgi:application
"""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    execute_from_command_line(sys.argv)
