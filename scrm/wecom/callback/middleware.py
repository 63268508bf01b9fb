"""Takes callbacks out of the line before sessions, languages and policies: none of that concerns the platform."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from scrm.wecom.callback.views import callback

ADDRESS = "/wecom/callback/"


class CallbacksFirst:
    """The first middleware. What it passes by costs as much as storing the callback does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == ADDRESS:
            return callback(request)
        return self.get_response(request)
