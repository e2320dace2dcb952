"""What django-q2 runs: a wake-up for this process's pump. It gives back a number, never an error."""

from bots import engine


def wake() -> int:
    """Answer what is due in this process.

    Returns:
        How many exchanges this run of the pump settled or gave back.
    """
    return engine.run()
