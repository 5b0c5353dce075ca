# SPDX-License-Identifier: MIT
"""A gemgated that answers as a test needs: a private bus, and behind org.gemgate1 a table of answers.

An answer is (signature, body), an Error, or a function of the message that returns one of them; `calls` has all calls. It
knows nothing of gemgate, so that it can also give answers that the real one never would.
"""
import asyncio
import select
import signal as signals
import subprocess
import threading
from dataclasses import dataclass

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

NAME, PATH = "org.gemgate1", "/org/gemgate1"
MANAGER, KEY = "org.gemgate1.Manager", "org.gemgate1.Key"
PROPERTIES = "org.freedesktop.DBus.Properties"
FOREVER = 2**64 - 1

CONFIG = """<busconfig><type>system</type><listen>unix:dir={folder}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_type="method_return"/><allow send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="signal"/><allow receive_type="method_return"/>
<allow receive_type="error"/></policy></busconfig>"""


@dataclass
class Error:
    name: str
    message: str = "a sentence"


def signal(member, signature, *body):
    return Message.new_signal(PATH, MANAGER, member, signature, list(body))


class PrivateBus:
    """A dbus-daemon of our own, as DBUS_SYSTEM_BUS_ADDRESS."""

    def __init__(self, folder):
        config = folder / "bus.conf"
        config.write_text(CONFIG.format(folder=folder))
        self.process = subprocess.Popen(
            ["dbus-daemon", "--nofork", "--print-address", f"--config-file={config}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        assert select.select([self.process.stdout], [], [], 20)[0], "dbus-daemon did not start"
        self.address = self.process.stdout.readline().decode().strip()
        assert self.address, "dbus-daemon has ended"

    def close(self):
        self.process.send_signal(signals.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()


class Mock:
    def __init__(self, address):
        self.address, self.answers, self.calls = address, {}, []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.bus = self._run(self._connect())

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)

    async def _connect(self):
        bus = await MessageBus(bus_address=self.address, bus_type=BusType.SYSTEM).connect()
        bus.add_message_handler(self._on_message)
        await bus.request_name(NAME)
        return bus

    def _on_message(self, m):
        if m.message_type != MessageType.METHOD_CALL or not m.path.startswith(PATH):
            return None
        self.calls.append((m.path, m.member, *m.body))
        answer = self.answers.get((m.path, m.member), self.answers.get(m.member))
        if callable(answer):
            answer = answer(m)
        if answer is None:
            return Message.new_error(m, "org.freedesktop.DBus.Error.UnknownMethod", f"no {m.member} here")
        if isinstance(answer, Error):
            return Message.new_error(m, answer.name, answer.message)
        return Message.new_method_return(m, *answer)

    def emit(self, member, signature, *body):
        async def send():
            self.bus.send(signal(member, signature, *body))

        self._run(send())

    def release(self):
        async def go():
            await self.bus.release_name(NAME)

        self._run(go())

    def listeners(self):
        """How many watch our name on the bus: the last thing that a monitor requests."""

        async def ask():
            m = Message("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Debug.Stats",
                        "GetAllMatchRules")
            answer = await self.bus.call(m)
            rules = [r for rules in answer.body[0].values() for r in rules] if answer.body else []
            return sum(f"arg0='{NAME}'" in str(r) for r in rules)

        return self._run(ask())

    def close(self):
        async def stop():
            self.bus.disconnect()

        self._run(stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(20)
        self.loop.close()


def key_path(key_id):
    """As sd_bus_path_encode() does it."""
    out = "".join(
        c if c.isascii() and (c.isalpha() or (c.isdigit() and i > 0)) else "".join("_%02x" % b for b in c.encode())
        for i, c in enumerate(key_id)
    )
    return f"{PATH}/key/{out or '_'}"


def row(key_id, model="gemini-a", state="usable", at=0, name=None, mask="AIza****0001", project="", errors=0, said=""):
    name = key_id if name is None else name
    return [key_path(key_id), name, mask, project, model, errors, state, at, said]


def health(*rows):
    return "a(ossssusts)", [list(rows)]


def properties(**values):
    """a{sv} of Python values: numbers are t, unless they are given with their type."""
    def variant(v):
        if isinstance(v, tuple):
            return Variant(*v)
        return Variant("b" if isinstance(v, bool) else "s" if isinstance(v, str) else "t", v)

    return "a{sv}", [{k: variant(v) for k, v in values.items()}]


def get(signature, value):
    return "v", [Variant(signature, value)]
