"""Let PostgreSQL tell waiting workers of each exchange that is stored; SQLite has nobody to tell."""

from django.db import migrations

TELL = """
CREATE FUNCTION kommobridge_tell_work() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kommobridge_work', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER bots_exchange_tell_work AFTER INSERT ON bots_exchange
    FOR EACH STATEMENT EXECUTE FUNCTION kommobridge_tell_work();
"""
TELL_NO_MORE = """
DROP TRIGGER bots_exchange_tell_work ON bots_exchange;
DROP FUNCTION kommobridge_tell_work();
"""


def add(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute(TELL)


def remove(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute(TELL_NO_MORE)


class Migration(migrations.Migration):
    dependencies = [("bots", "0004_refusals")]

    operations = [migrations.RunPython(add, remove)]
