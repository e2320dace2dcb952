"""Addresses of the deployment."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from kommobridge.health import healthz, readyz
from kommobridge.metrics import metrics

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("", include("bots.urls")),
]
