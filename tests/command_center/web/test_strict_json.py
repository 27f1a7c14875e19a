"""The strict JSON edge against arbitrary bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.web.problems import PROBLEMS, EdgeError, problem_response
from command_center.web.strict_json import MAX_DEPTH, parse_json

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(st.binary(max_size=300))
def test_arbitrary_bytes_give_an_object_or_a_coded_refusal(raw: bytes) -> None:
    """Invariant: never another exception, and the code is one that the edge has words for."""
    try:
        assert isinstance(parse_json(raw), dict)
    except EdgeError as error:
        assert error.code in PROBLEMS


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), plain, max_size=3))
def test_ordinary_objects_pass_unchanged(value: dict[str, object]) -> None:
    """Strictness must cost honest callers nothing."""
    assert parse_json(json.dumps(value).encode()) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


def test_brackets_inside_of_strings_are_no_nesting() -> None:
    """A report may quote code."""
    assert parse_json(json.dumps({"a": "[" * 1000 + '\\"' + "{" * 1000}).encode())


def test_nesting_is_allowed_up_to_the_limit() -> None:
    """One more is refused before the parser recurses."""
    deep = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert parse_json(deep)
    with pytest.raises(EdgeError):
        parse_json(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}")


def test_a_problem_never_shows_what_no_table_knows() -> None:
    """An unknown code could be an exception's text: it becomes internal_error."""
    response = problem_response("secret: password=1", {"x": object()})
    assert response.status == 500
    body = response.body
    assert isinstance(body, bytes)
    assert json.loads(body)["code"] == "internal_error"
