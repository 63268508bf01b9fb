"""The OpenAPI description: what spectacular can't find out by itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_standardized_errors.openapi import AutoSchema


class ResourceSchema(AutoSchema):
    """Adds the declared query parameters of a resource's GET."""

    def get_override_parameters(self) -> list[Any]:
        query_class = getattr(self.view, "query_class", None)
        return [query_class] if query_class and query_class().fields and self.method == "GET" else []

    def get_description(self) -> str:  # type: ignore[override]  # spectacular has its own signature
        """What the resource itself says; the words of its base classes are for their readers."""
        own = vars(type(self.view)).get("__doc__") or ""
        return str(super().get_description()) if own else ""


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "scrm.site.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "`manage.py apitoken USERNAME --scope read`"}
