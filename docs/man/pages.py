#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Converts a page of docs/ to the source of a manual page (scdoc), so that nothing is written twice.

    pages.py NAME SECTION "description" "SEE ALSO line" PAGE.md > NAME.SECTION.scd

It supports the Markdown that docs/ uses: headings, paragraphs, lists, code, tables. A table becomes a list: the first cell is
the name of the entry, and the others follow with the headings of their columns.
"""
import re
import sys

PLAIN = ("", "meaning", "what it does", "when")  # columns that need no heading, and come first
SPECIAL = re.compile(r"([\\*_`\[\]])")


def text(s):
    """Inline: `code` and **strong** are bold, a [link](target) is its text; everything else is kept as it is."""
    out = []
    for piece in re.split(r"(`[^`]+`|\*\*[^*]+\*\*|\[[^]]+\]\([^)]+\))", s):
        if m := re.fullmatch(r"`([^`]+)`|\*\*([^*]+)\*\*", piece):
            out.append("*" + SPECIAL.sub(r"\\\1", m.group(1) or m.group(2)) + "*")
        elif m := re.fullmatch(r"\[([^]]+)\]\([^)]+\)", piece):
            out.append(text(m.group(1)))
        else:
            out.append(SPECIAL.sub(r"\\\1", piece))
    return "".join(out)


def cells(row):
    return [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", row.strip())[1:-1]]


def table(rows):
    heads = cells(rows[0])
    for row in map(cells, rows[2:]):
        yield text(row[0] if row[0].startswith("`") else f"`{row[0]}`")
        sorted_cells = sorted(zip(heads[1:], row[1:]), key=lambda pair: pair[0] not in PLAIN)
        lines = [text(c) if h in PLAIN else f"{text(h)}: {text(c)}" for h, c in sorted_cells if c]
        yield "\t" + ("++\n".join(lines) or "-")
        yield ""


def blocks(lines):
    """(kind, lines) pairs."""
    kinds = [
        ("code", lambda s: s.startswith("    ")),
        ("table", lambda s: s.startswith("|")),
        ("head", lambda s: s.startswith("#")),
        ("item", lambda s: re.match(r"(- |\d+\. )", s)),
    ]
    kind, block = None, []
    fence = False
    for line in lines + [""]:
        if line.startswith("```"):
            if block and not fence:
                yield kind, block
            elif fence:
                yield "code", ["    " + s for s in block]
            kind, block, fence = None, [], not fence
            continue
        if fence:
            block.append(line)
            continue
        new = next((k for k, test in kinds if test(line)), "text") if line.strip() else None
        more = new == kind and new in ("text", "code", "table") or (
            kind == "item" and new in ("text", "code") and line.startswith("  ")
        )
        if not more and block:
            yield kind, block
            block = []
        if new:
            block.append(line)
            kind = kind if more else new
        else:
            kind = None


def page(markdown):
    before = None
    for kind, lines in pieces(markdown):
        if before and not before == kind == "item":
            yield ""
        yield from lines
        before = kind
    yield ""


def pieces(markdown):
    """Converts the blocks, without comments. The title becomes DESCRIPTION, because NAME has the name already."""
    lines = re.sub(r"<!--.*?-->\n?", "", markdown, flags=re.S).split("\n")
    for kind, block in blocks(lines):
        if kind == "head":
            level, title = re.match(r"(#+) (.*)", block[0]).groups()
            titles = {"#": "# DESCRIPTION", "##": f"# {text(title.upper())}"}
            yield kind, [titles.get(level, f"## {text(title)}")]
        elif kind == "code":
            yield kind, ["```", *(line[4:] for line in block), "```"]
        elif kind == "table":
            yield kind, "\n".join(table(block)).rstrip("\n").split("\n")
        elif kind == "item":
            mark, rest = re.match(r"(- |\d+\. )(.*)", block[0]).groups()
            mark = "- " if mark == "- " else ". "
            yield kind, [mark + text(" ".join([rest, *(line.strip() for line in block[1:])]))]
        else:
            yield kind, [text(" ".join(line.strip() for line in block))]


def main():
    name, section, what, also, path = sys.argv[1:]
    with open(path, encoding="utf-8") as f:
        markdown = f.read()
    sys.stdout.reconfigure(encoding="utf-8")
    print(f'{name}({section}) "gemgate" "gemgate"\n\n# NAME\n\n{name} - {what}\n')
    print("\n".join(page(markdown)))
    print(f"# SEE ALSO\n\n{also}")


if __name__ == "__main__":
    main()
