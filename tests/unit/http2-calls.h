/* SPDX-License-Identifier: MIT */
#pragma once

/* Calls by the pool to a server of HTTP/2, over TLS. */

#include "http-calls.h"
#include "http2-server.h"

typedef struct World {
        Fixture *f;
        Server server;
} World;

int world_group_setup(void **state); /* before and after all */
int world_group_teardown(void **state);
int world_setup(void **state); /* a World */
int world_teardown(void **state);

#define until(w, condition) peer_until(&(w)->f->peer, condition)
void until_settled(World *w);

void trust(World *w, bool trusted); /* the server's certificate, from now on */
Stream *request(World *w);          /* waits for a whole one that was not returned before */
bool is_quiet(World *w);            /* none has come */
ServerConn *assert_works(World *w, Call *c); /* a GET from its start to its end, by any connection */
