"""All settings, flat. Every value that an installation may change comes from the environment (see README.md)."""

import sys
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from scrm import __version__, env
from scrm.site.navigation import UNFOLD as UNFOLD

django_stubs_ext.monkeypatch()

BASE_DIR = env.BASE_DIR
VERSION = __version__
DATA_DIR = env.data_dir()
env.text("DATA_DIR", "./var", meaning="folder of embedded services, logs and generated secrets")

# --- the installation -------------------------------------------------------------------------------------------------
DEBUG = env.flag("DEBUG", False, meaning="error pages with internals; never in production")
STORY = env.flag("STORY", False, meaning="the log tells, with names, what happens to customers; the demo's does")
SECRET_KEY = env.text("SECRET_KEY", meaning="signs sessions and links; 50 random characters; the demo makes its own")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]", meaning="host names under which we are called")
PUBLIC_URL = env.text("PUBLIC_URL", "http://127.0.0.1:8000", meaning="our address as browsers and WeCom see it")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL.rstrip("/")] if PUBLIC_URL.startswith(("http://", "https://")) else []
DATABASE_PASSWORD = env.text("DATABASE_PASSWORD", meaning="password of the database, where DATABASE_URL holds none")
DATABASE_URL = env.database(
    "DATABASE_URL",
    password=DATABASE_PASSWORD,
    meaning="postgres://user:password@host:5432/name; unset: embedded",
)
REDIS_URL = env.redis_address("REDIS_URL", meaning="redis://host:6379/0; unset: embedded")
LANGUAGE_CODE = env.one_of(
    "LANGUAGE_CODE", ("zh-hans", "en"), "zh-hans", meaning="language of the console: zh-hans or en"
)
METRICS_TOKEN = env.text("METRICS_TOKEN", meaning="bearer token for /metrics from other machines than this one")
TRUSTED_PROXIES = env.whole(
    "TRUSTED_PROXIES", 0, least=0, meaning="proxies of ours before us, whose X-Forwarded-For is believed"
)
LOGIN_TRIES_PER_NAME = env.whole("LOGIN_TRIES_PER_NAME", 10, meaning="failed attempts to log in for one user name")
LOGIN_TRIES_PER_ADDRESS = env.whole("LOGIN_TRIES_PER_ADDRESS", 50, meaning="failed attempts to log in from one address")
LOGIN_WINDOW_MINUTES = env.whole("LOGIN_WINDOW_MINUTES", 15, meaning="time over which those attempts are counted")
DOMAIN_PROOFS = env.words("DOMAIN_PROOFS", meaning="file=content pairs served as /WW_verify_….txt and /MP_verify_….txt")
H5_URLS = env.words(
    "H5_URLS", meaning="addresses of landing, gate, activity and tracking pages, apart from the console's"
)

COMPANY_TIME_ZONE = env.time_zone(
    "COMPANY_TIME_ZONE", "Asia/Shanghai", meaning="zone in which the company's days begin"
)
CLOCK_OFFSET = env.number("CLOCK_OFFSET", 0, meaning="seconds added to the domain clock (tests and demo only)")
CLOCK_SPEED = env.number("CLOCK_SPEED", 1, least=0.001, meaning="speed of the domain clock (tests and demo only)")
CLOCK_ANCHOR = env.number("CLOCK_ANCHOR", 0, meaning="unix second from which CLOCK_SPEED counts; set by the demo")

# --- WeCom ------------------------------------------------------------------------------------------------------------
WECOM_API_URL = env.text("WECOM_API_URL", "https://qyapi.weixin.qq.com/cgi-bin/", meaning="base of the platform's API")
WECOM_OAUTH_URL = env.text(
    "WECOM_OAUTH_URL", "https://open.weixin.qq.com/", meaning="base of the platform's OAuth page inside WeCom"
)
WECOM_LOGIN_URL = env.text(
    "WECOM_LOGIN_URL", "https://login.work.weixin.qq.com/", meaning="base of the platform's page for QR login"
)
WECOM_CORP_ID = env.text("WECOM_CORP_ID", meaning="企业ID: 企微后台 > 我的企业 > 企业信息")
WECOM_AGENT_ID = env.text("WECOM_AGENT_ID", meaning="AgentId of the self-built app")
WECOM_SECRET = env.text("WECOM_SECRET", meaning="Secret of the self-built app: 企微后台 > 应用管理 > 自建")
WECOM_CALLBACK_TOKEN = env.text("WECOM_CALLBACK_TOKEN", meaning="Token of 接收消息服务器配置")
WECOM_CALLBACK_AES_KEY = env.text("WECOM_CALLBACK_AES_KEY", meaning="EncodingAESKey of the same page, 43 characters")
SENDING = env.one_of("SENDING", ("off", "allowlist", "on"), "off", meaning="brake before everything a customer notices")
SENDING_ALLOWLIST = frozenset(
    env.words("SENDING_ALLOWLIST", meaning="ids of customers, chats and staff that SENDING=allowlist lets through")
)
QUIET_HOURS = env.quiet_hours("QUIET_HOURS", "22:30-08:00", meaning="no sends are created in these hours, company time")

# Broadcasts. The company's admin chooses the receive rule in WeCom's console, and no API tells which (platform.md 1).
RECEIVE_RULE = env.one_of(
    "RECEIVE_RULE", ("month_total", "week_7", "day_1"), "month_total", meaning="broadcasts a customer may receive"
)
SEND_CAP_PER_WEEK = env.whole(
    "SEND_CAP_PER_WEEK", 0, least=0, meaning="our own limit of broadcasts to one customer or chat in 7 days; 0: none"
)
SEND_FAILURES_BEFORE_PAUSE = env.whole(
    "SEND_FAILURES_BEFORE_PAUSE", 3, meaning="refused or unanswered tasks after which a broadcast pauses by itself"
)
SEND_CREATE_SECONDS = env.number(
    "SEND_CREATE_SECONDS", 15, least=0.1, meaning="seconds that creating a task may take before it is looked for"
)
SEND_LOOKUP_DELAYS = env.numbers(
    "SEND_LOOKUP_DELAYS", "5,30", meaning="seconds after which a task without an answer is looked for"
)
SEND_POLL_SECONDS = env.number("SEND_POLL_SECONDS", 20, least=0.05, meaning="wait between reads of a task's results")

# Reads are answered late by the platform (platform.md 10): when an event without versions is read again, in seconds.
CONTACT_READ_DELAYS = env.numbers("CONTACT_READ_DELAYS", "3,60", meaning="seconds after which a contact is read")
CHAT_COALESCE_SECONDS = env.number("CHAT_COALESCE_SECONDS", 1.5, least=0, meaning="wait for more events of one chat")
CHAT_REREAD_DELAYS = env.numbers("CHAT_REREAD_DELAYS", "2,5,15,60", meaning="waits between reads of a stale chat")
FRESH_READ_SECONDS = env.number(
    "FRESH_READ_SECONDS", 60, least=0, meaning="age from which a read's absence of a person counts"
)
CHAT_SCAN_CAPACITY = env.whole("CHAT_SCAN_CAPACITY", 200, meaning="people up to which codes let join")
STAFF_CAPACITY = env.whole(
    "STAFF_CAPACITY", 20_000, meaning="customers that one staff member can have; 5,000 until WeCom expands it"
)
CALLBACK_RETENTION_DAYS = env.whole(
    "CALLBACK_RETENTION_DAYS", 90, meaning="days that raw callbacks and settled work are kept"
)
NOTICE_RETENTION_DAYS = env.whole("NOTICE_RETENTION_DAYS", 180, meaning="days that messages to staff are kept")
STAFF_SIGN_IN = env.one_of(
    "STAFF_SIGN_IN", ("oauth", "link"), "oauth", meaning="staff's own pages: oauth, or link while no domain is trusted"
)
TASK_LINK_HOURS = env.whole("TASK_LINK_HOURS", 72, meaning="hours that a signed link to the task page works")
CALL_LOG_RETENTION_DAYS = env.whole("CALL_LOG_RETENTION_DAYS", 14, meaning="days that the API call log is kept")
AUDIT_RETENTION_DAYS = env.whole(
    "AUDIT_RETENTION_DAYS", 1_095, least=180, meaning="days that the audit trail is kept, at least 180"
)
WECOM_CALLS_PER_MINUTE = env.whole(
    "WECOM_CALLS_PER_MINUTE", 7_000, meaning="our budget for each API of WeCom; the platform's limit is 10,000"
)
WECOM_CALLS_PER_HOUR = env.whole(
    "WECOM_CALLS_PER_HOUR", 105_000, meaning="the same by the hour; the platform's limit is 150,000"
)
WECOM_CONCURRENCY = env.whole(
    "WECOM_CONCURRENCY", 60, least=2, meaning="calls to WeCom in flight at once, all processes"
)
WECOM_CALL_LOG_SAMPLE = env.whole(
    "WECOM_CALL_LOG_SAMPLE", 50, least=0, meaning="one in so many good calls is logged; 0: none"
)
HEARTBEAT_FILE = env.text("HEARTBEAT_FILE", meaning="file that a worker or beat touches while it lives (health checks)")
FAILPOINT = env.text("FAILPOINT", meaning="name:n kills the process at the n-th pass (tests only)")

# --- Django -----------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "scrm.site.apps.SiteConfig",
    "analytics.apps.AnalyticsConfig",
    "campaigns.apps.CampaignsConfig",
    "groups.apps.GroupsConfig",
    "contacts.apps.ContactsConfig",
    "scrm.wecom.apps.WecomConfig",
    "scrm.base.apps.BaseConfig",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "csp",
    "django_structlog",
]

MIDDLEWARE = [
    "scrm.base.patience.PatientPages",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "scrm.site.console.uncached.Uncached",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "scrm.site.console.language.ChosenLanguage",
    "scrm.site.console.nul.NoNul",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "scrm.site.console.roleless.RoleFirst",
    "scrm.site.console.login.TooManyTries",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]

ROOT_URLCONF = "scrm.urls"
WSGI_APPLICATION = "scrm.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "scrm.site.console.context.console",
            ],
        },
    },
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **DATABASE_URL,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,  # else each thread fails once after a restart of PostgreSQL
        "OPTIONS": {
            **dict(DATABASE_URL.get("OPTIONS") or {}),  # type: ignore[call-overload]
            "connect_timeout": 2,  # for each address of the host; the platform waits 5 s for our answer
            # a server that vanished without a word is noticed within 20 s; the system's own patience is two hours
            "keepalives_idle": 10,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,  # ms
            "application_name": "scrm",
            # no jit: it costs more than it gives on queries of this size
            "options": "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=10000 -c jit=off",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "base.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"

# Ours live in Redis under names of their own. Django's cache would only be Unfold's: what the palette found would stay for
# five minutes, also after a user's scope was narrowed, and a Redis that is away would break the search.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

USE_TZ = True
TIME_ZONE = COMPANY_TIME_ZONE
USE_I18N = True
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]

MEDIA_ROOT = DATA_DIR / "media"  # what people upload; `manage.py backup` takes it along

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Without a collected folder (trial, tests) whitenoise serves from the finders.
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- security ---------------------------------------------------------------------------------------------------------
HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"  # as the others are from the start
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
CONTENT_SECURITY_POLICY = {
    # Unfold's Alpine needs eval and inline styles; own pages under /dashboards/ set a strict policy themselves.
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:", "https:"],
        "object-src": [NONE],
        "form-action": [SELF],  # the redirects that answer a form included
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}

# --- REST API ---------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["scrm.site.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["scrm.site.api.permissions.ScopedAccess"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["scrm.site.api.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "scrm.site.api.openapi.ResourceSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "DEFAULT_PAGINATION_CLASS": "scrm.site.api.pagination.Pages",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "SCRM API",
    "DESCRIPTION": "REST API of the SCRM. Bearer tokens: `manage.py apitoken USERNAME`.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "BroadcastState": "scrm.site.api.broadcast_shapes.STATES",
        "CallbackState": "scrm.wecom.querysets.STATES.values",
    },
}
DRF_STANDARDIZED_ERRORS = {
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "ALLOWED_ERROR_STATUS_CODES": ["400", "401", "403", "404", "405", "500"],
    "ERROR_SCHEMAS": dict.fromkeys(["400", "401", "403", "404", "405", "500"], "scrm.site.api.errors.Error"),
}

# --- Celery: how workers run and are woken; what must be done stands in Postgres (scrm.base.work) -----------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # a doorbell that is lost costs nothing: the pumps poll
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = 4
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CHANNEL_ERROR_RETRY = (
    True  # a full Redis refuses to be listened to: Celery would end the process, pumps and all
)
CELERY_BROKER_CONNECTION_MAX_RETRIES = (
    None  # the default gives up after an hour, and the pumps would end with the worker
)
CELERY_BROKER_POOL_ACQUIRE_TIMEOUT = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 20,
}
CELERY_TIMEZONE = COMPANY_TIME_ZONE
CELERY_TASK_DEFAULT_QUEUE = "mirror"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")

# --- logs -------------------------------------------------------------------------------------------------------------
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "scrm.base.logs.Formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines", "stream": sys.stderr}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "story": {"level": "INFO" if STORY else "WARNING"},  # a log outlives whoever is erased
        "django.server": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "urllib3": {"level": "ERROR"},
        "django_structlog": {"level": "WARNING"},
    },
}
