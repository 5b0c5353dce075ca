/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <unistd.h>

#include "http2-calls.h"

static const Way direct = { "direct", "127.0.0.1", NULL };
static char ca_file[] = "/tmp/gemgate-test-XXXXXX";

void trust(World *w, bool trusted) {
        const HttpClientParams p = { .url = w->f->url, .ca_file = trusted ? ca_file : NULL };

        http_client_renew(w->f->client, &p);
}

int world_setup(void **state) {
        World *w = calloc(1, sizeof(World));
        void *fixture;

        assert_non_null(w);
        calls_by = &direct;
        assert_int_equal(calls_setup(&fixture), 0);
        w->f = fixture;
        server_open(&w->server, w->f->loop, ca_file);
        (void) snprintf(w->f->url, sizeof(w->f->url), "https://127.0.0.1:%u/v1/x?y=z", w->server.port);
        trust(w, true);
        *state = w;
        return 0;
}

int world_teardown(void **state) {
        World *w = *state;
        void *fixture = w->f;

        for (size_t i = 0; i < ELEMENTSOF(w->f->calls); i++)
                call_clear(&w->f->calls[i]);
        server_close(&w->server);
        (void) calls_teardown(&fixture);
        free(w);
        return 0;
}

Stream *request(World *w) {
        return server_request(&w->server, &w->f->peer);
}

void until_settled(World *w) {
        peer_settle(&w->f->peer);
}

ServerConn *assert_works(World *w, Call *c) {
        Stream *t;

        call_get(c);
        t = request(w);
        stream_answer(t, "ok");
        call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "ok");
        return t->conn;
}

bool is_quiet(World *w) {
        until_settled(w);
        return !server_find(&w->server, false);
}

int world_group_setup(void **state _unused_) {
        int fd = mkstemp(ca_file);

        return fd < 0 ? -1 : close(fd);
}

int world_group_teardown(void **state _unused_) {
        return unlink(ca_file);
}
