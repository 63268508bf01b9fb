"""Pages of WeCom's own console, by the path that leads to them, and which of them mends which refusal."""

from scrm.wecom import errors

APP = "企微后台 > 应用管理 > 自建应用"
CORP = "企微后台 > 我的企业 > 企业信息 > 企业ID"
SECRET = f"{APP} > Secret"
AGENT = f"{APP} > AgentId"
CALLBACK = f"{APP} > 接收消息 > 设置API接收"
EVENTS = f"{APP} > 接收消息 > 接收的消息类型 > 外部联系人变更回调"
TRUSTED_ADDRESS = f"{APP} > 开发者接口 > 企业可信IP"
TRUSTED_DOMAIN = f"{APP} > 网页授权及JS-SDK > 设置可信域名"
PROOF = f"{APP} > 网页授权及JS-SDK > 设置可信域名 > 申请校验域名"
VISIBLE_RANGE = f"{APP} > 可见范围"
CALLABLE_APPS = "企微后台 > 客户与上下游 > 客户联系 > API > 可调用接口的应用"
CONTACT_RANGE = "企微后台 > 客户与上下游 > 客户联系 > 权限配置 > 使用范围"
NATIVE_WELCOME = "企微后台 > 客户与上下游 > 聊天工具 > 欢迎语"
MEMBERS = "企微后台 > 通讯录 > 成员"
ACQUISITION = "企微后台 > 客户与上下游 > 获客助手"
VERIFICATION = "企微后台 > 我的企业 > 企业信息 > 企业认证"

# Where the value of a setting is copied from.
OF_SETTING = {
    "WECOM_CORP_ID": CORP,
    "WECOM_SECRET": SECRET,
    "WECOM_AGENT_ID": AGENT,
    "WECOM_CALLBACK_TOKEN": CALLBACK,
    "WECOM_CALLBACK_AES_KEY": CALLBACK,
}
_BY_CODE = {
    errors.SECRET_REFUSED: SECRET,
    errors.CORP_REFUSED: CORP,
    errors.AGENT_REFUSED: AGENT,
    errors.ADDRESS_REFUSED: TRUSTED_ADDRESS,
    errors.OUT_OF_RANGE: VISIBLE_RANGE,
    errors.API_FORBIDDEN: CALLABLE_APPS,
    errors.NOT_ACTIVATED: MEMBERS,
    43009: VERIFICATION,
    43012: CALLBACK,
    48001: CALLABLE_APPS,
    48006: CALLABLE_APPS,
    50001: TRUSTED_DOMAIN,
    50003: APP,
    60021: VISIBLE_RANGE,
    60111: VISIBLE_RANGE,
    84074: CONTACT_RANGE,
    301002: AGENT,
}


def of_code(code: int | None) -> str:
    """The page that mends what the platform refused with `code`; empty where none does."""
    return _BY_CODE.get(code, "") if code is not None else ""
