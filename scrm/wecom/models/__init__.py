"""Tables of the platform room."""

from scrm.wecom.models.apicall import ApiCall
from scrm.wecom.models.callback import Callback
from scrm.wecom.models.stop import Stop

__all__ = ["ApiCall", "Callback", "Stop"]
