# SPDX-License-Identifier: MIT
"""Rights on the system bus: root and the group may do everything, other users what polkit allows, and no more."""
import json
import xml.etree.ElementTree as tree

import pytest

import private
import wait
from client import DENIED, INTERACTIVE, KEY, LIMITS, MANAGER, NAME, OBJECTS, PATH, PROPERTIES, Error
from house import ROOT as ROOT_FOLDER
from house import SECRETS
from people import DAEMON, MEMBER, OTHER, PRIMARY, ROOT, STRANGER

KEYS = json.dumps([{"key": SECRETS["KEY1"], "name": "home"}])
HOME = PATH + "/key/home"
CALLS_MAX, SENDER_MAX, POLKIT_MAX, USER_MAX = 256, 32, 32, 4  # base/limits.h

# Every method, what opens it to strangers, and how it is called.
METHODS = [
    ("read", "ListKeyHealth", "", [], PATH, MANAGER),
    ("read", "GetStatistics", "", [], PATH, MANAGER),
    ("read", "ListDays", "u", [7], PATH, MANAGER),
    ("read", "ListClientDays", "u", [7], PATH, MANAGER),
    ("read", "ListRequests", "", [], PATH, MANAGER),
    ("read", "ExplainPick", "s", ["gemini-3.8-flash"], PATH, MANAGER),
    ("read", "ExplainModel", "s", ["gemini-3.8-flash"], PATH, MANAGER),
    ("reset", "ResetHealth", "ss", ["", ""], PATH, MANAGER),
    ("manage", "TestKeys", "", [], PATH, MANAGER),
    ("manage", "Reload", "", [], PATH, MANAGER),
    ("manage", "SetLogLevel", "s", ["INFO"], PATH, MANAGER),
    ("reset", "Reset", "s", [""], HOME, KEY),
    ("manage", "Enable", "", [], HOME, KEY),
    ("manage", "Disable", "", [], HOME, KEY),
    ("manage", "Test", "", [], HOME, KEY),
]
FIELDS = "action,member,signature,body,path,interface"
each_method = pytest.mark.parametrize(FIELDS, METHODS, ids=[m[1] for m in METHODS])


@pytest.fixture(scope="module")
def daemon(machine, running_sim):
    with machine.start(running_sim, API_KEYS=KEYS) as d:
        machine.wait_owned()
        yield d


@pytest.fixture(autouse=True)
def as_before(daemon, machine):
    """One test's Disable is none of the next one's."""
    yield
    with machine.client() as root:
        root.call("Enable", path=HOME, interface=KEY)


def refused(client, *args, **kw):
    with pytest.raises(Error) as e:
        client.call(*args, **kw)
    return e.value.name


def test_no_method_is_forgotten():
    """Here, and among polkit's actions."""
    methods = {m.get("name") for name in (MANAGER, KEY)
               for m in tree.parse(ROOT_FOLDER / "dbus" / f"{name}.xml").iter("method")}
    assert methods == {m[1] for m in METHODS}
    policy = tree.parse(ROOT_FOLDER / "dbus" / "org.gemgate1.policy").getroot()
    actions = {a.get("id"): a for a in policy.findall("action")}
    assert set(actions) == {f"org.gemgate1.{m[0]}" for m in METHODS}
    owner = "annotate[@key='org.freedesktop.policykit.owner']"
    assert {a.find(owner).text for a in actions.values()} == {"unix-user:gemgate"}
    active = {name: a.find("defaults/allow_active").text for name, a in actions.items()}
    assert active.pop("org.gemgate1.read") == "yes" and set(active.values()) == {"auth_admin_keep"}


@each_method
@pytest.mark.parametrize("user", [ROOT, DAEMON, MEMBER, PRIMARY], ids=str)
def test_administrators_are_not_asked(daemon, connect, polkit, user, action, member, signature, body, path, interface):
    connect(user).call(member, signature, *body, path=path, interface=interface)
    assert polkit.asked == []


@pytest.mark.parametrize("user", [ROOT, MEMBER, PRIMARY], ids=str)
def test_administrators_read_and_hear(daemon, connect, user):
    c = connect(user)
    assert c.get_all()["KeysTotal"] == 1
    assert HOME in c.call("GetManagedObjects", path=PATH, interface=OBJECTS)
    c.listen()
    c.call("Disable", path=HOME, interface=KEY)
    c.wait_told("KeyHealthChanged")
    c.call("Enable", path=HOME, interface=KEY)


@each_method
def test_without_polkit_strangers_may_nothing(daemon, connect, action, member, signature, body, path, interface):
    assert refused(connect(STRANGER), member, signature, *body, path=path, interface=interface) == DENIED


@each_method
@pytest.mark.parametrize("answer,error", [("yes", None), ("no", DENIED), ("challenge", INTERACTIVE), ("error", DENIED)])
def test_strangers_ask_polkit(daemon, connect, polkit, answer, error, action, member, signature, body, path, interface):
    polkit.answer = answer
    stranger = connect(STRANGER)
    if error:
        assert refused(stranger, member, signature, *body, path=path, interface=interface) == error
    else:
        stranger.call(member, signature, *body, path=path, interface=interface)
    assert polkit.asked == [(f"org.gemgate1.{action}", 0)]
    assert polkit.senders == [stranger.bus.unique_name]


def test_polkit_may_ask_a_person_if_the_call_allows_it(daemon, connect, polkit):
    polkit.answer = "yes"
    connect(STRANGER).call("ListKeyHealth", interactive=True)
    assert polkit.asked == [("org.gemgate1.read", 1)]


def test_a_yes_is_for_one_call(daemon, connect, polkit):
    polkit.answer = "yes"
    stranger = connect(STRANGER)
    stranger.call("ListKeyHealth")
    polkit.answer = "no"
    assert refused(stranger, "ListKeyHealth") == DENIED
    assert len(polkit.asked) == 2


@pytest.mark.parametrize("member,signature,body,interface", [
    ("Get", "ss", [MANAGER, "Version"], PROPERTIES),
    ("GetAll", "s", [MANAGER], PROPERTIES),
    ("Set", "ssv", None, PROPERTIES),
    ("GetManagedObjects", "", [], OBJECTS),
    ("Anything", "", [], "org.example.Other"),
])
@pytest.mark.parametrize("policy", [True, False], ids=["policy", "gate"])
def test_strangers_read_no_property(start, connect, policy, member, signature, body, interface, request):
    """The bus refuses, and where its policy does not, so do we: polkit is not even asked."""
    from dbus_fast import Variant

    body = [MANAGER, "Version", Variant("s", "x")] if body is None else body
    if policy:
        request.getfixturevalue("daemon")
        polkit = request.getfixturevalue("polkit")
        assert refused(connect(STRANGER), member, signature, *body, interface=interface) == DENIED
        assert polkit.asked == []
        return
    with loose_machine(request.getfixturevalue("running_sim")) as m:
        polkit = private.Polkit(m.address, "yes")
        try:
            with m.client(STRANGER) as stranger:
                assert refused(stranger, member, signature, *body, interface=interface) == DENIED
                stranger.call("ListKeyHealth")
            assert [a for a, _ in polkit.asked] == ["org.gemgate1.read"]
        finally:
            polkit.close()


class loose_machine:
    """Its bus allows every caller everything, so only the daemon's own checks apply."""

    def __init__(self, sim):
        self.sim = sim

    def __enter__(self):
        self.machine = private.Machine()
        self.machine.start_bus(rules='<policy context="default"><allow own="*"/><allow send_destination="*"/></policy>')
        self.daemon = self.machine.start(self.sim, API_KEYS=KEYS)
        self.machine.wait_owned()
        return self.machine

    def __exit__(self, *_):
        self.daemon.process.stop()
        self.machine.close()


def test_introspection_is_reading(daemon, connect, polkit):
    introspect = dict(path=PATH + "/key", interface="org.freedesktop.DBus.Introspectable")
    assert refused(connect(STRANGER), "Introspect", **introspect) == DENIED
    assert polkit.asked == [("org.gemgate1.read", 0)]


def test_anybody_may_ping(daemon, connect):
    assert connect(STRANGER).call("Ping", interface="org.freedesktop.DBus.Peer") is None


def test_strangers_hear_nothing(daemon, connect):
    stranger, root = connect(STRANGER), connect()
    stranger.listen()
    root.listen()
    root.call("Disable", path=HOME, interface=KEY)
    root.wait_told("KeyHealthChanged")
    root.call("Enable", path=HOME, interface=KEY)
    stranger.call("Ping", interface="org.freedesktop.DBus.Peer")  # what was sent before it has arrived
    assert [m for m in stranger.signals if m.path.startswith(PATH)] == []


@pytest.mark.parametrize("user", [MEMBER, STRANGER], ids=str)
def test_nobody_else_takes_the_name(daemon, connect, user):
    with pytest.raises(Error, match="AccessDenied"):
        connect(user).driver("RequestName", "su", NAME, 0)


# --- what waits ---


def test_others_do_not_wait_for_polkit(daemon, connect, polkit):
    """Polkit is silent: members are answered, clients are served, and another user is refused when polkit leaves."""
    polkit.answer = "never"
    stranger = connect(STRANGER)
    task = stranger.start("ListKeyHealth", interactive=True)
    wait.until("the question", lambda: polkit.asked)
    assert len(connect(MEMBER).call("ListKeyHealth")) == 1
    assert daemon.chat().status == 200
    assert not task.done()


def test_a_sender_that_vanishes_is_forgotten(daemon, connect, polkit):
    polkit.answer = "never"
    for n in range(1, 3 * USER_MAX):
        stranger = connect(STRANGER)
        stranger.start("ListKeyHealth")
        wait.until("the question", lambda: len(polkit.asked) == n)
        stranger.close()
        wait.until("the question to be taken back", lambda: len(polkit.cancelled) == n)
    assert len(set(polkit.cancelled)) == len(polkit.cancelled)


def test_polkit_that_goes_away_is_a_no(daemon, machine, connect):
    polkit = private.Polkit(machine.address, "never")
    stranger = connect(STRANGER)
    task = stranger.start("ListKeyHealth")
    wait.until("the question", lambda: polkit.asked)
    polkit.close()
    with pytest.raises(Error, match=DENIED):
        stranger.finish(task)


def test_questions_of_one_user_are_bounded(daemon, connect, polkit):
    """However many connections it makes; and polkit is still asked about another user."""
    polkit.answer = "never"
    for n in range(1, USER_MAX + 1):
        connect(STRANGER).start("ListKeyHealth")
        wait.until("the question", lambda: len(polkit.asked) == n)
    assert refused(connect(STRANGER), "ListKeyHealth") == LIMITS
    connect(OTHER).start("ListKeyHealth")
    wait.until("the other's question", lambda: len(polkit.asked) == USER_MAX + 1)


def test_calls_of_one_sender_are_bounded(daemon, connect, polkit):
    """A flood: all of it is answered, most of it with no; and the others notice nothing."""
    stranger, member = connect(STRANGER), connect(MEMBER)
    # As many as fit into a socket at once: where a bus reads slowly dbus_fast falls over more.
    tasks = [stranger.start("ListKeyHealth") for _ in range(3 * SENDER_MAX)]
    assert len(member.call("ListKeyHealth")) == 1
    names = set()
    for t in tasks:
        with pytest.raises(Error) as e:
            stranger.finish(t)
        names.add(e.value.name)
    assert names <= {DENIED, LIMITS}
    polkit.answer = "yes"
    assert len(stranger.call("ListKeyHealth")) == 1, "and afterwards all is as before"


def test_a_flood_of_a_member_is_answered_in_order(daemon, connect):
    member = connect(MEMBER)
    tasks = [member.start("ListKeyHealth") for _ in range(SENDER_MAX)]
    assert all(len(member.finish(t)) == 1 for t in tasks)


def test_calls_without_an_answer_are_looked_at_too(daemon, connect, polkit):
    """A call that expects no reply gets none, and is still refused."""
    from dbus_fast import Message, MessageFlag

    stranger, root = connect(STRANGER), connect()

    async def send():
        await stranger.bus.send(Message(destination=NAME, path=HOME, interface=KEY, member="Disable",
                                        flags=MessageFlag.NO_REPLY_EXPECTED))

    stranger.loop.run_until_complete(send())
    wait.until("the question", lambda: polkit.asked)
    assert refused(stranger, "ListKeyHealth") == DENIED  # so the one before has been decided, too
    assert root.get("Enabled", HOME, KEY) is True
