# SPDX-License-Identifier: MIT
"""The pure parts of the benchmark: figures, bounds, the report, the options of a peer, and what other programs print."""

import json
import os
import pathlib
import subprocess

import pytest

import bounds
import calls
import instructions
import priority
import report
from ask import KINDS, ask, gemini, question, upstream_ask
from bench import Bench
from bounds import OVER, RATIO, VALUE, Bound
from figures import Figure, Figures, per_round
from peer import Peer, read_options
from plan import QUICK, WHOLE, changed
from servers import ServerError


def figures(*members, section="Requests"):
    out = Figures()
    for figure in members:
        out.add(section, figure)
    return out


CPU = Figure("chat.plain.16.cpu", "chat completion, 16 connections", "CPU µs/request",
             {"nginx": [10.0, 20.0, 10.0], "gemgated": [15.0, 60.0, 16.0], "other": [100.0, 200.0, 100.0]})


def test_ratios_are_of_rounds():
    """Not the quotient of the medians: a round in which the machine was slow was slow for both."""
    assert CPU.median("gemgated") == 16 and CPU.median("nginx") == 10
    assert CPU.ratios("gemgated") == [1.5, 3.0, 1.6]
    assert CPU.ratio("gemgated") == 1.6
    assert CPU.spread("gemgated") == (1.5, 3.0)
    assert CPU.over("gemgated") == 6.0


@pytest.mark.parametrize("rounds", [{}, {"nginx": []}, {"gemgated": [1.0]}, {"gemgated": [1.0], "nginx": [0.0]}])
def test_no_ratio(rounds):
    figure = Figure("x", "", "", rounds)
    assert figure.ratio("gemgated") is None and figure.spread("gemgated") is None


def test_added():
    assert per_round([30.0, 50.0], [10.0, 60.0]) == [20.0, -10.0]


def test_a_key_is_measured_once():
    with pytest.raises(ValueError, match="twice"):
        figures(CPU, CPU)


def test_figures_of_an_earlier_run():
    f = figures(CPU)
    f.remark("Requests", "A remark.")
    again = Figures()
    again.load(json.loads(json.dumps(f.dump())))
    assert again.dump() == f.dump() and again.by_key()[CPU.key] == CPU
    with pytest.raises(ValueError, match="twice"):
        again.load(f.dump())


def test_servers_in_order():
    figure = Figure("y", "", "", {"zeta": [1.0], "direct": [1.0], "empty": []})
    assert figures(CPU, figure).servers() == ["direct", "nginx", "gemgated", "other", "zeta"]


@pytest.mark.parametrize("of, most, missed", [
    (RATIO, 1.6, False), (RATIO, 1.59, True), (VALUE, 16.0, False), (VALUE, 15.9, True), (OVER, 6.0, False), (OVER, 5.0, True)])
def test_bounds(of, most, missed):
    bound = Bound(CPU.key, most, of)
    found = bounds.misses(figures(CPU), [bound])
    assert bool(found) == missed
    if missed:
        value = {RATIO: "1.6", VALUE: "16", OVER: "6"}[of]
        assert found == [f"chat.plain.16.cpu (chat completion, 16 connections, CPU µs/request) is {value}"
                         f"{' ' if of else ''}{of}; at most {most:g}"]
    assert bounds.unmeasured(figures(CPU), [bound, Bound("x", 1.0)]) == ["x"]


def test_each_bound_is_there_once():
    keys = [bound.key for bound in bounds.BOUNDS]
    assert len(keys) == len(set(keys))


def test_held_one_sided():
    key, most = next(iter(bounds.HELD.items()))
    assert bounds.excess({key: most * 0.5, "unknown": 1e9}) == []
    assert bounds.excess({key: most * 1.029}) == []
    assert len(bounds.excess({key: most * 1.031})) == 1


def test_markdown():
    f = figures(CPU)
    f.add("Idle", Figure("idle.memory", "idle", "MiB", {"gemgated": [3.21]}, 2, compared=False))
    f.remark("Idle", "A remark.")
    text = report.markdown(f, "The machine.", ["something: 2; at most 1"], ["cold.first"])
    assert text.startswith("The machine.\n\n### Requests\n\n")
    assert "|  |  | nginx | gemgated | other | ratio | spread | ratio of other | spread |\n" in text
    assert "| 10.0 | 16.0 | 100.0 | 1.60 | 1.50–3.00 | 10.00 | 10.00–10.00 |\n" in text
    assert "|  |  | gemgated |\n|---|---|---:|\n| idle | MiB | 3.21 |\n\nA remark.\n" in text
    assert "- **Missed**: something: 2; at most 1\n" in text
    assert text.endswith("Not measured in this run: `cold.first`.\n")
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {4, 10}


def test_text():
    again = Figure("again", CPU.label, "requests/s", {"nginx": [1.0]}, 0)
    lines = report.text(figures(CPU, again)).splitlines()
    assert lines[0] == "Requests"
    assert CPU.label in lines[2] and CPU.label not in lines[3]
    assert lines[3].split() == ["requests/s", "1"]


def test_page_is_kept_around_the_figures():
    page = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    new = report.replaced(page, "new\n")
    assert new == f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n"
    assert report.replaced(new, "old\n") == page
    for broken in ("", page.replace(report.END, ""), page.replace(report.BEGIN, "")):
        with pytest.raises(ValueError, match="must have the lines"):
            report.replaced(broken, "x")


def test_the_page_has_its_marks():
    page = pathlib.Path(__file__).parents[2] / "docs/PERFORMANCE.md"
    assert report.replaced(page.read_text(), "x\n").count("\nx\n") == 1


def test_size_of_a_body():
    for size in (160, 10240, 1 << 20):
        assert len(json.dumps(gemini(question(size), False))) == size
    assert question(0) == question(50)


@pytest.mark.parametrize("kind", KINDS)
def test_marks_can_be_matched(kind):
    """The load clients' matcher never steps back, so the first character of a mark must not occur in it again."""
    a = ask(kind, "m", {"A": "b"}, stream=True)
    assert a.end and a.end[0] not in a.end[1:]
    assert ask(kind, "m", {}).end == ""
    assert b"\r\nA: b\r\n" in a.request(80) and a.request(80).endswith(a.content())
    assert upstream_ask(kind, "m", "k", stream=True).path == "/v1beta/models/m:streamGenerateContent?alt=sse"
    assert ("tools" in a.body) == ("tools" in upstream_ask(kind, "m", "k").body) == (kind == "tools")


def test_peer_that_is_started(tmp_path):
    options = read_options(["other=run --port {port} --to '{upstream} {ca}' {unknown}"], ["other=X-A: b"], [])["other"]
    peer = Peer(tmp_path, options, "http://127.0.0.1:1", None)
    assert peer.argv() == ["run", "--port", str(peer.port), "--to", "http://127.0.0.1:1 ", "{unknown}"]
    assert options.headers == {"X-A": "b"} and not options.runs


def test_peer_that_runs(tmp_path):
    options = read_options(["other=http://127.0.0.1:4000"], [], ["other=1"])["other"]
    peer = Peer(tmp_path, options, "http://127.0.0.1:1", None)
    assert options.runs and peer.port == 4000 and options.pid == 1
    assert Peer(tmp_path, read_options(["other=http://localhost:4000/"], [], [])["other"], "", None).pids == []


@pytest.mark.parametrize("peers, headers, pids", [
    (["x"], [], []), (["=y"], [], []), (["x="], [], []), (["x=https://example.com"], [], []), (["x=y"], ["z=A: b"], []),
    (["x=y"], ["x=A"], []), (["x=y"], ["x"], [])])
def test_peer_options_that_are_wrong(peers, headers, pids):
    with pytest.raises(ServerError, match="must"):
        read_options(peers, headers, pids)


def test_each_server_begins_once():
    bench = Bench(WHOLE, None, [])
    names = ["a", "b", "c"]
    orders = [bench.in_turn(names, i) for i in range(6)]
    assert [order[0] for order in orders] == ["a", "b", "c"] * 2
    assert all(sorted(order) == names for order in orders)


def test_plans():
    assert WHOLE.rounds >= 5 and WHOLE.rounds % 2 == 0
    assert changed(QUICK, 3, None).rounds == 3 and changed(QUICK, None, 9).seconds == 9
    assert set(QUICK.connections) == set(WHOLE.connections) == set(KINDS)


def test_instructions_of_cachegrind():
    text = "desc: x\nfl=a.c\nfn=main\n1 10\n2 5\nfl=memset.S\nfn=__memset_avx2_unaligned_erms\n0 30\nfn=memset_not\n" \
           "3 1\nfn=my_memset\n7 4\nsummary: 50\n"
    count = instructions.read_count(text)
    assert (count.all, count.memset) == (50, 31)
    assert ((count - instructions.Count(10, 1)) / 10).rest == pytest.approx(1.0)


def test_calls_of_perf():
    assert calls.counted("# started\n\n1234,,raw_syscalls:sys_enter,99,100.00,,\n") == 1234
    assert calls.counted("<not counted>,,raw_syscalls:sys_enter,0,0.00,,\n") is None
    assert calls.counted("") is None


def test_calls_that_are_too_many():
    good = {"epoll_pwait": 9.0, "sendmsg": 2.0, "total": 11.0}
    assert calls.excess(good) == []
    assert calls.excess(good | {"sendmsg": 3.0}) == ["3.0 sendmsg() a request; at most 2"]
    assert "0.50 futex" in calls.excess(good | {"futex": 0.5})[0]


def test_real_time_priority_ends():
    """If it is not allowed, nothing changes."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        pids = [os.getpid(), child.pid]
        before = [os.sched_getscheduler(pid) for pid in pids]
        with priority.before_others([child.pid]) as allowed:
            during = [os.sched_getscheduler(pid) for pid in pids]
        assert during == ([os.SCHED_FIFO] * 2 if allowed else before)
        assert [os.sched_getscheduler(pid) for pid in pids] == before == [os.SCHED_OTHER] * 2
