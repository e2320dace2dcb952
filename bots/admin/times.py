"""Times as the people of an account read them: in its time zone, with the zone's name."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.html import format_html
from django.utils.safestring import SafeString


def shown(moment: datetime | None, zone: ZoneInfo, *, seconds: bool = False) -> str:
    """Give a time as text, such as "24 Nov 2026, 09:31 CET"; "" for None."""
    if moment is None:
        return ""
    here = timezone.localtime(moment, zone)
    return f"{formatted(here, 'j M Y, H:i:s' if seconds else 'j M Y, H:i')} {short_name(zone, moment)}"


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """Give the time of day alone, to the second."""
    return formatted(timezone.localtime(moment, zone), "H:i:s")


def cell(moment: datetime | None, zone: ZoneInfo) -> SafeString | str:
    """Give a time for a list: short, with the whole of it on hover."""
    if moment is None:
        return "–"
    title = f"{shown(moment, zone, seconds=True)} ({zone.key})"
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), title, shown(moment, zone))


def short_name(zone: ZoneInfo, moment: datetime) -> str:
    """Give the zone's abbreviation at that time, such as CET; where it has none, its offset, such as UTC-03."""
    name = timezone.localtime(moment, zone).tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name
