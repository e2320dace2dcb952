"""Model names that litellm would not send where the vendor says.

litellm picks its way to a vendor by the vendor's name first, but some words inside a model's name lead it to another
one, past our checked HTTP client. Such names belong to no chat model of the vendors on our list.
"""

import re

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:@+/~-]{0,199}")
_COMPLETION_ONLY = ("ft:babbage-002", "ft:davinci-002")
_ELSEWHERE = ("replicate", "clarifai", "ft:gpt")  # harmless at `openai`, whose way is taken before these are looked at
_PREFIXES_ELSEWHERE = ("responses/", "azure/", "litellm_proxy/")


def is_safely_routed(vendor: str, model: str) -> bool:
    """Say whether a model of this name is asked at its vendor and nowhere else.

    Args:
        vendor: key of `VENDORS`.
        model: the vendor's name of the model, without the vendor before it.
    """
    name = model.lower()
    refused = _COMPLETION_ONLY if vendor == "openai" else _COMPLETION_ONLY + _ELSEWHERE
    if not _NAME.fullmatch(model) or any(word in name for word in refused):
        return False
    return not name.startswith(_PREFIXES_ELSEWHERE)
