"""Every installation greets from the first minute: one active default rule, edited or switched off like any other."""

from typing import Any

from django.db import migrations

TEXT = "您好，欢迎来到我们的会员服务！我是您的专属顾问{staff}，新品、福利和售后都可以直接问我。"
RETURNING = "欢迎回来！{staff}很高兴再次为您服务，有需要随时告诉我。"


def add_rule(apps: Any, schema_editor: Any) -> None:
    apps.get_model("campaigns", "WelcomeRule").objects.create(name="默认欢迎语", text=TEXT, returning_text=RETURNING)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_first_tables")]

    operations = [migrations.RunPython(add_rule, migrations.RunPython.noop)]
