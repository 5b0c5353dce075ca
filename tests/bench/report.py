# SPDX-License-Identifier: MIT
"""From rounds to medians and ratios, and from those to the table that people read."""

import statistics


def median(rounds: list[dict], key: str) -> float:
    return statistics.median(r[key] for r in rounds)


def ratios(ours: list[dict], theirs: list[dict], key: str) -> list[float]:
    """Round by round: the two of a round ran one after the other, so the machine's mood cancels out."""
    return [a[key] / b[key] if b[key] else 0.0 for a, b in zip(ours, theirs)]


def summarize_pair(rounds: dict[str, list[dict]], key: str) -> dict:
    """Both medians of one quantity, the median of its ratios, and how far the ratios went."""
    all_ratios = ratios(rounds["gemgated"], rounds["nginx"], key)
    return {
        "nginx": median(rounds["nginx"], key),
        "gemgated": median(rounds["gemgated"], key),
        "ratio": statistics.median(all_ratios),
        "ratio_min": min(all_ratios),
        "ratio_max": max(all_ratios),
    }


def summarize_requests(rounds: dict[str, list[dict]]) -> dict:
    out = {"cpu_us": summarize_pair(rounds, "cpu_us"), "rps": summarize_pair(rounds, "rps")}
    out["rps"]["direct"] = median(rounds["direct"], "rps")
    for key in ("p50_us", "p99_us"):
        pair = summarize_pair(rounds, key)
        pair["direct"] = median(rounds["direct"], key)
        for name in ("nginx", "gemgated"):
            pair[f"added_{name}"] = statistics.median(
                a[key] - b[key] for a, b in zip(rounds[name], rounds["direct"]))
        out[key] = pair
    out["store_percent"] = median(rounds["gemgated"], "store_percent")
    out["errors"] = {name: sum(r["errors_total"] for r in rs) for name, rs in rounds.items()}
    return out


def summarize_streams(rounds: dict[str, list[dict]]) -> dict:
    out = {"cpu_us": summarize_pair(rounds, "cpu_us")}
    out["errors"] = {name: sum(r["errors"] for r in rs) for name, rs in rounds.items()}
    return out


def lay_out(rows: list[list[str]]) -> str:
    """Columns as wide as they must be: the first two to the left, numbers to the right; a row of one is a heading."""
    columns = max(len(row) for row in rows)
    widths = [max((len(row[i]) for row in rows if 1 < len(row) > i), default=0) for i in range(columns)]
    lines = []
    for row in rows:
        if len(row) == 1:
            lines.append(row[0])
            continue
        cells = [c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths))]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(lines)


def pair_row(label: str, unit: str, pair: dict, digits: int) -> list[str]:
    direct = f"{pair['direct']:.{digits}f}" if "direct" in pair else ""
    return [label, unit, direct, f"{pair['nginx']:.{digits}f}", f"{pair['gemgated']:.{digits}f}",
            f"{pair['ratio']:.2f}", f"{pair['ratio_min']:.2f}–{pair['ratio_max']:.2f}"]


def table(summary: dict, ours: str) -> str:
    rows = [["", "", "direct", "nginx", ours, "ratio", "spread"]]
    for n, s in summary["requests"].items():
        rows += [
            [""],
            pair_row(f"{n} connections", "CPU µs/request", s["cpu_us"], 1),
            pair_row("", "requests/s", s["rps"], 0),
            pair_row("", "p50 µs", s["p50_us"], 0),
            pair_row("", "p99 µs", s["p99_us"], 0),
        ]
        for key, label in (("p50_us", "p50 added µs"), ("p99_us", "p99 added µs")):
            rows.append(["", label, "", f"{s[key]['added_nginx']:.0f}", f"{s[key]['added_gemgated']:.0f}", "", ""])
        rows.append(["", "store, % of CPU", "", "", f"{s['store_percent']:.2f}", "", ""])
    rows.append([""])
    for n, s in summary["streams"].items():
        rows.append(pair_row(f"{n} streams", "CPU µs/event", s["cpu_us"], 1))
    crowd = summary["crowd"]
    n = crowd["streams"]
    rows.append([""])
    for key, label in (("kib_per_stream", "KiB/stream"), ("anon_kib_per_stream", "KiB/stream, anonymous")):
        gemgated, nginx = crowd["gemgated"][key], crowd["nginx"][key]
        rows.append([f"{n} open streams" if n else "", label, "", f"{nginx:.1f}", f"{gemgated:.1f}",
                     f"{gemgated / nginx:.2f}" if nginx > 0 else "", ""])
        n = ""
    rows.append(["", "errors", "", str(crowd["nginx"]["errors"]), str(crowd["gemgated"]["errors"]), "", ""])
    return lay_out(rows)
