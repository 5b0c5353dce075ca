# SPDX-License-Identifier: MIT
"""Each rule of lint.py is fed what it must complain of, and what it must let pass."""
import pytest

import lint

HEAD = "/* SPDX-License-Identifier: MIT */\n"

# path, text behind the licence line, the rule that complains, the line it names
BAD = [
    ("src/core/a.c", '#include "io/loop.h"\n', "floor-includes", 2),
    ("src/base/a.h", '#include "pool/pool.h"\n', "floor-includes", 2),
    ("src/dialect/a.c", '#include "io/loop.h"\n', "floor-includes", 2),
    ("src/io/a.c", '#include "dialect/json.h"\n', "floor-includes", 2),
    ("src/io/a.c", '\n#  include "pool/pool.h"\n', "floor-includes", 3),
    ("src/server/a.c", '#include "bus/bus.h"\n', "floor-includes", 2),
    ("src/bus/a.c", '#include "server/http.h"\n', "floor-includes", 2),
    ("src/bus/a.c", '#include "engine/engine.h"\n', "floor-includes", 2),
    ("src/server/a.c", "#include <systemd/sd-bus.h>\n", "foreign-includes", 2),
    ("src/engine/a.c", '#include "server/http.h"\n', "floor-includes", 2),
    ("src/ctl/a.c", '#include "config/config.h"\n', "floor-includes", 2),
    ("src/runner/a.c", '#include "io/loop.h"\n', "floor-includes", 2),
    ("src/core/a.c", '#include "pool.h"\n', "floor-includes", 2),
    ("src/config/a.c", '#include "pool/pool.h"\n', "floor-includes", 2),
    ("src/pool/a.c", '#include "config/config.h"\n', "floor-includes", 2),
    ("src/core/a.c", '#include "../io/loop.h"\n', "floor-includes", 2),
    ("src/attic/a.c", "int x;\n", "floor-includes", 1),
    ("src/server/a.c", "#include <microhttpd.h>\n", "foreign-includes", 2),
    ("src/engine/a.c", "#include <curl/curl.h>\n", "foreign-includes", 2),
    ("src/server/a.c", "#include <systemd/sd-event.h>\n", "foreign-includes", 2),
    ("src/runner/a.c", "#include <systemd/sd-daemon.h>\n", "foreign-includes", 2),
    ("src/io/a.c", "#include <json-c/json.h>\n", "foreign-includes", 2),
    ("src/daemon/a.c", "#include <pthread.h>\n", "foreign-includes", 2),
    ("src/io/a.c", "#include <pthread.h>\n", "foreign-includes", 2),
    ("src/io/a.c", '#include "base/thread.h"\n', "foreign-includes", 2),
    ("src/core/a.c", "#include <sqlite3.h>\n", "foreign-includes", 2),
    ("src/core/a.c", "int x;\n" * 800, "length", 801),
    ("src/core/a.h", "int x;\n" * 120, "length", 121),
    ("src/core/a.c", "        sprintf(b, x);\n", "forbidden-calls", 2),
    ("src/core/a.c", "        if (strcpy (b, x))\n", "forbidden-calls", 2),
    ("src/core/a.c", "        x = atoi(s);\n", "forbidden-calls", 2),
    ("src/core/a.c", "        strtok(s, x);\n", "forbidden-calls", 2),
    ("tests/unit/a.c", "        strncpy(s, x, 1);\n", "forbidden-calls", 2),
    ("src/core/a.c", "/* a comment\n of lines */ system(x);\n", "forbidden-calls", 3),
    ("tests/unit/a.c", "        usleep(10);\n", "sleeping", 2),
    ("tests/sim/a.c", "        sleep(1);\n", "sleeping", 2),
    ("tests/e2e/a.py", "time.sleep(1)\n", "sleeping", 2),
    ("tests/e2e/a.py", "from time import monotonic, sleep\n", "sleeping", 2),
    ("tests/sdk/a.mjs", "await new Promise(r => setTimeout(r, 10))\n", "sleeping", 2),
    ("tests/a.sh", "sleep 1\n", "sleeping", 2),
    ("src/server/a.c", "        x = secret_reveal(s);\n", "revealing", 2),
    ("src/io/a.c", "        r = sd_event_add_time(e, &s, CLOCK_MONOTONIC, f(x, 1), 0, cb, u);\n", "timer-accuracy", 2),
    ("src/io/a.c", "        r = sd_event_add_time_relative(\n e, &s, C,\n x, 0U,\n cb, u);\n", "timer-accuracy", 2),
    ("src/io/a.c", "        sd_event_source_set_time_accuracy(s, 0);\n", "timer-accuracy", 2),
    ("src/core/a.c", "\tint x;\n", "form", 2),
    ("src/core/a.c", "int x; \n", "form", 2),
    ("src/core/a.c", "int x;", "form", 2),
    ("src/core/a.c", "int " + "x" * 106 + ";\n", "form", 2),
    ("tests/e2e/a.py", "x = 1 \n", "form", 2),
    ("src/core/a.c", "int x; // a note\n", "comment-style", 2),
    ("src/core/a.h", "/*\n * A line. /\n */\n", "comment-form", 3),
    ("src/core/a.c", "/*\n *   - an item that\n * goes on\n */\n", "comment-form", 4),
    ("src/core/a.c", "/*\n * 1. an item\n *    that goes\n * on\n */\n", "comment-form", 5),
    ("src/base/a.c", "/* Nobody may call it. */\n", "plain-english", 2),
    ("src/base/a.c", "/*\n * A comment of lines, which\n * stands here.\n */\n", "plain-english", 4),
    ("src/base/a.c", '        log_info("the client is told");\n', "plain-english", 2),
    ("src/base/a.h", "/* The request, and who has had his turn. */\n", "plain-english", 2),
    ("docs/CONFIG.md", "Each has a file of its own.\n", "plain-english", 2),
    ("tests/e2e/a.py", "def f():\n    \"\"\"Nobody\n    is told.\"\"\"\n", "plain-english", 3),
    ("Dockerfile", "# What is said of it.\n", "plain-english", 2),
    ("tests/run", "cd /work/main\n", "machine-paths", 2),
    ("tests/e2e/a.py", "open('../shared/contract.md')\n", "machine-paths", 2),
]

GOOD = [
    ("src/config/a.c", '#include "core/token.h"\n#include "base/buf.h"\n#include <json-c/json.h>\n'),
    ("src/daemon/a.c", '#include "server/http.h"\n#include "bus/bus.h"\n#include <systemd/sd-daemon.h>\n'),
    ("src/io/a.c", "#include <curl/curl.h>\n#include <microhttpd.h>\n"),
    ("src/io/store-sqlite.c", "#include <pthread.h>\n"),
    ("src/core/a.c", "/* sprintf(b) and atoi(x) are not used */\n"),
    ("src/core/a.c", '        log_info("system(%s) is // refused", x);\n'),
    ("src/core/a.c", "        snprintf(b, n, x); my_atoi(x); p->system(x); o.system(x);\n"),
    ("src/core/a.c", "int " + "x" * 104 + ";\n"),
    ("src/base/a.c", "/* A stand-in; on_heard() and `told` are names. */\nint told, said;\n"),
    ("tests/e2e/a.py", "told = f(said, 'nobody', f'{told} {said} tokens')\n"),
    ("src/runner/privilege.c", "/* The CLI runs as nobody. */\n"),
    ("src/core/a.c", "/*\n *   - an item that\n *     goes on;\n *   1. another\n *\n * And text / of it.\n */\n"),
    ("src/io/tunnel.c", "        x = secret_reveal(s);\n"),
    ("src/io/a.c", "        r = sd_event_add_time(e, &s, CLOCK_MONOTONIC, 0, 1, cb, NULL);\n"),
    ("tests/e2e/wait.py", "time.sleep(0.002)\n"),
    ("src/core/a.c", "int x;\n" * 799),
]


def found(path, text):
    return [(rule, line) for line, rule, _ in lint.check(path, HEAD + text)]


@pytest.mark.parametrize("path,text,rule,line", BAD)
def test_complains(path, text, rule, line):
    assert (rule, line) in found(path, text)


@pytest.mark.parametrize("path,text", GOOD)
def test_lets_pass(path, text):
    assert found(path, text) == []


def test_licence():
    assert [rule for _, rule, _ in lint.check("src/core/a.c", "int x;\n")] == ["licence"]


def test_every_rule_has_a_row():
    named = {rule for _, _, rule, _ in BAD} | {"licence"}
    assert named == {rule.__name__.replace("_", "-") for rule in lint.RULES}


def test_the_tree_has_files():
    assert any(p.startswith("src/base/") for p in lint.tree())
