"""What other apps registered and nobody shall see: pages with rows of all accounts, and rights that we don't use.

django-q2's pages show task arguments; groups would suggest a second way of giving rights.
"""

from django.contrib import admin

OURS = frozenset({"bots", "kommobridge"})

for model in list(admin.site._registry):
    if model._meta.app_label not in OURS:
        admin.site.unregister(model)
