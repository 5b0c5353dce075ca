/* SPDX-License-Identifier: MIT */
#include "server/live/internal.h"

const LiveIo live_io = {
        .accept = http_request_accept_websocket,
        .dial = websocket_dial_start,
        .dial_free = websocket_dial_free,
        .set_max = websocket_set_max,
        .start = websocket_start,
        .send = websocket_send,
        .pause = websocket_pause,
        .close = websocket_close,
        .free = websocket_free,
};
