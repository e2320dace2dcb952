"""Settings that are typed as JSON: pretty to read, and told apart from their mistakes by line and column."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bots.admin.exchange_pages import as_json
from bots.admin.theme import text_area


class JSONBox(forms.JSONField):
    """A list or an object, typed as JSON.

    Args:
        kind: list or dict; an empty box, and every other empty value, is an empty one of it.
        rows: height of the box.
    """

    def __init__(
        self, *, kind: type[list[Any]] | type[dict[str, Any]], label: Promise, help_text: Promise, rows: int = 6
    ) -> None:
        box = text_area(rows=rows, spellcheck="false", **{"class": "kb-code"})
        super().__init__(label=label, help_text=help_text, required=False, widget=box)
        self.kind = kind

    def to_python(self, value: Any) -> Any:
        """Read the text.

        Raises:
            ValidationError: it is no JSON; saying where.
        """
        if not isinstance(value, str):
            return value or self.kind()
        try:
            return (json.loads(value) if value.strip() else None) or self.kind()
        except json.JSONDecodeError as error:
            where = {"line": error.lineno, "column": error.colno, "what": error.msg}
            raise ValidationError(
                _("is not valid JSON: line %(line)d, column %(column)d: %(what)s.") % where
            ) from error
        except RecursionError as error:
            raise ValidationError(_("is nested too deeply.")) from error

    def prepare_value(self, value: Any) -> Any:
        """Show it over several lines, with letters as they are."""
        return value if isinstance(value, str) else as_json(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show again what was typed; Django would read it first."""
        return initial if self.disabled else data

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or self.kind()))
        except ValidationError:
            return True


def json_text(value: object) -> SafeString | str:
    """Show JSON as text: the theme colours it by styles that the page's policy refuses."""
    return format_html('<pre class="kb-pre">{}</pre>', as_json(value)) if value else "–"
