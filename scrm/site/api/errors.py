"""The one shape of every refusal."""

from typing import Any

from rest_framework import serializers


class ErrorItem(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="For programs: `invalid`, `unknown_parameter`, `not_found`, …")
    detail = serializers.CharField(help_text="For people, in the installation's language.")
    attr = serializers.CharField(allow_null=True, help_text="The parameter or field that is meant, or null.")


class Error(serializers.Serializer[Any]):
    """Body of every answer of 400 and above."""

    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    errors = ErrorItem(many=True)  # type: ignore[assignment]  # shadows a property that only forms use
