/* SPDX-License-Identifier: MIT */
#include "pool-shelf.h"

#include "pool/binding-internal.h"

/* Names of objects that belong to the project whose key created them: how long they are kept, over restarts
 * and reloads, and picks that are pinned to that project. */

static const KeyRow keys[] = {
        { .key = "AIzaSyOwnOne-aaaa" },
        { .key = "AIzaSyOwnTwo-bbbb" },
        { .key = "AIzaSyInP-cccc", .project = "p" },
        { .key = "AIzaSyInP-dddd", .project = "p" },
};

static Secret *token(const char *text) {
        Secret *s;

        assert_int_equal(secret_new(text, strlen(text), &s), 0);
        return s;
}

static int bind_of(World *w, const char *name, size_t key, const char *who, usec_t expires) {
        _cleanup_(secret_unrefp) Secret *s = token(who);

        return pool_bind_name(w->pool,
                              &(BindingWanted){
                                      .name = name,
                                      .key = w->pool->keys[key],
                                      .token = s,
                                      .expires = expires,
                                      .upstream = strncmp(name, "uploads/", 8) == 0 ? "abc" : NULL,
                              },
                              w->now);
}

static PoolProject *bound(World *w, const char *name) {
        return pool_bound_to(w->pool, name, w->now);
}

static bool is_bound_by(World *w, const char *name, const Secret *token) {
        BindingOwner owner;

        assert_int_equal(pool_owner(w->pool, token, &owner), 0);
        return pool_is_bound_by(w->pool, name, &owner, w->now);
}

static bool is_bound_by_another(World *w, const char *name, const Secret *token) {
        BindingOwner owner = {};

        if (token)
                assert_int_equal(pool_owner(w->pool, token, &owner), 0);
        return pool_is_bound_by_another(w->pool, name, &owner, w->now);
}

static void assert_names(World *w, const char *who, const char *after, size_t max, const char *expected) {
        _cleanup_(secret_unrefp) Secret *s = token(who);
        _cleanup_buf_ Buf text = BUF_INIT(256);
        BindingNames names;

        assert_int_equal(pool_bound_names(w->pool, BINDING_FILES, s, after, max, w->now, &names), 0);
        for (size_t i = 0; i < names.n; i++)
                (void) buf_printf(&text, "%s ", names.names[i] + strlen(BINDING_FILES));
        if (names.more)
                (void) buf_puts(&text, "…");
        free(names.names);
        assert_string_equal(buf_cstr(&text), expected);
}

static void test_names(void **state) {
        static const struct {
                const char *name;
                bool good;
        } rows[] = {
                { "files/abc-123_X", true }, { "cachedContents/0jzs5y4b1txi", true },
                { "uploads/0", true },       { "files/", false },
                { "files", false },          { "", false },
                { "files/a/b", false },      { "files/..", false },
                { "files/a.b", false },      { "files/a%2fb", false },
                { "files/a b", false },      { "files/a\n", false },
                { "files/a?b", false },      { "files/a:download", false },
                { "models/x", false },       { "Files/x", false },
                { "files/\xc3\xa4", false },
        };
        char text[BINDING_NAME_MAX + 2] = "files/";

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(binding_name_is_valid(rows[i].name, strlen(rows[i].name)), rows[i].good);
        assert_false(binding_name_is_valid("files/a", 6)); /* by its length, not by a NUL */
        memset(text + 6, 'a', BINDING_ID_MAX + 1);
        assert_true(binding_name_is_valid(text, 6 + BINDING_ID_MAX));
        assert_false(binding_name_is_valid(text, 6 + BINDING_ID_MAX + 1));
}

static void test_make(void **state) {
        char name[BINDING_NAME_MAX + 1], id[BINDING_ID_MAX + 2];

        memset(id, 'a', sizeof(id));
        assert_true(binding_name_make(BINDING_STORES, id, BINDING_ID_MAX, name)); /* the longest of all */
        assert_int_equal(strlen(name), BINDING_NAME_MAX);
        assert_false(binding_name_make(BINDING_FILES, id, BINDING_ID_MAX + 1, name));
        assert_true(binding_name_make(BINDING_AGENTS, "my-agent:x", 8, name));
        assert_string_equal(name, "agents/my-agent");
        assert_false(binding_name_make(BINDING_AGENTS, "my-agent:x", 9, name));
        assert_false(binding_name_make(BINDING_AGENTS, "", 0, name));
        assert_false(binding_name_make("models/", "x", 1, name));
}

static void test_lifetime(void **state) {
        World w = { .now = NOON };

        world_begin(&w, keys, ELEMENTSOF(keys));
        assert_null(bound(&w, "files/a"));
        assert_int_equal(bind_of(&w, "files/a", 0, "t1", NOON + USEC_PER_HOUR), 0);
        assert_int_equal(bind_of(&w, "cachedContents/a", 2, "t1", NOON + USEC_PER_MINUTE), 0);
        assert_ptr_equal(bound(&w, "files/a"), w.pool->keys[0]->project);
        assert_ptr_equal(bound(&w, "cachedContents/a"), w.pool->keys[3]->project);
        assert_null(bound(&w, "files/b"));

        /* Another project cannot take the name; the same project may bind it again. */
        assert_int_equal(bind_of(&w, "files/a", 1, "t2", NOON + USEC_PER_DAY), -EEXIST);
        assert_int_equal(bind_of(&w, "cachedContents/a", 3, "t1", NOON + 2 * USEC_PER_MINUTE), 0);
        assert_int_equal(pool_n_bound(w.pool), 2);

        pool_bind_renew(w.pool, "cachedContents/a", NOON + 3 * USEC_PER_MINUTE, w.now);
        w.now = NOON + 2 * USEC_PER_MINUTE;
        assert_non_null(bound(&w, "cachedContents/a"));
        w.now = NOON + 3 * USEC_PER_MINUTE;
        assert_null(bound(&w, "cachedContents/a"));
        assert_non_null(bound(&w, "files/a"));
        /* Expired bindings are dropped when the next one is added, but not in the first hours. */
        assert_int_equal(bind_of(&w, "files/b", 1, "t1", NOON + USEC_PER_DAY), 0);
        assert_int_equal(pool_n_bound(w.pool), 3);
        w.now = NOON + 3 * USEC_PER_HOUR;
        assert_int_equal(bind_of(&w, "files/b", 1, "t1", NOON + USEC_PER_DAY), 0);
        assert_int_equal(pool_n_bound(w.pool), 1);
        pool_unbind_name(w.pool, "files/b");
        pool_unbind_name(w.pool, "files/b");
        assert_null(bound(&w, "files/b"));
        assert_int_equal(bind_of(&w, "files/b", 2, "t1", NOON + USEC_PER_DAY), 0);
        world_done(&w);
}

static void test_owners(void **state) {
        World w = { .now = NOON };
        usec_t expires = NOON + USEC_PER_HOUR;
        _cleanup_(secret_unrefp) Secret *one = token("t1"), *two = token("t2");

        world_begin(&w, keys, ELEMENTSOF(keys));
        assert_int_equal(bind_of(&w, "files/c", 0, "t1", expires), 0);
        assert_int_equal(bind_of(&w, "files/a", 1, "t1", expires), 0);
        assert_int_equal(bind_of(&w, "files/b", 2, "t1", expires), 0);
        assert_int_equal(bind_of(&w, "files/z", 2, "t2", expires), 0);
        assert_int_equal(bind_of(&w, "uploads/z", 2, "t1", expires), 0);
        assert_names(&w, "t1", NULL, 9, "a b c ");
        assert_names(&w, "t1", NULL, 2, "a b …");
        assert_names(&w, "t1", "files/b", 2, "c ");
        assert_names(&w, "t1", "files/c", 2, "");
        assert_names(&w, "t2", NULL, 9, "z ");
        assert_names(&w, "t3", NULL, 9, "");
        assert_true(is_bound_by(&w, "files/c", one));
        assert_false(is_bound_by(&w, "files/c", two));
        assert_false(is_bound_by_another(&w, "files/c", one));
        assert_true(is_bound_by_another(&w, "files/c", two));
        assert_true(is_bound_by_another(&w, "files/c", NULL));
        assert_false(is_bound_by(&w, "files/unknown", one));
        assert_false(is_bound_by_another(&w, "files/unknown", two));
        assert_string_equal(pool_bound_upstream(w.pool, "uploads/z", w.now), "abc");
        world_done(&w);
}

static void test_ceilings(void **state) {
        World w = { .now = NOON };
        _cleanup_(secret_unrefp) Secret *one = token("t1"), *two = token("t2");
        char name[32];

        world_begin(&w, keys, ELEMENTSOF(keys));
        for (unsigned i = 0; i < BINDINGS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "files/%05u", i);
                if (i % 64 == 0 || i % 64 == 63) { /* each looks at all of them */
                        assert_int_equal(pool_may_bind(w.pool, one, w.now), i < BINDINGS_TOKEN_MAX);
                        assert_int_equal(pool_may_bind(w.pool, two, w.now), true);
                }
                assert_int_equal(bind_of(&w, name, i % 4, "t1", NOON + USEC_PER_HOUR + i), 0);
        }
        assert_false(pool_may_bind(w.pool, two, w.now));
        assert_int_equal(bind_of(&w, "files/new", 0, "t2", NOON + USEC_PER_DAY), 0);
        assert_int_equal(pool_n_bound(w.pool), BINDINGS_MAX);
        assert_null(bound(&w, "files/00000")); /* the first to expire */
        assert_non_null(bound(&w, "files/00001"));
        w.now = NOON + USEC_PER_HOUR + BINDINGS_MAX;
        assert_true(pool_may_bind(w.pool, one, w.now)); /* those that have expired do not count */
        assert_int_equal(pool_n_bound(w.pool), BINDINGS_MAX);
        w.now = NOON + 3 * USEC_PER_HOUR;
        assert_true(pool_may_bind(w.pool, one, w.now));
        assert_int_equal(pool_n_bound(w.pool), 1);
        world_done(&w);
}

/* Interactions, which each request makes: a client's oldest goes, and nothing of another client. */
static void test_room_for_what_is_made_by_the_way(void **state) {
        _cleanup_(secret_unrefp) Secret *one = token("t1"), *two = token("t2");
        char name[BINDING_NAME_MAX + 1];
        World w = { .now = NOON };

        world_begin(&w, keys, ELEMENTSOF(keys));
        assert_int_equal(bind_of(&w, "files/mine", 0, "t1", NOON + USEC_PER_HOUR), 0);
        for (unsigned i = 0; i < BINDINGS_TOKEN_MAX; i++) {
                (void) snprintf(name, sizeof(name), "interactions/%05u", i);
                assert_true(pool_bind_make_room(w.pool, BINDING_INTERACTIONS, one, w.now));
                assert_int_equal(bind_of(&w, name, i % 4, "t1", NOON + USEC_PER_DAY + i), 0);
        }
        assert_int_equal(pool_n_bound(w.pool), BINDINGS_TOKEN_MAX / 2 + 1);
        assert_non_null(bound(&w, "files/mine"));
        assert_null(bound(&w, "interactions/00000"));
        assert_non_null(bound(&w, name));
        for (unsigned i = 0; pool_n_bound(w.pool) < BINDINGS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "files/%05u", i);
                assert_int_equal(bind_of(&w, name, i % 4, "t3", NOON + USEC_PER_HOUR), 0);
        }
        assert_false(pool_bind_make_room(w.pool, BINDING_INTERACTIONS, two, w.now));
        assert_int_equal(pool_n_bound(w.pool), BINDINGS_MAX);
        assert_true(pool_bind_make_room(w.pool, BINDING_INTERACTIONS, one, w.now));
        assert_int_equal(pool_n_bound(w.pool), BINDINGS_MAX - 1);
        assert_non_null(bound(&w, "files/mine"));
        world_done(&w);
}

static int pick_pinned(World *w, const char *name, PoolKey *const *tried, size_t n, Lease *ret,
                     PoolRefusal *refusal) {
        return pool_pick_for(
                w->pool,
                &(PoolRequest){ .model = "m", .pinned = bound(w, name), .exclude = tried, .n_exclude = n },
                w->now, ret, refusal);
}

static void report(World *w, Lease *lease, VerdictClass class) {
        Verdict v;

        verdict_init(&v, class, 0, NULL);
        pool_report(w->pool, lease, &v, NULL, w->now);
}

/* However idle the others are, and whatever becomes of the project. */
static void test_pick(void **state) {
        World w = { .now = NOON };
        unsigned n[4] = {};
        PoolRefusal refusal;
        PoolKey *tried[1];
        Lease lease;

        world_begin(&w, keys, ELEMENTSOF(keys));
        assert_int_equal(bind_of(&w, "files/a", 1, "t1", NOON + USEC_PER_DAY), 0);
        assert_int_equal(bind_of(&w, "files/p", 2, "t1", NOON + USEC_PER_DAY), 0);
        for (unsigned i = 0; i < 10; i++) {
                assert_int_equal(pick_pinned(&w, i % 2 ? "files/a" : "files/p", NULL, 0, &lease, NULL), 0);
                n[lease.key->index]++;
                report(&w, &lease, VERDICT_OK);
        }
        assert_int_equal(n[0], 0);
        assert_int_equal(n[1], 5);
        assert_in_range(n[2], 2, 3); /* both keys of the project, evenly */
        assert_in_range(n[3], 2, 3);

        /* A second key of the same project, and no third. */
        assert_int_equal(pick_pinned(&w, "files/p", NULL, 0, &lease, NULL), 0);
        tried[0] = lease.key;
        report(&w, &lease, VERDICT_KEY_REFUSED);
        assert_int_equal(pick_pinned(&w, "files/p", tried, 1, &lease, NULL), 0);
        assert_ptr_not_equal(lease.key, tried[0]);
        report(&w, &lease, VERDICT_OK);
        assert_int_equal(pick_pinned(&w, "files/a", &w.pool->keys[1], 1, &lease, &refusal),
                         POOL_E_EXHAUSTED);
        assert_int_equal(refusal.n_keys[POOL_USABLE], 1);

        /* Its quota is spent: the others are no help, and are not counted. */
        assert_int_equal(pick_pinned(&w, "files/p", NULL, 0, &lease, NULL), 0);
        {
                Verdict v;

                verdict_init(&v, VERDICT_MINUTE, 429, NULL);
                v.retry_after = 30 * USEC_PER_SEC;
                pool_report(w.pool, &lease, &v, NULL, w.now);
        }
        assert_int_equal(pick_pinned(&w, "files/p", NULL, 0, &lease, &refusal), POOL_E_EXHAUSTED);
        assert_int_equal(refusal.n_keys[POOL_COOLING], 2);
        assert_int_equal(refusal.n_keys[POOL_USABLE], 0);
        assert_true(refusal.is_quota);
        assert_in_range(refusal.available_at, NOON + 30 * USEC_PER_SEC, NOON + 40 * USEC_PER_SEC);
        assert_int_equal(pool_pick(w.pool, "m", NULL, 0, w.now, &lease, NULL), 0);
        report(&w, &lease, VERDICT_OK);
        w.now = refusal.available_at;
        assert_int_equal(pick_pinned(&w, "files/p", NULL, 0, &lease, NULL), 0); /* the probe */
        report(&w, &lease, VERDICT_OK);

        /* Without a model, too; dead keys are none. */
        for (unsigned i = 0; i < 2; i++) {
                const PoolRequest q = { .pinned = bound(&w, "files/p") };

                assert_int_equal(pool_pick_rotation_of(w.pool, &q, w.now, &lease, NULL), 0);
                assert_string_equal(lease.key->project->name, "p");
                report(&w, &lease, VERDICT_KEY_DEAD);
        }
        assert_int_equal(pool_pick_rotation_of(w.pool, &(PoolRequest){ .pinned = bound(&w, "files/p") },
                                               w.now, &lease, &refusal),
                         POOL_E_EXHAUSTED);
        assert_int_equal(refusal.n_keys[POOL_DEAD], 2);
        assert_int_equal(pick_pinned(&w, "files/p", NULL, 0, &lease, &refusal), POOL_E_EXHAUSTED);
        assert_false(refusal.is_quota);
        world_done(&w);
}

static void test_kept(void **state) {
        World w = { .now = NOON };
        usec_t expires = NOON + USEC_PER_DAY;

        world_begin(&w, keys, ELEMENTSOF(keys));
        (void) world_save(&w, true);
        w.n_urgent = 0;
        assert_int_equal(bind_of(&w, "files/own", 0, "t1", expires), 0);
        assert_int_equal(w.n_urgent, 1);
        assert_int_equal(bind_of(&w, "files/p", 2, "t1", expires), 0);
        assert_int_equal(bind_of(&w, "files/short", 2, "t1", NOON + USEC_PER_HOUR), 0);
        assert_int_equal(bind_of(&w, "files/gone", 2, "t2", expires), 0);
        assert_int_equal(bind_of(&w, "uploads/u", 1, "t2", expires), 0);
        (void) world_save(&w, false);
        assert_int_equal(shelf_count(&w.shelf, POOL_BINDINGS), 5);
        pool_unbind_name(w.pool, "files/gone");
        (void) world_save(&w, false);
        assert_int_equal(shelf_count(&w.shelf, POOL_BINDINGS), 4);

        world_restart(&w, keys, ELEMENTSOF(keys));
        assert_ptr_equal(bound(&w, "files/own"), w.pool->keys[0]->project);
        assert_ptr_equal(bound(&w, "files/p"), w.pool->keys[2]->project);
        assert_string_equal(pool_bound_upstream(w.pool, "uploads/u", w.now), "abc");
        assert_null(bound(&w, "files/gone"));
        assert_names(&w, "t1", NULL, 9, "own p short ");
        assert_names(&w, "t2", NULL, 9, "");

        /* What has expired meanwhile is not found. Its rows are deleted once a later day was counted. */
        w.now += 49 * USEC_PER_HOUR;
        w.keep_days = 1;
        world_restart(&w, keys, ELEMENTSOF(keys));
        (void) world_save(&w, true);
        assert_null(bound(&w, "files/own"));
        assert_names(&w, "t1", NULL, 9, "");
        assert_int_equal(shelf_count(&w.shelf, POOL_BINDINGS), 4);
        world_ask(&w, "m", VERDICT_OK, 0);
        (void) world_save(&w, true);
        world_restart(&w, keys, ELEMENTSOF(keys));
        (void) world_save(&w, true);
        assert_int_equal(shelf_count(&w.shelf, POOL_BINDINGS), 0);
        world_done(&w);
}

/* The clock is years ahead at the start, and then right: nothing has expired. */
static void test_wrong_clock_at_the_start(void **state) {
        usec_t wrong = NOON + 1500 * USEC_PER_DAY;
        World w = { .now = NOON };

        world_begin(&w, keys, ELEMENTSOF(keys));
        assert_int_equal(bind_of(&w, "files/a", 0, "t1", NOON + USEC_PER_DAY), 0);
        assert_int_equal(bind_of(&w, "files/b", 2, "t1", NOON + USEC_PER_HOUR), 0);
        (void) world_save(&w, true);
        w.now = wrong;
        world_restart(&w, keys, ELEMENTSOF(keys));
        assert_null(bound(&w, "files/a"));
        assert_names(&w, "t1", NULL, 9, "");
        assert_int_equal(bind_of(&w, "files/c", 1, "t1", NOON + USEC_PER_DAY), 0);
        (void) world_save(&w, true);
        w.now = NOON + 2 * USEC_PER_HOUR;
        assert_ptr_equal(bound(&w, "files/a"), w.pool->keys[0]->project);
        assert_names(&w, "t1", NULL, 9, "a c "); /* the other one has expired */
        (void) world_save(&w, true);
        world_restart(&w, keys, ELEMENTSOF(keys));
        assert_names(&w, "t1", NULL, 9, "a c ");
        world_done(&w);
}

/* Rows that have expired leave the room to those that have not, in whatever order they come. */
static void test_expired_rows_leave_room(void **state) {
        static const uint8_t owner[DIGEST_KEYED_SIZE];
        World w = { .now = NOON };
        PoolProject *project;
        char name[32];

        world_begin(&w, keys, ELEMENTSOF(keys));
        project = w.pool->keys[0]->project;
        for (unsigned i = 0; i < BINDINGS_MAX + 2; i++) {
                (void) snprintf(name, sizeof(name), "files/%05u", i);
                assert_int_equal(binding_restore(w.pool, name, project, owner, NOON - 1 - i, NULL), 0);
        }
        assert_int_equal(pool_n_bound(w.pool), BINDINGS_MAX);
        assert_int_equal(binding_restore(w.pool, "files/a", project, owner, NOON + 1, NULL), 0);
        assert_non_null(bound(&w, "files/a"));
        assert_int_equal(pool_n_bound(w.pool), BINDINGS_MAX);
        world_done(&w);
}

/* Made before a store was there: its owner is found all the same, then and later. */
static void test_store_comes_late(void **state) {
        static const uint8_t secret[DIGEST_KEY_SIZE] = { 1 };
        World w = { .now = NOON };
        usec_t expires = NOON + USEC_PER_DAY;

        world_begin_unread(&w, keys, ELEMENTSOF(keys));
        assert_int_equal(bind_of(&w, "files/early", 0, "t1", expires), 0);
        assert_names(&w, "t1", NULL, 9, "early ");
        assert_int_equal(pool_set_state_secret(w.pool, secret), 0);
        assert_int_equal(bind_of(&w, "files/late", 0, "t1", expires), 0);
        assert_names(&w, "t1", NULL, 9, "early late ");
        (void) world_save(&w, true);
        assert_names(&w, "t1", NULL, 9, "early late ");
        world_restart(&w, keys, ELEMENTSOF(keys));
        assert_names(&w, "t1", NULL, 9, "early late ");
        world_done(&w);
}

/* Removing a key removes its names, and adding it again brings them back; a key that moves to another
 * project takes them along. */
static void test_reload(void **state) {
        World w = { .now = NOON };
        usec_t expires = NOON + USEC_PER_DAY;
        Verdict v;
        Lease lease;

        world_begin(&w, keys, ELEMENTSOF(keys));
        assert_int_equal(bind_of(&w, "files/own", 0, "t1", expires), 0);
        assert_int_equal(bind_of(&w, "files/p", 2, "t1", expires), 0);
        (void) world_set_keys(&w, keys + 1, 2); /* p has a key left */
        (void) world_save(&w, true);
        assert_null(bound(&w, "files/own"));
        assert_string_equal(bound(&w, "files/p")->name, "p");
        assert_int_equal(shelf_count(&w.shelf, POOL_BINDINGS), 2);
        (void) world_set_keys(&w, keys, ELEMENTSOF(keys));
        (void) world_restore(&w);
        assert_ptr_equal(bound(&w, "files/own"), w.pool->keys[0]->project);

        assert_int_equal(pool_pick_rotation(w.pool, &w.pool->keys[1], 1, w.now, &lease, NULL), 0);
        while (lease.key != w.pool->keys[0]) {
                report(&w, &lease, VERDICT_OK);
                assert_int_equal(pool_pick_rotation(w.pool, &w.pool->keys[1], 1, w.now, &lease, NULL), 0);
        }
        verdict_init(&v, VERDICT_REQUEST, 400, NULL);
        (void) snprintf(v.consumer, sizeof(v.consumer), "projects/7");
        pool_report(w.pool, &lease, &v, NULL, w.now);
        assert_string_equal(w.pool->keys[0]->project->name, "projects/7");
        assert_ptr_equal(bound(&w, "files/own"), w.pool->keys[0]->project);
        world_restart(&w, keys, ELEMENTSOF(keys));
        assert_string_equal(bound(&w, "files/own")->name, "projects/7");
        world_done(&w);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_make),
                cmocka_unit_test(test_lifetime),
                cmocka_unit_test(test_owners),
                cmocka_unit_test(test_ceilings),
                cmocka_unit_test(test_room_for_what_is_made_by_the_way),
                cmocka_unit_test(test_pick),
                cmocka_unit_test(test_kept),
                cmocka_unit_test(test_wrong_clock_at_the_start),
                cmocka_unit_test(test_expired_rows_leave_room),
                cmocka_unit_test(test_store_comes_late),
                cmocka_unit_test(test_reload),
        };

        return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
