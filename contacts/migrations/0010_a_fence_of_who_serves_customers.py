"""Reads of who serves customers have a fence too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0009_periods_are_counted_out_of_an_index")]

    operations = [
        migrations.AlterField(
            model_name="listing",
            name="name",
            field=models.CharField(
                choices=[("departments", "Departments"), ("tags", "Tags"), ("serving", "Serving")],
                max_length=12,
                unique=True,
            ),
        ),
    ]
