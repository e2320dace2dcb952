"""The parser of widget_request bodies for DRF: JSON or any kind of form, decided by content type, then by a look."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.parsers import BaseParser

from bots.kommo import WidgetBody, read_body

BODY_MAX_BYTES = 256 * 1024


class WidgetRequestParser(BaseParser):
    """Read a widget_request, whatever its encoding (protocol §1.2)."""

    media_type = "*/*"

    def parse(  # type: ignore[override]  # DRF hands on whatever a parser gives
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> WidgetBody:
        """Read the body.

        Raises:
            BodyUnreadable: a sentence for the caller.
        """
        return read_body(stream.read(BODY_MAX_BYTES + 1), media_type or "")
