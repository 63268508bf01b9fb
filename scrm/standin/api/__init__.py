"""The platform's endpoints: path below `/cgi-bin/` → method and handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from . import (
    access,
    acquisition,
    book,
    broadcasts,
    chats,
    contacts,
    files,
    identity,
    media,
    messages,
    tags,
    ways,
    welcome,
)  # fmt: skip
from .call import Call


class Route(NamedTuple):
    """How an endpoint is called; `token` is False for gettoken alone, `raw` True for a body that is no JSON."""

    method: str
    handler: Callable[[Call], dict[str, Any]]
    token: bool = True
    raw: bool = False


ROUTES: dict[str, Route] = {
    "gettoken": Route("GET", access.gettoken, token=False),
    "getcallbackip": Route("GET", access.ip_list),
    "get_api_domain_ip": Route("GET", access.ip_list),
    "agent/get": Route("GET", access.agent_get),
    "auth/getuserinfo": Route("GET", identity.getuserinfo),
    "message/send": Route("POST", messages.send),
    "media/get": Route("GET", files.get),
    "externalcontact/customer_acquisition_quota": Route("GET", acquisition.customer_acquisition_quota),
    "department/list": Route("GET", book.department_list),
    "department/simplelist": Route("GET", book.department_simplelist),
    "department/get": Route("GET", book.department_get),
    "user/list": Route("GET", book.user_list),
    "user/simplelist": Route("GET", book.user_simplelist),
    "user/get": Route("GET", book.user_get),
    "externalcontact/get_follow_user_list": Route("GET", contacts.get_follow_user_list),
    "externalcontact/list": Route("GET", contacts.list_),
    "externalcontact/get": Route("GET", contacts.get),
    "externalcontact/batch/get_by_user": Route("POST", contacts.batch_get_by_user),
    "externalcontact/remark": Route("POST", contacts.remark),
    "externalcontact/mark_tag": Route("POST", contacts.mark_tag),
    "externalcontact/get_corp_tag_list": Route("POST", tags.get_corp_tag_list),
    "externalcontact/add_corp_tag": Route("POST", tags.add_corp_tag),
    "externalcontact/edit_corp_tag": Route("POST", tags.edit_corp_tag),
    "externalcontact/del_corp_tag": Route("POST", tags.del_corp_tag),
    "externalcontact/send_welcome_msg": Route("POST", welcome.send_welcome_msg),
    "media/upload": Route("POST", media.upload, raw=True),
    "media/uploadimg": Route("POST", media.uploadimg, raw=True),
    "externalcontact/add_msg_template": Route("POST", broadcasts.add_msg_template),
    "externalcontact/get_groupmsg_list_v2": Route("POST", broadcasts.get_groupmsg_list_v2),
    "externalcontact/get_groupmsg_task": Route("POST", broadcasts.get_groupmsg_task),
    "externalcontact/get_groupmsg_send_result": Route("POST", broadcasts.get_groupmsg_send_result),
    "externalcontact/remind_groupmsg_send": Route("POST", broadcasts.remind_groupmsg_send),
    "externalcontact/cancel_groupmsg_send": Route("POST", broadcasts.cancel_groupmsg_send),
    "externalcontact/groupchat/list": Route("POST", chats.list_),
    "externalcontact/groupchat/get": Route("POST", chats.get),
    "externalcontact/add_contact_way": Route("POST", ways.add_contact_way),
    "externalcontact/get_contact_way": Route("POST", ways.get_contact_way),
    "externalcontact/list_contact_way": Route("POST", ways.list_contact_way),
    "externalcontact/update_contact_way": Route("POST", ways.update_contact_way),
    "externalcontact/del_contact_way": Route("POST", ways.del_contact_way),
}
