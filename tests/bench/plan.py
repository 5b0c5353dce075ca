# SPDX-License-Identifier: MIT
"""How long, how often and how many: a whole run, and a quick one that only shows that all of it works."""

import dataclasses

KIB, MIB = 1 << 10, 1 << 20


@dataclasses.dataclass(frozen=True)
class Plan:
    quick: bool = False
    # Even: the order alternates, because the second of a round has a small advantage.
    rounds: int = 6
    seconds: int = 2
    # Connections by what is asked.
    connections: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=lambda: {
        "chat": (1, 16, 128, 1024), "tools": (16, 128), "native": (1, 16, 128, 1024), "responses": (16, 128),
        "anthropic": (16, 128)})
    # Bytes of a request's body, and how many connections send it.
    bodies: tuple[tuple[int, int], ...] = ((160, 16), (10 * KIB, 16), (MIB, 4), (20 * 1000 * 1000, 2))
    large_bytes: int = 200 * MIB  # in each round
    body_kinds: tuple[str, ...] = ("chat", "native")
    # The constant rates, and the one at which the first event of a stream is waited for.
    rates: dict[str, int] = dataclasses.field(default_factory=lambda: {"low": 1000, "high": 6000})
    rate_connections: int = 128
    rate_seconds: int = 5
    first_rate: int = 200
    events: int = 50  # of one paced stream, 1 ms apart
    streams: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=lambda: {
        "chat": (16, 64), "native": (16, 64), "responses": (16,), "anthropic": (16,)})
    stream_repeat: int = 20
    # Open streams at one moment.
    crowds: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=lambda: {
        "plain": (1000, 7500), "tls": (1000, 7500)})
    crowd_alone: int = 10000  # of gemgated alone: with HTTP/2 it needs no connection upstream for each
    silent: tuple[int, ...] = (1000, 5000)
    silent_connections: tuple[int, ...] = (1, 16)
    # Calls side by side while packets are lost: of a thousand so many in each direction.
    loss_calls: tuple[int, ...] = (16, 64)
    loss: tuple[int, ...] = (0, 10, 20)
    loss_rounds: int = 2
    loss_seconds: int = 5
    failovers: int = 50
    cold_starts: int = 20
    idle_seconds: int = 60
    reload_rate: int = 500
    reload_seconds: int = 10


WHOLE = Plan()
QUICK = Plan(
    quick=True, rounds=1, seconds=1,
    connections={"chat": (16, 1024), "tools": (16,), "native": (16,), "responses": (16,), "anthropic": (16,)},
    bodies=((10 * KIB, 16), (20 * 1000 * 1000, 2)), body_kinds=("chat",),
    large_bytes=60 * MIB,
    rates={"low": 200}, rate_connections=16, rate_seconds=1, first_rate=50,
    streams={"chat": (16,), "native": (16,), "responses": (16,), "anthropic": (16,)}, stream_repeat=5,
    crowds={"plain": (1000,), "tls": (300,)}, crowd_alone=500,
    silent=(500,), silent_connections=(16,),
    loss_calls=(16,), loss=(20,), loss_rounds=1, loss_seconds=1,
    failovers=5, cold_starts=3, idle_seconds=2, reload_rate=100, reload_seconds=2)


def changed(plan: Plan, rounds: int | None, seconds: int | None) -> Plan:
    changes = {name: value for name, value in (("rounds", rounds), ("seconds", seconds)) if value is not None}
    return dataclasses.replace(plan, **changes)
