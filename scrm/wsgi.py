"""WSGI entry: `granian --interface wsgi scrm.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
_django = get_wsgi_application()

# The apps must be ready first.
from scrm.base.checks import refuse_to_start_on_errors  # noqa: E402
from scrm.base.seats import Seats  # noqa: E402
from scrm.wecom.callback import door  # noqa: E402

refuse_to_start_on_errors()
application = Seats(door.before(_django))
