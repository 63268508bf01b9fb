"""Cursor pages."""

from rest_framework.pagination import CursorPagination


class Pages(CursorPagination):
    """`{"next", "previous", "results"}`, absolute addresses."""

    ordering = "-pk"
    page_size_query_param = "page_size"
    max_page_size = 1000
