/* SPDX-License-Identifier: MIT */

/* A connection of HTTP/2: what works get of it. The server is the test, frame by frame. */

#include "test.h"

#include "http2-steps.h"
#include "io/http2-internal.h"

/* --- requests --- */

/* Name, value, and `!` behind a name that must not be in HPACK's table. */
static void read_head(const Frame *f, Buf *ret) {
        const unsigned char *p = f->p;
        nghttp2_hd_inflater *z;
        size_t n = f->n;
        int flags;

        assert_int_equal(nghttp2_hd_inflate_new(&z), 0);
        do {
                nghttp2_nv nv;
                ssize_t k = nghttp2_hd_inflate_hd2(z, &nv, &flags, p, n, 1);

                assert_true(k >= 0);
                p += k;
                n -= (size_t) k;
                if (flags & NGHTTP2_HD_INFLATE_EMIT)
                        (void) buf_printf(ret, "%.*s%s %.*s\n", (int) nv.namelen, (char *) nv.name,
                                          nv.flags & NGHTTP2_NV_FLAG_NO_INDEX ? "!" : "", (int) nv.valuelen,
                                          (char *) nv.value);
        } while (!(flags & NGHTTP2_HD_INFLATE_FINAL));
        nghttp2_hd_inflate_del(z);
}

static void expect_head(const char *want) {
        _cleanup_buf_ Buf b = BUF_INIT(1 << 16);
        Frame f;

        assert_true(world_find(&world, NGHTTP2_HEADERS, &f));
        assert_true(f.flags & NGHTTP2_FLAG_END_HEADERS);
        read_head(&f, &b);
        assert_string_equal(buf_cstr(&b), want);
}

static void test_get(void **state _unused_) {
        Work *k;
        Frame f;

        begin();
        k = world_get(&world);
        assert_int_equal(k->n_sent, 0);
        world_turn(&world);
        assert_int_equal(k->n_sent, 1);
        assert_true(world_next(&world, &f));
        assert_int_equal(f.type, NGHTTP2_SETTINGS);
        assert_memory_equal(f.p, "\0\2\0\0\0\0", 6); /* ENABLE_PUSH 0 */
        expect_frame(NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0);
        expect_frame(NGHTTP2_WINDOW_UPDATE, 0, 0);
        expect_head(":method GET\n:scheme https\n:authority generativelanguage.googleapis.com\n"
                    ":path /v1beta/models?x=1\nuser-agent gemgate/" GEMGATE_VERSION "\naccept */*\n"
                    "x-goog-api-key! " SECRET "\n");
        world_head(&world, 1, "200", false);
        world_data(&world, 1, "one ", false);
        world_turn(&world);
        assert_int_equal(k->n_ends, 0);
        world_data(&world, 1, "two", true);
        world_turn(&world);
        expect_answer(k, 200, "one two");
        assert_string_equal(buf_cstr(&k->lines), "content-type: text/plain\n");
        works_on();
        world_end(&world);
}

static void test_post(void **state _unused_) {
        static char lines[][32] = { "X-One: 1", "x-two:2" };
        char *headers[] = { lines[0], lines[1] };
        Work *k;
        Frame f;

        begin();
        k = world_work(&world);
        k->w.method = "POST";
        k->w.p.body = "{\"a\":1}";
        k->w.p.n_body = 7;
        k->w.p.headers = headers;
        k->w.p.n_headers = 2;
        assert_int_equal(world_start(&world, k), 0);
        world_turn(&world);
        expect_head(":method POST\n:scheme https\n:authority generativelanguage.googleapis.com\n"
                    ":path /v1beta/models?x=1\nuser-agent gemgate/" GEMGATE_VERSION "\naccept */*\n"
                    "x-goog-api-key! " SECRET "\ncontent-type application/json\ncontent-length 7\n"
                    "x-one 1\nx-two 2\n");
        assert_true(world_next(&world, &f));
        assert_int_equal(f.type, NGHTTP2_DATA);
        assert_int_equal(f.flags, NGHTTP2_FLAG_END_STREAM);
        assert_memory_equal(f.p, "{\"a\":1}", 7);
        world_head(&world, 1, "204", true);
        world_turn(&world);
        expect_answer(k, 204, "");

        /* What is not a header, or no head for a server. */
        k = world_work(&world);
        lines[0][8] = '\n';
        lines[1][5] = 0;
        k->w.p.headers = headers;
        k->w.p.n_headers = 1;
        assert_int_equal(world_start(&world, k), -EINVAL); /* a line's end */
        lines[0][8] = 0;
        k->w.p.n_headers = 2;
        assert_int_equal(world_start(&world, k), -EINVAL); /* no colon */
        k->w.p.n_headers = 0;
        k->w.target = text();
        assert_int_equal(world_start(&world, k), -E2BIG);
        assert_null(k->w.connection);
        works_on();
        world_end(&world);
}

static unsigned n_epoll_ctl;

int __real_epoll_ctl(int epfd, int op, int fd, struct epoll_event *e);
int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *e);

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *e) {
        n_epoll_ctl++;
        return __real_epoll_ctl(epfd, op, fd, e);
}

/* What several requests of a turn send, and the preface, is one record. Requests need no epoll_ctl(). */
static void test_joined(void **state _unused_) {
        Transport *t;

        world_begin(&world);
        t = world.transport;
        n_epoll_ctl = 0;
        for (unsigned i = 0; i < 5; i++)
                (void) world_get(&world);
        world_turn(&world);
        assert_int_equal(t->n_writes, 1);
        world_settings(&world, 0, 0);
        for (unsigned i = 0; i < 5; i++)
                world_head(&world, 1 + 2 * (int) i, "200", true);
        world_turn(&world);
        assert_int_equal(t->n_writes, 2); /* SETTINGS */
        assert_true(t->n_reads <= 2);
        for (unsigned i = 0; i < 5; i++)
                expect_answer(&world.works[i], 200, "");
        works_on();
        assert_int_equal(n_epoll_ctl, 0);
        world_end(&world);
}

/* --- answers: a table --- */

#define STREAM "\0\0\0\1"
#define H(length, flags) "\0\0" length "\1" flags STREAM         /* HEADERS */
#define D(length, flags) "\0\0" length "\0" flags STREAM         /* DATA */
#define RST(code) "\0\0\4\3\0" STREAM "\0\0\0" code
#define GOAWAY(last, code) "\0\0\10\7\0\0\0\0\0\0\0\0" last "\0\0\0" code
#define STATUS(s) "\10\3" s /* a line with the name of the static table */
#define OK200 H("\1", "\4") "\x88"
#define LENGTH(digit) "\x0f\x0d\1" digit

typedef struct AnswerRow {
        const char *name;
        const char *bytes;
        size_t n;
        HttpWorkEnd end;
        int status;
        const char *body; /* or a part of the cause */
        bool eof;
        bool closes; /* the connection carries nothing more */
} AnswerRow;

static const AnswerRow answers[] = {
        { "head alone", B(H("\1", "\5") "\x88"), HTTP_WORK_COMPLETE, 200, "" },
        { "empty data", B(OK200 D("\0", "\1")), HTTP_WORK_COMPLETE, 200, "" },
        { "data", B(OK200 D("\2", "\0") "ab" D("\1", "\1") "c"), HTTP_WORK_COMPLETE, 200, "abc" },
        { "padded data", B(OK200 D("\5", "\11") "\2xy\0\0"), HTTP_WORK_COMPLETE, 200, "xy" },
        { "padding alone", B(OK200 D("\3", "\10") "\2\0\0" D("\1", "\1") "z"), HTTP_WORK_COMPLETE, 200,
          "z" },
        { "priority in the head", B(H("\6", "\45") "\0\0\0\0\1\x88"), HTTP_WORK_COMPLETE, 200, "" },
        { "continuation", B(H("\1", "\1") "\x88" "\0\0\0\11\0" STREAM "\0\0\0\11\4" STREAM),
          HTTP_WORK_COMPLETE, 200, "" },
        { "404", B(H("\1", "\5") "\x8d"), HTTP_WORK_COMPLETE, 404, "" },
        { "status of 999", B(H("\5", "\5") STATUS("999")), HTTP_WORK_COMPLETE, 999, "" },
        { "100 and 103", B(H("\5", "\4") STATUS("100") H("\5", "\4") STATUS("103") OK200 D("\1", "\1") "a"),
          HTTP_WORK_COMPLETE, 200, "a" },
        { "trailers", B(OK200 D("\1", "\0") "a" H("\5", "\5") "\0\1x\1y"), HTTP_WORK_COMPLETE, 200, "a" },
        { "the right length", B(H("\5", "\4") "\x88" LENGTH("2") D("\2", "\1") "ab"), HTTP_WORK_COMPLETE,
          200, "ab" },
        { "frames of unknown types",
          B("\0\0\1\xfb\0" STREAM "x" OK200 "\0\0\0\xaa\377\0\0\0\0" D("\0", "\1")),
          HTTP_WORK_COMPLETE, 200, "" },
        { "RST_STREAM behind the end", B(OK200 D("\1", "\1") "a" RST("\0")), HTTP_WORK_COMPLETE, 200, "a" },
        { "GOAWAY, and the answer", B(GOAWAY("\1", "\0") OK200 D("\1", "\1") "a"), HTTP_WORK_COMPLETE, 200,
          "a",
          .closes = true },
        { "GOAWAY twice",
          B("\0\0\10\7\0\0\0\0\0\177\377\377\377\0\0\0\0" GOAWAY("\1", "\0") OK200 D("\0", "\1")),
          HTTP_WORK_COMPLETE, 200, "", .closes = true },
        { "the end and the connection's", B(OK200 D("\1", "\1") "a"), HTTP_WORK_COMPLETE, 200, "a",
          .eof = true,
          .closes = true },

        { "refused", B(RST("\7")), HTTP_WORK_UNSENT, 0, "refused" },
        { "GOAWAY", B(GOAWAY("\0", "\0")), HTTP_WORK_UNSENT, 0, "refused", .closes = true },
        { "GOAWAY with an error", B(GOAWAY("\0", "\13")), HTTP_WORK_UNSENT, 0, "refused", .closes = true },
        { "GOAWAY, then lower", B(GOAWAY("\1", "\0") GOAWAY("\0", "\0")), HTTP_WORK_UNSENT, 0, "refused",
          .closes = true },
        { "refused after a head", B(OK200 RST("\7")), HTTP_WORK_BROKEN, 200, "REFUSED_STREAM" },
        { "refused after a 103", B(H("\5", "\4") STATUS("103") RST("\7")), HTTP_WORK_BROKEN, 0,
          "REFUSED_STREAM" },
        { "GOAWAY after a head", B(OK200 GOAWAY("\0", "\0")), HTTP_WORK_BROKEN, 200, "REFUSED_STREAM",
          .closes = true },
        { "GOAWAY of others, and the end", B(GOAWAY("\1", "\0")), HTTP_WORK_BROKEN, 0,
          "closed the connection",
          .eof = true, .closes = true },
        { "GOAWAY, then higher", B(GOAWAY("\0", "\0") GOAWAY("\1", "\0")), HTTP_WORK_UNSENT, 0, "refused",
          .closes = true },

        { "reset", B(RST("\2")), HTTP_WORK_BROKEN, 0, "INTERNAL_ERROR" },
        { "reset in the body", B(OK200 D("\1", "\0") "a" RST("\10")), HTTP_WORK_BROKEN, 200, "CANCEL" },
        { "reset without an error", B(OK200 RST("\0")), HTTP_WORK_BROKEN, 200, "NO_ERROR" },
        { "the connection's end", B(""), HTTP_WORK_BROKEN, 0, "closed the connection", .eof = true,
          .closes = true },
        { "in the head", B("\0\0\7\1\4" STREAM "\x88"), HTTP_WORK_BROKEN, 0, "closed the connection",
          .eof = true,
          .closes = true },
        { "in the body", B(OK200 D("\5", "\1") "ab"), HTTP_WORK_BROKEN, 200, "closed the connection",
          .eof = true,
          .closes = true },
        { "between two frames", B(OK200 D("\2", "\0") "ab"), HTTP_WORK_BROKEN, 200, "closed the connection",
          .eof = true, .closes = true },

        { "less than the length", B(H("\5", "\4") "\x88" LENGTH("3") D("\2", "\1") "ab"), HTTP_WORK_BROKEN,
          200,
          "not valid" },
        { "more than the length", B(H("\5", "\4") "\x88" LENGTH("1") D("\2", "\1") "ab"), HTTP_WORK_BROKEN,
          200,
          "not valid" },
        { "a length, and no body", B(H("\5", "\5") "\x88" LENGTH("3")), HTTP_WORK_BROKEN, 0, "not valid" },
        { "two lengths", B(H("\11", "\4") "\x88" LENGTH("3") LENGTH("3")), HTTP_WORK_BROKEN, 0,
          "not valid" },
        { "a length that is none", B(H("\5", "\4") "\x88" LENGTH("x")), HTTP_WORK_BROKEN, 0, "not valid" },
        { "no status", B(H("\5", "\4") "\0\1x\1y"), HTTP_WORK_BROKEN, 0, "not valid" },
        { "an empty head", B(H("\0", "\5")), HTTP_WORK_BROKEN, 0, "not valid" },
        { "two statuses", B(H("\2", "\4") "\x88\x88"), HTTP_WORK_BROKEN, 0, "not valid" },
        { "a status behind a line", B(H("\6", "\4") "\0\1x\1y\x88"), HTTP_WORK_BROKEN, 0, "not valid" },
        { "a status of letters", B(H("\5", "\4") STATUS("2xx")), HTTP_WORK_BROKEN, 0, "not valid" },
        { "a status of two digits", B(H("\4", "\4") "\10\2" "20"), HTTP_WORK_BROKEN, 0, "not valid" },
        { "a status of 099", B(H("\5", "\4") STATUS("099")), HTTP_WORK_BROKEN, 0, ":status" },
        { "a status of 000", B(H("\5", "\4") STATUS("000")), HTTP_WORK_BROKEN, 0, ":status" },
        { "101", B(H("\5", "\4") STATUS("101")), HTTP_WORK_BROKEN, 0, "not valid" },
        { "100 that ends the answer", B(H("\5", "\5") STATUS("100")), HTTP_WORK_BROKEN, 0, "not valid" },
        { "100, and then data", B(H("\5", "\4") STATUS("100") D("\1", "\1") "a"), HTTP_WORK_BROKEN, 0,
          "not valid" },
        { "a request's line", B(H("\2", "\4") "\x88\x82"), HTTP_WORK_BROKEN, 0, "not valid" },
        { "capital letters", B(H("\6", "\4") "\x88\0\1X\1y"), HTTP_WORK_BROKEN, 0, "not valid" },
        { "a line's end in a value", B(H("\6", "\4") "\x88\0\1x\1\n"), HTTP_WORK_BROKEN, 0, "invalid line" },
        { "a space in a name", B(H("\7", "\4") "\x88\0\2x \1y"), HTTP_WORK_BROKEN, 0, "invalid line" },
        { "Connection", B(H("\17", "\4") "\x88\0\12connection\1x"), HTTP_WORK_BROKEN, 0, "not valid" },
        { "trailers that are not the end", B(OK200 H("\5", "\4") "\0\1x\1y"), HTTP_WORK_BROKEN, 200,
          "not valid" },
        { "trailers with a status", B(OK200 H("\1", "\5") "\x88"), HTTP_WORK_BROKEN, 200, "not valid" },

        { "data before a head", B(D("\1", "\1") "a"), HTTP_WORK_BROKEN, 0, "", .closes = true },
        { "a frame that is too large", B("\0\100\1\0\0" STREAM), HTTP_WORK_BROKEN, 0, "too large frame size",
          .closes = true },
        { "too much padding", B(OK200 D("\2", "\10") "\2a"), HTTP_WORK_BROKEN, 200, "padding",
          .closes = true },
        { "HPACK that is none", B(H("\1", "\4") "\377"), HTTP_WORK_BROKEN, 0, "COMPRESSION_ERROR",
          .closes = true },
        { "a push", B("\0\0\5\5\4" STREAM "\0\0\0\2\x82"), HTTP_WORK_BROKEN, 0, "pushes", .closes = true },
        { "HTTP/1.1", B("HTTP/1.1 400 Bad Request\r\n\r\n"), HTTP_WORK_BROKEN, 0, "too large frame size",
          .closes = true },
};

static void check_answer(const AnswerRow *a) {
        Work *k = &world.works[0];

        if (a->end == HTTP_WORK_COMPLETE)
                expect_answer(k, a->status, a->body);
        else {
                expect_end(k, a->end, a->body);
                assert_int_equal(k->w.status, a->status);
        }
        assert_int_equal(world.closed, a->closes);
        assert_int_equal(k->n_sent, 1);
}

static void run_answer(const AnswerRow *a, size_t cut) {
        begin();
        (void) world_get(&world);
        world_turn(&world);
        world_send(&world, a->bytes, cut);
        world_turn(&world);
        world_send(&world, a->bytes + cut, a->n - cut);
        if (a->eof)
                world.fd = safe_close(world.fd);
        world_turn(&world);
}

static void test_answers(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                const AnswerRow *a = &answers[i];

                print_message("           %s\n", a->name);
                for (size_t cut = 0; cut == 0 || cut < a->n; cut++) {
                        run_answer(a, cut);
                        check_answer(a);
                        if (!a->closes)
                                works_on();
                        world_end(&world);
                }
                /* In single bytes, and written so, too. */
                world_begin(&world);
                world.transport->read_max = world.transport->write_max = 1;
                world_settings(&world, 0, 0);
                (void) world_get(&world);
                world_turn(&world);
                world_send(&world, a->bytes, a->n);
                if (a->eof)
                        world.fd = safe_close(world.fd);
                world_turn(&world);
                check_answer(a);
                world_end(&world);
        }
}

/* The first frame must be SETTINGS. */
static void test_not_http2(void **state _unused_) {
        Work *k;

        world_begin(&world);
        k = world_get(&world);
        world_turn(&world);
        world_send(&world, B("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
        world_turn(&world);
        expect_end(k, HTTP_WORK_BROKEN, "SETTINGS expected");
        assert_true(world.closed);
        world_end(&world);
}

/* --- heads have bounds --- */

static void send_lines(int32_t stream, const char *status, unsigned n, size_t n_value, bool end) {
        Buf b = BUF_INIT(1 << 20);
        char *value = calloc(1, n_value + 1);

        memset(value, 'v', n_value);
        if (status)
                header_put(&b, ":status", status);
        for (unsigned i = 0; i < n; i++)
                header_put(&b, "name", value);
        for (size_t at = 0; at < b.n || at == 0; at += 16384) {
                size_t k = MIN(b.n - at, 16384U);

                world_frame(&world, at == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION,
                            (at == 0 && end ? NGHTTP2_FLAG_END_STREAM : 0) |
                            (at + k == b.n ? NGHTTP2_FLAG_END_HEADERS : 0), stream, buf_data(&b) + at, k);
        }
        free(value);
        buf_done(&b);
}

static void test_heads(void **state _unused_) {
        Work *k[6];

        begin();
        for (unsigned i = 0; i < 6; i++)
                k[i] = world_get(&world);
        world_turn(&world);
        send_lines(1, "200", 1, 60000, true);
        send_lines(3, "200", 300, 1, true);
        send_lines(5, "200", 1, 10, false);
        send_lines(5, NULL, 300, 1, true); /* trailers */
        for (unsigned i = 0; i < 17; i++)
                send_lines(7, "103", 1, 1, false);
        send_lines(9, "103", 100, 300, false); /* all heads count */
        send_lines(9, "200", 120, 300, true);
        /* A line of 4000 bytes, put into the table, and then 100 times named by one byte. */
        {
                Buf b = BUF_INIT(1 << 20);

                (void) buf_append(&b, "\x88\x40\1x\x7f\xa1\x1e", 7);
                for (unsigned i = 0; i < 4000; i++)
                        (void) buf_putc(&b, 'y');
                for (unsigned i = 0; i < 100; i++)
                        (void) buf_putc(&b, (char) 0xbe);
                world_frame(&world, NGHTTP2_HEADERS, 5, 11, buf_data(&b), b.n);
                buf_done(&b);
        }
        world_turn(&world);
        expect_answer(k[0], 200, "");
        assert_int_equal(k[0]->lines.n, 60007);
        expect_end(k[1], HTTP_WORK_BROKEN, "too large");
        expect_end(k[2], HTTP_WORK_BROKEN, "too large");
        expect_end(k[3], HTTP_WORK_BROKEN, "too many heads");
        expect_end(k[4], HTTP_WORK_BROKEN, "too large");
        expect_end(k[5], HTTP_WORK_BROKEN, "too large");
        works_on();
        (void) world_get(&world);
        world_turn(&world);
        send_lines(15, "200", 5, 15000, true); /* encoded, it is too large already */
        world_turn(&world);
        assert_true(world.closed);
        world_end(&world);
}

/* --- room --- */

static void test_room(void **state _unused_) {
        Work *k;

        world_begin(&world);
        assert_int_equal(http2_room(world.c), HTTP2_STREAMS_FIRST);
        for (unsigned i = 0; i < HTTP2_STREAMS_FIRST; i++)
                (void) world_get(&world);
        assert_int_equal(http2_room(world.c), 0);
        k = world_work(&world);
        assert_int_equal(world_start(&world, k), -EAGAIN);
        world_turn(&world);
        assert_int_equal(world.n_room, 0);
        world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100);
        world_turn(&world);
        assert_int_equal(world.n_room, 1);
        assert_int_equal(http2_room(world.c), 92);
        world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100000);
        world_turn(&world);
        assert_int_equal(http2_room(world.c), 248);
        world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 8);
        world_turn(&world);
        assert_int_equal(http2_room(world.c), 0);
        world_head(&world, 1, "200", true);
        world_turn(&world);
        assert_int_equal(world.n_room, 2);
        assert_int_equal(http2_room(world.c), 1);

        /* Less than are open; a cancelled one has its place until the server knows. */
        world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0);
        world_turn(&world);
        assert_int_equal(http2_room(world.c), 0);
        world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 7);
        world_turn(&world);
        world_cancel(&world, &world.works[1]);
        assert_int_equal(http2_room(world.c), 0);
        world_turn(&world);
        assert_int_equal(http2_room(world.c), 1);

        /* The number falls between the start and the end of the turn. */
        assert_int_equal(world_start(&world, k), 0);
        world_settings(&world, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1);
        world_turn(&world);
        expect_end(k, HTTP_WORK_UNSENT, "no more streams");
        assert_int_equal(k->n_sent, 0);
        for (int i = 2; i < 8; i++)
                world_head(&world, 1 + 2 * i, "200", true);
        world_turn(&world);
        assert_int_equal(http2_n_works(world.c), 0);
        works_on();
        world_end(&world);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_get),
                cmocka_unit_test(test_post),
                cmocka_unit_test(test_joined),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_not_http2),
                cmocka_unit_test(test_heads),
                cmocka_unit_test(test_room),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
