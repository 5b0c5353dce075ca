# SPDX-License-Identifier: MIT
"""Gemini over TLS and HTTP/2 through proxies: gemgate's own connections, which a proxy only passes on."""
import asyncio
import contextlib
import json
import signal
import ssl
import threading

import pytest

import house
import road
import wait
from front import Front
from house import SECRETS
from road import NAME, PASSWORD, PLAIN, USER
from test_http2 import stream
from test_trace import ask

ONE = json.dumps([{"key": SECRETS["KEY1"], "name": "k1"}])


class Secure:
    """TLS before a proxy. One thread does all of it, because OpenSSL wants that of one connection."""

    def __init__(self, cert, key, port):
        self.behind = port
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(cert, key)
        self.loop = asyncio.new_event_loop()
        self.server = self.loop.run_until_complete(asyncio.start_server(self.one, "127.0.0.1", 0, ssl=self.tls))
        self.port = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    async def pump(self, reader, writer):
        with contextlib.suppress(OSError, ssl.SSLError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def one(self, reader, writer):
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.behind)
        await asyncio.gather(self.pump(reader, up_writer), self.pump(up_reader, writer))

    def stop(self):
        async def end():
            self.server.close()
            rest = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
            for t in rest:
                t.cancel()
            await asyncio.gather(*rest, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(wait.DEADLINE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def front(sim, tmp_path):
    under = tmp_path / "front"
    under.mkdir()
    with Front(under, sim) as f:
        f.url = f"https://{NAME}:{f.port}"
        yield f
        assert all(line.protocol == "HTTP/2.0" for line in f.lines())


@contextlib.contextmanager
def through(roads, front, folder, url, **settings):
    under = folder / "daemon"
    under.mkdir()
    env = {"MAX_CONNECTIONS": "300", "UPSTREAM_PROXY": url} | settings
    with house.Daemon(under, front, env, program=roads.program) as d:
        yield d
    assert USER not in d.process.said() and "hunter2" not in d.process.said()


@pytest.fixture(params=["http", "https", "socks5"])
def daemon(request, roads, front, tmp_path):
    """Its proxy's certificate is one of the system's, and Gemini's is that of UPSTREAM_CA_FILE."""
    if request.param == "socks5":
        port = roads.microsocks("-u", USER, "-P", PLAIN).port
    else:
        port = roads.connect(behind=front.port).port
    if request.param == "https":
        port = roads.keep(Secure(roads.cert, roads.key, port)).port
    with through(roads, front, tmp_path, f"{request.param}://{USER}:{PASSWORD}@127.0.0.1:{port}") as d:
        yield d


def test_streams_share_a_connection(front, daemon):
    front.script('* : text "first-second" chunks=2 hang after=1\n')
    with contextlib.ExitStack() as all_streams:
        for _ in range(60):
            all_streams.enter_context(stream(daemon))
        front.script("* : default\n")
        assert daemon.chat().status == 200
        assert daemon.chat(stream=True).status == 200
    assert len({line.connection for line in front.wait_lines(62)}) < 12


def test_slow_reader(front, daemon):
    """Answers larger than all windows and buffers, of the proxy's TLS, too; clients that read nothing hold up no others."""
    front.script('body="all" : big 8M\n* : default\n')
    with contextlib.ExitStack() as slow:
        readers = [slow.enter_context(stream(daemon, "all", receive_buffer=4096)) for _ in range(5)]
        for _ in range(20):
            assert daemon.chat().status == 200
        n, last = 0, b""
        while part := readers[0].chunk():
            n, last = n + len(part), part
        assert n > 8 << 20 and b"[DONE]" in last


def test_large_body(front, daemon):
    text = "x" * (6 << 20)
    assert daemon.chat(text).status == 200
    assert any(text in r.body for r in front.requests())


def test_hang_up(front, daemon):
    front.script('* : text "x" chunks=1000000 pace=5ms\n')
    with stream(daemon) as other:
        with stream(daemon):
            pass
        front.wait_hung_up(1)
        for _ in range(5):
            assert other.chunk()
    front.wait_hung_up(2)


def test_proxy_hangs_up(roads, front, tmp_path):
    """What is under way ends, with the proxy in the cause, and the next request has a new tunnel."""
    proxy = roads.connect(behind=front.port)
    with through(roads, front, tmp_path, f"http://127.0.0.1:{proxy.port}", LOG_LEVEL="DEBUG", API_KEYS=ONE) as d:
        front.script('* : text "first-second" chunks=2 hang after=1\n')
        with stream(d) as c:
            n = len(proxy.tunnels)
            proxy.server.hang_up()
            while part := c.chunk():
                c.answer.body += part
            assert c.answer.status == 200 and b'"error"' in c.answer.body
        front.script("* : default\n")
        assert ask(d, "mine").status == 200
        assert len(proxy.tunnels) > n
        causes = [e["cause"] for e in d.log() if "cause" in e]
        assert any(c.startswith(f"proxy 127.0.0.1:{proxy.port}: behind it: ") for c in causes), causes


def test_reload(roads, front, tmp_path):
    """A stream goes on through its tunnel, which takes no other one, and ends with it."""
    proxy = roads.connect(behind=front.port)
    with through(roads, front, tmp_path, f"http://127.0.0.1:{proxy.port}") as d:
        front.script('body="slow" : text "a b c d" chunks=4 hang after=1\n* : default\n')
        with stream(d, "slow"):
            n = len(proxy.tunnels)
            d.interrupt(signal.SIGHUP)
            d.wait_log("the reload", lambda line: "configuration reloaded" in line["message"])
            for _ in range(3):
                assert d.chat().status == 200
            assert len(proxy.tunnels) > n
            lines = front.wait_lines(3)
        after = {line.connection for line in front.wait_lines(4)[3:]}
        assert len({line.connection for line in lines} | after) == 2
        wait.until("the first tunnels to end", lambda: proxy.server.ended >= n)
