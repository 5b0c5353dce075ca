# SPDX-License-Identifier: MIT
"""Tables of figures: one for a terminal, and one in Markdown for docs/PERFORMANCE.md."""

from figures import DIRECT, OURS, YARDSTICK, Figure, Figures

# The part of the page that a run writes. The rest is written by hand, and kept.
BEGIN, END = "<!-- The benchmark writes from here -->", "<!-- to here -->"


def number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def quotient(figure: Figure, name: str) -> list[str]:
    """The ratio of a server to the yardstick and its spread."""
    ratio, spread = figure.ratio(name), figure.spread(name)
    if not figure.compared or ratio is None or spread is None:
        return ["", ""]
    return [f"{ratio:.2f}", f"{spread[0]:.2f}–{spread[1]:.2f}"]


def rows(figures: list[Figure], servers: list[str]) -> list[list[str]]:
    """The heading and the figures of a section; ratios only where one has a meaning."""
    servers = [name for name in servers if any(figure.rounds.get(name) for figure in figures)]
    compared = [name for name in servers if name not in (DIRECT, YARDSTICK)]
    if YARDSTICK not in servers or not any(figure.compared for figure in figures):
        compared = []
    ratios = [cell for name in compared for cell in ("ratio" if name == OURS else f"ratio of {name}", "spread")]
    out = [["", "", *servers, *ratios]]
    for figure in figures:
        values = [number(figure.median(name), figure.digits) for name in servers]
        out.append([figure.label, figure.unit, *values, *(cell for name in compared for cell in quotient(figure, name))])
    return without_repeats(out)


def without_repeats(table: list[list[str]]) -> list[list[str]]:
    """A label that is that of the row above is left out."""
    out, last = [], None
    for cells in table:
        out.append([("" if cells[0] == last else cells[0]), *cells[1:]])
        last = cells[0]
    return out


def lay_out(table: list[list[str]]) -> str:
    """Columns as wide as they must be: the first two to the left, numbers to the right."""
    widths = [max(len(cells[i]) for cells in table) for i in range(len(table[0]))]
    lines = []
    for cells in table:
        placed = [c.ljust(w) if i < 2 else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))]
        lines.append("  " + "  ".join(placed).rstrip())
    return "\n".join(lines)


def text(figures: Figures) -> str:
    out = []
    for section, members in figures.sections.items():
        out.append(section)
        if members:
            out.append(lay_out(rows(members, figures.servers())))
        out += [f"  {remark}" for remark in figures.remarks.get(section, [])]
    return "\n".join(out)


def markdown(figures: Figures, environment: str, missed: list[str], unmeasured: list[str]) -> str:
    """Without ends: what is between BEGIN and END."""
    out = [environment, ""]
    for section, members in figures.sections.items():
        out += [f"### {section}", ""]
        if members:
            head, *table = ["| " + " | ".join(cells) + " |" for cells in rows(members, figures.servers())]
            out += [head, "|---|---|" + "---:|" * (head.count("|") - 3), *table, ""]
        for remark in figures.remarks.get(section, []):
            out += [remark, ""]
    out += ["### Bounds", ""]
    out += [f"- **Missed**: {line}" for line in missed] or ["No bound that was measured is missed."]
    if unmeasured:
        out += ["", "Not measured in this run: " + ", ".join(f"`{key}`" for key in unmeasured) + "."]
    return "\n".join(out).rstrip() + "\n"


def replaced(page: str, generated: str) -> str:
    """The page with the generated part instead of the one between the two marks."""
    head, begin, rest = page.partition(BEGIN + "\n")
    _, end, tail = rest.partition(END + "\n")
    if not begin or not end:
        raise ValueError(f"the page must have the lines {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{generated}{END}\n{tail}"
