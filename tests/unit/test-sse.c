/* SPDX-License-Identifier: MIT */

/*
 * One table of streams and the events in them; each stream is fed whole, byte by byte, and torn in two at
 * every position and in three at every pair of positions: what comes out must always be the same.
 */
#include "test.h"

#include <glob.h>

#include "core/sse.h"

#define EVENT_MAX 64U
#define STRAY_MAX 55U

#define S(text) text, sizeof(text) - 1

typedef struct Row {
        const char *stream;
        size_t n;
        const char *events; /* each in <> */
        size_t n_events;
        const char *last;  /* passed on when the stream ends, in <> too; NULL: nothing */
        const char *stray; /* NULL: no line */
        int r;
} Row;

#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

static const Row rows[] = {
        { S(""), S("") },
        { S("data: a\n\n"), S("<a>") },
        { S("data: a\r\n\r\n"), S("<a>") },
        { S("data: a\r\r"), S("<a>") },
        { S("data: a\r\n\n"), S("<a>") },
        { S("data: a\n\r\n"), S("<a>") },
        { S("data: a\r\n\rdata: b\n\n"), S("<a><b>") },
        { S("data: a\n\ndata: b\n\n"), S("<a><b>") },
        { S("data: {\"a\":1}\r\n\r\ndata: {\"b\":2}\r\n\r\n"), S("<{\"a\":1}><{\"b\":2}>") },
        /* one blank behind the colon is not data, more are */
        { S("data:a\n\n"), S("<a>") },
        { S("data:  a \n\n"), S("< a >") },
        { S("data:\ta\n\n"), S("<\ta>") },
        /* several lines are one event */
        { S("data: a\ndata: b\n\n"), S("<a\nb>") },
        { S("data: a\rdata: b\r\r"), S("<a\nb>") },
        { S("data: a\ndata:\ndata: b\n\n"), S("<a\n\nb>") },
        { S("data: a\nid: 7\ndata: b\n\n"), S("<a\nb>") },
        /* no data, and data of white space alone, is no event */
        { S("data:\n\n"), S("") },
        { S("data\n\n"), S("") },
        { S("data\ndata\n\n"), S("") },
        { S("data: \n\n"), S("") },
        { S("data:  \t \n\n"), S("") },
        { S("data:\r\n\r\n"), S("") },
        { S("data: a\n\ndata:\n\ndata: b\n\n"), S("<a><b>") },
        { S("\n\n\n"), S("") },
        { S("event: x\n\n"), S("") },
        { S("event: x\n\ndata: a\n\n"), S("<a>") },
        /* comments and the other fields pass by */
        { S(": ping\n\n"), S("") },
        { S(": ping\n\ndata: a\n\n"), S("<a>") },
        { S(":data: no\ndata: a\n\n"), S("<a>") },
        { S("event: message\nid: 1\nretry: 5\ndata: a\n\n"), S("<a>") },
        { S("event\nid\nretry\n:\ndata: a\n\n"), S("<a>") },
        /* a line that is no field is kept */
        { S("database: no\ndat: no\nDATA: no\n data: no\ndata : no\n\n"), S(""),
          .stray = "database: no\ndat: no\nDATA: no\n data: no\ndata : no\n" },
        { S("no colon at all\ndata: a\n\n"), S("<a>"), .stray = "no colon at all\n" },
        { S("events: x\nids\nretr: y\n\n"), S(""), .stray = "events: x\nids\nretr: y\n" },
        { S("data: a\n\n{\r\n  \"error\": {}\r\n}"), S("<a>"), .stray = "{\n  \"error\": {}\n}\n" },
        { S("data: a\n{}\ndata: b\n\n"), S("<a\nb>"), .stray = "{}\n" },
        { S(X16 X16 "\n" X16 X16 "\n" X16 "\n"), S(""), .stray = X16 X16 "\n" X16 "xxxxx\n" },
        /* a colon in the value, and what looks like a field inside of it */
        { S("data: a: b: c\n\n"), S("<a: b: c>") },
        { S("data: data: x\n\n"), S("<data: x>") },
        { S("data: [DONE]\n\n"), S("<[DONE]>") },
        /* a byte order mark counts at the very beginning only */
        { S("\xEF\xBB\xBF"
            "data: a\n\n"),
          S("<a>") },
        { S("\xEF\xBB\xBF\n\xEF\xBB\xBF"
            "data: a\n\ndata: b\n\n"),
          S("<b>"), .stray = "\xEF\xBB\xBF" "data: a\n" },
        { S("\xEF\xBB"
            "data: a\n\ndata: b\n\n"),
          S("<b>"), .stray = "\xEF\xBB" "data: a\n" },
        /* bytes are bytes */
        { S("data: a\0b\n\n"), S("<a\0b>") },
        { S("data: h\xC3\xA9\xE2\x82\xAC\n\n"), S("<h\xC3\xA9\xE2\x82\xAC>") },
        { S("data: \xFF\xFE\n\n"), S("<\xFF\xFE>") },
        /* the stream ends where it should not */
        { S("data: a"), S(""), "<a>" },
        { S("data: a\n"), S(""), "<a>" },
        { S("data: a\r"), S(""), "<a>" },
        { S("data: a\n\ndata: b\ndata: c"), S("<a>"), "<b\nc>" },
        { S("data: a\n\ndata"), S("<a>") },
        { S("data: a\n\ndata: "), S("<a>") },
        { S("data: a\n\n: ping"), S("<a>") },
        { S("data: a\n\nd"), S("<a>"), .stray = "d\n" },
        { S("data: a\n\nevent: b"), S("<a>") },
        { S("data: a\n\n\n"), S("<a>") },
        { S("data: a\r\n\r"), S("<a>") }, /* the missing LF does not matter */
        /* the ceiling: 64 bytes of data pass, however they are spread */
        { S("data: " X64 "\n\n"), S("<" X64 ">") },
        { S("\xEF\xBB\xBF"
            "data: " X64 "\n\n"),
          S("<" X64 ">") },
        { S("data: " X64 "x\n\n"), S(""), .r = -E2BIG },
        { S("data:" X64 "x\n\n"), S(""), .r = -E2BIG },
        { S("data: a\n\ndata: " X64 "x\n\ndata: b\n\n"), S("<a>"), .r = -E2BIG },
        { S("data: " X16 X16 X16 "\ndata: "
            "xxxxxxxxxxxxxxx\n\n"),
          S("<" X16 X16 X16 "\nxxxxxxxxxxxxxxx>") },
        { S("data: " X16 X16 X16 "\ndata: " X16 "\n\n"), S(""), .r = -E2BIG },
        { S(":" X64 "12345678\ndata: a\n\n"), S("<a>") },
        { S(":" X64 "123456789\ndata: a\n\n"), S(""), .r = -E2BIG },
        { S(":" X64 X64), S(""), .r = -E2BIG },
};

typedef struct Events {
        char text[512];
        size_t n;
} Events;

static void put(Events *e, const char *p, size_t n) {
        assert_true(e->n + n <= sizeof(e->text));
        memcpy(e->text + e->n, p, n);
        e->n += n;
}

static int on_event(const char *data, size_t n, void *userdata) {
        put(userdata, "<", 1);
        put(userdata, data, n);
        put(userdata, ">", 1);
        return 0;
}

/* Each piece is in a separate allocation that ends with it and is freed afterwards, so that a read beyond
 * it is found. */
static int feed(Sse *s, const char *p, size_t n, Events *e) {
        char *piece = malloc(n > 0 ? n : 1);
        int r;

        assert_non_null(piece);
        memcpy(piece, p, n);
        r = sse_feed(s, piece, n, on_event, e);
        memset(piece, '!', n);
        free(piece);
        return r;
}

/* What there is when the stream has ended. */
static void check_end(Sse *s, const Row *row) {
        Events last = {};

        assert_int_equal(sse_end(s, on_event, &last), 0);
        assert_int_equal(last.n, row->last ? strlen(row->last) : 0);
        assert_memory_equal(last.text, row->last ?: "", last.n);
        assert_int_equal(s->stray.n, row->stray ? strlen(row->stray) : 0);
        if (row->stray)
                assert_memory_equal(buf_data(&s->stray), row->stray, s->stray.n);
}

/* Pieces end at a, at b, and with the stream. */
static void check(const Row *row, size_t a, size_t b) {
        size_t ends[] = { a, b, row->n };
        size_t at = 0;
        Events e = {};
        int r = 0;
        Sse s;

        sse_init(&s, EVENT_MAX, STRAY_MAX);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(ends); i++) {
                r = feed(&s, row->stream + at, ends[i] - at, &e);
                at = ends[i];
        }
        if (r != row->r || e.n != row->n_events || memcmp(e.text, row->events, e.n) != 0)
                print_message("stream %zu torn at %zu and %zu: %d, %.*s\n", (size_t) (row - rows), a, b, r,
                              (int) e.n, e.text);
        assert_int_equal(r, row->r);
        assert_int_equal(e.n, row->n_events);
        assert_memory_equal(e.text, row->events, e.n);
        if (r >= 0)
                check_end(&s, row);
        sse_done(&s);
}

static void test_torn(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t a = 0; a <= rows[i].n; a++)
                        for (size_t b = a; b <= rows[i].n; b++)
                                check(rows + i, a, b);
}

static void test_bytewise(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Events e = {};
                int r = 0;
                Sse s;

                sse_init(&s, EVENT_MAX, STRAY_MAX);
                for (size_t k = 0; r >= 0 && k < rows[i].n; k++)
                        r = feed(&s, rows[i].stream + k, 1, &e);
                assert_int_equal(r, rows[i].r);
                if (r >= 0)
                        check_end(&s, rows + i);
                sse_done(&s);
        }
}

/* --- the streams that other tests keep --- */

static int into_buf(const char *data, size_t n, void *userdata) {
        Buf *b = userdata;

        (void) buf_printf(b, "%zu:", n);
        return buf_append(b, data, n);
}

static void feed_kept(const char *p, size_t n, size_t tear, Buf *events) {
        _cleanup_free_ char *left = malloc(tear + 1), *right = malloc(n - tear + 1);
        Sse s;

        assert_true(left && right);
        memcpy(left, p, tear);
        memcpy(right, p + tear, n - tear);
        sse_init(&s, 1 << 20, 1 << 20);
        assert_int_equal(sse_feed(&s, left, tear, into_buf, events), 0);
        memset(left, '!', tear);
        assert_int_equal(sse_feed(&s, right, n - tear, into_buf, events), 0);
        (void) buf_puts(events, "end:");
        assert_int_equal(sse_end(&s, into_buf, events), 0);
        (void) buf_append(events, s.stray.n > 0 ? buf_data(&s.stray) : "", s.stray.n);
        sse_done(&s);
}

static void test_kept_streams(void **state) {
        static const char *const patterns[] = { TEST_DATA "/golden/*/*.sse",
                                                TEST_DATA "/fuzz/corpus/sse/*" };

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++) {
                glob_t g = {};

                assert_int_equal(glob(patterns[i], 0, NULL, &g), 0);
                for (size_t k = 0; k < g.gl_pathc; k++) {
                        static char stream[64 << 10];
                        _cleanup_buf_ Buf whole = BUF_INIT(1 << 20);
                        FILE *f = fopen(g.gl_pathv[k], "re");
                        size_t n;

                        assert_non_null(f);
                        n = fread(stream, 1, sizeof(stream), f);
                        (void) fclose(f);
                        feed_kept(stream, n, 0, &whole);
                        for (size_t tear = 1; tear <= n; tear++) {
                                _cleanup_buf_ Buf torn = BUF_INIT(1 << 20);

                                feed_kept(stream, n, tear, &torn);
                                if (torn.n != whole.n)
                                        print_message("%s torn at %zu\n", g.gl_pathv[k], tear);
                                assert_int_equal(torn.n, whole.n);
                                if (whole.n > 0)
                                        assert_memory_equal(buf_data(&torn), buf_data(&whole), whole.n);
                        }
                }
                globfree(&g);
        }
}

static const char *seen;

static int remember(const char *data, size_t n, void *userdata) {
        seen = data;
        return 0;
}

static void test_no_copy(void **state) {
        static const char piece[] = "data: first\n\ndata: {\"a\":1}\n\n";
        Sse s;

        sse_init(&s, EVENT_MAX, STRAY_MAX);
        assert_int_equal(sse_feed(&s, piece, sizeof(piece) - 1, remember, NULL), 0);
        assert_ptr_equal(seen, strchr(piece, '{'));
        assert_null(s.data.base);
        assert_null(s.line.base);
        sse_done(&s);
}

static int stop(const char *data, size_t n, void *userdata) {
        return ++*(unsigned *) userdata == 2 ? -ECANCELED : 0;
}

static void test_callback_stops(void **state) {
        static const char piece[] = "data: 1\n\ndata: 2\n\ndata: 3\n\n";
        unsigned n = 0;
        Sse s;

        sse_init(&s, EVENT_MAX, STRAY_MAX);
        assert_int_equal(sse_feed(&s, piece, sizeof(piece) - 1, stop, &n), -ECANCELED);
        assert_int_equal(n, 2);
        sse_done(&s);
}

/* What a big event needed is given back after it. */
static void test_gives_back(void **state) {
        static char piece[300000] = "data: ";
        Events e = {};
        Sse s;

        memset(piece + 6, 'x', sizeof(piece) - 8);
        memcpy(piece + sizeof(piece) - 2, "\n\n", 2);
        sse_init(&s, sizeof(piece), STRAY_MAX);
        assert_int_equal(sse_feed(&s, piece, 1000, remember, NULL), 0);
        assert_int_equal(sse_feed(&s, piece + 1000, sizeof(piece) - 1001, remember, NULL), 0);
        assert_true(s.data.size > 200000);
        assert_int_equal(sse_feed(&s, piece + sizeof(piece) - 1, 1, remember, NULL), 0);
        assert_int_equal(s.data.size + s.line.size, 0);
        assert_int_equal(feed(&s, "data: a\n\n", 9, &e), 0);
        assert_int_equal(e.n, 3);
        sse_done(&s);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_torn),           cmocka_unit_test(test_bytewise),
                cmocka_unit_test(test_kept_streams),   cmocka_unit_test(test_no_copy),
                cmocka_unit_test(test_callback_stops), cmocka_unit_test(test_gives_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
