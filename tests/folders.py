"""Temporary folders that go with the process that made them, if only when the next one comes.

A process that was killed leaves its folders behind; each says whose it is, so that a later run can tell and remove it.
"""

import os
import shutil
import tempfile
from pathlib import Path

OWNER = ".owner"


def new_folder(prefix: str) -> Path:
    """Make a folder of this process, after removing those of the same prefix whose process is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if _is_left_over(folder):
            shutil.rmtree(folder, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    (folder / OWNER).write_text(str(os.getpid()))
    return folder


def _is_left_over(folder: Path) -> bool:
    """Whether the folder says whose it is, and that process is gone."""
    try:
        os.kill(int((folder / OWNER).read_text()), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False
