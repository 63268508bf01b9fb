"""Customers of a channel are counted out of the index: rows are wide, and a count of all read a quarter of a gigabyte."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0006_opened_links")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                fields=["first_state", "first_added_at"],
                include=["id"],
                condition=Q(first_added_at__isnull=False),
                name="customer_of_channel",
            ),
        ),
        RemoveIndexConcurrently(model_name="customer", name="customer_channel"),
    ]
