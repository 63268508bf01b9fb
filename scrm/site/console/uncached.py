"""What depends on who asks rests in no cache, neither on the way nor in the browser after its user has left."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers, has_vary_header


class Uncached:
    """Middleware around the sessions. Views that say themselves what a cache may do are left alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if has_vary_header(answer, "Cookie") and not answer.has_header("Cache-Control"):
            add_never_cache_headers(answer)
        return answer
