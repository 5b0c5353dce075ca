/* SPDX-License-Identifier: MIT */

/*
 * A random walk: works start, pause, go on and are cancelled, while a server answers, resets, changes its
 * settings, and ends the connection, and the socket takes and gives pieces of any length. A plain model of
 * the server has a row for each stream: what it has sent in it, and so what the work must have got.
 */

#include "http2-steps.h"

#include "io/http2-internal.h"
#include "walk.h"

#define STEPS 60000U
#define WINDOW (64 << 10)
#define UPLOAD_MAX (120U << 10)

typedef enum Fate { OPEN, COMPLETE, BROKEN, UNSENT } Fate;

typedef struct Row {
        Work *work;
        int32_t stream; /* 0: the server has not seen it */
        bool head, ended;
        size_t n_sent;  /* of the answer's body */
        size_t n_checked;
        int window;     /* for more of it */
        size_t n_got;   /* of the request's body */
        int upload_window;
        bool got_all;
        Fate fate;
} Row;

static struct {
        uint64_t random;
        Row rows[WORKS_MAX];
        unsigned n_rows;
        unsigned max_streams;
        int window; /* of the connection, for the client's bodies */
        int answer_window;
        bool goaway, jammed;
        unsigned n_fates[4], n_worlds, n_cancelled;
} model;

static unsigned any(unsigned n) {
        model.random ^= model.random << 13;
        model.random ^= model.random >> 7;
        model.random ^= model.random << 17;
        return (unsigned) (model.random >> 33) % n;
}

static char byte_of(unsigned work, size_t at) {
        return (char) (work * 31 + at * 7 + at / 251);
}

static void check_bytes(unsigned work, size_t at, const void *p, size_t n) {
        for (size_t i = 0; i < n; i++)
                assert_int_equal(((const char *) p)[i], byte_of(work, at + i));
}

static char *bytes_of(unsigned work, size_t n) {
        char *p = malloc(n + 1);

        assert_non_null(p);
        for (size_t i = 0; i < n; i++)
                p[i] = byte_of(work, i);
        return p;
}

/* --- the server --- */

static Row *row_of_stream(int32_t stream) {
        for (unsigned i = 0; i < model.n_rows; i++)
                if (model.rows[i].stream == stream)
                        return &model.rows[i];
        return NULL;
}

/* Streams are opened in the order in which works were started, except those that never were sent. */
static Row *open_row(int32_t stream) {
        for (unsigned i = 0; i < model.n_rows; i++) {
                Row *r = &model.rows[i];

                if (r->work->w.stream == stream && r->work->n_sent > 0) {
                        assert_int_equal(r->stream, 0);
                        return r;
                }
        }
        fail_msg("a stream %d of no work", stream);
        return NULL;
}

static void take_frame(const Frame *f) {
        Row *r = f->stream > 0 ? row_of_stream(f->stream) : NULL;

        switch (f->type) {
        case NGHTTP2_HEADERS:
                r = open_row(f->stream);
                r->stream = f->stream;
                r->window = WINDOW;
                r->upload_window = 65535;
                r->got_all = f->flags & NGHTTP2_FLAG_END_STREAM;
                break;
        case NGHTTP2_DATA:
                assert_non_null(r);
                check_bytes((unsigned) (r - model.rows), r->n_got, f->p, f->n);
                r->n_got += f->n;
                r->upload_window -= (int) f->n;
                model.window -= (int) f->n;
                assert_true(r->upload_window >= 0 && model.window >= 0 && !r->got_all);
                r->got_all = f->flags & NGHTTP2_FLAG_END_STREAM;
                if (r->got_all && r->work->n_ends == 0 && !r->work->cancelled)
                        assert_int_equal(r->n_got, r->work->n_upload);
                break;
        case NGHTTP2_RST_STREAM:
                assert_non_null(r);
                r->ended = true;
                break;
        case NGHTTP2_WINDOW_UPDATE:
                if (f->stream == 0)
                        model.answer_window += (int) frame_number(f);
                else if (r) {
                        r->window += (int) frame_number(f);
                        assert_true(r->window <= WINDOW);
                }
                break;
        default:
                break;
        }
}

static Row *open_stream(void) {
        for (unsigned i = 0; i < 8 && model.n_rows > 0; i++) {
                Row *r = &model.rows[any(model.n_rows)];

                if (r->stream > 0 && !r->ended)
                        return r;
        }
        return NULL;
}

static void server_data(Row *r) {
        size_t n = any(16385);
        char *p;

        if (!r->head)
                return;
        n = MIN(n, (size_t) MAX(r->window, 0));
        n = MIN(n, (size_t) MAX(model.answer_window, 0));
        p = bytes_of((unsigned) (r - model.rows), r->n_sent + n);
        r->ended = any(4) == 0;
        world_frame(&world, NGHTTP2_DATA, r->ended ? NGHTTP2_FLAG_END_STREAM : 0, r->stream, p + r->n_sent,
                    n);
        free(p);
        r->n_sent += n;
        r->window -= (int) n;
        model.answer_window -= (int) n;
        if (r->ended)
                r->fate = COMPLETE;
}

static void server_reset(Row *r) {
        unsigned code = any(4) == 0 ? NGHTTP2_REFUSED_STREAM : any(14);
        const unsigned char p[] = { 0, 0, 0, (unsigned char) code };

        world_frame(&world, NGHTTP2_RST_STREAM, 0, r->stream, p, sizeof(p));
        r->ended = true;
        r->fate = code == NGHTTP2_REFUSED_STREAM && !r->head ? UNSENT : BROKEN;
}

static void server_stream(Row *r) {
        static const unsigned char window[] = { 0, 0, 0x40, 0 };

        switch (any(8)) {
        case 0:
                if (!r->head) {
                        r->head = true;
                        r->ended = any(6) == 0;
                        world_head(&world, r->stream, "200", r->ended);
                        if (r->ended)
                                r->fate = COMPLETE;
                }
                break;
        case 1:
        case 2:
        case 3:
                server_data(r);
                break;
        case 4:
                if (any(6) == 0)
                        server_reset(r);
                break;
        case 5:
                if (r->head) {
                        world_frame(&world, NGHTTP2_HEADERS, 5, r->stream, B("\0\1x\1y"));
                        r->ended = true;
                        r->fate = COMPLETE;
                }
                break;
        default:
                if (!r->got_all && r->upload_window < 1 << 20) {
                        world_frame(&world, NGHTTP2_WINDOW_UPDATE, 0, r->stream, window, sizeof(window));
                        r->upload_window += 0x4000;
                }
        }
}

static void server_connection(void) {
        switch (any(6)) {
        case 0:
                world_frame(&world, NGHTTP2_PING, 0, 0, "........", 8);
                break;
        case 1:
                model.max_streams = any(3) == 0 ? any(5) : 5 + any(60);
                world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, model.max_streams);
                break;
        case 2:
                if (any(30) == 0 && !model.goaway) {
                        model.goaway = true;
                        world_frame(&world, NGHTTP2_GOAWAY, 0, 0, B("\177\377\377\377\0\0\0\0"));
                }
                break;
        default:
                if (model.window < 1 << 20) {
                        world_frame(&world, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\1\0\0", 4);
                        model.window += 0x10000;
                }
        }
}

/* --- the works --- */

static void start_work(void) {
        size_t room = http2_room(world.c);
        Row *r = &model.rows[model.n_rows];
        Work *k;

        if (room == 0 || model.n_rows >= WORKS_MAX - 1)
                return;
        k = world_work(&world);
        *r = (Row){ .work = k };
        if (any(3) == 0) {
                size_t n = any(UPLOAD_MAX);

                work_upload(k, bytes_of(model.n_rows, n), n, any(2) ? n : SIZE_MAX);
                k->n_ready = any(2) ? n : any((unsigned) n + 1);
        }
        model.n_rows++;
        assert_int_equal(world_start(&world, k), 0);
        assert_int_equal(http2_room(world.c), room - 1);
}

static void change_work(void) {
        Work *k = model.n_rows > 0 ? model.rows[any(model.n_rows)].work : NULL;

        if (!k || !k->w.connection)
                return;
        switch (any(6)) {
        case 0:
                if (any(3) > 0)
                        return;
                world_cancel(&world, k);
                model.n_cancelled++;
                break;
        case 1:
                k->w.paused = true;
                break;
        case 2:
                k->n_ready += any(30000);
                k->n_ready = MIN(k->n_upload, k->n_ready);
                http2_continue(world.c, &k->w);
                break;
        default:
                if (k->w.paused) {
                        k->w.paused = false;
                        http2_continue(world.c, &k->w);
                }
        }
}

/* --- what must hold --- */

static void check_row(Row *r) {
        unsigned i = (unsigned) (r - model.rows);
        Work *k = r->work;
        Fate fate;

        if (k->cancelled)
                return;
        check_bytes(i, r->n_checked, buf_data(&k->body) + r->n_checked, k->body.n - r->n_checked);
        r->n_checked = k->body.n;
        if (k->n_ends == 0) {
                assert_int_equal(r->fate, OPEN);
                assert_int_equal(k->body.n, r->n_sent);
                assert_int_equal(k->w.status, r->head ? 200 : 0);
                return;
        }
        fate = k->end == HTTP_WORK_COMPLETE ? COMPLETE : k->end == HTTP_WORK_UNSENT ? UNSENT : BROKEN;
        if (r->stream == 0) /* the server takes no more, or the connection has ended */
                assert_int_equal(fate, UNSENT);
        else
                assert_int_equal(fate, r->fate);
        if (fate == COMPLETE)
                assert_int_equal(k->body.n, r->n_sent);
}

static void settle(void) {
        size_t n_open = 0;
        Frame f;

        world_turn(&world);
        while (world_next(&world, &f))
                take_frame(&f);
        if (model.jammed)
                return;
        for (unsigned i = 0; i < model.n_rows; i++) {
                check_row(&model.rows[i]);
                n_open += model.rows[i].work->w.connection != NULL;
        }
        assert_int_equal(http2_n_works(world.c), n_open);
        assert_int_equal(world.closed, model.goaway && n_open == 0);
        if (world.closed || model.goaway)
                assert_int_equal(http2_room(world.c), 0);
}

static void new_world(void) {
        world_begin(&world);
        world_settings(&world, 0, 0);
        world_turn(&world);
        model.n_rows = 0;
        model.goaway = model.jammed = false;
        model.window = 65535;
        model.answer_window = HTTP2_WINDOW;
        model.n_worlds++;
}

static void end_world(bool eof) {
        world.transport->jammed = model.jammed = false;
        settle();
        if (eof && !world.closed) {
                world.fd = safe_close(world.fd);
                for (unsigned i = 0; i < model.n_rows; i++)
                        if (model.rows[i].fate == OPEN)
                                model.rows[i].fate = BROKEN;
                world_turn(&world);
                assert_true(world.closed);
                for (unsigned i = 0; i < model.n_rows; i++)
                        check_row(&model.rows[i]);
        }
        for (unsigned i = 0; i < model.n_rows; i++) {
                model.n_fates[model.rows[i].fate]++;
                free((char *) (uintptr_t) model.rows[i].work->upload);
        }
        world_end(&world);
}

static void step(void) {
        Row *r;

        switch (any(10)) {
        case 0:
        case 1:
                start_work();
                break;
        case 2:
        case 3:
                change_work();
                break;
        case 4:
        case 5:
        case 6:
                r = open_stream();
                if (r)
                        server_stream(r);
                break;
        case 7:
                if (any(4) == 0)
                        server_connection();
                break;
        case 8:
                world.transport->read_max = any(3) == 0 ? 1 + any(1000) : 0;
                world.transport->write_max = any(3) == 0 ? 1 + any(3000) : 0;
                world.transport->jammed = model.jammed = any(8) == 0;
                break;
        default:
                settle();
        }
}

static void test_walk(void **state _unused_) {
        unsigned n = walk_steps(STEPS);

        model.random = 0x9e3779b97f4a7c15 + walk_seed(1);
        new_world();
        for (unsigned i = 0; i < n; i++) {
                step();
                if (world.closed || model.n_rows >= WORKS_MAX - 2 || any(2000) == 0) {
                        end_world(any(2));
                        new_world();
                }
        }
        end_world(true);
        print_message("           %u connections, works: %u complete, %u broken, %u unsent, %u cancelled\n",
                      model.n_worlds, model.n_fates[COMPLETE], model.n_fates[BROKEN], model.n_fates[UNSENT],
                      model.n_cancelled);
        assert_true(model.n_worlds > 5 && model.n_fates[COMPLETE] > 100 && model.n_fates[UNSENT] > 5);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
