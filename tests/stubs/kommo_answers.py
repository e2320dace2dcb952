"""What a stub of Kommo can answer to a continue call: the documented ways, and every way in which it goes wrong."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

CALM = 1000  # the last digits of a continue id without a fault

Close = Literal["", "quietly", "reset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What one kind of continue id meets.

    Args:
        code: the last digits of the continue id.
        takes: the Salesbot goes on, whatever is said about it.
        status: of the answer; 0 means that a call is judged as if there were no fault.
        html: the answer is a web page, as from a block of addresses.
        once: only the first call meets the fault.
        close: the connection ends without an answer.
        holds: the answer waits until `release`.
        endless: the answer's body has 1 GB.
        retry_after: the header of that name.
        echoes: the answer repeats the token that it was called with.
    """

    code: int
    takes: bool = False
    status: int = 0
    html: bool = False
    once: bool = False
    close: Close = ""
    holds: bool = False
    endless: bool = False
    retry_after: str = ""
    echoes: bool = False


FAULTS = {
    "200": Fault(code=9200, takes=True, status=200),
    "204": Fault(code=9204, takes=True, status=204),
    "307": Fault(code=9307, status=307),
    "400": Fault(code=9400, status=400),
    "400-echo": Fault(code=9410, status=400, echoes=True),
    "401": Fault(code=9401, status=401),
    "403": Fault(code=9403, status=403),
    "403html": Fault(code=9413, status=403, html=True),
    "403html-once": Fault(code=9423, status=403, html=True, once=True),
    "404": Fault(code=9404, status=404),
    "429": Fault(code=9429, status=429),
    "429-once": Fault(code=9439, status=429, once=True),
    "429-soon": Fault(code=9459, status=429, once=True, retry_after="2"),
    "429-later": Fault(code=9449, status=429, once=True, retry_after="4"),
    "500": Fault(code=9500, status=500),
    "500-once": Fault(code=9510, status=500, once=True),
    "500-taken": Fault(code=9520, status=500, once=True, takes=True),
    "drop-before": Fault(code=9601, close="quietly", once=True),
    "drop-always": Fault(code=9611, close="quietly"),
    "drop-after": Fault(code=9602, close="quietly", once=True, takes=True),
    "reset-before": Fault(code=9603, close="reset", once=True),
    "huge": Fault(code=9701, takes=True, status=202, endless=True),
    "toolong": Fault(code=9422),
    "toolong-always": Fault(code=9432, status=400),
    "held": Fault(code=9801, takes=True, status=202, holds=True, once=True),
    "held-untaken": Fault(code=9802, close="quietly", holds=True, once=True),
}
BY_CODE = {fault.code: (name, fault) for name, fault in FAULTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back for one continue call."""

    status: int = 202
    content_type: str = "text/html"
    body: bytes = b"Accepted"
    fault: Fault = field(default_factory=lambda: Fault(code=CALM))


def problem(status: int, detail: str, code: str = "") -> Answer:
    """Refuse as Kommo's API does; with a code, for one field of the body."""
    body: dict[str, Any] = {"title": "Problem", "type": f"https://httpstatus.es/{status}", "status": status}
    body["detail"] = detail
    if code:
        error = {"code": code, "path": "data.message", "detail": "too long"}
        body["validation-errors"] = [{"request_id": "0", "errors": [error]}]
    return Answer(status=status, content_type="application/problem+json", body=json.dumps(body).encode())
