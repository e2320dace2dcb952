"""The web process stays light: it never loads litellm."""

import subprocess
import sys
from pathlib import Path

from tests.environment import run_environment
from tests.processes.databases import ON_SQLITE
from tests.processes.deployment import Deployment
from tests.rig import PROJECT, Process

# What litellm loads of its own in machine code; found in a process that has imported it.
TRACES = ("/tiktoken/", "/tokenizers/")


def files_mapped_by(process: Process) -> str:
    """Give the names of all files in a process's memory."""
    return Path(f"/proc/{process.pid}/maps").read_text()


@ON_SQLITE
def test_no_web_process_has_loaded_litellm(deployment: Deployment) -> None:
    deployment.rig.settled(deployment.acme.ask("Hello", entity_id=961))

    web = deployment.rig.titled("gunicorn")
    workers = deployment.rig.titled("qcluster")

    assert len(web) >= 3
    assert workers
    assert all(any(trace in files_mapped_by(worker) for trace in TRACES) for worker in workers)
    assert not [process for process in web if any(trace in files_mapped_by(process) for trace in TRACES)]


def test_neither_the_web_application_nor_its_pages_import_litellm() -> None:
    code = (
        "import sys\n"
        "from kommobridge.wsgi import application\n"
        "from django.test import Client\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns\n"
        "Client().get('/healthz')\n"
        "sys.exit('litellm' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=run_environment(ALLOWED_HOSTS="testserver"), cwd=PROJECT, check=False
    )

    assert done.returncode == 0
