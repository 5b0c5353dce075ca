# SPDX-License-Identifier: MIT
"""Reads the job of a loop from stdin ({op, model, prompt, …}, see loops.py), does it, and prints what came of it as JSON."""
import inspect
import json
import os
import sys
import traceback
from typing import Literal

import pydantic

BASE_URL, TOKEN = os.environ["LOOP_BASE_URL"], os.environ["LOOP_TOKEN"]


class Job:
    """The members of the job, and the cities that the tool was asked for."""

    def __init__(self, members):
        self.__dict__.update(members)
        self.calls = []

    def get_weather(self, city: str, unit: Literal["celsius", "fahrenheit"]) -> str:
        """The weather of a city"""
        self.calls.append(city)
        return self.weather[city]


class Place(pydantic.BaseModel):
    name: str
    reason: str | None


class Trip(pydantic.BaseModel):
    title: str
    days: int
    places: list[Place]


def run(operations):
    """`operations`: a class with a function for each op, which may be a coroutine."""
    job, out = Job(json.load(sys.stdin)), {}
    try:
        out = getattr(operations, job.op)(job)
        if inspect.isawaitable(out):
            import asyncio

            out = asyncio.run(out)
    except Exception as e:
        out = {"error": f"{type(e).__name__}: {e}", "trace": traceback.format_exc()}
    if isinstance(out.get("data"), pydantic.BaseModel):
        out["data"] = out["data"].model_dump()
    print(json.dumps({"calls": job.calls} | out))
