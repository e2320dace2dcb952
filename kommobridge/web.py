"""The web server: gunicorn with threads, so that a slow request body holds up nobody else."""

from typing import Any

from django.conf import settings
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from kommobridge.patience import PATIENCE
from kommobridge.web_logs import WebLogger
from kommobridge.wsgi import application

THREADS = 2 * PATIENCE.seats  # one that waits for a slow body costs little; connections to the database stay below 100
GRACE_S = 5
TIMEOUT_S = 30


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # untyped library
    """gunicorn's worker with threads, whose patience is counted from before the first byte of a request."""

    def handle(self, conn: Any) -> Any:
        """Serve one request of a connection; `kommobridge.wsgi` says when it has been read."""
        PATIENCE.begins(conn.sock)
        try:
            return super().handle(conn)
        finally:
            PATIENCE.is_over(conn.sock)


class Server(BaseApplication):  # type: ignore[misc]  # untyped library
    """gunicorn, configured by our settings alone: neither its command line nor its files count."""

    def __init__(self, bind: str) -> None:
        """Prepare to listen on HOST:PORT."""
        self.bind = bind
        super().__init__()

    def load_config(self) -> None:
        """Say how many processes and threads, and how long things may take."""
        options = {
            "bind": self.bind,
            "workers": settings.WEB_WORKERS,
            "threads": THREADS,
            "worker_class": PatientWorker,
            "timeout": TIMEOUT_S,
            "graceful_timeout": GRACE_S,
            "keepalive": 5,
            "preload_app": True,
            "logger_class": WebLogger,
            "forwarded_allow_ips": "",  # kommobridge.proxies decides
            "secure_scheme_headers": {},
            "max_requests": 20_000,
            "max_requests_jitter": 2_000,
            "proc_name": "kommobridge web",
            "control_socket_disable": True,  # one file for every server of a user; nobody here talks to it
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Give the application."""
        return application
