/* SPDX-License-Identifier: MIT */

/* A random walk of a connection: pieces of any size both ways, pauses, cancels, and ends at any time. */

#include "http1-fixture.h"

#include <sys/socket.h>

#include "walk.h"

#define OK "HTTP/1.1 200 OK\r\n"

static uint64_t random_state;

static unsigned dice(unsigned n) {
        random_state = random_state * 6364136223846793005U + 1442695040888963407U;
        return (unsigned) (random_state >> 33) % n;
}

/* MIN() would throw the dice twice. */
static size_t at_most(size_t a, size_t b) {
        return MIN(a, b);
}

/* An answer with `n` bytes of data. */
static void compose(Buf *b, const char *data, size_t n, bool *ret_by_close) {
        unsigned kind = dice(4);

        for (unsigned i = dice(3); i > 0; i--)
                assert_int_equal(buf_puts(b, "HTTP/1.1 103 X\r\nA: b\r\n\r\n"), 0);
        assert_int_equal(buf_puts(b, kind == 3 ? "HTTP/1.0 200 OK\r\n" : OK), 0);
        *ret_by_close = kind >= 2;
        if (kind == 0) {
                assert_int_equal(buf_printf(b, "Content-Length: %zu\r\n\r\n", n), 0);
                assert_int_equal(buf_append(b, data, n), 0);
        } else if (kind == 1) {
                assert_int_equal(buf_puts(b, "Transfer-Encoding: chunked\r\n\r\n"), 0);
                for (size_t at = 0, k; at < n; at += k) {
                        k = at_most(n - at, 1 + dice(1 + dice(20000)));
                        assert_int_equal(buf_printf(b, "%zx\r\n", k), 0);
                        assert_int_equal(buf_append(b, data + at, k), 0);
                        assert_int_equal(buf_puts(b, "\r\n"), 0);
                }
                assert_int_equal(buf_puts(b, "0\r\n\r\n"), 0);
        } else {
                assert_int_equal(buf_puts(b, "\r\n"), 0);
                assert_int_equal(buf_append(b, data, n), 0);
        }
}

/* One exchange. The plain model: what was sent is what is received, a prefix of it if something broke, and
 * the work ends once, or never if it was cancelled. */
static void walk_once(Side *s, const char *text, unsigned step) {
        _cleanup_buf_ Buf answer = BUF_INIT(1 << 24);
        size_t n_data = dice(3) ? dice(200) : dice(200000), n_body = dice(3) ? dice(200) : dice(1 << 20);
        bool by_close, is_read = dice(2), chunked = is_read && dice(2), cancelled = false, cut = false;
        bool was_kept = s->n_idle > 0;
        _cleanup_free_ char *body = strndup(text, n_body);
        unsigned n_idle = s->n_idle;
        size_t at = 0;

        assert_non_null(body);
        compose(&answer, text + 1, n_data, &by_close);
        s->read_max = dice(2) ? SIZE_MAX : 1 + dice(5000);
        s->write_max = dice(2) ? SIZE_MAX : 1 + dice(50000);
        s->is_tls = s->held.n > 0 || dice(2);
        s->body = body;
        s->n_body = s->body_ends = 0;
        if (is_read)
                side_begin_read(s, chunked ? SIZE_MAX : n_body);
        else
                side_begin(s, "POST", body);
        http1_start(s->c, &s->w);

        for (unsigned n = 0; s->n_ends == 0 && !cancelled; n++) {
                size_t k;

                if (n > 1000000)
                        fail_msg("step %u: it never ends", step);
                switch (dice(9)) {
                case 0 ... 1:
                        side_turn(s);
                        break;
                case 2:
                        side_receive(s);
                        break;
                case 3 ... 4:
                        k = at_most(answer.n - at, dice(2) ? dice(100000) : dice(10));
                        if (s->fd >= 0 && k > 0) {
                                ssize_t sent = send(s->fd, buf_data(&answer) + at, k, MSG_NOSIGNAL);

                                at += sent > 0 ? (size_t) sent : 0;
                        } else if (s->fd >= 0 && at == answer.n && by_close && s->n_body == n_body &&
                                   s->sent.n >= n_body)
                                side_close(s);
                        break;
                case 5:
                        s->w.paused = !s->w.paused;
                        if (!s->w.paused)
                                http1_continue(s->c);
                        break;
                case 6:
                        if (is_read) {
                                s->n_body = at_most(n_body, s->n_body + dice(1 + (unsigned) n_body));
                                if (n % 16 == 0)
                                        s->n_body = n_body;
                                s->body_ends = s->n_body == n_body;
                                http1_continue(s->c);
                        } else
                                s->n_body = n_body;
                        break;
                case 7:
                        if (dice(500) == 0 && s->fd >= 0) {
                                side_close(s);
                                cut = true;
                        }
                        break;
                default:
                        if (dice(1000) == 0) {
                                if (dice(2))
                                        http1_cancel(s->c);
                                else
                                        s->c = http1_free(s->c);
                                cancelled = true;
                        }
                }
        }
        if (!cancelled && s->n_ends > 1)
                fail_msg("step %u: %u ends", step, s->n_ends);
        assert_true(s->data.n <= n_data);
        assert_memory_equal(buf_data(&s->data), text + 1, s->data.n);
        if (s->n_ends == 1 && s->end == HTTP_WORK_COMPLETE) {
                if (!(cut && by_close))
                        assert_int_equal(s->data.n, n_data);
                assert_int_equal(s->w.status, 200);
        } else if (s->n_ends == 1) {
                assert_true(s->fd < 0);
                assert_true(s->end == HTTP_WORK_BROKEN || s->end == HTTP_WORK_UNSENT ||
                            (s->end == HTTP_WORK_STALE && was_kept));
        }
        assert_true(s->n_idle <= n_idle + 1);
        side_turns(s);
        if (s->fd >= 0)
                side_receive(s);
        if (cancelled || s->n_closed > 0 || s->n_idle == n_idle)
                side_renew(s);
        else if (!chunked)
                side_check_body(s, body, n_body);
}

static void test_walk(void **state) {
        _cleanup_free_ char *text = side_text(2 << 20);
        unsigned n = walk_steps(300);
        Side *s = *state;

        random_state = walk_seed(1);
        for (unsigned step = 0; step < n; step++)
                walk_once(s, text, step);
}

/* An answer with wrong bytes: whatever comes of it, the work ends once, the loop rests, and what was passed
 * on is no more than was sent. */
static void mutate_once(Side *s, const char *text, unsigned step) {
        static const char likely[] = "\r\n\0 :;,0fFx-\x7f\xff";
        _cleanup_buf_ Buf answer = BUF_INIT(1 << 24);
        bool by_close;

        compose(&answer, text, dice(300), &by_close);
        for (unsigned n = 1 + dice(4); n > 0; n--)
                buf_data(&answer)[dice((unsigned) answer.n)] = likely[dice(sizeof(likely) - 1)];
        side_renew(s);
        s->is_tls = dice(2);
        s->read_max = dice(2) ? SIZE_MAX : 1 + dice(50);
        side_start(s, dice(8) ? "POST" : "HEAD", "{}");
        for (size_t at = 0, k; at < answer.n && s->n_ends == 0; at += k) {
                k = at_most(answer.n - at, 1 + dice(400));
                side_send(s, buf_data(&answer) + at, k);
                side_turns(s);
        }
        side_receive(s);
        side_close(s);
        side_turns(s);
        if (s->n_ends != 1 || s->n_closed != 1 || s->data.n > answer.n || s->headers_seen.n > 2 * answer.n)
                fail_msg("step %u: %u ends", step, s->n_ends);
        assert_true(s->end == HTTP_WORK_COMPLETE || s->end == HTTP_WORK_BROKEN);
}

static void test_mutations(void **state) {
        _cleanup_free_ char *text = side_text(1000);
        unsigned n = walk_steps(3000);
        Side *s = *state;

        random_state = walk_seed(2);
        for (unsigned step = 0; step < n; step++)
                mutate_once(s, text, step);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_walk, side_setup, side_teardown),
                cmocka_unit_test_setup_teardown(test_mutations, side_setup, side_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
