"""Reads of the departments and of the tags have a fence, like those of people and chats."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0007_customers_by_channel")]

    operations = [
        migrations.CreateModel(
            name="Listing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        choices=[("departments", "Departments"), ("tags", "Tags")], max_length=12, unique=True
                    ),
                ),
                ("read_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
