/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The room for the bodies that are held at one time, in bytes, and how it is shared:
 *
 *   - All bodies together fit into the room.
 *   - One client has half of it at most. A client that holds nothing else may exceed that with one body.
 *   - An eighth of the room is a reserve for small bodies: a large body gets into it only if no other body
 *     is held. A client has a quarter of the reserve for its small bodies, however much it holds besides.
 *
 * So clients with large bodies, of which some may stop in the middle, leave room for the small bodies of all
 * clients, their own too.
 */

#include "base/macros.h"

/* A power of two. Two clients with the same place share what one may hold; with a thousand places that is
 * rare, and costs neither of them its small bodies. */
#define HTTP_ROOM_PLACES 1024U

typedef struct HttpHolder {
        uint64_t all, small;
} HttpHolder;

typedef struct HttpRoom {
        uint64_t max, held;
        HttpHolder holders[HTTP_ROOM_PLACES];
} HttpRoom;

/* The part of one body. */
typedef struct HttpShare {
        uint64_t client; /* 0: no client, and no limit but the room's */
        uint64_t n;
        bool large;
} HttpShare;

/* Adds n bytes to a body; false if there is no room for them. */
bool http_room_take(HttpRoom *m, HttpShare *s, uint64_t n);
void http_room_give_back(HttpRoom *m, HttpShare *s); /* all of the body */
