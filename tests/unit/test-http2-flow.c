/* SPDX-License-Identifier: MIT */

/* A connection of HTTP/2 over time: windows, uploads, cancelled works, silence, ends. */

#include "http2-steps.h"

#include <systemd/sd-event.h>

#include "io/http2-internal.h"

/* --- a clock of the test's own; the connection's timer fires by it --- */

static struct {
        usec_t now;
        sd_event_source *source;
        sd_event_time_handler_t handler;
        void *userdata;
        usec_t due;
} fake;

usec_t __real_loop_now(Loop *l);
usec_t __wrap_loop_now(Loop *l);
int __real_sd_event_add_time(sd_event *e, sd_event_source **ret, clockid_t clock, uint64_t usec,
                             uint64_t accuracy, sd_event_time_handler_t f, void *userdata);
int __wrap_sd_event_add_time(sd_event *e, sd_event_source **ret, clockid_t clock, uint64_t usec,
                             uint64_t accuracy, sd_event_time_handler_t f, void *userdata);
int __real_sd_event_source_set_time(sd_event_source *s, uint64_t usec);
int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t usec);

usec_t __wrap_loop_now(Loop *l) {
        return fake.now ?: __real_loop_now(l);
}

int __wrap_sd_event_add_time(sd_event *e, sd_event_source **ret, clockid_t clock, uint64_t usec,
                             uint64_t accuracy, sd_event_time_handler_t f, void *userdata) {
        int r;

        r = __real_sd_event_add_time(e, ret, clock, fake.now > 0 ? UINT64_MAX : usec, accuracy, f, userdata);
        if (r >= 0) {
                fake.source = *ret; /* the last one is the connection's */
                fake.handler = f;
                fake.userdata = userdata;
        }
        return r;
}

int __wrap_sd_event_source_set_time(sd_event_source *s, uint64_t usec) {
        if (fake.now == 0 || s != fake.source)
                return __real_sd_event_source_set_time(s, usec);
        fake.due = usec;
        return 0;
}

static bool timer_is_on(void) {
        return sd_event_source_get_enabled(fake.source, NULL) > 0;
}

static void pass(usec_t time) {
        usec_t until = fake.now + time;

        while (!world.closed && timer_is_on() && fake.due <= until) {
                fake.now = MAX(fake.now, fake.due);
                assert_true(sd_event_source_set_enabled(fake.source, SD_EVENT_OFF) >= 0);
                assert_true(fake.handler(fake.source, fake.due, fake.userdata) >= 0);
                world_turn(&world);
        }
        fake.now = until;
}


static void test_idle(void **state _unused_) {
        fake.now = 1000 * USEC_PER_SEC;
        begin();
        assert_int_equal(http2_read_at(world.c), fake.now);
        fake.now += USEC_PER_SEC;
        (void) world_get(&world);
        assert_int_equal(http2_read_at(world.c), fake.now - USEC_PER_SEC);
        world_turn(&world);
        assert_int_equal(world.n_room, 0);
        fake.now += USEC_PER_SEC;
        world_head(&world, 1, "200", true);
        world_turn(&world);
        assert_int_equal(world.n_room, 1);
        assert_int_equal(http2_read_at(world.c), fake.now);

        /* Draining: the last work is carried to its end. */
        (void) world_get(&world);
        world_turn(&world);
        http2_drain(world.c);
        assert_int_equal(http2_room(world.c), 0);
        world_turn(&world);
        assert_false(world.closed);
        world_head(&world, 3, "200", true);
        world_turn(&world);
        assert_true(world.closed);
        expect_answer(&world.works[1], 200, "");
        world_end(&world);

        /* An idle one drains at once; one that the server ends, too; a GOAWAY is sent before. */
        begin();
        http2_drain(world.c);
        world_turn(&world);
        assert_true(world.closed);
        world_end(&world);
        begin();
        world_frame(&world, NGHTTP2_GOAWAY, 0, 0, B("\0\0\0\0\0\0\0\0"));
        world_turn(&world);
        assert_true(world.closed);
        world_end(&world);
        begin();
        world.fd = safe_close(world.fd);
        world_turn(&world);
        assert_true(world.closed);
        world_end(&world);
        begin();
        {
                int fd = world.fd;
                Frame f;

                works_on();
                world.c = http2_free(world.c);
                assert_true(world_find(&world, NGHTTP2_GOAWAY, &f));
                assert_int_equal(world.fd, fd);
        }
        world_end(&world);
        fake.now = 0;
}

/* Nothing is sent before the server has shown that it is there. */
static void test_ask(void **state _unused_) {
        Work *k;
        Frame f;

        for (int closes = 0; closes < 2; closes++) {
                begin();
                http2_ask(world.c);
                assert_int_equal(http2_room(world.c), 0);
                world_turn(&world);
                assert_true(world_find(&world, NGHTTP2_PING, &f));
                assert_int_equal(f.flags, 0);
                k = world_work(&world);
                assert_int_equal(world_start(&world, k), -EAGAIN);
                assert_int_equal(world.n_room, 0);
                if (closes)
                        world_frame(&world, NGHTTP2_GOAWAY, 0, 0, B("\0\0\0\0\0\0\0\0"));
                else
                        world_frame(&world, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, B("\0\0\0\0\0\0\0\0"));
                world_turn(&world);
                assert_int_equal(world.closed, closes);
                assert_int_equal(world.n_room, !closes);
                if (!closes) {
                        assert_int_equal(world_start(&world, k), 0);
                        world_turn(&world);
                        world_head(&world, k->w.stream, "200", true);
                        world_turn(&world);
                        expect_answer(k, 200, "");
                }
                world_end(&world);
        }
}

/* --- back-pressure --- */

static void fill_window(int32_t stream, size_t n) {
        for (size_t k; n > 0; n -= k) {
                k = MIN(n, 16384U);
                world_frame(&world, NGHTTP2_DATA, 0, stream, text(), k);
                world_turn(&world);
        }
}

static void test_pause(void **state _unused_) {
        Work *a, *b;

        begin();
        a = world_get(&world);
        b = world_get(&world);
        world_turn(&world);
        world_head(&world, 1, "200", false);
        world_head(&world, 3, "200", false);
        a->w.paused = true;
        fill_window(1, HTTP2_STREAM_WINDOW);
        assert_int_equal(a->body.n, HTTP2_STREAM_WINDOW);
        assert_int_equal(window_update(1), 0);

        /* The other one goes on, and on: what the paused one holds does not count. */
        for (unsigned i = 0; i < 400; i++)
                fill_window(3, HTTP2_STREAM_WINDOW);
        assert_int_equal(b->body.n, 400 * HTTP2_STREAM_WINDOW);
        assert_false(world.closed);

        a->w.paused = false;
        http2_continue(world.c, &a->w);
        world_turn(&world);
        assert_int_equal(window_update(1), HTTP2_STREAM_WINDOW);
        fill_window(1, HTTP2_STREAM_WINDOW);
        assert_int_equal(a->body.n, 2 * HTTP2_STREAM_WINDOW);

        /* More than the window is the server's fault. */
        a->w.paused = true;
        world_turn(&world);
        fill_window(1, 2 * HTTP2_STREAM_WINDOW);
        assert_true(a->body.n <= 3 * HTTP2_STREAM_WINDOW + 16384);
        assert_int_equal(a->n_ends, 1);
        assert_int_equal(a->end, HTTP_WORK_BROKEN);
        world_end(&world);
}

/* So many paused ones that they hold all that they can. */
static void test_all_paused(void **state _unused_) {
        Work *k;

        world_begin(&world);
        world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000);
        world_turn(&world);
        for (unsigned i = 0; i < HTTP2_STREAMS_MAX - 1; i++)
                world_get(&world)->w.paused = true;
        k = world_get(&world);
        assert_int_equal(http2_room(world.c), 0);
        world_turn(&world);
        for (int i = 0; i < (int) HTTP2_STREAMS_MAX; i++)
                world_head(&world, 1 + 2 * i, "200", false);
        for (int i = 0; i < (int) HTTP2_STREAMS_MAX - 1; i++)
                fill_window(1 + 2 * i, HTTP2_STREAM_WINDOW);
        fill_window(k->w.stream, HTTP2_STREAM_WINDOW);
        fill_window(k->w.stream, HTTP2_STREAM_WINDOW);
        world_data(&world, k->w.stream, "", true);
        world_turn(&world);
        expect_end(k, HTTP_WORK_COMPLETE, "");
        for (unsigned i = 0; i < HTTP2_STREAMS_MAX - 1; i++)
                assert_int_equal(world.works[i].body.n, HTTP2_STREAM_WINDOW);
        world_end(&world);
}

/* --- uploads --- */

/* The bytes of a body that the client has sent, and whether they are all. */
static size_t uploaded(int32_t stream, bool *ret_end) {
        size_t n = 0;
        Frame f;

        *ret_end = false;
        while (world_find(&world, NGHTTP2_DATA, &f)) {
                assert_int_equal(f.stream, stream);
                assert_true(9 + f.n <= HTTP2_RECORD);
                n += f.n;
                *ret_end = f.flags & NGHTTP2_FLAG_END_STREAM;
        }
        return n;
}

static void open_window(int32_t stream, uint32_t n) {
        const unsigned char p[] = {
                (unsigned char) (n >> 24),
                (unsigned char) (n >> 16),
                (unsigned char) (n >> 8),
                (unsigned char) n,
        };

        world_frame(&world, NGHTTP2_WINDOW_UPDATE, 0, stream, p, sizeof(p));
}

static void expect_uploaded(size_t n, bool end) {
        bool is_end;

        world_turn(&world);
        assert_int_equal(uploaded(1, &is_end), n);
        assert_int_equal(is_end, end);
}

static Work *upload(size_t n, size_t n_promised) {
        Work *k = world_work(&world);

        work_upload(k, text(), n, n_promised);
        return k;
}

static void answer_upload(Work *k) {
        world_head(&world, 1, "200", true);
        world_turn(&world);
        expect_answer(k, 200, "");
        works_on();
        world_end(&world);
}

static void test_upload(void **state _unused_) {
        Work *k;

        /* As the bytes come. */
        begin();
        k = upload(1000, SIZE_MAX);
        k->n_ready = 0;
        assert_int_equal(world_start(&world, k), 0);
        expect_uploaded(0, false);
        k->n_ready = 400;
        expect_uploaded(0, false);
        http2_continue(world.c, &k->w);
        expect_uploaded(400, false);
        k->n_ready = 1000;
        http2_continue(world.c, &k->w);
        http2_continue(world.c, &k->w);
        expect_uploaded(600, true);
        http2_continue(world.c, &k->w);
        answer_upload(k);

        /* The length is known: the last byte is the end. */
        begin();
        k = upload(1000, 1000);
        assert_int_equal(world_start(&world, k), 0);
        expect_uploaded(1000, true);
        answer_upload(k);
        begin();
        k = upload(0, 0);
        assert_int_equal(world_start(&world, k), 0);
        expect_uploaded(0, true);
        answer_upload(k);
        begin();
        k = upload(1000, 600); /* more than was promised is not read */
        assert_int_equal(world_start(&world, k), 0);
        expect_uploaded(600, true);
        answer_upload(k);

        /* As the windows let it pass: the stream's, then the connection's. */
        begin();
        k = upload(N_TEXT, N_TEXT);
        assert_int_equal(world_start(&world, k), 0);
        expect_uploaded(65535, false);
        open_window(1, 1000000);
        expect_uploaded(0, false);
        open_window(0, 65536);
        expect_uploaded(65536, false);
        open_window(0, 1000000);
        expect_uploaded(N_TEXT - 65535 - 65536, true);
        assert_int_equal(k->w.n_body_sent, N_TEXT);
        answer_upload(k);

        /* Full records, of one write each. */
        begin();
        k = upload(60000, 60000);
        assert_int_equal(world_start(&world, k), 0);
        world.transport->n_writes = 0;
        expect_uploaded(60000, true);
        assert_int_equal(world.transport->n_writes, 4);
        answer_upload(k);
}

static void test_upload_fails(void **state _unused_) {
        Work *k;
        bool end;

        /* Less than was promised; an error. */
        for (unsigned i = 0; i < 2; i++) {
                begin();
                k = upload(1000, i == 0 ? 2000 : 1000);
                k->read_error = i == 0 ? 0 : -EIO;
                assert_int_equal(world_start(&world, k), 0);
                world_turn(&world);
                expect_end(k, HTTP_WORK_ABORTED, "could not be read");
                expect_reset(1);
                works_on();
                world_end(&world);
        }

        /* The answer comes before the whole body is sent: it is complete, and the rest is not sent. */
        begin();
        k = upload(N_TEXT, N_TEXT);
        assert_int_equal(world_start(&world, k), 0);
        world_turn(&world);
        world_head(&world, 1, "413", false);
        world_data(&world, 1, "no", true);
        world_turn(&world);
        expect_answer(k, 413, "no");
        expect_reset(1);
        open_window(0, 1 << 20);
        open_window(1, 1 << 20);
        world_turn(&world);
        assert_int_equal(uploaded(1, &end), 0);
        works_on();
        world_end(&world);

        /* The server answers, and closes: what it has sent is read, although the write fails. */
        begin();
        k = upload(1000, 1000);
        k->n_ready = 0;
        assert_int_equal(world_start(&world, k), 0);
        world_turn(&world);
        k->n_ready = 1000;
        http2_continue(world.c, &k->w);
        world.transport->broken = true;
        {
                unsigned char bytes[10] = { 0, 0, 1, 1, 5, 0, 0, 0, 1, 0x8d };

                world_send(&world, bytes, sizeof(bytes));
        }
        world.fd = safe_close(world.fd);
        world_turn(&world);
        expect_end(k, HTTP_WORK_COMPLETE, "");
        assert_int_equal(k->w.status, 404);
        assert_true(world.closed);
        world_end(&world);

        /* Windows of 0, for ever: the work waits, and so does nothing else. */
        begin();
        world_settings(&world, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
        world_turn(&world);
        k = upload(1000, 1000);
        assert_int_equal(world_start(&world, k), 0);
        expect_uploaded(0, false);
        works_on();
        world_cancel(&world, k);
        world_turn(&world);
        expect_reset(1);
        world_end(&world);
}

/* --- the socket takes nothing --- */

static void test_jammed(void **state _unused_) {
        Work *a, *b, *c;

        begin();
        a = world_get(&world);
        world_turn(&world);
        world.transport->jammed = true;
        b = world_get(&world);
        c = world_get(&world);
        world_turn(&world);
        assert_int_equal(b->n_ends, 0);
        world_head(&world, 1, "200", true); /* it reads on */
        world_turn(&world);
        expect_answer(a, 200, "");
        world_cancel(&world, c);
        world.transport->jammed = false;
        world_turn(&world);
        world_head(&world, b->w.stream, "200", true);
        world_turn(&world);
        expect_answer(b, 200, "");
        works_on();

        /* What was not written was not sent; what was, may have been processed. */
        a = world_get(&world);
        world_turn(&world);
        world.transport->jammed = true;
        b = world_get(&world);
        world_turn(&world);
        world.fd = safe_close(world.fd);
        world_turn(&world);
        assert_true(world.closed);
        expect_end(a, HTTP_WORK_BROKEN, "closed the connection");
        expect_end(b, HTTP_WORK_UNSENT, "closed the connection");
        world_end(&world);

        /* A write fails at once. */
        begin();
        world.transport->broken = true;
        a = world_get(&world);
        world_turn(&world);
        assert_true(world.closed);
        expect_end(a, HTTP_WORK_UNSENT, "Broken pipe");
        world_end(&world);
}

/* TLS has bytes that epoll does not show: they are read, some in each turn. */
static void test_hidden(void **state _unused_) {
        Work *k;

        begin();
        world.transport->hides = true;
        world.transport->read_max = 100;
        k = world_get(&world);
        world_turn(&world);
        world_head(&world, 1, "200", false);
        for (unsigned i = 0; i < 3; i++)
                world_frame(&world, NGHTTP2_DATA, 0, 1, text(), 10000);
        world_data(&world, 1, "", true);
        assert_int_equal(sd_event_run(loop_event(world.loop), 0), 1);
        assert_int_equal(k->n_ends, 0);
        assert_true(world.transport->n_reads < 2 * HTTP2_READS_MAX);
        world_turn(&world);
        expect_end(k, HTTP_WORK_COMPLETE, "");
        assert_int_equal(k->body.n, 30000);

        /* A connection that is closed is not read any more. */
        k = world_get(&world);
        world_turn(&world);
        world_head(&world, k->w.stream, "200", false);
        for (unsigned i = 0; i < 3; i++)
                world_frame(&world, NGHTTP2_DATA, 0, k->w.stream, text(), 10000);
        assert_int_equal(sd_event_run(loop_event(world.loop), 0), 1);
        world_end(&world);
}

/* --- cancelling, at every stage --- */

static void test_cancel(void **state _unused_) {
        enum { STARTED, SENT, HEAD, DATA, PAUSED, UPLOADING, DRAINING, N_STAGES };
        Frame f;

        for (unsigned stage = 0; stage < N_STAGES; stage++) {
                Work *k, *other;

                begin();
                other = world_get(&world);
                k = stage == UPLOADING ? upload(N_TEXT, N_TEXT) : world_work(&world);
                assert_int_equal(world_start(&world, k), 0);
                if (stage >= SENT)
                        world_turn(&world);
                if (stage >= HEAD)
                        world_head(&world, 3, "200", false);
                if (stage >= DATA)
                        world_data(&world, 3, "abc", false);
                k->w.paused = stage >= PAUSED;
                if (stage >= SENT)
                        world_turn(&world);
                if (stage == DRAINING)
                        http2_drain(world.c);
                world_cancel(&world, k);
                assert_int_equal(http2_n_works(world.c), 1);
                /* What is on its way to it. */
                if (stage >= HEAD) {
                        world_data(&world, 3, "def", false);
                        world_data(&world, 3, "ghi", true);
                }
                world_turn(&world);
                if (stage == STARTED) {
                        while (world_next(&world, &f))
                                assert_int_not_equal(f.stream, 3);
                        assert_int_equal(k->n_sent, 0);
                } else
                        expect_reset(3);
                world_head(&world, 1, "200", true);
                world_turn(&world);
                expect_answer(other, 200, "");
                assert_int_equal(world.closed, stage == DRAINING);
                if (stage != DRAINING)
                        works_on();
                world_end(&world);
        }
}

static void test_aborts(void **state _unused_) {
        for (unsigned i = 0; i < 3; i++) {
                Work *k;

                begin();
                k = world_get(&world);
                k->fail_header = i == 0;
                k->fail_head = i == 1;
                k->fail_data = i == 2;
                world_turn(&world);
                world_head(&world, 1, "200", false);
                world_data(&world, 1, "abc", true);
                world_turn(&world);
                expect_end(k, HTTP_WORK_ABORTED, "not wanted");
                assert_int_equal(k->w.status, i == 0 ? 0 : 200);
                expect_reset(1);
                works_on();
                world_end(&world);
        }
}

/* --- silence --- */

static void test_silence(void **state _unused_) {
        usec_t begun = 1000 * USEC_PER_SEC;
        Work *k;
        Frame f;

        fake.now = begun;
        begin();
        pass(USEC_PER_HOUR); /* without a stream there is no PING, and no timer */
        assert_false(timer_is_on());
        k = world_get(&world);
        world_turn(&world);
        while (world_next(&world, &f))
                ;
        pass(4900 * USEC_PER_MSEC);
        expect_no_frame();
        pass(200 * USEC_PER_MSEC);
        expect_frame(NGHTTP2_PING, 0, 0);
        pass(USEC_PER_SEC);
        world_frame(&world, NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "\0\0\0\0\0\0\0", 8);
        world_turn(&world);
        pass(4900 * USEC_PER_MSEC);
        expect_no_frame();
        /* Whatever comes is a sign of life. */
        pass(200 * USEC_PER_MSEC);
        expect_frame(NGHTTP2_PING, 0, 0);
        world_head(&world, 1, "200", false);
        world_turn(&world);
        for (unsigned i = 0; i < 30; i++) {
                pass(USEC_PER_SEC);
                world_data(&world, 1, "x", false);
                world_turn(&world);
        }
        expect_no_frame();
        pass(9900 * USEC_PER_MSEC);
        assert_false(world.closed);
        pass(200 * USEC_PER_MSEC);
        assert_true(world.closed);
        expect_end(k, HTTP_WORK_BROKEN, "PING");
        world_end(&world);

        /* A stream ends: the timer fires once more. */
        begin();
        works_on();
        assert_true(timer_is_on());
        pass(6 * USEC_PER_SEC);
        assert_false(timer_is_on());
        while (world_next(&world, &f))
                assert_int_not_equal(f.type, NGHTTP2_PING);
        works_on();
        world_end(&world);

        /* It sends, but reads nothing. */
        begin();
        k = world_get(&world);
        world.transport->jammed = true;
        for (unsigned i = 0; i < 29; i++) {
                pass(USEC_PER_SEC);
                world_frame(&world, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4);
                world_turn(&world);
        }
        assert_false(world.closed);
        world_turn(&world);
        pass(2 * USEC_PER_SEC);
        assert_true(world.closed);
        expect_end(k, HTTP_WORK_UNSENT, "reads nothing");
        world_end(&world);
        fake.now = 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_ask),
                cmocka_unit_test(test_pause),
                cmocka_unit_test(test_all_paused),
                cmocka_unit_test(test_upload),
                cmocka_unit_test(test_upload_fails),
                cmocka_unit_test(test_jammed),
                cmocka_unit_test(test_hidden),
                cmocka_unit_test(test_cancel),
                cmocka_unit_test(test_aborts),
                cmocka_unit_test(test_silence),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
