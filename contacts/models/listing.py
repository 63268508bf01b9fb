"""Lists of the platform that are read whole."""

from django.db import models


class Listing(models.Model):
    """The tree of departments, the library of tags or who serves customers: the fence of its reads (scrm.base.fences),
    and their lock."""

    class Name(models.TextChoices):
        DEPARTMENTS = "departments"
        TAGS = "tags"
        SERVING = "serving"

    name = models.CharField(max_length=12, choices=Name, unique=True)
    read_at = models.DateTimeField(null=True)  # start of the last applied read, the database's clock

    def __str__(self) -> str:
        return self.name
