"""What worker processes tell each other: heartbeats, and the pace of calls to Kommo."""

from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

STALE = timedelta(seconds=15)  # a pump beats every 2 s


class Heartbeat(models.Model):
    """The sign of life of one worker process, written by its pump alone."""

    name = models.CharField(max_length=120, primary_key=True)
    cluster = models.CharField(max_length=64)
    beat_at = models.DateTimeField(_("last sign of life"))
    in_flight = models.PositiveIntegerField(default=0)
    capacity = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        indexes = [models.Index(fields=["beat_at"], name="heartbeat_newest")]

    def __str__(self) -> str:
        return self.name

    def is_alive(self, now: datetime) -> bool:
        """Say whether the process has lately shown that it works."""
        return now - self.beat_at < STALE


class Pace(models.Model):
    """How many calls go out in each tenth of a second, for all processes together. See `bots.pacing`."""

    name = models.CharField(max_length=64, primary_key=True)
    slots = models.JSONField(default=dict)
    held_from = models.DateTimeField(_("calls paused from"), null=True, blank=True)
    held_until = models.DateTimeField(_("calls paused until"), null=True, blank=True)

    class Meta:
        verbose_name = _("pace")
        verbose_name_plural = _("paces")

    def __str__(self) -> str:
        return self.name
