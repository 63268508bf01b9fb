"""Broadcasts. Their deliveries are partitioned by month from the first day: old months go by DROP, not by DELETE."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import campaigns.models.welcome

# A sequence of its own: identity columns of partitioned tables need PostgreSQL 17. No index holds what a result changes,
# so that writing results touches none.
_DELIVERIES = """
CREATE SEQUENCE campaigns_delivery_id_seq;
CREATE TABLE campaigns_delivery (
    id bigint NOT NULL DEFAULT nextval('campaigns_delivery_id_seq'),
    plan_date date NOT NULL,
    broadcast_id bigint NOT NULL,
    dispatch_id bigint,
    staff_id bigint,
    customer_id bigint,
    chat_id bigint,
    state varchar(11) NOT NULL DEFAULT 'planned',
    reason varchar(14) NOT NULL DEFAULT '',
    sent_at timestamptz,
    reach integer NOT NULL DEFAULT 0,
    changed_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    PRIMARY KEY (id, plan_date),
    CONSTRAINT delivery_to_one CHECK ((customer_id IS NULL) <> (chat_id IS NULL))
) PARTITION BY RANGE (plan_date);
ALTER SEQUENCE campaigns_delivery_id_seq OWNED BY campaigns_delivery.id;
CREATE TABLE campaigns_delivery_default PARTITION OF campaigns_delivery DEFAULT;
-- nobody twice in one broadcast
CREATE UNIQUE INDEX campaigns_delivery_once ON campaigns_delivery (broadcast_id, customer_id, chat_id, plan_date)
    NULLS NOT DISTINCT;
-- results of a task
CREATE INDEX campaigns_delivery_of_dispatch ON campaigns_delivery (dispatch_id);
-- what a person or a chat has received
CREATE INDEX campaigns_delivery_of_customer ON campaigns_delivery (customer_id, plan_date) WHERE customer_id IS NOT NULL;
CREATE INDEX campaigns_delivery_of_chat ON campaigns_delivery (chat_id, plan_date) WHERE chat_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0002_default_welcome_rule"),
        ("contacts", "0004_customers_may_opt_out"),
        ("groups", "0001_first_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Broadcast",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                (
                    "to",
                    models.CharField(
                        choices=[("single", "customers"), ("group", "group chats")], max_length=6, verbose_name="to"
                    ),
                ),
                ("audience", models.JSONField(verbose_name="audience")),
                (
                    "staff_choice",
                    models.CharField(
                        choices=[
                            ("owner", "the staff member who has known the customer longest"),
                            ("latest", "the staff member who added the customer last"),
                            ("least_loaded", "the staff member with the fewest messages that day"),
                        ],
                        default="owner",
                        max_length=12,
                        verbose_name="sent by",
                    ),
                ),
                (
                    "text",
                    models.TextField(
                        blank=True, validators=[campaigns.models.welcome.fits_in_message], verbose_name="text"
                    ),
                ),
                ("attachments", models.JSONField(blank=True, default=list, verbose_name="attachments")),
                ("digest", models.CharField(max_length=64)),
                ("create_at", models.DateTimeField(verbose_name="tasks are created at")),
                ("confirm_by", models.DateTimeField(verbose_name="to be confirmed by")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("approved", "approved"),
                            ("planned", "planned"),
                            ("running", "running"),
                            ("paused", "paused"),
                            ("done", "done"),
                            ("cancelled", "cancelled"),
                        ],
                        default="draft",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("stop_reason", models.CharField(blank=True, max_length=300, verbose_name="why it stopped")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("approved_at", models.DateTimeField(null=True, verbose_name="approved")),
                ("plan_date", models.DateField(null=True)),
                ("planned", models.PositiveIntegerField(default=0, verbose_name="planned")),
                ("excluded", models.JSONField(default=dict, verbose_name="excluded")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="approved by",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="created by",
                    ),
                ),
            ],
            options={
                "verbose_name": "broadcast",
                "verbose_name_plural": "broadcasts",
                "ordering": ["-id"],
                "permissions": [("approve_broadcast", "Can approve, pause and cancel broadcasts")],
            },
        ),
        migrations.CreateModel(
            name="Dispatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="part")),
                ("digest", models.CharField(max_length=64)),
                ("recipients", models.PositiveIntegerField(verbose_name="recipients")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "not created yet"),
                            ("sending", "being created"),
                            ("unknown", "no answer, being looked up"),
                            ("sent", "waits for the staff member"),
                            ("confirmed", "confirmed"),
                            ("unconfirmed", "not confirmed in time"),
                            ("refused", "refused by WeCom"),
                            ("cancelled", "cancelled"),
                        ],
                        db_default="planned",
                        default="planned",
                        max_length=11,
                        verbose_name="state",
                    ),
                ),
                ("msgid", models.CharField(db_default="", default="", max_length=80)),
                ("attempts", models.PositiveIntegerField(db_default=0, default=0, verbose_name="attempts")),
                ("attempted_at", models.DateTimeField(null=True, verbose_name="tried")),
                ("lost_at", models.DateTimeField(null=True)),
                ("looks", models.PositiveIntegerField(db_default=0, default=0)),
                ("sent_at", models.DateTimeField(null=True, verbose_name="created")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="confirmed")),
                ("settled_at", models.DateTimeField(null=True)),
                ("cancel_asked_at", models.DateTimeField(null=True)),
                ("polled_at", models.DateTimeField(null=True, verbose_name="results read")),
                ("error", models.CharField(db_default="", default="", max_length=300, verbose_name="error")),
                ("errcode", models.IntegerField(null=True, verbose_name="error code")),
                ("count_sent", models.PositiveIntegerField(db_default=0, default=0)),
                ("count_not_friend", models.PositiveIntegerField(db_default=0, default=0)),
                ("count_over_quota", models.PositiveIntegerField(db_default=0, default=0)),
                ("count_refused", models.PositiveIntegerField(db_default=0, default=0)),
                ("count_unconfirmed", models.PositiveIntegerField(db_default=0, default=0)),
                ("count_cancelled", models.PositiveIntegerField(db_default=0, default=0)),
                ("count_excluded", models.PositiveIntegerField(db_default=0, default=0)),
                ("reach", models.PositiveIntegerField(db_default=0, default=0)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "broadcast",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dispatches",
                        to="campaigns.broadcast",
                        verbose_name="broadcast",
                    ),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="contacts.staff",
                        verbose_name="staff member",
                    ),
                ),
            ],
            options={
                "verbose_name": "dispatch",
                "verbose_name_plural": "dispatches",
                "ordering": ["-id"],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_DELIVERIES, "DROP TABLE campaigns_delivery")],
            state_operations=[
                migrations.CreateModel(
                    name="Delivery",
                    fields=[
                        ("id", models.BigAutoField(primary_key=True, serialize=False)),
                        ("plan_date", models.DateField()),
                        (
                            "state",
                            models.CharField(
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
                                    ("unknown", "no answer, being looked up"),
                                ],
                                default="planned",
                                max_length=11,
                                verbose_name="state",
                            ),
                        ),
                        (
                            "reason",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("unknown", "no such customer or chat in your scope"),
                                    ("duplicate", "gets the same message already"),
                                    ("do_not_contact", "does not want to be contacted"),
                                    ("lost", "no friend any more"),
                                    ("dismissed", "the chat was dismissed"),
                                    ("half", "only half added"),
                                    ("no_staff", "no staff member can send"),
                                    ("receive_rule", "has received as many as WeCom allows"),
                                    ("cap", "has received as many as we allow"),
                                    ("quiet_hours", "quiet hours"),
                                    ("staff_left", "the staff member left after planning"),
                                    ("not_taken", "WeCom did not take this recipient"),
                                    ("refused", "WeCom refused the whole task"),
                                    ("too_late", "could not be created before the deadline"),
                                    ("by_user", "cancelled by a colleague"),
                                ],
                                default="",
                                max_length=14,
                                verbose_name="reason",
                            ),
                        ),
                        ("sent_at", models.DateTimeField(null=True, verbose_name="sent")),
                        ("reach", models.PositiveIntegerField(default=0, verbose_name="people reached")),
                        ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        (
                            "broadcast",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="campaigns.broadcast",
                            ),
                        ),
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
                        (
                            "dispatch",
                            models.ForeignKey(
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="campaigns.dispatch",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "delivery",
                        "verbose_name_plural": "deliveries",
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("sent", "sent"),
                            ("refused", "refused"),
                            ("unknown", "no answer, may have arrived"),
                        ],
                        default="waiting",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="asked")),
                ("error", models.CharField(blank=True, max_length=300, verbose_name="error")),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "dispatch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="reminders", to="campaigns.dispatch"
                    ),
                ),
            ],
            options={
                "verbose_name": "reminder",
                "verbose_name_plural": "reminders",
                "ordering": ["-id"],
            },
        ),
        migrations.AddIndex(
            model_name="broadcast",
            index=models.Index(fields=["digest", "create_at"], name="broadcast_content"),
        ),
        migrations.AddConstraint(
            model_name="broadcast",
            constraint=models.CheckConstraint(
                condition=models.Q(("confirm_by__gt", models.F("create_at"))), name="broadcast_confirmed_after_creation"
            ),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(fields=["staff", "state"], name="dispatch_of_staff"),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(fields=["sent_at"], name="dispatch_sent"),
        ),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.UniqueConstraint(fields=("broadcast", "staff", "number"), name="dispatch_once_per_part"),
        ),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["sending", "unknown"])),
                fields=("staff", "digest"),
                name="dispatch_one_open_per_content",
            ),
        ),
        migrations.AddConstraint(
            model_name="dispatch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("msgid", ""), _negated=True), fields=("msgid",), name="dispatch_once_per_msgid"
            ),
        ),
    ]
