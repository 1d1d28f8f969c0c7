"""The pages' way to the API."""

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from shop.serving import Refused
from shop.settings import setting


def ask(method: str, path: str, body: object = None) -> object:
    """The answer's JSON, None when it has no body. Raises Refused with the API's reason."""
    connection = HTTPConnection(setting("API_HOST", "api"), int(setting("API_PORT", "8080")), timeout=10)
    try:
        content = None if body is None else json.dumps(body).encode()
        connection.request(method, path, content, {"Content-Type": "application/json"} if content else {})
        response = connection.getresponse()
        text = response.read()
    except (OSError, HTTPException) as error:
        raise Refused(HTTPStatus.BAD_GATEWAY, "the shop is not available at the moment") from error
    finally:
        connection.close()
    value = json.loads(text) if text else None
    if response.status < 300:
        return value
    reason = value.get("error") if isinstance(value, dict) else None
    raise Refused(HTTPStatus(response.status), str(reason or "the shop could not do that"))
