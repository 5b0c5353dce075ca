/* SPDX-License-Identifier: MIT */

/* Calls through proxies, beside what test-http-client.c has for any way to the server. */

#include "test.h"

#include "base/text.h"
#include "folder.h"
#include "http-calls.h"
#include "io/descriptors.h"

#define OK       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define USER     "someone"
#define PASSWORD "hunter2hunter2"
#define LOGIN    "c29tZW9uZTpodW50ZXIyaHVudGVyMg==" /* both, as a head has them */

static const Way way = { "proxy", "gemini.test", "http://" USER ":" PASSWORD "@" };

/* NULL is the fixture's proxy. */
static PeerConn *exchange(Call *c, Proxy *proxy) {
        PeerConn *peer;

        call_clear(c);
        call_start(c, &(HttpCallParams){ .proxy = proxy });
        peer = peer_request(&c->f->peer);
        peer_forget(peer);
        peer_say(peer, OK);
        call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "ok");
        return peer;
}

static Proxy *proxy_of(const Fixture *f, const char *user) {
        char url[128];
        Proxy *p;

        (void) snprintf(url, sizeof(url), "http://%s@127.0.0.1:%u", user, f->peer.port);
        assert_int_equal(proxy_new(url, strlen(url), &p), 0);
        return p;
}

static void test_connect(void **state) {
        Fixture *f = *state;
        char line[128];
        PeerConn *peer;

        peer = exchange(&f->calls[0], NULL);
        (void) snprintf(line, sizeof(line), "CONNECT %s HTTP/1.1\r\n", f->host);
        assert_non_null(startswith(peer->connect, line));
        assert_non_null(strstr(peer->connect, "\r\nProxy-Authorization: Basic " LOGIN "\r\n"));
        assert_null(strstr(peer->connect, CALLS_KEY));
}

static void test_connect_six(void **state) {
        Fixture *f = *state;
        Call *c = &f->calls[0];

        call_start(c, &(HttpCallParams){ .url = "http://[2001:db8::1]:81/" });
        assert_non_null(startswith(peer_request(&f->peer)->connect, "CONNECT [2001:db8::1]:81 HTTP"));
}

/* Providers choose the way out by the user, so no connection is for two of them. */
static void test_users(void **state) {
        _cleanup_(proxy_unrefp) Proxy *one = NULL, *other = NULL, *again = NULL;
        Fixture *f = *state;
        PeerConn *peer, *others;

        one = proxy_of(f, "a:b");
        other = proxy_of(f, "a:c");
        again = proxy_of(f, "a:b"); /* as after a reload */
        peer = exchange(&f->calls[0], one);
        others = exchange(&f->calls[0], other);
        assert_ptr_not_equal(peer, others);
        assert_non_null(strstr(peer->connect, " YTpi\r\n"));
        assert_non_null(strstr(others->connect, " YTpj\r\n"));
        assert_ptr_equal(exchange(&f->calls[0], again), peer);
        assert_ptr_equal(exchange(&f->calls[0], other), others);
}

/* The keys would be readable there. */
static void test_loopback(void **state) {
        static const char *const hosts[] = { "127.0.0.1", "localhost" };
        Fixture *f = *state;

        f->peer.proxy_answer = NULL; /* a CONNECT would be an invalid request */
        for (size_t i = 0; i < ELEMENTSOF(hosts); i++) {
                Call *c = &f->calls[0];
                PeerConn *peer;
                char url[128];

                (void) snprintf(url, sizeof(url), "http://%s:%u/x", hosts[i], f->peer.port);
                call_clear(c);
                call_start(c, &(HttpCallParams){ .url = url });
                peer = peer_request(&f->peer);
                assert_non_null(startswith(buf_cstr(&peer->in), "GET /x HTTP/1.1\r\n"));
                peer_say(peer, OK);
                call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "ok");
        }
}

/* The proxy would read the keys. */
static void test_plain_in_https(void **state) {
        _cleanup_(proxy_unrefp) Proxy *p = NULL;
        Fixture *f = *state;
        HttpCall *c;

        assert_int_equal(proxy_new("https://127.0.0.1:1", strlen("https://127.0.0.1:1"), &p), 0);
        assert_int_equal(http_call_start(f->client, &(HttpCallParams){ .url = f->url, .proxy = p },
                                         &(HttpCallOps){}, NULL, &c),
                         -EINVAL);
}

/* --- descriptors --- */

static size_t counted(const Fixture *f) {
        return descriptors_used(loop_descriptors(f->loop), DESCRIPTOR_UPSTREAM);
}

static void test_count(void **state) {
        Fixture *f = *state;
        PeerConn *peer;

        call_start(&f->calls[0], &(HttpCallParams){});
        assert_int_equal(counted(f), 2);
        peer = peer_request(&f->peer);
        assert_int_equal(counted(f), 1);
        peer_say(peer, OK);
        call_assert_ends(&f->calls[0], HTTP_OUTCOME_COMPLETE, 200, "ok");
        assert_int_equal(counted(f), 1);
        f->client = http_client_free(f->client);
        assert_int_equal(counted(f), 0);
}

/* A call that cannot have one waits, and ends in time. */
static void test_lack(void **state) {
        Fixture *f = *state;

        descriptors_set_limit(loop_descriptors(f->loop), 2);
        descriptors_take(loop_descriptors(f->loop), DESCRIPTOR_UPSTREAM);
        call_start(&f->calls[0], &(HttpCallParams){ .connect_timeout = USEC_PER_MSEC });
        call_assert_ends(&f->calls[0], HTTP_OUTCOME_LACKING, 0, "");
        assert_non_null(strstr(f->calls[0].cause, "LimitNOFILE="));
        assert_int_equal(f->peer.n_conns, 0);
        descriptors_give(loop_descriptors(f->loop), DESCRIPTOR_UPSTREAM);
        (void) exchange(&f->calls[0], NULL);
}

/* --- failures --- */

static void test_refusals(void **state) {
        static const struct {
                const char *answer, *words;
        } rows[] = {
                { "HTTP/1.1 407 " LOGIN "\r\nProxy-Authenticate: Basic\r\nContent-Length: 3\r\n\r\n<p>",
                  "it refuses the user or the password (407)" },
                { "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "it forbids the connection (403)" },
                { "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n", "it could not connect to Gemini (502)" },
        };
        Fixture *f = *state;
        Call *c = &f->calls[0];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char want[HTTP_CAUSE_MAX];
                size_t n = f->peer.n_conns;

                f->peer.proxy_answer = rows[i].answer;
                call_get(c);
                call_assert_ends(c, HTTP_OUTCOME_UNREACHED, 0, "");
                assert_int_equal(c->n_sent, 0);
                (void) snprintf(want, sizeof(want), "proxy %s: %s", proxy_address(f->proxy), rows[i].words);
                assert_string_equal(c->cause, want);
                peer_until(&f->peer, f->peer.n_conns == n + 1 && f->peer.conns[n].ended);
        }
}

static void test_silence(void **state) {
        char want[HTTP_CAUSE_MAX];
        Fixture *f = *state;
        Call *c = &f->calls[0];

        f->peer.proxy_answer = "";
        call_start(c, &(HttpCallParams){ .connect_timeout = 100 * USEC_PER_MSEC });
        call_assert_ends(c, HTTP_OUTCOME_UNREACHED, 0, "");
        (void) snprintf(want, sizeof(want), "proxy %s: it did not answer within CONNECT_TIMEOUT",
                        proxy_address(f->proxy));
        assert_string_equal(c->cause, want);
        peer_until(&f->peer, f->peer.n_conns == 1 && f->peer.conns[0].ended);
}

/* At each stage of a dial; a dial that no call waits for goes on, and ends with the client. */
static void test_cancel(void **_state _unused_) {
        enum { STARTED, ACCEPTED, ASKED, OPEN, _STAGE_MAX };
        size_t before = folder_count("/proc/self/fd");

        for (int stage = 0; stage < _STAGE_MAX; stage++) {
                void *state = NULL;
                Fixture *f;
                Call *c;

                assert_int_equal(calls_setup(&state), 0);
                f = state;
                c = &f->calls[0];
                if (stage < OPEN)
                        f->peer.proxy_answer = "";
                call_start(c, &(HttpCallParams){});
                if (stage >= ACCEPTED)
                        peer_until(&f->peer, f->peer.n_conns == 1);
                if (stage >= ASKED)
                        peer_until(&f->peer, f->peer.conns[0].connect[0]);
                if (stage >= OPEN)
                        (void) peer_request(&f->peer);
                c->http = http_call_free(c->http);
                peer_settle(&f->peer);
                assert_int_equal(c->n_done, 0);
                f->client = http_client_free(f->client);
                if (stage >= ACCEPTED)
                        peer_until(&f->peer, f->peer.conns[0].ended);
                (void) calls_teardown(&state);
                assert_int_equal(folder_count("/proc/self/fd"), before);
        }
}

/* --- a reload --- */

static void test_renew(void **state) {
        Fixture *f = *state;
        PeerConn *idle, *busy, *later;

        idle = exchange(&f->calls[0], NULL);
        call_get(&f->calls[1]);
        busy = peer_request(&f->peer);
        assert_ptr_equal(busy, idle);
        call_get(&f->calls[2]);
        idle = peer_request(&f->peer);
        peer_forget(idle);
        peer_say(idle, OK);
        call_assert_ends(&f->calls[2], HTTP_OUTCOME_COMPLETE, 200, "ok");

        http_client_renew(f->client, &(HttpClientParams){ .url = f->url });
        peer_until(&f->peer, idle->ended);
        later = exchange(&f->calls[0], NULL);
        assert_true(later != idle && later != busy);
        peer_say(busy, OK);
        call_assert_ends(&f->calls[1], HTTP_OUTCOME_COMPLETE, 200, "ok");
        peer_until(&f->peer, busy->ended);
        assert_false(later->ended);
}

/* The proxy is not used any more: nothing of it is left. */
static void test_renew_unused(void **state) {
        _cleanup_(proxy_unrefp) Proxy *other = NULL;
        Fixture *f = *state;
        PeerConn *peer;

        other = proxy_of(f, "a:b");
        peer = exchange(&f->calls[0], NULL);
        for (int i = 0; i < 2; i++)
                http_client_renew(f->client, &(HttpClientParams){ .url = f->url });
        peer_until(&f->peer, peer->ended);
        (void) exchange(&f->calls[0], other);
        (void) exchange(&f->calls[0], NULL);
}

/* A dial that is under way begins again for the call that waits for it. */
static void test_renew_dials(void **state) {
        const char *answer;
        Fixture *f = *state;
        PeerConn *peer;

        answer = f->peer.proxy_answer;
        f->peer.proxy_answer = "";
        call_get(&f->calls[0]);
        peer_until(&f->peer, f->peer.n_conns == 1 && f->peer.conns[0].connect[0]);
        f->peer.proxy_answer = answer;
        http_client_renew(f->client, &(HttpClientParams){ .url = f->url });
        peer = peer_request(&f->peer);
        assert_ptr_equal(peer, &f->peer.conns[1]);
        assert_true(f->peer.conns[0].ended);
        peer_say(peer, OK);
        call_assert_ends(&f->calls[0], HTTP_OUTCOME_COMPLETE, 200, "ok");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, calls_setup, calls_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_connect),
                TEST(test_connect_six),
                TEST(test_users),
                TEST(test_loopback),
                TEST(test_plain_in_https),
                TEST(test_count),
                TEST(test_lack),
                TEST(test_refusals),
                TEST(test_silence),
                cmocka_unit_test(test_cancel),
                TEST(test_renew),
                TEST(test_renew_unused),
                TEST(test_renew_dials),
        };

        calls_by = &way;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
