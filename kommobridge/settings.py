"""Django's settings. What differs between two deployments comes from `kommobridge.base.environment`."""

import warnings
from pathlib import Path
from typing import Any

import django_stubs_ext

from kommobridge.base import environment
from kommobridge.logs import log_config
from kommobridge.unfold_settings import UNFOLD as UNFOLD  # the theme reads it from here

django_stubs_ext.monkeypatch()

BASE_DIR = environment.PROJECT_DIR
ENVIRONMENT = environment.read()

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = ENVIRONMENT.debug
FIELD_KEYS = list(ENVIRONMENT.field_keys)
PUBLIC_URL = ENVIRONMENT.public_url
ALLOWED_HOSTS = list(ENVIRONMENT.allowed_hosts)
TRUSTED_PROXIES = list(ENVIRONMENT.trusted_proxies)
KOMMO_EXTRA_ORIGINS = ENVIRONMENT.kommo_extra_origins
KOMMO_RATE = ENVIRONMENT.kommo_rate
LLM_ALLOW_PRIVATE_HOSTS = ENVIRONMENT.llm_allow_private_hosts
WEB_WORKERS = ENVIRONMENT.web_workers
WORKER_PROCESSES = ENVIRONMENT.worker_processes
WORKER_CONCURRENCY = ENVIRONMENT.worker_concurrency
METRICS_TOKEN = ENVIRONMENT.metrics_token
DATA_DIR = ENVIRONMENT.data_dir

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "kommobridge.site.SiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_q",
    "rest_framework",
    "kommobridge",
    "bots",
    "sandbox",
]

MIDDLEWARE = [
    "kommobridge.proxies.TrustedProxies",
    "kommobridge.security.ContentSecurityPolicy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "kommobridge.logins.DemoStaysHere",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "kommobridge.urls"
WSGI_APPLICATION = "kommobridge.wsgi.application"
AUTH_USER_MODEL = "bots.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database() -> dict[str, Any]:
    database = dict(ENVIRONMENT.database)
    if "sqlite" in database["ENGINE"]:
        Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        # IMMEDIATE: a deferred transaction that turns into a writer fails at once, whatever the timeout.
        database["CONN_MAX_AGE"] = 60
        database["OPTIONS"] = {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        database["CONN_MAX_AGE"] = 60
        database["CONN_HEALTH_CHECKS"] = True
        options = database.setdefault("OPTIONS", {})
        options.setdefault("connect_timeout", 3)
        options.setdefault("server_side_binding", True)  # statements are prepared once for each connection
    return database


DATABASES = {"default": _database()}

AUTHENTICATION_BACKENDS = ["kommobridge.logins.LoginBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español"), ("pt", "Português"), ("ru", "Русский")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS: list[Any] = []
# Hashed names once `make setup` has collected them; pages still work, from the apps' folders, before that.
STATIC_COLLECTED = (STATIC_ROOT / "staticfiles.json").is_file()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_MANIFEST_STRICT = False
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED
WHITENOISE_AUTOREFRESH = not STATIC_COLLECTED

HTTPS = PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = HTTPS
# A redirected POST is a lost message; the token proves where it comes from, with TLS or without.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$", r"^kommo/"]
USE_X_FORWARDED_HOST = True  # kommobridge.proxies lets it through from trusted proxies alone
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 3600
SESSION_SAVE_EVERY_REQUEST = True
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}

# One exchange is one queue row, and a task is only a wake-up: see bots/engine.py. No timeout: django-q's alarm would
# end everything in flight in that process. `retry` only delays a row that a dead cluster had taken.
warnings.filterwarnings("ignore", message="Retry and timeout are misconfigured")
Q_CLUSTER = {
    "name": "kommobridge",
    "orm": "default",
    "workers": WORKER_PROCESSES,
    "poll": 0.05,
    "bulk": 1,
    "queue_limit": 1,
    "timeout": None,
    "retry": 15,
    "max_attempts": 0,
    "ack_failures": True,
    "save_limit": -1,
    "recycle": 500,
    "catch_up": False,
    "scheduler": False,
    "label": "Queue",
}

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = log_config(ENVIRONMENT.log_level, ENVIRONMENT.log_format)

SILENCED_SYSTEM_CHECKS: list[str] = []
