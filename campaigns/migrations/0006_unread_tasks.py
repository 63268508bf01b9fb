"""Tasks whose results the platform refuses to tell have a state of their own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0005_resumed_broadcasts")]

    operations = [
        migrations.AlterField(
            model_name="dispatch",
            name="state",
            field=models.CharField(
                choices=[
                    ("planned", "not created yet"),
                    ("sending", "being created"),
                    ("unknown", "no answer, being looked up"),
                    ("sent", "waits for the staff member"),
                    ("confirmed", "confirmed"),
                    ("unconfirmed", "not confirmed in time"),
                    ("refused", "refused by WeCom"),
                    ("cancelled", "cancelled"),
                    ("unread", "WeCom does not tell its result"),
                ],
                db_default="planned",
                default="planned",
                max_length=11,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("planned", "planned"),
                    ("excluded", "excluded"),
                    ("sending", "being created"),
                    ("waiting", "waits for the staff member"),
                    ("sent", "sent"),
                    ("not_friend", "not a friend any more"),
                    ("over_quota", "has received enough"),
                    ("refused", "refused by WeCom"),
                    ("unconfirmed", "not confirmed in time"),
                    ("cancelled", "cancelled"),
                    ("unknown", "no answer"),
                ],
                default="planned",
                max_length=11,
                verbose_name="state",
            ),
        ),
    ]
