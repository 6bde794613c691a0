"""The views for any server at /, the views for an ASGI server at /async/."""

import async_views
import views
from django.urls import path

NAMES = ("login", "code", "verify", "me", "logout")
urlpatterns = [path(name, getattr(views, name)) for name in NAMES]
urlpatterns += [path(f"async/{name}", getattr(async_views, name)) for name in NAMES]
