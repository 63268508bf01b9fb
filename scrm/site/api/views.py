"""What all resources share: strict parameters, strict bodies, bounded input, one row prepared like a page of rows."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ErrorDetail, NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from scrm.base.models import ApiToken, User
from scrm.site.api.pagination import Pages
from scrm.site.api.parsers import BodyTooLarge, BoundedJSONParser

M = TypeVar("M", bound=Model)


class Strict(serializers.Serializer[Any]):
    """Refuses names that it doesn't know; a misspelt one must not pass as absent."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            known = {name for name, field in self.fields.items() if not field.read_only}
            refuse_unknown(set(data) - known, "unknown_field")
        return super().to_internal_value(data)


class Query(serializers.Serializer[Any]):
    """The query parameters of a resource, each a field. Base: none."""


class ApiView(GenericAPIView[Any]):
    """A resource. `query_class` declares the parameters of its GET."""

    query_class: ClassVar[type[Query]] = Query
    scopes: ClassVar[dict[str, ApiToken.Scope]] = {}
    rights: ClassVar[dict[str, str]] = {}
    superusers_only: ClassVar[bool] = False
    parser_classes = [BoundedJSONParser]
    filter_backends = []
    metadata_class = None
    pagination_class: type[BasePagination] | None = None
    asked: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.asked = self._read_query(request)

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(BodyTooLarge() if isinstance(exc, RequestDataTooBig) else exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Cache-Control"] = "no-store"  # people's data rests in no cache on the way
        return answer

    @property
    def user(self) -> User:
        user = self.request.user
        assert isinstance(user, User)
        return user

    def _read_query(self, request: Request) -> dict[str, Any]:
        """The declared parameters that were given, as Python values. Raises ValidationError."""
        given = request.query_params
        query = (self.query_class if request.method in {"GET", "HEAD"} else Query)(data=given.dict())
        pages = self.paginator.parameters if isinstance(self.paginator, Pages) else frozenset()
        refuse_unknown(set(given) - set(query.fields) - pages, "unknown_parameter")
        refuse({name: _("Given more than once.") for name in given if len(given.getlist(name)) > 1}, "repeated")
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


class ListView(ApiView, Generic[M]):
    """Pages of rows."""

    pagination_class = Pages

    def rows(self) -> "QuerySet[M]":
        """What the user sees of what was asked for."""
        raise NotImplementedError

    def prepare(self, page: list[M]) -> Sequence[Any]:
        """Everything that the serializer needs besides, loaded in sets."""
        return page

    def get_queryset(self) -> "QuerySet[M]":
        return self.rows()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.rows())
        assert page is not None
        serializer = self.get_serializer(self.prepare(list(page)), many=True)
        return self.get_paginated_response(serializer.data)


def found(rows: "QuerySet[M]", **key: Any) -> M:
    """The one row with this key, or a 404; so also for keys that no row can have."""
    if any(isinstance(value, str) and "\x00" in value for value in key.values()):
        raise Http404
    row = rows.filter(**key).first()
    if row is None:
        raise Http404
    return row


def refuse_unknown(names: Iterable[str], code: str) -> None:
    """Raises ValidationError with one error for each name."""
    text = _("Unknown query parameter.") if code == "unknown_parameter" else _("Unknown field.")
    refuse({str(name): text for name in sorted(names, key=str)}, code)


def refuse(texts: dict[str, str], code: str) -> None:
    """Raises ValidationError where `texts` {name: why} holds anything."""
    if texts:
        raise ValidationError({name: [ErrorDetail(text, code=code)] for name, text in texts.items()})


class Conflict(APIException):
    """What is asked does not go with the present state (409); the detail says why."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = gettext_lazy("Somebody was faster.")
    default_code = "conflict"


@extend_schema(exclude=True)
class Nowhere(ApiView):
    """Addresses that don't exist answer in the API's shape, too."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.perform_authentication(request)
        self.check_permissions(request)
        raise NotFound
