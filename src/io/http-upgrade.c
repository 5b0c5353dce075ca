/* SPDX-License-Identifier: MIT */

/*
 * libmicrohttpd sends the 101 and then calls on_upgraded() with the socket. It keeps the connection, as one
 * that is suspended, and with it the request and all that is counted: the connection in its shard, the
 * request among those that the drain waits for. It does not look at the socket any more, so neither its
 * time-outs nor the checks of http-wire.c concern it, and the watch of the connection is taken off: only the
 * WebSocket's own watch is there.
 *
 * The socket stays libmicrohttpd's: the WebSocket has it lent. When that is freed, MHD_upgrade_action() asks
 * libmicrohttpd to close it, which it does in its next run, where the request ends like any other.
 */

#include "base/limits-websocket.h"
#include "base/text.h"
#include "io/http-body.h"
#include "io/http-shard.h"
#include "io/transport.h"
#include "io/websocket-key.h"

const HttpHeader http_upgrade_headers[HTTP_UPGRADE_HEADERS] = {
        { "Upgrade", "websocket" },
        { "Connection", "Upgrade" },
        { "Sec-WebSocket-Version", "13" },
};

/* --- the head --- */

static bool list_has(HttpRequest *r, const char *name, const char *token) {
        _cleanup_buf_ Buf b = BUF_INIT_SECRET(HTTP_UPGRADE_LIST_MAX);

        return http_request_header_joined(r, name, &b) >= 0 && websocket_list_has(buf_cstr(&b), token);
}

bool http_request_is_upgrade(HttpRequest *r) {
        return list_has(r, "Upgrade", "websocket");
}

static void count(const char *name, const char *value _unused_, void *userdata) {
        unsigned *n = userdata;

        *n += strcaseeq(name, "Sec-WebSocket-Key");
}

int http_request_upgrade_fault(HttpRequest *r, const char **ret_fault) {
        const char *key = http_request_header(r, "Sec-WebSocket-Key");
        const char *version = http_request_header(r, "Sec-WebSocket-Version");
        unsigned n_keys = 0;

        if (!http_request_is_upgrade(r)) {
                *ret_fault = "this path takes WebSockets only: the Upgrade header must be websocket";
                return 426;
        }
        if (!version || !streq(version, "13")) {
                *ret_fault = "Sec-WebSocket-Version: must be 13";
                return 426;
        }
        if (!streq(r->method, "GET") || r->is_1_0 || r->chunked || (r->has_length && r->length > 0)) {
                *ret_fault = "a WebSocket begins with a GET of HTTP/1.1 without a body";
                return 400;
        }
        if (!list_has(r, "Connection", "upgrade")) {
                *ret_fault = "Connection: must have Upgrade";
                return 400;
        }
        http_request_each_header(r, count, &n_keys);
        if (!key || n_keys != 1 || !websocket_key_is_valid(key)) {
                *ret_fault = "Sec-WebSocket-Key: must be 16 bytes in base64, once";
                return 400;
        }
        return 0;
}

/* --- the socket --- */

static void on_freed(void *userdata) {
        HttpRequest *r = userdata;
        struct MHD_UpgradeResponseHandle *upgrade = TAKE_PTR(r->upgrade);

        (void) MHD_upgrade_action(upgrade, MHD_UPGRADE_ACTION_CLOSE);
        http_shard_ask(r->connection->shard);
}

static void on_upgraded(void *cls, struct MHD_Connection *mhd _unused_, void *context _unused_,
                        const char *rest, size_t n_rest, MHD_socket fd,
                        struct MHD_UpgradeResponseHandle *upgrade) {
        HttpRequest *r = cls;
        HttpConnection *c = r->connection;
        Loop *loop = c->server->loop;
        Websocket *w = NULL;
        Transport *t;

        c->shard->n_events++;
        c->upgraded = true;
        loop_fd_remove(loop, &c->watch);
        http_framing_init(&c->framing);
        buf_done(&c->ahead);
        r->upgrade = upgrade;
        if (r->gone) /* the server ends */
                return on_freed(r);
        if (transport_new_lent(fd, on_freed, r, &t) < 0)
                on_freed(r);
        else if (websocket_new(loop, t, false, rest, n_rest, &w) < 0)
                w = NULL; /* the transport is freed */
        r->upgrade_fn(r, w, r->upgrade_userdata);
}

int http_request_accept_websocket(HttpRequest *r, HttpUpgradeFn f, void *userdata) {
        const char *key = http_request_header(r, "Sec-WebSocket-Key");
        char accept[WEBSOCKET_ACCEPT_LENGTH + 1];
        const HttpHeader headers[] = {
                { "Upgrade", "websocket" },
                { "Sec-WebSocket-Accept", accept },
        };
        int k;

        assert(!r->replied && key);
        k = websocket_key_accept(key, accept);
        if (k < 0)
                return http_request_give_up(r, k);
        r->upgrade_fn = f;
        r->upgrade_userdata = userdata;
        k = http_request_set_response(r, MHD_HTTP_SWITCHING_PROTOCOLS,
                                      MHD_create_response_for_upgrade(on_upgraded, r), headers,
                                      ELEMENTSOF(headers));
        return k < 0 ? http_request_give_up(r, k) : 0;
}
