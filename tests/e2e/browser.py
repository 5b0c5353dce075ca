# SPDX-License-Identifier: MIT
"""What a browser does with a request of a page of another origin (WHATWG Fetch, CORS): it asks first, unless a form could
have sent the request, and gives the page only an answer that the page may see, with only the headers that it may see."""
import http1

SAFE_METHODS = {"GET", "HEAD", "POST"}
SAFE_NAMES = {"accept", "accept-language", "content-language"}
SAFE_TYPES = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
SHOWN = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}


class Blocked(Exception):
    """The page gets "TypeError: Failed to fetch", and the console the reason."""


def listed(answer, name):
    return {v.strip().lower() for n, values in answer.headers if n.lower() == name.lower() for v in values.split(",")}


def safe(name, value):
    return name.lower() in SAFE_NAMES or (name.lower() == "content-type" and value.split(";")[0] in SAFE_TYPES)


class Page:
    def __init__(self, daemon, origin):
        self.daemon, self.origin = daemon, origin
        self.preflights = []

    def check(self, answer):
        allowed = [v for n, v in answer.headers if n.lower() == "access-control-allow-origin"]
        if allowed not in ([self.origin], ["*"]):
            raise Blocked(f"Access-Control-Allow-Origin is {allowed}")

    def preflight(self, c, method, target, names, network):
        headers = [("Origin", self.origin), ("Access-Control-Request-Method", method)]
        if names:
            headers.append(("Access-Control-Request-Headers", ",".join(sorted(names))))
        if network:
            headers.append(("Access-Control-Request-Private-Network", "true"))
        c.send(http1.compose("OPTIONS", target, headers))
        a = c.read("OPTIONS")
        self.preflights.append(a)
        self.check(a)
        if not 200 <= a.status <= 299:
            raise Blocked(f"the preflight has the status {a.status}")
        if network and a.header("Access-Control-Allow-Private-Network") != "true":
            raise Blocked("Access-Control-Allow-Private-Network")
        if method not in SAFE_METHODS and method.lower() not in listed(a, "Access-Control-Allow-Methods"):
            raise Blocked(f"the method {method}")
        if missing := names - listed(a, "Access-Control-Allow-Headers"):
            raise Blocked(f"the headers {missing}")

    def fetch(self, method, target, headers=(), body=None, network=False):
        names = {n.lower() for n, v in headers if not safe(n, v)}
        with self.daemon.connect() as c:
            if names or method not in SAFE_METHODS or network:
                self.preflight(c, method, target, names, network)
            c.send(http1.compose(method, target, [*headers, ("Origin", self.origin)], body))
            a = c.read(method)
        self.check(a)
        seen = listed(a, "Access-Control-Expose-Headers") | SHOWN
        a.headers = [(n, v) for n, v in a.headers if n.lower() in seen]
        return a
