"""Tables of the platform room."""

from scrm.wecom.models.apicall import ApiCall
from scrm.wecom.models.callback import Callback

__all__ = ["ApiCall", "Callback"]
