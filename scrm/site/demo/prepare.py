"""Makes the database ready for the demo: `python -m scrm.site.demo.prepare OPTIONS`, a process of its own because
the settings are known only once the services run.
"""

import os
import sys

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "scrm.settings")
    django.setup()
    from django.core.management import call_command

    from scrm.base.checks import refuse_to_start_on_errors
    from scrm.site.demo.load import load
    from scrm.site.demo.options import Options

    refuse_to_start_on_errors()
    call_command("migrate", verbosity=0, interactive=False)
    _admin(os.environ["DEMO_PASSWORD"])
    load(Options.from_json(sys.argv[1]))


def _admin(password: str) -> None:
    """The console user `admin` with this password."""
    from scrm.base.models import User

    admin = User.objects.filter(username="admin").first()
    if admin is None:
        User.objects.create_superuser("admin", password=password)
    elif not admin.check_password(password):
        admin.set_password(password)
        admin.save(update_fields=["password"])


if __name__ == "__main__":
    main()
