"""Of two who change a user at the same time the second is told so."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("base", "0003_slots")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="changed_at",
            field=models.DateTimeField(auto_now=True, db_default=Now()),
        ),
    ]
