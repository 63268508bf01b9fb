"""The platform: calls out, callbacks in. Only this package knows a platform path or imports wechatpy."""
