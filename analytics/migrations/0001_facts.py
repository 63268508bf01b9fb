"""Facts partitioned by month from the first day: old months go by DROP, not by DELETE. See scrm.base.partitions."""

import django.db.models.deletion
from django.db import migrations, models

# A sequence of its own: identity columns of partitioned tables need PostgreSQL 17.
_TABLE = """
CREATE SEQUENCE analytics_fact_id_seq;
CREATE TABLE analytics_fact (
    id bigint NOT NULL DEFAULT nextval('analytics_fact_id_seq'),
    stat varchar(24) NOT NULL,
    day date NOT NULL,
    at timestamptz NOT NULL,
    customer_id bigint,
    staff_id bigint,
    chat_id bigint,
    state varchar(128) NOT NULL DEFAULT '',
    detail varchar(24) NOT NULL DEFAULT '',
    value bigint NOT NULL DEFAULT 1,
    estimated boolean NOT NULL DEFAULT false,
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
ALTER SEQUENCE analytics_fact_id_seq OWNED BY analytics_fact.id;
CREATE TABLE analytics_fact_default PARTITION OF analytics_fact DEFAULT;
-- every number asks for one stat over an interval of days
CREATE INDEX analytics_fact_stat_day ON analytics_fact (stat, day);
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("contacts", "0001_first_tables"), ("groups", "0001_first_tables")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_TABLE, "DROP TABLE analytics_fact")],
            state_operations=[
                migrations.CreateModel(
                    name="Fact",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("stat", models.CharField(max_length=24)),
                        ("day", models.DateField()),
                        ("at", models.DateTimeField()),
                        ("state", models.CharField(blank=True, default="", max_length=128)),
                        ("detail", models.CharField(blank=True, default="", max_length=24)),
                        ("value", models.BigIntegerField(default=1)),
                        ("estimated", models.BooleanField(default=False)),
                        (
                            "chat",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="groups.groupchat",
                            ),
                        ),
                        (
                            "customer",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="contacts.customer",
                            ),
                        ),
                        (
                            "staff",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="contacts.staff",
                            ),
                        ),
                    ],
                    options={"verbose_name": "fact", "verbose_name_plural": "facts"},
                ),
            ],
        ),
    ]
