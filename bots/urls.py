"""Addresses that Kommo calls."""

from django.urls import re_path

from bots.views import WidgetRequestView

urlpatterns = [
    re_path(
        r"^kommo/(?P<key>[A-Za-z0-9_-]{1,64})/widget-request/?$", WidgetRequestView.as_view(), name="widget-request"
    ),
]
