/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "core/token.h"

static void add(TokenSet *s, const char *text, const char *name, TokenRight right, int expected) {
        _cleanup_(secret_unrefp) Secret *secret = NULL;

        assert_int_equal(secret_new(text, strlen(text), &secret), 0);
        assert_int_equal(token_set_add(s, secret, name, right), expected);
}

static const Token *get(const TokenSet *s, const char *text) {
        _cleanup_(secret_unrefp) Secret *secret = NULL;

        assert_int_equal(secret_new(text, strlen(text), &secret), 0);
        return token_set_get(s, secret);
}

static bool has(const TokenSet *s, const char *text) {
        return token_set_has(s, text, strlen(text));
}

static void test_cover(void **state) {
        _cleanup_(token_set_done) TokenSet s = {};
        char text[] = "model: token-one-x, (token-one) 'a/b=c' tok:en token-one=tok";

        add(&s, "token-one", NULL, TOKEN_CLIENT, 0);
        add(&s, "tok", NULL, TOKEN_CLIENT, 0);
        add(&s, "a/b=c", NULL, TOKEN_CLIENT, 0); /* is divided */
        token_set_cover(&s, 4, text);
        assert_string_equal(text, "model: token-one-x, (*********) 'a/b=c' tok:en *********=tok");
        token_set_cover(&s, 1, text);
        assert_string_equal(text, "model: token-one-x, (*********) 'a/b=c' ***:en *********=***");
}

static void test_find(void **state) {
        static const struct {
                const char *presented;
                const char *name; /* NULL: not found */
                TokenRight right;
        } rows[] = {
                { "client-token-one", "one", TOKEN_CLIENT },
                { "client-token-two", "two", TOKEN_CLIENT },
                { "admin-token", "boss", TOKEN_ADMIN },
                { "both-token", "both", TOKEN_ADMIN },
                { "client-token-on", NULL },
                { "client-token-onee", NULL },
                { "Client-token-one", NULL },
                { "client-token-oneclient-token-one", NULL },
                { "client-token-three", NULL },
                { "", NULL },
                { " admin-token", NULL },
        };
        _cleanup_(token_set_done) TokenSet s = {};

        add(&s, "client-token-one", "one", TOKEN_CLIENT, 0);
        add(&s, "both-token", NULL, TOKEN_CLIENT, 0);
        add(&s, "client-token-two", "two", TOKEN_CLIENT, 0);
        add(&s, "admin-token", "boss", TOKEN_ADMIN, 0);
        add(&s, "both-token", "both", TOKEN_ADMIN, 0);
        add(&s, "admin-token", "other", TOKEN_CLIENT, 0); /* never lowered, never renamed */

        assert_int_equal(s.n, 4);
        assert_int_equal(s.n_client, 4);
        assert_int_equal(s.n_admin, 2);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Token *t = token_set_find(&s, rows[i].presented, strlen(rows[i].presented));

                if (!rows[i].name) {
                        assert_null(t);
                        continue;
                }
                assert_non_null(t);
                assert_string_equal(t->name, rows[i].name);
                assert_int_equal(t->right, rows[i].right);
        }
        assert_string_equal(token_set_find(&s, "client-token-one", 16)->mask, "client-t…");
        assert_null(token_set_find(&s, "admin-token\0x", 13));
}

static void test_ceiling(void **state) {
        _cleanup_(token_set_done) TokenSet s = {};
        char text[32];

        for (unsigned i = 0; i < TOKENS_MAX; i++) {
                (void) snprintf(text, sizeof(text), "token-%u", i);
                add(&s, text, NULL, TOKEN_CLIENT, 0);
        }
        add(&s, "one-too-many", NULL, TOKEN_CLIENT, -E2BIG);
        add(&s, "token-7", NULL, TOKEN_ADMIN, 0); /* is there already */
        assert_int_equal(s.n, TOKENS_MAX);
        assert_int_equal(s.n_client, TOKENS_MAX);
        assert_int_equal(token_set_find(&s, "token-7", 7)->right, TOKEN_ADMIN);
        assert_null(token_set_find(&s, "one-too-many", 12));
        for (unsigned i = 0; i < TOKENS_MAX; i++) {
                (void) snprintf(text, sizeof(text), "token-%u", i);
                assert_ptr_equal(get(&s, text), s.tokens + i);
        }
        assert_null(get(&s, "one-too-many"));
}

/* The name belongs to the token that got it first. */
static void test_names(void **state) {
        _cleanup_(token_set_done) TokenSet s = {};

        assert_null(get(&s, "token-a"));
        assert_null(token_set_named(&s, "a"));
        assert_false(has(&s, "token-a"));
        add(&s, "token-a", NULL, TOKEN_CLIENT, 0);
        add(&s, "token-b", "b", TOKEN_CLIENT, 0);
        assert_null(token_set_named(&s, "a"));
        add(&s, "token-a", "a", TOKEN_ADMIN, 0);
        add(&s, "token-c", "b", TOKEN_CLIENT, 0);
        assert_ptr_equal(token_set_named(&s, "a"), get(&s, "token-a"));
        assert_ptr_equal(token_set_named(&s, "b"), get(&s, "token-b"));
        assert_null(token_set_named(&s, "token-a"));
        assert_true(has(&s, "token-a") && has(&s, "token-c"));
        assert_false(has(&s, "token-") || has(&s, "a") || has(&s, ""));
}

static void test_empty(void **state) {
        _cleanup_(token_set_done) TokenSet s = {};

        assert_null(token_set_find(&s, "anything", 8));
        assert_null(token_set_find(&s, "", 0));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_ceiling),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_cover),
                cmocka_unit_test(test_empty),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
