"""Provisioning: accounts with their members, providers and bots, as a document declares them.

Whatever the document names is created or brought up to date, nothing is deleted, a field that is left out keeps its
value, and it may be applied any number of times. It is applied whole or not at all. Import from here only.
"""

from bots.provisioning.applying import ProvisionedAccount, Summary, provision
from bots.provisioning.document import WrongDocument, read_document
from bots.provisioning.rows import Fate

__all__ = ["Fate", "ProvisionedAccount", "Summary", "WrongDocument", "provision", "read_document"]
