"""How a dismissal is known, and when a read last showed a chat's members.

The platform dates its events in whole seconds, and a sync by a clock that is finer: of dismissals until now this tells
which an event told of.
"""

from django.db import migrations, models

_FILL = """
UPDATE groups_groupchat
SET shown_at = read_at,
    dismissed_known_by = CASE WHEN dismissed_at IS NULL THEN ''
                              WHEN dismissed_at = date_trunc('second', dismissed_at) THEN 'event' ELSE 'sync' END
"""


class Migration(migrations.Migration):
    dependencies = [("groups", "0001_first_tables")]

    operations = [
        migrations.AddField(
            model_name="groupchat",
            name="dismissed_known_by",
            field=models.CharField(
                blank=True,
                choices=[("event", "event"), ("sync", "sync"), ("history", "history")],
                db_default="",
                default="",
                max_length=8,
            ),
        ),
        migrations.AddField(model_name="groupchat", name="shown_at", field=models.DateTimeField(null=True)),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
