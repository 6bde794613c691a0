"""The settings that the recipe needs. No database: sessions are in signed cookies."""

import os

SECRET_KEY = os.environ["SESSION_SECRET"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "urls"
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "errors.AuthingErrors"]
INSTALLED_APPS = ["django.contrib.sessions"]
USE_TZ = True
# The cookie is signed, not encrypted. It holds only this user's own tokens, and scripts of the page cannot read it.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_SAMESITE = "Strict"
