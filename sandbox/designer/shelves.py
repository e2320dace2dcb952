"""What one account keeps of the designer: its widget, that widget's settings, and the Salesbot made with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from sandbox.designer.packages import Package
from sandbox.designer.salesbots import Running, SavedStep, bound, built
from sandbox.salesbot.flows import FlowError
from sandbox.salesbot.handlers import Flow, Step

ANY_STEP: Final = Flow((Step(),))  # stands for the Widget step while an import is only checked
Status = Literal["install", "installed", "not_configured"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last upload that was refused: Kommo's words, and the broken rules in ours."""

    answer: str
    broken: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Shelf:
    """One account's part of the designer.

    Args:
        package: the newest widget that was uploaded.
        status: `install` while it is not installed, `not_configured` until its settings were saved once.
        settings: what was saved in its settings window.
        step: the Widget step as it was saved last.
        imported: a Salesbot that was imported, as it came; the step is then bound to it.
        running: the Salesbot that the account runs; None for the config's.
        refusal: why the last upload was refused; None when it was taken.
    """

    package: Package | None = None
    status: Status = "install"
    settings: Mapping[str, str] = field(default_factory=dict)
    step: SavedStep | None = None
    imported: object = None
    running: Running | None = None
    refusal: Refusal | None = None

    @property
    def is_offered(self) -> bool:
        """Tell whether the designer lists the Widget step. Source: protocol §4.4."""
        return self.status == "installed" and self.package is not None and bool(self.package.steps)

    def keep_step(self, step: SavedStep) -> None:
        """Make the Salesbot anew with this step.

        Raises:
            FlowError: the imported Salesbot does not go together with it.
        """
        self.running = built(step) if self.imported is None else bound(self.imported, step.flow)
        self.step = step

    def keep_import(self, salesbot: object) -> None:
        """Make an imported Salesbot the account's; it runs as soon as every Widget block of it has a flow.

        Raises:
            FlowError: it cannot be run here.
        """
        try:
            running = bound(salesbot, self.step.flow if self.step else None)
        except FlowError:
            if self.step is not None:
                raise
            bound(salesbot, ANY_STEP)  # raises when more than the step is missing
            running = None
        self.imported, self.running = salesbot, running

    def discard(self) -> None:
        """Forget the Salesbot; the widget stays."""
        self.step = self.imported = self.running = None
