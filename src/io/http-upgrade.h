/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A client's request that becomes a WebSocket (RFC 6455, 4.2). The request lives on as long as the
 * WebSocket: its connection is counted, the drain waits for it if it was admitted, and gone() and end() come
 * as for any other. See http-upgrade.c.
 */

#include "io/http-request.h"
#include "io/websocket.h"

bool http_request_is_upgrade(HttpRequest *r); /* it asks for a WebSocket, rightly or not: by Upgrade */

/* What is wrong with it: 0; or the status of the error, with *ret_fault for its message (static). 426 needs
 * the headers of http_upgrade_headers(). Also right for a request that asks for nothing: 426. */
int http_request_upgrade_fault(HttpRequest *r, const char **ret_fault);

/* `Upgrade: websocket`, `Connection: Upgrade` and `Sec-WebSocket-Version: 13`: of a 426. */
#define HTTP_UPGRADE_HEADERS 3U
extern const HttpHeader http_upgrade_headers[HTTP_UPGRADE_HEADERS];

/* Called once, when the 101 has been sent, from within a run of libmicrohttpd. `w` is taken, and started in
 * this call or in the same turn; NULL: no memory, and end() follows. If the client is gone before, it is not
 * called: gone() and end() come, or end() alone. */
typedef void (*HttpUpgradeFn)(HttpRequest *r, Websocket *w, void *userdata);

/* Instead of a reply, of a request without a fault: in head() or later. Negative: as http_request_reply(),
 * the connection is closed.
 *
 * When the owner frees the WebSocket, the connection ends, and end() follows in the next run; before that
 * the request stays, whatever the client does, because its end is seen by the WebSocket alone. gone() comes
 * only if the server itself ends (http_server_free): the owner must free the WebSocket in it.
 * http_request_cut() breaks the connection, which the WebSocket reports. */
int http_request_accept_websocket(HttpRequest *r, HttpUpgradeFn f, void *userdata);
