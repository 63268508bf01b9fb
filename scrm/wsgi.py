"""WSGI entry: `granian --interface wsgi scrm.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
application = get_wsgi_application()

from scrm.base.checks import refuse_to_start_on_errors  # noqa: E402  settings must be loaded first

refuse_to_start_on_errors()
