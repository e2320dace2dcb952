"""`/healthz` says that this process lives, `/readyz` that the whole deployment can do its work."""

from dataclasses import dataclass
from typing import Any

from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bots.models.workers import STALE
from bots.sweeping import survey

WAITING_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold: whether it does, and a sentence or figure."""

    ok: bool
    detail: str | float | None = None


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while this process can answer."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, migrations, workers and queue are well, else 503, and say which is not."""
    checks = look()
    ready = all(check.ok for check in checks.values())
    body: dict[str, Any] = {"status": "ready" if ready else "not ready"}
    body |= {name: {"ok": check.ok, "detail": check.detail} for name, check in checks.items()}
    response = JsonResponse(body, status=200 if ready else 503)
    response._has_been_logged = True  # type: ignore[attr-defined]  # not being ready yet is no error of the program
    return response


def look() -> dict[str, Check]:
    """Check everything that an answer to a customer needs."""
    try:
        due = _due_migrations()
        if due:
            return {
                "database": Check(ok=True),
                "migrations": Check(ok=False, detail=f"{due} due. Run: python manage.py migrate"),
            }
        found = survey(timezone.now())
    except DatabaseError as error:
        return {"database": Check(ok=False, detail=type(error).__name__)}
    beats = found.beat_age_s is not None and found.beat_age_s < STALE.total_seconds()
    waits = found.oldest_due_s or 0.0
    return {
        "database": Check(ok=True),
        "migrations": Check(ok=True),
        "worker": Check(ok=beats, detail="no worker runs" if found.beat_age_s is None else round(found.beat_age_s, 1)),
        "oldest_waiting_s": Check(ok=waits < WAITING_MAX_S, detail=round(waits, 1)),
    }


def _due_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
