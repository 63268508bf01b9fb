"""A self-hosted SCRM for customer communities on WeCom (企业微信)."""

__version__ = "0.1.0"
