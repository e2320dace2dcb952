"""A deployment that a test may stop, kill and start again: it is brought up when it is needed."""

import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from tests.processes.deployment import Tenant, a_kommo, a_tenant, tenant_bot
from tests.rig import Rig
from tests.stubs.kommo import AskedOf
from tests.stubs.llm import LlmStub
from tests.waiting import wait_until

GONE_S = 15.0  # contract: after a stop or a kill nothing is left by then
SETTLED_S = 60.0  # contract: after ready, what was in flight is settled by then

Way = Callable[[Rig, "subprocess.Popen[bytes]"], object]

# How a deployment can be told to end, or made to.
WAYS: dict[str, Way] = {
    "SIGTERM to main": lambda _, main: main.send_signal(signal.SIGTERM),
    "SIGTERM to all at once": lambda rig, _: rig.signal_all(signal.SIGTERM),
    "SIGKILL of main": lambda _, main: main.kill(),
}


@dataclass(slots=True)
class Site:
    """Web and workers, one account, and a model server whose `behaviour` tests change."""

    rig: Rig
    llm: LlmStub
    tenant: Tenant

    def provision(self) -> None:
        """Make the account, with a bot that has the longest deadline, since stops and starts take their time."""
        self.tenant.bots = [tenant_bot(self.tenant, "default", "stub", deadline_s=55)]
        self.rig.provision({"accounts": [self.tenant.document(self.llm.url)]})

    def up(self) -> "subprocess.Popen[bytes]":
        """Have it running, ready, and with a model that answers at once; give its main process."""
        self.llm.behaviour = "ok"
        if not self.rig.mains or self.rig.mains[0].poll() is not None:
            self.rig.close()
            self.rig.start_and_wait("serve")
        self.rig.wait_until_ready()
        return self.rig.mains[0]

    def thinking(self, text: str, *, entity_id: int, behaviour: str = "silent") -> AskedOf:
        """Ask something that the model is thinking about: it has been asked and says nothing yet."""
        self.llm.behaviour = behaviour
        asked = self.tenant.ask(text, entity_id=entity_id)
        wait_until(lambda: text in {request.last_text for request in list(self.llm.requests)})
        return asked

    def retrying(self, text: str, *, entity_id: int) -> AskedOf:
        """Ask something whose reply is stored and was refused once, for a while."""
        asked = self.tenant.ask(text, entity_id=entity_id, fault="429-later")
        wait_until(lambda: self.rig.attempts(asked, "continue"))
        return asked

    def sending(self, text: str, *, entity_id: int, fault: str) -> AskedOf:
        """Ask something whose continue call is out: Kommo has it and says nothing."""
        asked = self.tenant.ask(text, entity_id=entity_id, fault=fault)
        wait_until(lambda: self.tenant.kommo.calls_of(asked))
        return asked

    def times_asked(self, text: str) -> int:
        """Count the requests to the model that end with a text."""
        return len([request for request in list(self.llm.requests) if request.last_text == text])


def a_site(database_url: str, llm: LlmStub) -> Site:
    """Prepare a deployment; nothing runs yet. Its Kommo has to be entered."""
    kommo = a_kommo("site", 6)
    rig = Rig(database_url=database_url, environment={"KOMMO_EXTRA_ORIGINS": kommo.origin})
    return Site(rig, llm, a_tenant("Site", kommo, rig))
