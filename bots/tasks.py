"""Tasks that django-q2 runs. Each is a wake-up for this process's pump and gives back a number, never an error."""

from bots import engine


def answer(exchange_id: int) -> int:
    """Answer what is due in this process.

    Args:
        exchange_id: the exchange that the row was written for.

    Returns:
        How many exchanges this run of the pump settled or gave back.
    """
    return engine.run()


def wake() -> int:
    """Answer what is due in this process; see `answer`."""
    return engine.run()
