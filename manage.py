#!/usr/bin/env python
"""Run a command of KommoBridge."""

import os
import sys

from django.core.management import execute_from_command_line

from kommobridge.base.environment import WrongEnvironment


def main() -> None:
    """Run what the command line asks for; a wrong environment is told in a line for each mistake."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kommobridge.settings")
    try:
        execute_from_command_line(sys.argv)
    except WrongEnvironment as error:
        sys.exit(f"Wrong environment. {error}" if "\n" not in str(error) else f"Wrong environment.\n{error}")


if __name__ == "__main__":
    main()
