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
    _link_admin()


def _admin(password: str) -> None:
    """The console user `admin` with this password."""
    from scrm.base.models import User

    admin = User.objects.filter(username="admin").first()
    if admin is None:
        User.objects.create_superuser("admin", password=password)
    elif not admin.check_password(password):
        admin.set_password(password)
        admin.save(update_fields=["password"])


def _link_admin() -> None:
    """`admin` is one of the story's people too, so that the login through WeCom can be tried."""
    from contacts.models import Staff
    from scrm.base.models import User

    first = Staff.objects.at_work().filter(serves_customers=True).order_by("userid").first()
    if first is not None:
        User.objects.filter(username="admin", wecom_userid="").update(wecom_userid=first.userid)


if __name__ == "__main__":
    main()
