"""The strict JSON edge: what the standard parser lets pass and the database would choke on.

Refused: other encodings than UTF-8, NaN and Infinity (also by overflow), nesting deeper than 32,
repeated keys, lone surrogates and NUL, numbers of hundreds of digits.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from .problems import EdgeError

MAX_BODY = 256 * 1024
MAX_DEPTH = 32
_MAX_DIGITS = 40
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def _depth(body: bytes) -> int:
    """The deepest nesting, counted outside of strings."""
    depth = deepest = 0
    for byte in _STRING.sub(b"", body):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _refuse_constant(_text: str) -> NoReturn:
    raise EdgeError("json_not_finite")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise EdgeError("json_not_finite")
    return value


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise EdgeError("json_number_too_large")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise EdgeError("json_duplicate_key")
    return found


def check_text(text: str) -> None:
    """Raises EdgeError for what PostgreSQL cannot store: NUL and lone surrogates."""
    if "\x00" in text:
        raise EdgeError("text_not_storable")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise EdgeError("text_not_storable") from error


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)


def parse_json(body: bytes) -> dict[str, Any]:
    """The object in `body`. Raises EdgeError with a stable code."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EdgeError("body_not_utf8") from error
    if _depth(body) > MAX_DEPTH:
        raise EdgeError("json_too_deep")
    try:
        value = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_int,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as error:
        raise EdgeError("body_not_json") from error
    if not isinstance(value, dict):
        raise EdgeError("body_not_an_object")
    _check_texts(value)
    return value
