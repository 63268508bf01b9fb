"""The pages that show the OpenAPI description. Open without a token."""

from typing import Any

from csp.decorators import csp
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

# Swagger UI from our own static files: no inline script, pictures only of its own.
DOCS_POLICY = {
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "object-src": ["'none'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}


class Schema(SpectacularJSONAPIView):
    """JSON, which every reader of YAML takes, too."""

    authentication_classes: list[Any] = []


@method_decorator(csp(DOCS_POLICY), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    authentication_classes: list[Any] = []
