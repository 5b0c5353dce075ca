/* SPDX-License-Identifier: MIT */

/* A WebSocket to a scripted server, directly and through its proxy. */

#include "http-peer.h"
#include "websocket-world.h"

#include "base/text.h"
#include "io/descriptors.h"
#include "io/websocket-dial.h"
#include "io/websocket-key.h"

#define API_KEY "AIzaSyTestTestTestTestTestTestTestTest0"
#define UP "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"

typedef struct Fixture {
        Loop *loop;
        HttpClient *client;
        Peer peer;
        Secret *key;
        WebsocketDial *dial;
        char url[128];
        unsigned n_done;
        HttpOutcome outcome;
        int status;
        Buf body;
        usec_t retry_after;
        WebsocketAnswer answer;
        char cause[HTTP_CAUSE_MAX];
        End end; /* of the WebSocket */
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        assert_int_equal(loop_new(&f->loop), 0);
        assert_int_equal(http_client_new(f->loop, &f->client), 0);
        assert_int_equal(secret_new(API_KEY, strlen(API_KEY), &f->key), 0);
        peer_open(&f->peer, f->loop);
        (void) snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%u/ws/live?a=b#c", f->peer.port);
        f->body = BUF_INIT(1 << 20);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        websocket_dial_free(f->dial);
        end_free(&f->end);
        http_client_free(f->client);
        assert_int_equal(descriptors_used(loop_descriptors(f->loop), DESCRIPTOR_UPSTREAM), 0);
        peer_close(&f->peer);
        secret_unref(f->key);
        buf_done(&f->body);
        loop_free(f->loop);
        free(f);
        return 0;
}

static void on_done(Websocket *w, const WebsocketAnswer *a, void *userdata) {
        Fixture *f = userdata;

        f->n_done++;
        f->answer = *a;
        f->outcome = a->outcome;
        f->status = a->status;
        f->retry_after = a->retry_after;
        buf_clear(&f->body);
        assert_int_equal(buf_append(&f->body, a->body, a->n_body), 0);
        text_copy(f->cause, sizeof(f->cause), a->cause);
        assert_int_equal(!w, a->status != 101);
        assert_int_equal(a->outcome == HTTP_OUTCOME_COMPLETE, !a->cause[0]);
        assert_null(strstr(a->cause, API_KEY));
        assert_null(strpbrk(a->cause, "\r\n"));
        f->dial = websocket_dial_free(f->dial);
        if (w) {
                f->end = (End){ .loop = f->loop, .w = w, .heard = BUF_INIT(HEARD_MAX), .frees = true };
                end_start(&f->end);
        }
}

static int begin_with(Fixture *f, const WebsocketDialParams *params) {
        WebsocketDialParams p = *params;

        p.url = p.url ?: f->url;
        p.connect_timeout = p.connect_timeout ?: 20 * USEC_PER_SEC;
        p.answer_timeout = p.answer_timeout ?: 20 * USEC_PER_SEC;
        f->n_done = 0;
        return websocket_dial_start(f->loop, f->client, &p, on_done, f, &f->dial);
}

static PeerConn *begin(Fixture *f) {
        char user[] = "X-Goog-Api-Client: x/1";
        char *headers[] = { user };

        assert_int_equal(begin_with(f, &(WebsocketDialParams){
                                               .headers = headers,
                                               .n_headers = 1,
                                               .secret_header = "x-goog-api-key",
                                               .secret = f->key,
                                       }),
                         0);
        assert_int_equal(f->n_done, 0);
        return peer_request(&f->peer);
}

static const char *key_of(PeerConn *c, char ret[static WEBSOCKET_KEY_LENGTH + 1]) {
        const char *s = strstr(buf_cstr(&c->in), "\r\nSec-WebSocket-Key: ");

        assert_non_null(s);
        memcpy(ret, s + strlen("\r\nSec-WebSocket-Key: "), WEBSOCKET_KEY_LENGTH);
        ret[WEBSOCKET_KEY_LENGTH] = 0;
        assert_true(websocket_key_is_valid(ret));
        return ret;
}

/* `answer` may have one %s, for the right hash. */
static void compose(PeerConn *c, const char *answer, char *ret, size_t n) {
        char key[WEBSOCKET_KEY_LENGTH + 1], accept[WEBSOCKET_ACCEPT_LENGTH + 1];
        const char *at = strstr(answer, "%s");

        assert_int_equal(websocket_key_accept(key_of(c, key), accept), 0);
        if (at)
                (void) snprintf(ret, n, "%.*s%s%s", (int) (at - answer), answer, accept, at + 2);
        else
                (void) snprintf(ret, n, "%s", answer);
}

static void assert_ends(Fixture *f, HttpOutcome outcome, int status) {
        peer_until(&f->peer, f->n_done == 1);
        if (f->outcome != outcome || f->status != status)
                fail_msg("outcome %d, status %d: %s", f->outcome, f->status, f->cause);
}

/* --- the request --- */

static void test_request(void **state) {
        Fixture *f = *state;
        PeerConn *c = begin(f);
        const char *head = buf_cstr(&c->in);
        char first[32];

        assert_true(startswith(head, "GET /ws/live?a=b HTTP/1.1\r\nHost: 127.0.0.1:"));
        assert_non_null(strstr(head, "\r\nUpgrade: websocket\r\n"));
        assert_non_null(strstr(head, "\r\nConnection: Upgrade\r\n"));
        assert_non_null(strstr(head, "\r\nSec-WebSocket-Version: 13\r\n"));
        assert_non_null(strstr(head, "\r\nX-Goog-Api-Client: x/1\r\n"));
        assert_non_null(strstr(head, "\r\nx-goog-api-key: " API_KEY "\r\n"));
        assert_null(strstr(head, "Content-Length"));
        assert_null(strstr(head, "Sec-WebSocket-Extensions"));
        text_copy(first, sizeof(first), key_of(c, (char[32]){}));
        f->dial = websocket_dial_free(f->dial);
        c = begin(f);
        assert_string_not_equal(first, key_of(c, (char[32]){}));
}

static void test_wrong_parameters(void **state) {
        static const char *const urls[] = { "", "wss://a/", "ftp://a/", "http://", "http://u:p@a/",
                                            "http://a/b c", "http://a/\r\nX: y" };
        char bad[] = "X: a\r\nY: b";
        char *headers[] = { bad };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(urls); i++)
                assert_int_equal(begin_with(f, &(WebsocketDialParams){ .url = urls[i] }), -EINVAL);
        assert_int_equal(begin_with(f, &(WebsocketDialParams){ .headers = headers, .n_headers = 1 }),
                         -EINVAL);
        assert_null(f->dial);
}

/* --- answers --- */

static void test_answers(void **state) {
        static const struct {
                const char *answer;
                HttpOutcome outcome;
                int status;
                const char *body; /* or a part of the cause */
        } rows[] = {
                { UP "Sec-WebSocket-Accept: %s\r\n\r\n", HTTP_OUTCOME_COMPLETE, 101, "" },
                { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 X\r\nupgrade: WebSocket\r\n"
                  "connection: x, upgrade\r\nsec-websocket-accept:%s\r\nDate: x\r\n\r\n",
                  HTTP_OUTCOME_COMPLETE, 101, "" },
                { UP "\r\n", HTTP_OUTCOME_BROKEN, 0, "Sec-WebSocket-Accept is not" },
                { UP "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", HTTP_OUTCOME_BROKEN, 0,
                  "Sec-WebSocket-Accept is not" },
                { UP "Sec-WebSocket-Accept: x\r\nSec-WebSocket-Accept: %s\r\n\r\n", HTTP_OUTCOME_BROKEN, 0,
                  "Sec-WebSocket-Accept is not" },
                { UP "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                  HTTP_OUTCOME_BROKEN, 0, "was not asked for" },
                { UP "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: a\r\n\r\n", HTTP_OUTCOME_BROKEN, 0,
                  "was not asked for" },
                { "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                  HTTP_OUTCOME_BROKEN, 0, "another protocol" },
                { "HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Accept: %s\r\n\r\n",
                  HTTP_OUTCOME_BROKEN, 0, "another protocol" },
                { "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                  HTTP_OUTCOME_BROKEN, 0, "another protocol" },
                { UP "Content-Length: 1\r\nSec-WebSocket-Accept: %s\r\n\r\n", HTTP_OUTCOME_BROKEN, 0,
                  "has no body" },
                { "HTTP/1.0 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
                  HTTP_OUTCOME_BROKEN, 0, "was not asked for" },
                { "HTTP/1.1 403 X\r\nContent-Length: 5\r\nRetry-After: 7\r\n\r\nwrong",
                  HTTP_OUTCOME_COMPLETE, 403, "wrong" },
                { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                  HTTP_OUTCOME_COMPLETE, 200, "hi" },
                { "HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", HTTP_OUTCOME_COMPLETE, 404, "" },
                { "SSH-2.0-x\r\n", HTTP_OUTCOME_BROKEN, 0, "does not begin with HTTP" },
                { "HTTP/1.1 200 OK\nX: y\n\n", HTTP_OUTCOME_BROKEN, 0, "LF alone" },
        };

        /* whole, and byte by byte */
        for (size_t i = 0; i < 2 * ELEMENTSOF(rows); i++) {
                size_t k = i / 2;
                Fixture *f = *state;
                PeerConn *c = begin(f);
                char answer[1024];

                compose(c, rows[k].answer, answer, sizeof(answer));
                if (i % 2 == 0)
                        peer_say(c, answer);
                else
                        for (size_t at = 0; answer[at] && f->n_done == 0; at++) {
                                peer_write(c, answer + at, 1);
                                peer_settle(&f->peer);
                        }
                assert_ends(f, rows[k].outcome, rows[k].status);
                if (rows[k].outcome != HTTP_OUTCOME_COMPLETE) {
                        if (!strstr(f->cause, rows[k].body))
                                fail_msg("%s: %s", rows[k].answer, f->cause);
                } else {
                        assert_int_equal(f->body.n, strlen(rows[k].body));
                        assert_string_equal(buf_cstr(&f->body), rows[k].body);
                        assert_int_equal(f->retry_after, rows[k].status == 403 ? 7 * USEC_PER_SEC : 0);
                }
                assert_true(f->answer.sent > 0 && f->answer.times.connected > 0);
                end_free(&f->end);
                peer_settle(&f->peer);
        }
}

static void test_body_of_an_error(void **state) {
        static const char head[] = "HTTP/1.1 429 X\r\n\r\n";
        Fixture *f = *state;
        PeerConn *c = begin(f);
        char piece[1000];

        /* up to the end of the connection */
        peer_say(c, head);
        peer_say(c, "quota");
        peer_end(c);
        assert_ends(f, HTTP_OUTCOME_COMPLETE, 429);
        assert_string_equal(buf_cstr(&f->body), "quota");

        /* no more than its ceiling is waited for */
        c = begin(f);
        memset(piece, 'x', sizeof(piece));
        peer_say(c, head);
        for (size_t n = 0; n <= WEBSOCKET_ANSWER_MAX; n += sizeof(piece))
                peer_write(c, piece, sizeof(piece));
        assert_ends(f, HTTP_OUTCOME_COMPLETE, 429);
        assert_int_equal(f->body.n, WEBSOCKET_ANSWER_MAX);
}

static void test_no_answer(void **state) {
        Fixture *f = *state;
        PeerConn *c = begin(f);

        peer_end(c);
        assert_ends(f, HTTP_OUTCOME_BROKEN, 0);
        c = begin(f);
        peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
        peer_end(c);
        assert_ends(f, HTTP_OUTCOME_BROKEN, 0);
        c = begin(f);
        peer_reset(c);
        assert_ends(f, HTTP_OUTCOME_BROKEN, 0);
        assert_int_equal(begin_with(f, &(WebsocketDialParams){ .answer_timeout = 50 * USEC_PER_MSEC }), 0);
        assert_ends(f, HTTP_OUTCOME_BROKEN, 0);
        assert_non_null(strstr(f->cause, "in time"));
        peer_stop_listening(&f->peer);
        assert_int_equal(begin_with(f, &(WebsocketDialParams){}), 0);
        assert_ends(f, HTTP_OUTCOME_UNREACHED, 0);
}

/* --- the WebSocket --- */

static void test_websocket(void **state) {
        Fixture *f = *state;
        Descriptors *all = loop_descriptors(f->loop);
        _cleanup_buf_ Buf b = BUF_INIT(1000), payload = BUF_INIT(1000);
        PeerConn *c = begin(f);
        unsigned first;
        char answer[1024];
        bool masked;

        compose(c, UP "Sec-WebSocket-Accept: %s\r\n\r\n", answer, sizeof(answer));
        peer_forget(c);
        /* frames in the bytes of the answer, the last of them cut */
        assert_int_equal(buf_puts(&b, answer), 0);
        frame_append(&b, 0x81, false, "one", 3);
        frame_append(&b, 0x82, false, "two", 3);
        peer_write(c, buf_data(&b), b.n - 2);
        assert_ends(f, HTTP_OUTCOME_COMPLETE, 101);
        peer_until(&f->peer, f->end.n_messages == 1);
        peer_write(c, buf_data(&b) + b.n - 2, 2);
        peer_until(&f->peer, f->end.n_messages == 2);
        assert_memory_equal(buf_data(&f->end.heard), "tone|btwo|", 10);
        assert_int_equal(websocket_send(f->end.w, WEBSOCKET_TEXT, "three", 5), 0);
        peer_until(&f->peer, frame_take(&c->in, &first, &masked, &payload));
        assert_true(masked && first == 0x81);
        assert_memory_equal(buf_data(&payload), "three", 5);
        assert_int_equal(descriptors_used(all, DESCRIPTOR_UPSTREAM), 1);
        peer_end(c);
        peer_until(&f->peer, f->end.n_closed == 1);
        assert_int_equal(f->end.origin, WEBSOCKET_BY_BREAK);
        assert_int_equal(descriptors_used(all, DESCRIPTOR_UPSTREAM), 0);
}

/* Freed at each step. */
static void test_cancel(void **state) {
        for (unsigned i = 0; i < 4; i++) {
                Fixture *f = *state;

                assert_int_equal(begin_with(f, &(WebsocketDialParams){}), 0);
                if (i == 1)
                        peer_turn(&f->peer, USEC_PER_MSEC);
                if (i >= 2) {
                        PeerConn *c = peer_request(&f->peer);

                        if (i == 3)
                                peer_say(c, "HTTP/1.1 101 X\r\n");
                }
                f->dial = websocket_dial_free(f->dial);
                peer_settle(&f->peer);
                assert_int_equal(f->n_done, 0);
        }
}

/* Without a descriptor it waits for one, up to its time. */
static void test_descriptors(void **state) {
        Fixture *f = *state;
        Descriptors *all = loop_descriptors(f->loop);

        descriptors_set_limit(all, 1);
        descriptors_take(all, DESCRIPTOR_UPSTREAM);
        assert_int_equal(begin_with(f, &(WebsocketDialParams){ .connect_timeout = 50 * USEC_PER_MSEC }), 0);
        assert_ends(f, HTTP_OUTCOME_LACKING, 0);
        assert_non_null(strstr(f->cause, "LimitNOFILE"));

        assert_int_equal(begin_with(f, &(WebsocketDialParams){}), 0);
        peer_settle(&f->peer);
        assert_int_equal(f->peer.n_conns, 0);
        assert_int_equal(f->n_done, 0);
        descriptors_set_limit(all, 100000);
        descriptors_give(all, DESCRIPTOR_UPSTREAM); /* wakes those that wait */
        peer_say(peer_request(&f->peer), "HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n");
        assert_ends(f, HTTP_OUTCOME_COMPLETE, 403);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_request, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wrong_parameters, setup, teardown),
                cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
                cmocka_unit_test_setup_teardown(test_body_of_an_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_answer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_websocket, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
                cmocka_unit_test_setup_teardown(test_descriptors, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
