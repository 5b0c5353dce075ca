/* SPDX-License-Identifier: MIT */

/*
 * A server of HTTP/2 that means harm, or is broken: every frame at every moment, floods, memory that runs
 * out. A connection may be closed by that, but a work ends at most once and with a verdict that is true,
 * nothing grows without a bound, and what goes on is in order.
 */

#include "http2-steps.h"

#include "io/http2-internal.h"

/* --- memory: each allocation of src/io and of libnghttp2 is counted, and one may fail --- */

static struct {
        bool on;
        unsigned n, fails_at;
        bool saw_secret;
} memory;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void __real_free(void *p);
void __wrap_free(void *p);
size_t malloc_usable_size(void *p);

static bool fails(void) {
        return memory.on && ++memory.n == memory.fails_at;
}

void *__wrap_malloc(size_t n) {
        return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n) {
        return fails() ? NULL : __real_realloc(p, n);
}

void __wrap_free(void *p) {
        if (p && memory.on && memmem(p, malloc_usable_size(p), SECRET, strlen(SECRET)))
                memory.saw_secret = true;
        __real_free(p);
}

/* --- every frame at every moment --- */

typedef enum Moment {
        BEFORE_SETTINGS, /* of the server */
        IDLE,            /* no stream so far */
        SENT,            /* a request, in stream 1 */
        HEAD,            /* of its answer */
        BODY,            /* some of it */
        PAUSED,          /* and the work takes no more */
        UPLOADING,       /* the request waits for a window */
        ANSWERED,        /* likewise, and its answer is complete */
        DONE,            /* request and answer are complete */
        CANCELLED,
        DRAINING,        /* after GOAWAY */
        N_MOMENTS,
} Moment;

typedef struct FrameRow {
        const char *name;
        const char *payload;
        size_t n;
        unsigned type, flags;
        /* A letter for each moment, of the frame in stream 1, in 0, in 99 (which is idle), and in 2 (the
         * server's own). -: nothing happens; S: the work ends; +: it is complete; U: it is unsent; X: the
         * connection ends. */
        const char *one, *zero, *idle, *even;
} FrameRow;

#define FATAL "XXXXXXXXXXX"

static const FrameRow frames[] = {
        { "DATA, empty", B(""), 0, 0, "XXX---X---X", FATAL, FATAL, FATAL },
        { "DATA", B("x"), 0, 0, "XXX---X---X", FATAL, FATAL, FATAL },
        { "DATA, the end", B("x"), 0, 1, "XXX+++X---X", FATAL, FATAL, FATAL },
        { "DATA, empty, the end", B(""), 0, 1, "XXX+++X---X", FATAL, FATAL, FATAL },
        { "DATA, padding alone", B("\2\0\0"), 0, 8, "XXX---X---X", FATAL, FATAL, FATAL },
        { "DATA, too much padding", B("\3\0\0"), 0, 8, "XXXXXXX---X", FATAL, FATAL, FATAL },
        { "DATA, no padding's length", B(""), 0, 8, "XXXXXXX---X", FATAL, FATAL, FATAL },
        { "HEADERS", B("\x88"), 1, 4, "XX-SSS-----", FATAL, FATAL, FATAL },
        { "HEADERS, the end", B("\x88"), 1, 5, "XX+SSS+---X", FATAL, FATAL, FATAL },
        { "HEADERS, not the last ones", B("\x88"), 1, 0, "XX-SSS-----", FATAL, FATAL, FATAL },
        { "HEADERS, trailers", B("\0\1x\1y"), 1, 5, "XXS+++S---X", FATAL, FATAL, FATAL },
        { "HEADERS, a request", B("\x82\x86\x84"), 1, 5, "XXSSSSS---X", FATAL, FATAL, FATAL },
        { "HEADERS, empty", B(""), 1, 5, "XXS+++S---X", FATAL, FATAL, FATAL },
        { "HEADERS, no HPACK", B("\377\377\377"), 1, 4, FATAL, FATAL, FATAL, FATAL },
        { "HEADERS, priority cut off", B("\0\0"), 1, 0x24, FATAL, FATAL, FATAL, FATAL },
        { "PRIORITY", B("\0\0\0\0\1"), 2, 0, "X----------", FATAL, "X----------", "X----------" },
        { "PRIORITY, cut off", B("\0\0\0\0"), 2, 0, FATAL, FATAL, FATAL, FATAL },
        { "RST_STREAM", B("\0\0\0\0"), 3, 0, "XXSSSSS---X", FATAL, FATAL, FATAL },
        { "RST_STREAM, refused", B("\0\0\0\7"), 3, 0, "XXUSSSU---X", FATAL, FATAL, FATAL },
        { "RST_STREAM, cut off", B("\0\0\0"), 3, 0, FATAL, FATAL, FATAL, FATAL },
        { "SETTINGS", B(""), 4, 0, FATAL, "-----------", FATAL, FATAL },
        { "SETTINGS, the answer", B(""), 4, 1, FATAL, FATAL, FATAL, FATAL },
        { "SETTINGS, an answer with some", B("\0\4\0\0\0\0"), 4, 1, FATAL, FATAL, FATAL, FATAL },
        { "SETTINGS, cut off", B("\0\4\0\0\0"), 4, 0, FATAL, FATAL, FATAL, FATAL },
        { "SETTINGS, a window too large", B("\0\4\377\377\377\377"), 4, 0, FATAL, FATAL, FATAL, FATAL },
        { "SETTINGS, windows of 0", B("\0\4\0\0\0\0"), 4, 0, FATAL, "-----------", FATAL, FATAL },
        { "SETTINGS, frames too small", B("\0\5\0\0\0\0"), 4, 0, FATAL, FATAL, FATAL, FATAL },
        { "SETTINGS, a push", B("\0\2\0\0\0\1"), 4, 0, FATAL, FATAL, FATAL, FATAL },
        { "SETTINGS, no table", B("\0\1\0\0\0\0"), 4, 0, FATAL, "-----------", FATAL, FATAL },
        { "SETTINGS, no streams", B("\0\3\0\0\0\0"), 4, 0, FATAL, "-----------", FATAL, FATAL },
        { "SETTINGS, unknown", B("\252\252\0\0\0\0"), 4, 0, FATAL, "-----------", FATAL, FATAL },
        { "PUSH_PROMISE", B("\0\0\0\2\x82"), 5, 4, FATAL, FATAL, FATAL, FATAL },
        { "PING", B("........"), 6, 0, FATAL, "X----------", FATAL, FATAL },
        { "PING, an answer", B("........"), 6, 1, FATAL, "X----------", FATAL, FATAL },
        { "PING, cut off", B("......."), 6, 0, FATAL, FATAL, FATAL, FATAL },
        { "GOAWAY, none", B("\0\0\0\0\0\0\0\0"), 7, 0, FATAL, FATAL, FATAL, FATAL },
        { "GOAWAY, of stream 1", B("\0\0\0\1\0\0\0\0"), 7, 0, FATAL, "XX-----XXX-", FATAL, FATAL },
        { "GOAWAY, of all", B("\177\377\377\377\0\0\0\0"), 7, 0, FATAL, "XX-----XXXX", FATAL, FATAL },
        { "GOAWAY, of stream 2", B("\0\0\0\2\0\0\0\0"), 7, 0, FATAL, FATAL, FATAL, FATAL },
        { "GOAWAY, with a reason", B("\0\0\0\1\0\0\0\13enough"), 7, 0, FATAL, "XX-----XXX-", FATAL, FATAL },
        { "GOAWAY, cut off", B("\0\0\0\1\0\0\0"), 7, 0, FATAL, FATAL, FATAL, FATAL },
        { "WINDOW_UPDATE", B("\0\0\0\1"), 8, 0, "XX---------", "X----------", FATAL, FATAL },
        { "WINDOW_UPDATE, of 0", B("\0\0\0\0"), 8, 0, "XXXXXXX---X", FATAL, FATAL, FATAL },
        { "WINDOW_UPDATE, too much", B("\177\377\377\377"), 8, 0,
          "XXSSSS----X", "XXXXXX--XXX", FATAL, FATAL },
        { "WINDOW_UPDATE, cut off", B("\0\0\0"), 8, 0, FATAL, FATAL, FATAL, FATAL },
        { "CONTINUATION", B("\x88"), 9, 4, FATAL, FATAL, FATAL, FATAL },
        { "ALTSVC", B("\0\0x"), 10, 0, "X----------", "X----------", "X----------", "X----------" },
        { "unknown", B("xyz"), 0xfb, 0xff, "X----------", "X----------", "X----------", "X----------" },
};

static void reach(Moment m) {
        Work *k;

        world_begin(&world);
        if (m != BEFORE_SETTINGS)
                world_settings(&world, 0, 0);
        if (m == IDLE) {
                world_turn(&world);
                return;
        }
        k = world_work(&world);
        if (m == UPLOADING || m == ANSWERED)
                work_upload(k, text(), N_TEXT, N_TEXT);
        assert_int_equal(world_start(&world, k), 0);
        world_turn(&world);
        if (m == HEAD || m == BODY || m == PAUSED)
                world_head(&world, 1, "200", false);
        k->w.paused = m == PAUSED;
        if (m == BODY || m == PAUSED)
                world_data(&world, 1, "abc", false);
        if (m == ANSWERED || m == DONE)
                world_head(&world, 1, "200", true);
        if (m == DRAINING)
                world_frame(&world, NGHTTP2_GOAWAY, 0, 0, B("\0\0\0\1\0\0\0\0"));
        world_turn(&world);
        if (m == CANCELLED)
                world_cancel(&world, k);
        world_turn(&world);
        assert_false(world.closed);
}

static char outcome(void) {
        static const char letters[] = { '+', 'S', 'A', 'U', '?' };
        Work *k = &world.works[0];

        if (world.closed)
                return 'X';
        return world.n_works > 0 && k->n_ends > 0 ? letters[k->end] : '-';
}

static void try_row(const FrameRow *f, int32_t stream, const char *want) {
        char got[N_MOMENTS + 1] = "";

        for (Moment m = 0; m < N_MOMENTS; m++) {
                bool ended;

                reach(m);
                ended = world.n_works > 0 && world.works[0].n_ends > 0;
                world_frame(&world, f->type, f->flags, stream, f->payload, f->n);
                world_turn(&world);
                got[m] = ended && !world.closed ? '-' : outcome();
                /* What is still open is in order. */
                if (!world.closed && m != DRAINING && m != BEFORE_SETTINGS &&
                    http2_room(world.c) > 0 &&
                    !(f->type == NGHTTP2_HEADERS && !(f->flags & NGHTTP2_FLAG_END_HEADERS)))
                        works_on();
                if (!world.closed && m != IDLE && world.works[0].w.connection) {
                        world.fd = safe_close(world.fd);
                        world_turn(&world);
                        assert_true(world.closed);
                        expect_end(&world.works[0], HTTP_WORK_BROKEN, "");
                }
                world_end(&world);
        }
        if (!streq(got, want))
                fail_msg("%s in stream %d: %s, and not %s", f->name, stream, got, want);
}

static void test_frames(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(frames); i++) {
                try_row(&frames[i], 1, frames[i].one);
                try_row(&frames[i], 0, frames[i].zero);
                try_row(&frames[i], 99, frames[i].idle);
                try_row(&frames[i], 2, frames[i].even);
        }
}

/* --- floods --- */

typedef struct Flood {
        const char *name;
        const char *bytes;
        size_t n;
        bool reads_nothing; /* of the answers */
        const char *cause;
} Flood;

static const Flood floods[] = {
        { "PING", B("\0\0\10\6\0\0\0\0\0........"), false, "floods" },
        { "PING, unread", B("\0\0\10\6\0\0\0\0\0........"), true, "PING or SETTINGS" },
        { "PING's answers", B("\0\0\10\6\1\0\0\0\0........"), false, "floods" },
        { "SETTINGS", B("\0\0\0\4\0\0\0\0\0"), false, "floods" },
        { "SETTINGS, unread", B("\0\0\0\4\0\0\0\0\0"), true, "PING or SETTINGS" },
        { "table sizes", B("\0\0\14\4\0\0\0\0\0\0\1\0\0\0\0\0\1\0\0\20\0"), false, "floods" },
        { "windows up and down", B("\0\0\14\4\0\0\0\0\0\0\4\0\0\0\0\0\4\0\0\20\0"), false, "floods" },
        { "WINDOW_UPDATE", B("\0\0\4\10\0\0\0\0\0\0\0\0\1"), false, "floods" },
        { "WINDOW_UPDATE of a stream", B("\0\0\4\10\0\0\0\0\1\0\0\0\1"), false, "floods" },
        { "empty data", B("\0\0\0\0\0\0\0\0\1"), false, "floods" },
        { "padding", B("\0\0\4\0\10\0\0\0\1\3\0\0\0"), false, "floods" },
        { "data for nothing", B("\0\0\1\0\0\0\0\0\3x"), false, "floods" },
        { "RST_STREAM of what is closed", B("\0\0\4\3\0\0\0\0\3\0\0\0\0"), false, "floods" },
        { "PRIORITY", B("\0\0\5\2\0\0\0\0\1\0\0\0\0\1"), false, "floods" },
        { "PRIORITY of what is idle", B("\0\0\5\2\0\0\0\0\143\0\0\0\0\1"), false, "floods" },
        { "unknown frames", B("\0\0\1\373\0\0\0\0\1x"), false, "floods" },
        { "empty heads of what is closed", B("\0\0\0\1\4\0\0\0\3"), false, "floods" },
        { "GOAWAY", B("\0\0\10\7\0\0\0\0\0\177\377\377\377\0\0\0\0"), false, "floods" },
        { "ALTSVC", B("\0\0\3\12\0\0\0\0\1\0\0x"), false, "floods" },
};

/* The answer of a work has begun, and another one is cancelled. The flood is bounded, in frames and in
 * memory. */
static void begin_flood(void) {
        Work *k;

        begin();
        (void) world_get(&world);
        k = world_get(&world);
        world_turn(&world);
        world_head(&world, 1, "200", false);
        world_cancel(&world, k);
        world_turn(&world);
}

static void test_floods(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(floods); i++) {
                const Flood *f = &floods[i];
                size_t most = 0;
                unsigned n;

                print_message("           %s\n", f->name);
                begin_flood();
                world.transport->jammed = f->reads_nothing;
                for (n = 0; n < 5000 && !world.closed; n++) {
                        world_send(&world, f->bytes, f->n);
                        world_turn(&world);
                        most = MAX(most, world.c->memory.n);
                }
                assert_true(world.closed);
                assert_true(n <= HTTP2_FRAMES_BURST + 500);
                assert_true(most < 100000);
                expect_end(&world.works[0], HTTP_WORK_BROKEN, f->cause);
                world_end(&world);
        }
}

/* Heads of 1xx, and CONTINUATIONs that never end. */
static void test_endless_heads(void **state _unused_) {
        unsigned n;

        begin_flood();
        for (n = 0; n < 100 && world.works[0].n_ends == 0; n++)
                world_frame(&world, NGHTTP2_HEADERS, 4, 1, B("\10\3" "103")), world_turn(&world);
        expect_end(&world.works[0], HTTP_WORK_BROKEN, "not valid"); /* the final one has been */
        world_end(&world);

        begin_flood();
        world_frame(&world, NGHTTP2_HEADERS, 0, 1, "", 0);
        for (n = 0; n < 5000 && !world.closed; n++) {
                world_frame(&world, NGHTTP2_CONTINUATION, 0, 1, "", 0);
                world_turn(&world);
        }
        assert_true(world.closed);
        assert_int_equal(world.works[0].end, HTTP_WORK_BROKEN);
        world_end(&world);

        begin_flood();
        world_frame(&world, NGHTTP2_HEADERS, 0, 1, "", 0);
        for (n = 0; n < 100 && !world.closed; n++) {
                world_frame(&world, NGHTTP2_CONTINUATION, 0, 1, text(), 16000);
                world_turn(&world);
        }
        assert_true(n < 10);
        assert_true(world.closed);
        world_end(&world);
}

/* A flood beside answers does not break them: many small frames, and each brings a work on. */
static void test_no_flood(void **state _unused_) {
        Work *k;

        begin();
        for (unsigned i = 0; i < 250; i++) {
                works_on();
                world_frame(&world, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4);
                world_frame(&world, NGHTTP2_PING, 0, 0, "........", 8);
        }
        k = world_get(&world);
        world_turn(&world);
        world_head(&world, k->w.stream, "200", false);
        for (unsigned i = 0; i < 20000; i++) {
                world_data(&world, k->w.stream, "x", false);
                if (i % 20 == 0)
                        world_turn(&world);
        }
        world_data(&world, k->w.stream, "x", true);
        world_turn(&world);
        expect_end(k, HTTP_WORK_COMPLETE, "");
        assert_int_equal(k->body.n, 20001);
        world_end(&world);
}

/* --- memory --- */

/* The connection's allocations count, and not the test's. */
#define COUNTED(call)           \
        do {                    \
                memory.on = true; \
                call;           \
                memory.on = false; \
        } while (0)

/* A conversation with all kinds of ends. Whatever fails in it, works end well or not at all. */
static int converse(void) {
        Work *b, *c, *d;
        int r;

        world_prepare(&world);
        COUNTED(r = world_open(&world));
        if (r < 0)
                return r;
        world_settings(&world, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 100);
        (void) world_work(&world);
        b = world_work(&world);
        c = world_work(&world);
        d = world_work(&world);
        work_upload(b, text(), 1000, 1000);
        for (unsigned i = 0; i < 4; i++) {
                COUNTED(r = world_start(&world, &world.works[i]));
                assert_true(r == 0 || r == -ENOMEM || r == -EAGAIN);
        }
        COUNTED(world_turn(&world));
        world_head(&world, 1, "200", false);
        world_data(&world, 1, "abc", false);
        world_frame(&world, NGHTTP2_PING, 0, 0, "........", 8);
        COUNTED(world_turn(&world));
        if (c->w.connection)
                COUNTED(world_cancel(&world, c));
        if (d->w.connection)
                d->w.paused = true;
        world_head(&world, 3, "404", false);
        world_head(&world, 7, "500", false);
        for (unsigned i = 0; i < 4; i++)
                world_frame(&world, NGHTTP2_DATA, 0, 7, text(), 10000);
        COUNTED(world_turn(&world));
        if (d->w.connection) {
                d->w.paused = false;
                COUNTED(http2_continue(world.c, &d->w));
        }
        COUNTED(world_turn(&world));
        world_data(&world, 1, "d", true);
        world_data(&world, 3, "", true);
        world_frame(&world, NGHTTP2_RST_STREAM, 0, 7, B("\0\0\0\2"));
        world_frame(&world, NGHTTP2_GOAWAY, 0, 0, B("\0\0\0\7\0\0\0\0because"));
        COUNTED(world_turn(&world));
        return 0;
}

static void test_no_memory(void **state _unused_) {
        unsigned n;

        memory.n = memory.fails_at = 0;
        assert_int_equal(converse(), 0);
        assert_true(world.closed);
        for (unsigned i = 0; i < 4; i++)
                assert_int_equal(world.works[i].n_ends, i == 2 ? 0 : 1);
        COUNTED(world_end(&world));
        n = memory.n;
        print_message("           %u allocations\n", n);
        assert_true(n > 50);
        assert_false(memory.saw_secret);
        for (unsigned i = 1; i <= n; i++) {
                int r;

                memory.n = 0;
                memory.fails_at = i;
                r = converse();
                assert_true(r == 0 || r == -ENOMEM);
                for (unsigned j = 0; j < world.n_works; j++)
                        assert_false(world.works[j].w.connection && world.closed);
                COUNTED(world_end(&world));
        }
}

/* What an open stream takes, and a ceiling for what they take together. */
static void test_memory(void **state _unused_) {
        static char path[4000];
        size_t before, each;

        world_begin(&world);
        world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000);
        works_on();
        before = world.c->memory.n;
        for (unsigned i = 0; i < 200; i++)
                (void) world_get(&world);
        world_turn(&world);
        for (int i = 0; i < 200; i++)
                world_head(&world, 3 + 2 * i, "200", false);
        world_turn(&world);
        each = (world.c->memory.n - before) / 200;
        print_message("           %zu bytes for each open stream, %zu for the connection\n",
                      each + sizeof(Http2Stream), before + sizeof(Http2) + HTTP2_RECORD);
        assert_true(each + sizeof(Http2Stream) < 700);
        assert_true(before < 40000);
        world_end(&world);

        /* Requests that the socket does not take have copies of their heads. */
        memset(path, 'p', sizeof(path) - 1);
        path[0] = '/';
        begin();
        world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1000);
        world_turn(&world);
        world.transport->jammed = true;
        for (unsigned i = 0; i < HTTP2_STREAMS_MAX; i++) {
                Work *k = world_work(&world);

                k->w.target = path;
                assert_int_equal(world_start(&world, k), 0);
                world_turn(&world);
        }
        assert_true(world.c->memory.n < 2 << 20);
        assert_false(world.closed);
        world_end(&world);
}

static void test_ceiling(void **state _unused_) {
        Http2Memory m = {};
        nghttp2_mem f = http2_memory_functions(&m);
        char *p, *q;

        assert_null(f.malloc(HTTP2_MEMORY_MAX + 1, f.mem_user_data));
        assert_true(m.refused);
        assert_null(f.calloc(SIZE_MAX / 2, 4, f.mem_user_data));
        p = f.malloc(1000, f.mem_user_data);
        assert_non_null(p);
        memset(p, 'x', 1000);
        p = f.realloc(p, 2000, f.mem_user_data);
        assert_non_null(p);
        assert_int_equal(p[999], 'x');
        assert_true(m.n >= 2000 && m.n < 3000);
        assert_null(f.realloc(p, HTTP2_MEMORY_MAX, f.mem_user_data)); /* both are there for a moment */
        p = f.realloc(p, 10, f.mem_user_data);
        assert_int_equal(p[9], 'x');
        q = f.calloc(10, 10, f.mem_user_data);
        assert_int_equal(q[99], 0);
        f.free(NULL, f.mem_user_data);
        f.free(p, f.mem_user_data);
        f.free(q, f.mem_user_data);
        assert_int_equal(m.n, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_frames),
                cmocka_unit_test(test_floods),
                cmocka_unit_test(test_endless_heads),
                cmocka_unit_test(test_no_flood),
                cmocka_unit_test(test_no_memory),
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_ceiling),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
