# SPDX-License-Identifier: MIT
"""One run: its plan, its servers, and what it has found so far. Each part of it is a function of a Bench (PARTS in run.py)."""

import contextlib
import sys

from figures import DIRECT, OURS, YARDSTICK, Figure, Figures
from plan import Plan
from stage import SMALL, TOOL, House, Stage
from load import Target
from ask import KINDS


class Bench:
    def __init__(self, plan: Plan, house: House, upstreams: list[str]):
        self.plan, self.house, self.upstreams = plan, house, upstreams
        self.figures = Figures()
        self.wrong: list[str] = []  # what must not happen in any run, however slow the machine
        self.stack = contextlib.ExitStack()
        self.stages: dict[str, Stage] = {}
        self.answered: dict[tuple[str, str, str], bool] = {}

    def progress(self, text: str) -> None:
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def stage(self, upstream: str) -> Stage:
        if upstream not in self.stages:
            stage = Stage(self.house, upstream)
            self.stack.callback(stage.stop)
            stage.start()
            self.stages[upstream] = stage
        return self.stages[upstream]

    def stop(self) -> None:
        self.stack.close()

    def in_turn(self, names: list[str], i: int) -> list[str]:
        """Another one begins in each round."""
        first = i % len(names)
        return names[first:] + names[:first]

    def answers(self, stage: Stage, target: Target, kind: str) -> bool:
        """Whether a server answers a kind of request: a peer need not, the others must."""
        known = (stage.upstream, target.name, kind)
        if known not in self.answered:
            why = target.refusal(target.ask(kind, TOOL if kind == "tools" else SMALL))
            if why and target.name in (DIRECT, YARDSTICK, OURS):
                self.wrong.append(why)
            elif why:
                self.progress(why)
            self.answered[known] = why is None
        return self.answered[known]

    def gateways(self, stage: Stage, kind: str) -> list[str]:
        """Those that answer it."""
        return [name for name in stage.gateway_names() if self.answers(stage, stage.targets[name], kind)]

    def note_errors(self, what: str, name: str, result: dict) -> None:
        if result["errors"]:
            self.wrong.append(f"{what}: {result['errors']} errors through {name}: {result.get('detail', '')}".rstrip(": "))

    def figure(self, section: str, key: str, label: str, unit: str, results: dict[str, list[dict]], value, digits: int = 1,
               compared: bool = True) -> Figure:
        """`value` makes a number of each result, or is the name of one."""
        get = value if callable(value) else lambda result: result[value]
        rounds = {name: [get(result) for result in rs] for name, rs in results.items()}
        return self.figures.add(section, Figure(key, label, unit, rounds, digits, compared))


def with_cpu(stage: Stage, results: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """Without the servers whose processes are not known."""
    return {name: rs for name, rs in results.items() if stage.targets[name].server.pids}


def label(kind: str, n: int, noun: str) -> str:
    return f"{KINDS[kind]}, {n:,} {noun}" + ("s" if n != 1 else "")
