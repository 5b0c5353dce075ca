/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "pool-calls.h"

static int on_data(int status _unused_, const char *p, size_t n, void *userdata) {
        Call *c = userdata;
        size_t k = strlen(c->body);

        if (c->refuses)
                return -EIO;
        assert_true(n > 0 && n + k < sizeof(c->body));
        memcpy(c->body + k, p, n);
        return 0;
}

static void on_sent(void *userdata) {
        Call *c = userdata;

        c->n_sent++;
}

static ssize_t on_read(char *p, size_t n _unused_, void *userdata _unused_) {
        *p = 'x';
        return 1;
}

static void on_done(HttpOutcome outcome, int status, const char *cause, void *userdata) {
        Call *c = userdata;

        c->n_done++;
        c->outcome = outcome;
        c->status = status;
        text_copy(c->cause, sizeof(c->cause), cause);
        c->http = http_call_free(c->http);
}

int start_as(Fixture *f, size_t i, const HttpCallParams *p, bool reads) {
        const HttpCallOps ops = { .data = on_data, .sent = on_sent, .read = reads ? on_read : NULL,
                                  .done = on_done };
        HttpCallParams params = *p;

        http_call_free(f->calls[i].http);
        f->calls[i] = (Call){};
        params.connect_timeout = f->connect_timeout;
        return http_call_start(f->client, &params, &ops, &f->calls[i], &f->calls[i].http);
}

void start(Fixture *f, size_t i, const char *url) {
        assert_int_equal(start_as(f, i, &(HttpCallParams){ .url = url }, false), 0);
        assert_int_equal(f->calls[i].n_done, 0);
}

void assert_done(const Call *c, HttpOutcome outcome) {
        assert_int_equal(c->n_done, 1);
        assert_int_equal(c->outcome, outcome);
        assert_string_equal(c->body, outcome == HTTP_OUTCOME_COMPLETE ? "ok" : "");
        assert_int_equal(outcome == HTTP_OUTCOME_COMPLETE, c->cause[0] == 0);
}

HttpWork *work_of(const Call *c) {
        return CONTAINER_OF(c->http, HttpWork, call);
}

int pool_setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        f->connect_timeout = 10 * USEC_PER_SEC;
        doubles_clear();
        assert_int_equal(loop_new(&f->loop), 0);
        assert_int_equal(http_pool_new(f->loop, &f->client), 0);
        settle(f->loop); /* the clock of the loop is the turn's from now on */
        *state = f;
        return 0;
}

int pool_setup_short(void **state) {
        int r;

        idle_time = lack_time = 20 * USEC_PER_MSEC;
        r = pool_setup(state);
        idle_time = HTTP_POOL_IDLE_TIME;
        lack_time = HTTP_POOL_LACK_TIME;
        return r;
}

int pool_teardown(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < MANY; i++)
                f->calls[i].http = http_call_free(f->calls[i].http);
        http_client_free(f->client);
        assert_int_equal(n_alive, 0);
        for (size_t i = 0; i < n_dials; i++)
                assert_null(dials[i]);
        loop_free(f->loop);
        free(f);
        return 0;
}
