"""Each fact names its ledger row; persons' facts are found by index, to know which days a changed period touches."""

from django.db import migrations, models

_COLUMN = """
ALTER TABLE analytics_fact ADD COLUMN source_id bigint NOT NULL DEFAULT 0;
-- the days on which a person whose ledger changed was counted (analytics.dirty)
CREATE INDEX analytics_fact_person ON analytics_fact (customer_id, stat);
-- welcomes whose staff member the mirror had not read yet
CREATE INDEX analytics_fact_unknown_staff ON analytics_fact (source_id) WHERE stat = 'welcomes' AND staff_id IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("analytics", "0002_fill_state")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    _COLUMN,
                    "DROP INDEX analytics_fact_unknown_staff; DROP INDEX analytics_fact_person;"
                    "ALTER TABLE analytics_fact DROP COLUMN source_id",
                )
            ],
            state_operations=[
                migrations.AddField("fact", "source_id", models.BigIntegerField(default=0)),
            ],
        ),
    ]
