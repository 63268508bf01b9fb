"""Failures count from the last resume on; an index for the tasks that are looked for all the time."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_manual_posts"),
        ("contacts", "0006_opened_links"),
    ]

    operations = [
        migrations.AddField(
            model_name="broadcast",
            name="resumed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("state__in", ["planned", "sending", "unknown", "sent"])),
                fields=["state"],
                name="dispatch_open",
            ),
        ),
    ]
