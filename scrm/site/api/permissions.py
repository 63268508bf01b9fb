"""What a token may do. Denied by default: a view that says nothing needs `read` for reading and `write` for the rest."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from scrm.base.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself loads this module, named in the settings

_RANK = {ApiToken.Scope.READ: 0, ApiToken.Scope.WRITE: 1, ApiToken.Scope.ADMIN: 2}


class ScopedAccess(BasePermission):
    """The scope of the token, then the user's role, then the user's own right.

    A view may say: `scopes` {method: scope} where the method's name misleads, `superusers_only`, and `rights`
    {method: Django permission}. Which rows the user sees is the business of `visible_to(user)`.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        token = request.auth
        if not isinstance(token, ApiToken):
            return False
        needed = scope_needed(request.method or "", view)
        if _RANK[ApiToken.Scope(token.scope)] < _RANK[needed]:
            raise PermissionDenied(
                _("This token's scope is %(has)s; %(needed)s is needed.") % {"has": token.scope, "needed": needed.value}
            )
        if not getattr(token, "of_somebody_with_a_role", False):
            raise PermissionDenied(
                _("The user of this token has no role. An administrator gives one: 系统设置 > 用户.")
            )
        if getattr(view, "superusers_only", False) and not token.user.is_superuser:
            raise PermissionDenied(_("Only for tokens of administrators."))
        right = getattr(view, "rights", {}).get(request.method)
        return right is None or token.user.has_perm(right)


def scope_needed(method: str, view: "APIView") -> ApiToken.Scope:
    """The least scope with which `method` may be called on `view`."""
    default = ApiToken.Scope.READ if method in SAFE_METHODS else ApiToken.Scope.WRITE
    scopes: dict[str, ApiToken.Scope] = getattr(view, "scopes", {})
    return scopes.get(method, default)
