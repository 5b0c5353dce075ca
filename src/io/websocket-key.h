/* SPDX-License-Identifier: MIT */
#pragma once

/* The keys of a WebSocket's handshake (RFC 6455, 4.1 and 4.2.2), for both sides. */

#include "base/macros.h"

#define WEBSOCKET_KEY_LENGTH    24U /* 16 bytes in base64 */
#define WEBSOCKET_ACCEPT_LENGTH 28U /* 20 */

bool websocket_key_is_valid(const char *key);
int websocket_key_new(char ret[static WEBSOCKET_KEY_LENGTH + 1]); /* random; -errno */
int websocket_key_accept(const char *key, char ret[static WEBSOCKET_ACCEPT_LENGTH + 1]); /* -EIO, -ENOMEM */

/* Whether one element of a header's list is this token, in either case. */
bool websocket_list_has(const char *list, const char *token);
