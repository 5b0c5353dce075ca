# SPDX-License-Identifier: MIT
import json
import shutil

import pytest

import compose
import container
import house
from fixtures import running_sim, sim  # noqa: F401
from house import SECRETS


@pytest.fixture(scope="session")
def image():
    return container.Image()


@pytest.fixture(scope="session")
def image_with_cli():
    return container.Image("gemgate-cli")


@pytest.fixture
def project(tmp_path, sim):  # noqa: F811
    """A user's folder: the files of the checkout that compose reads, and an edited .env."""
    folder = tmp_path / "project"
    (folder / "packaging").mkdir(parents=True)
    shutil.copy(house.ROOT / "packaging/compose.yaml", folder / "packaging")
    p = compose.Project(folder)
    shutil.copy(house.ROOT / ".env.example", folder / ".env")
    p.set(
        API_KEYS=json.dumps([SECRETS["KEY1"], SECRETS["KEY2"]]),
        ALLOWED_TOKENS=json.dumps([SECRETS["TOKEN"]]),
        ADMIN_TOKENS=json.dumps([SECRETS["ADMIN"]]),
        GEMINI_BASE_URL=sim.url,
    )
    return p


@pytest.fixture
def up(project, image, tmp_path):
    """up() is `docker compose up -d`: the first service to its end, then the other one. Again: with the same volumes."""
    running = []
    n = 0

    def one(which=image, **changes):
        nonlocal n
        n += 1
        c = project.up(which, tmp_path / f"container-{n}", **changes)
        running.append(c)
        return c

    yield one
    faults = []
    for c in running:
        try:
            if not c.process.ended():
                c.stop()
        except AssertionError as e:
            faults.append(str(e))
        c.process.kill()
        faults += [f"{name} in the container's output" for name in house.leaked(c.said())]
    for folder in (project.logs, *project.volumes.values()):
        for path in folder.glob("*"):
            faults += [f"{name} in {path.name}" for name in house.leaked(path.read_bytes())]
    assert not faults, "\n".join(faults)
