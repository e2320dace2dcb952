"""Let PostgreSQL itself refuse a row whose parent belongs to another account.

Composite foreign keys, which Django's models don't have. SQLite can't add one to a table that exists, and a trigger
would be lost whenever a later migration rebuilds its table; there `AccountScoped.save` stands alone.
"""

from django.db import migrations

# table, column that names the parent, parent table; each pair of (parent, account) must exist
PARENTS = (
    ("bots_modelchoice", "bot_id", "bots_bot", "account_id"),
    ("bots_modelchoice", "provider_id", "bots_provider", "account_id"),
    ("bots_exchange", "conversation_id", "bots_conversation", "account_id"),
    ("bots_exchange", "bot_id", "bots_bot", "account_id"),
    ("bots_attempt", "exchange_id", "bots_exchange", "account_id"),
    ("bots_attempt", "provider_id", "bots_provider", "account_id"),
    ("bots_message", "exchange_id", "bots_exchange", "conversation_id"),
)


def add(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    for table, column, parent, shared in PARENTS:
        editor.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_{column}_same_{shared} "
            f"FOREIGN KEY ({column}, {shared}) REFERENCES {parent} (id, {shared}) DEFERRABLE INITIALLY DEFERRED"
        )


def remove(apps, editor):
    if editor.connection.vendor != "postgresql":
        return
    for table, column, _parent, shared in PARENTS:
        editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{column}_same_{shared}")


class Migration(migrations.Migration):
    dependencies = [("bots", "0001_first")]

    operations = [migrations.RunPython(add, remove)]
