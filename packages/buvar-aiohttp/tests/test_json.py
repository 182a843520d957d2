"""JSON, with orjson and without."""

from __future__ import annotations

import subprocess
import sys

import pytest


PROGRAM = r"""
import sys
if sys.argv[1] == "without":
    sys.modules["orjson"] = None
from buvar_aiohttp import json
assert json.dumps({"a": [1, None]}) == b'{"a":[1,null]}'
assert json.loads(b'{"a": 1}') == json.loads('{"a": 1}') == {"a": 1}
response = json.response([1], status=201)
assert (response.status, response.body) == (201, b"[1]")
assert response.content_type == "application/json"
response = json.response({}, content_type="application/problem+json")
assert response.content_type == "application/problem+json"
for wrong in (
    b'{"a": NaN}', b"-Infinity", b"1e999", b'"\\ud800"', b'"a\xff"',
    b'\xef\xbb\xbf{"a": 1}', '{"a": 1}'.encode("utf-16"), b"[1,]", b"",
):
    try:
        value = json.loads(wrong)
    except ValueError:
        continue
    raise AssertionError(wrong, value)
assert json.loads(b'"\\ud83d\\ude00 1e9 NaN"') == "\U0001f600 1e9 NaN"
assert json.loads(b"[1.5e3, -0.0]") == [1500.0, 0.0]
print("orjson" in str(json.dumps.__globals__.get("orjson")))
"""


@pytest.mark.parametrize("orjson", ["with", "without"])
def test_json(orjson: str) -> None:
    """The functions do the same, whoever writes and reads."""
    if orjson == "with":
        pytest.importorskip("orjson")

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, orjson],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{orjson == 'with'}\n"
