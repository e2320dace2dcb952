"""What a person reads when something is wrong: field, rule, remedy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake, told so that its reader can act alone.

    Args:
        field: name of the value that is wrong.
        rule: what must hold, as the rest of a sentence that begins with the field.
        remedy: what the reader does about it, a sentence; may be empty.
    """

    field: str
    rule: str
    remedy: str = ""

    def __str__(self) -> str:
        """Give the fault as one line."""
        return f"{self.field}: {self.rule}. {self.remedy}".strip()


class Faulty(ValueError):
    """Base of errors that carry a `Fault`."""

    def __init__(self, fault: Fault) -> None:
        """Keep the fault; the error's text is the fault's line."""
        super().__init__(str(fault))
        self.fault = fault
