# SPDX-License-Identifier: MIT
"""What a run has measured, and the medians, ratios and differences of it."""

import dataclasses
import statistics
from collections.abc import Iterable

OURS, YARDSTICK, DIRECT = "gemgated", "nginx", "direct"


@dataclasses.dataclass
class Figure:
    """One quantity: a value for each server and round. The servers of a round run one after the other, so what is computed
    round by round does not contain the changes of the machine's load."""

    key: str  # by which bounds name it, such as chat.plain.16.cpu
    label: str
    unit: str
    rounds: dict[str, list[float]]
    digits: int = 1
    compared: bool = True  # a ratio to the yardstick means something

    def median(self, name: str) -> float | None:
        return statistics.median(self.rounds[name]) if self.rounds.get(name) else None

    def ratios(self, name: str) -> list[float]:
        """A round in which the yardstick has 0 has none."""
        return [a / b for a, b in zip(self.rounds.get(name, []), self.rounds.get(YARDSTICK, [])) if b > 0]

    def over(self, name: str) -> float | None:
        """How much more than the yardstick: the median of the differences."""
        differences = [a - b for a, b in zip(self.rounds.get(name, []), self.rounds.get(YARDSTICK, []))]
        return statistics.median(differences) if differences else None

    def ratio(self, name: str) -> float | None:
        ratios = self.ratios(name)
        return statistics.median(ratios) if ratios else None

    def spread(self, name: str) -> tuple[float, float] | None:
        ratios = self.ratios(name)
        return (min(ratios), max(ratios)) if ratios else None


class Figures:
    """In the order in which they were measured, in sections."""

    def __init__(self):
        self.sections: dict[str, list[Figure]] = {}
        self.remarks: dict[str, list[str]] = {}

    def add(self, section: str, figure: Figure) -> Figure:
        if figure.key in self.by_key():
            raise ValueError(f"{figure.key} is measured twice")
        self.sections.setdefault(section, []).append(figure)
        return figure

    def remark(self, section: str, text: str) -> None:
        """A sentence below the section's table."""
        self.sections.setdefault(section, [])
        self.remarks.setdefault(section, []).append(text)

    def all(self) -> Iterable[Figure]:
        return (figure for section in self.sections.values() for figure in section)

    def by_key(self) -> dict[str, Figure]:
        return {figure.key: figure for figure in self.all()}

    def servers(self) -> list[str]:
        """Those with a value: the simulator first, then the yardstick, gemgated, and the peers by name."""
        names = {name for figure in self.all() for name, values in figure.rounds.items() if values}
        first = [name for name in (DIRECT, YARDSTICK, OURS) if name in names]
        return first + sorted(names - set(first))

    def load(self, dumped: dict) -> None:
        """What dump() has made of another run."""
        for section, content in dumped.items():
            for figure in content["figures"]:
                self.add(section, Figure(**figure))
            for remark in content["remarks"]:
                self.remark(section, remark)

    def dump(self) -> dict:
        return {section: {"figures": [dataclasses.asdict(figure) for figure in figures],
                          "remarks": self.remarks.get(section, [])} for section, figures in self.sections.items()}


def per_round(gateway: list[float], direct: list[float]) -> list[float]:
    """What a gateway adds to the upstream alone, round by round."""
    return [a - b for a, b in zip(gateway, direct)]
