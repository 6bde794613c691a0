"""A script: log in with a second factor, without an event loop.

Try it on the emulator, with the user `demo` / `emulator-demo`::

    authing-mfa emulator exec -- python examples/script.py
"""

import os
from getpass import getpass

from authing_mfa import MfaRequiredError, WrongCodeError
from authing_mfa.sync import AuthClient


def main() -> None:
    """Log in, and ask for each value that is needed."""
    with AuthClient(
        os.environ["AUTHING_APP_ID"],
        base_url=os.environ.get("AUTHING_BASE_URL"),  # only for the emulator; without it the client finds the service
        public_key=os.environ.get("AUTHING_PUBLIC_KEY"),
    ) as client:
        account, password = input("Account: "), os.environ.get("AUTHING_PASSWORD") or getpass()
        try:
            user = client.login_by_account(account, password)
        except MfaRequiredError as error:
            challenged = client.as_user(error.challenge.token)
            phone, country = error.challenge.phone, error.challenge.phone_country_code
            if phone is None:
                raise SystemExit("This script knows SMS only, and no phone is bound.") from None
            challenged.send_sms(phone, phone_country_code=country)
            while True:
                try:
                    user = challenged.mfa_verify_by_phone(phone, input("Code: "), phone_country_code=country)
                    break
                except WrongCodeError as wrong:
                    print(wrong.message)
        print(f"Welcome, {user.display_name}.")


if __name__ == "__main__":
    main()
