"""Who was a friend when is read out of one index, for 300,000 persons without the table; it serves the foreign key, too."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("contacts", "0008_fences_of_lists")]

    operations = [
        AddIndexConcurrently(
            model_name="follow",
            index=models.Index(
                fields=["customer", "-added_at"], include=["ended_at", "staff"], name="follow_of_person"
            ),
        ),
        RemoveIndexConcurrently(model_name="follow", name="follow_of_customer"),
        migrations.RenameIndex(model_name="follow", old_name="follow_of_person", new_name="follow_of_customer"),
        migrations.AlterField(
            model_name="follow",
            name="customer",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="follows",
                to="contacts.customer",
                verbose_name="customer",
            ),
        ),
    ]
