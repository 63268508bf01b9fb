"""Ignored work is found without reading all that was ever done, its callbacks too."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("base", "0004_users_know_when_they_were_changed")]

    operations = [
        AddIndexConcurrently(
            model_name="work",
            index=models.Index(
                fields=["-id"],
                include=["source_kind", "source_id"],
                condition=Q(state="ignored"),
                name="work_ignored",
            ),
        ),
    ]
