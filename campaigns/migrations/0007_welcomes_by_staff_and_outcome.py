"""Lists of one member's welcomes and of those that went wrong begin in an index."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("campaigns", "0006_unread_tasks")]

    operations = [
        AddIndexConcurrently(
            model_name="welcome", index=models.Index(fields=["userid", "-id"], name="welcome_of_staff")
        ),
        AddIndexConcurrently(
            model_name="welcome",
            index=models.Index(fields=["outcome", "-id"], condition=~Q(outcome="sent"), name="welcome_missed"),
        ),
    ]
