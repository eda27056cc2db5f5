"""JSON in a fraction of the time that the standard library takes for pages of numbers."""

from typing import Any

import orjson
from fastapi.responses import JSONResponse


class JsonAnswer(JSONResponse):
    """The answer as JSON; numbers are the shortest text that reads back as the same double."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)
