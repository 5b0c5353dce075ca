# SPDX-License-Identifier: MIT
"""A private system bus with gemgate's policy, and a polkit that answers as a test needs."""
import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.auth import UID_NOT_SPECIFIED, AuthExternal

import house
import people
import process
import wait
from client import NAME, Client

POLICY = house.ROOT / "dbus" / "org.gemgate1.conf"
POLKIT = "org.freedesktop.PolicyKit1"

# The rules of a system bus, as dbus ships them, with ours and a polkit behind.
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={folder}/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
  </policy>
  <policy user="root"><allow own="org.freedesktop.PolicyKit1"/></policy>
  {rules}
</busconfig>
"""


class Machine:
    """Users, a bus, and where gemgated can be run by whom it is not owned."""

    def __init__(self):
        # Not below pytest's folders: those are root's alone.
        self.folder = Path(tempfile.mkdtemp(prefix="gemgate-bus-"))
        self.folder.chmod(0o755)
        people.write(self.folder)
        self.gemgated = self.folder / "gemgated"
        shutil.copy(house.GEMGATED, self.gemgated)
        self.address = f"unix:path={self.folder}/bus"
        self.bus = None
        self.n = 0

    def close(self):
        self.stop_bus()
        shutil.rmtree(self.folder)

    def new_folder(self):
        self.n += 1
        folder = self.folder / str(self.n)
        folder.mkdir(mode=0o755)
        return folder

    # --- the bus ---

    def start_bus(self, rules=f"<include>{POLICY}</include>"):
        config = self.folder / "bus.conf"
        config.write_text(CONFIG.format(folder=self.folder, rules=rules))
        argv = people.world(self.folder) + ["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={config}"]
        self.bus = process.Process(argv, {}, self.new_folder())
        wait.until("dbus-daemon", self.answers)

    def answers(self):
        assert not self.bus.ended(), self.bus.said()
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(f"{self.folder}/bus") == 0

    def stop_bus(self):
        if self.bus:
            self.bus.kill()
            self.bus = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.folder / "bus")

    # --- gemgated ---

    def program(self, user=people.DAEMON):
        return [*people.world(self.folder, user), self.gemgated]

    def start(self, sim, user=people.DAEMON, argv=(), **settings):
        settings = {"DBUS_SYSTEM_BUS_ADDRESS": self.address} | settings
        return house.Daemon(self.new_folder(), sim, settings, argv=argv, program=self.program(user))

    def client(self, user=people.ROOT):
        return Client(self.address, user)

    def wait_owned(self):
        with self.client() as c:
            wait.until(f"an owner of {NAME}", c.owner)


class Polkit:
    """Owns polkit's name and answers as in `answer`: yes, no, challenge, error or never. `asked` has the
    requests as (action, flags), `cancelled` those that were cancelled."""

    ANSWERS = {"yes": [True, False, {}], "no": [False, False, {}], "challenge": [False, True, {}]}

    def __init__(self, address, answer="no"):
        self.answer, self.asked, self.cancelled, self.senders = answer, [], [], []
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.bus = asyncio.run_coroutine_threadsafe(self.connect(address), self.loop).result(wait.DEADLINE)

    async def connect(self, address):
        bus = await MessageBus(bus_address=address, auth=AuthExternal(UID_NOT_SPECIFIED)).connect()
        bus.add_message_handler(self.on_message)
        await bus.request_name(POLKIT)
        return bus

    def on_message(self, m):
        if m.message_type is not MessageType.METHOD_CALL:
            return None
        if m.member == "CancelCheckAuthorization":
            self.cancelled.append(m.body[0])
            return Message.new_method_return(m)
        if m.member != "CheckAuthorization":
            return None
        (kind, details), action, _, flags, _ = m.body
        assert kind == "system-bus-name"
        self.senders.append(details["name"].value)
        self.asked.append((action, flags))
        if self.answer == "never":
            return True
        if self.answer == "error":
            return Message.new_error(m, f"{POLKIT}.Error.Failed", "no")
        return Message.new_method_return(m, "(bba{ss})", [self.ANSWERS[self.answer]])

    def close(self):
        self.loop.call_soon_threadsafe(self.bus.disconnect)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
