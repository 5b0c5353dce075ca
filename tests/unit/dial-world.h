/* SPDX-License-Identifier: MIT */
#pragma once

/* A loop, a dialer, and what became of a dial. */

#include <systemd/sd-event.h>

#include "base/text.h"
#include "io/descriptors.h"
#include "io/dial.h"
#include "io/transport.h"

typedef struct World {
        Loop *loop;
        Dialer *dialer;
} World;

typedef struct Caller {
        Dial *dial;
        unsigned n_ends;
        Transport *transport;
        DialTimes times;
        char cause[512];
} Caller;

static inline void world_begin(World *w, const char *ca_file) {
        assert_int_equal(loop_new(&w->loop), 0);
        assert_int_equal(dialer_new(w->loop, &(DialerParams){ .ca_file = ca_file }, &w->dialer), 0);
}

static inline size_t world_counted(const World *w) {
        return descriptors_used(loop_descriptors(w->loop), DESCRIPTOR_UPSTREAM);
}

static inline void world_done(World *w) {
        w->dialer = dialer_free(w->dialer);
        assert_int_equal(world_counted(w), 0);
        w->loop = loop_free(w->loop);
}

static inline void on_end(Transport *t, const DialTimes *times, const char *cause, void *userdata) {
        Caller *c = userdata;

        c->n_ends++;
        c->transport = t;
        c->times = *times;
        text_copy(c->cause, sizeof(c->cause), cause);
        assert_true(!t == !!cause[0]);
        assert_null(strpbrk(cause, "\r\n"));
}

static inline void dial(World *w, Caller *c, const DialParams *p) {
        *c = (Caller){};
        assert_int_equal(dial_start(w->dialer, p, on_end, c, &c->dial), 0);
        assert_int_equal(c->n_ends, 0);
}

static inline void turn(World *w, usec_t most) {
        assert_true(sd_event_run(loop_event(w->loop), most) >= 0);
}

static inline void wait_for_end(World *w, const Caller *c) {
        while (c->n_ends == 0)
                turn(w, 10 * USEC_PER_SEC);
}

static inline void hang_up(Caller *c) {
        c->dial = dial_free(c->dial);
        c->transport = transport_free(c->transport);
}

/* Waits for `events` as an owner does: by the loop. */
static inline void on_event(uint32_t events _unused_, void *userdata) {
        *(bool *) userdata = true;
}

static inline void wait_for_events(World *w, const Transport *t, uint32_t events) {
        LoopFd watch = LOOP_FD_NULL;
        bool has = false;

        assert_int_equal(loop_fd_add(w->loop, &watch, transport_fd(t), events, on_event, &has), 0);
        while (!has)
                turn(w, 10 * USEC_PER_SEC);
        loop_fd_remove(w->loop, &watch);
}

static inline ssize_t read_some(World *w, Transport *t, void *p, size_t n) {
        ssize_t k;

        while ((k = transport_read(t, p, n)) == -EAGAIN) {
                assert_false(transport_has_pending(t));
                wait_for_events(w, t, EPOLLIN);
        }
        return k;
}

static inline void write_all(World *w, Transport *t, const char *p, size_t n) {
        while (n > 0) {
                ssize_t k = transport_write(t, &(struct iovec){ (void *) (uintptr_t) p, n }, 1);

                if (k == -EAGAIN) {
                        wait_for_events(w, t, EPOLLOUT);
                        continue;
                }
                assert_true(k > 0 && (size_t) k <= n);
                p += k;
                n -= (size_t) k;
        }
}

static inline void exchange_hello(World *w, Transport *t) {
        char buf[16];

        write_all(w, t, "ping", 4);
        assert_int_equal(read_some(w, t, buf, sizeof(buf)), 4);
        assert_memory_equal(buf, "ping", 4);
}
