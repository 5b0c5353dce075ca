# SPDX-License-Identifier: MIT
"""The tests of the tests: the format is read right, and the comparison can fail."""
import pytest

import case
import match

TEXTS = [
    ("a", "a", True),
    ("a", "b", False),
    ("a.c", "abc", False),
    ("id-{{id}}!", "id-x_9-Z!", True),
    ("id-{{id}}!", "id-!", False),
    ("id-{{id}}", "id-a b", False),
    ("{{any}}", "a b", True),
    ("{{any}}", "a\nb", False),
    ("a{{lines}}b", "a\n1\nb", True),
    ("{{int}} {{num}}", "12 -1.5e3", True),
    ("{{int}}", "1.5", False),
    ("{{time}}", "2026-11-22T10:11:12-08:00", True),
    ("{{time}}", "2026-11-22 10:11:12", False),
    ("{{id:x}} {{id:x}}", "a a", True),
    ("{{id:x}} {{id:x}}", "a b", False),
]


@pytest.mark.parametrize("expected,actual,fits", TEXTS)
def test_text(expected, actual, fits):
    assert (match.text(expected, actual) is None) == fits


VALUES = [
    ({"a": 1}, {"a": 1}, True),
    ({"a": 1}, {"a": 1.0}, True),
    ({"a": 1}, {"a": True}, False),
    ({"a": 1}, {"a": "1"}, False),
    ({"a": 1}, {}, False),
    ({"a": 1}, {"a": 1, "b": 2}, False),
    ({"a": 1, "...": "{{any}}"}, {"a": 1, "b": 2}, True),
    ({"a": None}, {}, False),
    ([1, 2], [1, 2], True),
    ([1, 2], [2, 1], False),
    ([1], [1, 2], False),
    ({"a": "{{any}}"}, {"a": [1]}, True),
    ({"a": "{{int}}"}, {"a": 3}, True),
    ({"a": "{{int}}"}, {"a": "3"}, False),
    ({"a": "{{int}}"}, {"a": 3.5}, False),
    ({"a": "x-{{id}}"}, {"a": "x-1"}, True),
    ({"a": "x-{{id}}"}, {"a": 1}, False),
    ({"a": "{{id:k}}", "b": "{{id:k}}"}, {"a": "1", "b": "2"}, False),
]


@pytest.mark.parametrize("expected,actual,fits", VALUES)
def test_value(expected, actual, fits):
    assert (match.value(expected, actual) is None) == fits


def test_memory_lasts():
    memory = {}
    assert match.text("{{id:x}}", "abc", memory) is None
    assert match.value({"a": "{{id:x}}"}, {"a": "abc"}, memory) is None
    assert match.value({"a": "{{id:x}}"}, {"a": "abd"}, memory)


CASE = """# A title.
# A story.

[settings]
A=1=2
unset B

[rows]
x  | 200
{T} | 400

[request from=127.0.0.2]
GET /{1}
H: v

{"a": [1]}

[answer json]
{2}

{}

[request]
GET /

[answer]
200
"""


def test_case():
    c = case.parse(CASE)
    assert (c.title, c.settings, c.unset) == ("A title.", {"A": "1=2"}, ["B"])
    assert c.rows == [["x", "200"], ["{T}", "400"]]
    assert len(c.steps) == 2
    assert c.steps[0].request.options == {"from": "127.0.0.2"}
    assert case.message(c.steps[0].request.text) == ("GET /{1}", [("H", "v")], '{"a": [1]}')
    assert case.fill("/{1} {2}", {"T": "t"}, c.rows[1]) == "/t 400"
    assert case.spread("{{repeat:ab:2}}{{x:00}}") == b"abab\0"


HI = '{"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}]%s}'
CHAT = [("Authorization", "Bearer {TOKEN}"), ("Content-Type", "application/json")]
NATIVE = "POST /v1beta/models/gemini-3.8-flash:"
CONTENTS = '{"contents":[{"parts":[{"text":"Hi there"}]}]}'

SHORT = [
    ('chat "Hi"', ("POST /v1/chat/completions", CHAT, HI % ""), {}),
    ('chat "Hi" stream from=::1', ("POST /v1/chat/completions", CHAT, HI % ', "stream": true'), {"from": "::1"}),
    ('native "Hi there"', (NATIVE + "generateContent", [("x-goog-api-key", "{TOKEN}")], CONTENTS), {}),
    ('native "Hi there" stream token=KEY1',
     (NATIVE + "streamGenerateContent?alt=sse", [("x-goog-api-key", "{KEY1}")], CONTENTS), {}),
    ('native "Hi there" method=x model=y', ("POST /v1beta/models/y:x", [("x-goog-api-key", "{TOKEN}")], CONTENTS), {}),
    ("chat\n{}", ("POST /v1/chat/completions", CHAT, "{}"), {}),
    ("GET /a?b=c token=ADMIN keep", ("GET /a?b=c", [("Authorization", "Bearer {ADMIN}")], None), {"keep": True}),
    ("POST /\n{}", ("POST /", [], "{}"), {}),
]  # fmt: skip


@pytest.mark.parametrize("short,message,options", SHORT, ids=[s[0] for s in SHORT])
def test_short_form(short, message, options):
    head, _, body = short.partition("\n")
    request = case.parse(f"# A title.\n[request {head}]\n{body}\n[answer]\n200\n").steps[0].request
    assert case.message(request.text) == message
    assert request.options == options


FAULTS = [
    '# A title.\n[request chat]\n[answer]\n200\n',
    '# A title.\n[request chat "Hi"]\n{}\n[answer]\n200\n',
    '# A title.\n[request chat "Hi" sideways]\n[answer]\n200\n',
    '# A title.\n[request GET]\n[answer]\n200\n',
    "",
    "# A title.\n[request]\nGET /\n",
    "# A title.\n[answer]\n200\n",
    "# A title.\n[request]\nGET /\n[answer]\n200\n[answer]\n200\n",
    "# A title.\n[request sideways]\nGET /\n[answer]\n200\n",
    "# A title.\n[settings]\nA\n[request]\nGET /\n[answer]\n200\n",
    "# A title.\n[rows]\na | b\nc\n[request]\nGET /\n[answer]\n200\n",
    "[request]\nGET /\n[answer]\n200\n",
]


@pytest.mark.parametrize("text", FAULTS)
def test_case_fault(text):
    with pytest.raises(case.CaseError):
        case.parse(text)


def test_unknown_placeholder():
    with pytest.raises(case.CaseError):
        case.fill("{NOBODY}", {})


def test_unknown_wildcard():
    with pytest.raises(ValueError):
        match.text("{{nothing}}", "")
