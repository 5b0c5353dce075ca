# SPDX-License-Identifier: MIT
"""A client of a bus that does one thing after the other: calls, and waits for signals."""
import asyncio

from dbus_fast import Message, MessageFlag, MessageType, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.auth import UID_NOT_SPECIFIED, AuthExternal

from people import ROOT, identity
from wait import DEADLINE

NAME, PATH = "org.gemgate1", "/org/gemgate1"
MANAGER, KEY = "org.gemgate1.Manager", "org.gemgate1.Key"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
FOREVER = 2**64 - 1

DENIED = "org.freedesktop.DBus.Error.AccessDenied"
INTERACTIVE = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
LIMITS = "org.freedesktop.DBus.Error.LimitsExceeded"


class Error(Exception):
    def __init__(self, name, sentence):
        super().__init__(f"{name}: {sentence}")
        self.name, self.sentence = name, sentence


def lists(value):
    """Structures as lists."""
    return [lists(v) for v in value] if isinstance(value, (list, tuple)) else value


def plain(value):
    """Without the wrapping of variants, all the way down."""
    if isinstance(value, Variant):
        return plain(value.value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


class Client:
    def __init__(self, address, user=ROOT):
        self.signals = []
        self.loop = asyncio.new_event_loop()
        self.heard = asyncio.Event()
        self.bus = None
        with identity(user):
            self.loop.run_until_complete(asyncio.wait_for(self.connect(address), DEADLINE))

    async def connect(self, address):
        # The kernel knows who we are: it is what the bus believes anyhow.
        self.bus = await MessageBus(bus_address=address, auth=AuthExternal(UID_NOT_SPECIFIED)).connect()
        self.bus.add_message_handler(self.on_message)

    def on_message(self, m):
        if m.message_type is MessageType.SIGNAL:
            self.signals.append(m)
            self.heard.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.loop.is_closed():
            return
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.bus.disconnect()
        self.turn()
        self.loop.close()

    def turn(self):
        """Lets what is ready go on, and waits for nothing."""
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def start(self, member, signature="", *body, path=PATH, interface=MANAGER, to=NAME, interactive=False):
        """The call as a task, for more than one at a time; finish() gives the answer."""
        flags = MessageFlag.ALLOW_INTERACTIVE_AUTHORIZATION if interactive else MessageFlag.NONE
        m = Message(destination=to, path=path, interface=interface, member=member, signature=signature,
                    body=list(body), flags=flags)
        task = self.loop.create_task(self.bus.call(m))
        self.turn()
        return task

    def finish(self, task):
        reply = self.loop.run_until_complete(asyncio.wait_for(task, DEADLINE))
        if reply.message_type is MessageType.ERROR:
            raise Error(reply.error_name, reply.body[0] if reply.body else "")
        body = lists(reply.body)
        return body[0] if len(body) == 1 else body or None

    def call(self, *args, **kw):
        return self.finish(self.start(*args, **kw))

    def get(self, name, path=PATH, interface=MANAGER):
        return plain(self.call("Get", "ss", interface, name, path=path, interface=PROPERTIES))

    def get_all(self, path=PATH, interface=MANAGER):
        return plain(self.call("GetAll", "s", interface, path=path, interface=PROPERTIES))

    def listen(self):
        """From now on every signal of gemgate's is kept."""
        self.driver("AddMatch", "s", f"type='signal',path_namespace='{PATH}'")
        self.signals.clear()

    def driver(self, member, signature="", *body):
        driver = dict(path="/org/freedesktop/DBus", interface="org.freedesktop.DBus", to="org.freedesktop.DBus")
        return self.call(member, signature, *body, **driver)

    def told(self, member, interface=MANAGER):
        return [m.body for m in self.signals if m.member == member and m.interface == interface]

    def changes(self, interface=MANAGER, path=PATH):
        """The PropertiesChanged signals of this object, one dictionary a signal."""
        return [plain(m.body[1]) for m in self.signals
                if m.member == "PropertiesChanged" and m.path == path and m.body[0] == interface]

    def wait(self, what, ask):
        """Until ask() is true, as signals come in."""
        async def until():
            while not (answer := ask()):
                self.heard.clear()
                await self.heard.wait()
            return answer

        try:
            return self.loop.run_until_complete(asyncio.wait_for(until(), DEADLINE))
        except asyncio.TimeoutError:
            heard = [(m.path, m.member, m.body) for m in self.signals]
            raise AssertionError(f"no {what} within {DEADLINE:g} s; signals: {heard}") from None

    def wait_told(self, member, ask=lambda *_: True, interface=MANAGER):
        return self.wait(member, lambda: next((b for b in self.told(member, interface) if ask(*b)), None))

    def owner(self):
        try:
            return self.driver("GetNameOwner", "s", NAME)
        except Error:
            return None
