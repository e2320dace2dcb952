"""What a new account has before its first customer: a team, pipelines, custom fields. The same for each start."""

from dataclasses import dataclass

from sandbox.crm.records import LOST, WON, CustomField, Pipeline, Status, User


@dataclass(frozen=True, slots=True)
class Seeds:
    """The team's set-up of an account."""

    users: tuple[User, ...]
    pipelines: tuple[Pipeline, ...]
    fields: tuple[CustomField, ...]


def seeds_of(kommo_id: int, subdomain: str) -> Seeds:
    """Give the set-up of an account; its numbers come out of the account's own."""
    base = 10_000_000 + kommo_id % 80_000_000
    return Seeds(_users(base, subdomain), _pipelines(base), _fields(base))


def _users(base: int, subdomain: str) -> tuple[User, ...]:
    return (
        User(base + 1, "Alex Moreno", f"alex@{subdomain}.example", is_admin=True),
        User(base + 2, "Irina Sokolova", f"irina@{subdomain}.example", is_admin=False),
        User(base + 3, "Sam Okafor", f"sam@{subdomain}.example", is_admin=False),
    )


def _pipelines(base: int) -> tuple[Pipeline, ...]:
    stages = ("Incoming leads", "Initial contact", "Discussions", "Decision making", "Contract discussion")
    after = ("Incoming leads", "First purchase", "Check in", "Renewal")
    return (
        Pipeline(base + 100, "Sales", _statuses(base + 110, stages), is_main=True),
        Pipeline(base + 200, "After the sale", _statuses(base + 210, after)),
    )


def _statuses(first: int, names: tuple[str, ...]) -> tuple[Status, ...]:
    own = tuple(Status(first + number, name, 10 * (number + 1)) for number, name in enumerate(names))
    return (*own, Status(WON, "Closed - won", 10_000), Status(LOST, "Closed - lost", 11_000))


def _fields(base: int) -> tuple[CustomField, ...]:
    work = ((base + 311, "WORK"), (base + 312, "MOB"), (base + 313, "HOME"))
    private = ((base + 321, "WORK"), (base + 322, "PRIV"))
    wishes = ((base + 341, "Quick"), (base + 342, "Thorough"))
    return (
        CustomField(base + 301, "Phone", "multitext", "contacts", "PHONE", work),
        CustomField(base + 302, "Email", "multitext", "contacts", "EMAIL", private),
        CustomField(base + 303, "Position", "text", "contacts", "POSITION"),
        CustomField(base + 331, "Wish", "textarea", "leads"),
        CustomField(base + 332, "Kind of answer", "select", "leads", enums=wishes),
        CustomField(base + 333, "Visit on", "date", "leads"),
        CustomField(base + 334, "Guests", "numeric", "leads"),
    )
