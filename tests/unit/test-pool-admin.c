/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/buf.h"
#include "base/text.h"
#include "pool/standing.h"
#include "pool-keys.h"
#include "noon.h"

/* Administration of the pool and its notifications. The long walk (test-pool-walk) compares all of it with
 * plain rules; here are the names, the notifications in detail, and what must not happen when memory runs
 * out. */

#define MIDNIGHT (1795334400 * USEC_PER_SEC)

/* --- memory that runs out: the so many'th allocation fails --- */

static size_t until_failure; /* 0: never */

static bool fails_now(void) {
        return until_failure > 0 && --until_failure == 0;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);

void *__wrap_calloc(size_t n, size_t size) {
        return fails_now() ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *s) {
        return fails_now() ? NULL : __real_strdup(s);
}

/* --- a pool with an observer that records the notifications --- */

typedef struct World {
        Pool *pool;
        usec_t now;
        Buf heard;
} World;

static void when(const World *w, usec_t until, char ret[static 32]) {
        if (until == 0)
                (void) snprintf(ret, 32, "now");
        else if (until == USEC_INFINITY)
                (void) snprintf(ret, 32, "never");
        else
                (void) snprintf(ret, 32, "%lld", (long long) (until - w->now) / (long long) USEC_PER_SEC);
}

static void on_health(const PoolKey *k, const char *model, PoolState before, PoolState after,
                      const char *reason, usec_t until, void *userdata) {
        World *w = userdata;
        char u[32];

        when(w, until, u);
        (void) buf_printf(&w->heard, "%s/%s %s-%s %s %s; ", pool_key_id(k), model,
                          pool_state_to_string(before), pool_state_to_string(after), reason, u);
}

static void on_exhausted(const char *model, usec_t until, void *userdata) {
        World *w = userdata;
        char u[32];

        when(w, until, u);
        (void) buf_printf(&w->heard, "exhausted %s %s; ", model, u);
}

/* The observer may ask anything: so it does. */
static void on_added(const PoolKey *k, void *userdata) {
        World *w = userdata;
        PoolKey *found;

        assert_int_equal(pool_find_key(w->pool, pool_key_id(k), &found), 0);
        assert_ptr_equal(found, k);
        (void) buf_printf(&w->heard, "+%s; ", pool_key_id(k));
}

static void on_removed(const PoolKey *k, void *userdata) {
        World *w = userdata;
        PoolKey *found;

        assert_int_equal(pool_find_key(w->pool, pool_key_id(k), &found), 0);
        assert_ptr_equal(found, k);
        (void) buf_printf(&w->heard, "-%s; ", pool_key_id(k));
}

/* "a" is key a, on its own; "a1" is of project 1; a capital is disabled; "a=x" has the name x, else its
 * letter. */
static void set_keys(World *w, const char *text, const char *expected) {
        PoolKeyWanted wanted[16] = {};
        char names[16][16], projects[16][2] = {}, got[64];
        PoolChange change;
        size_t n = 0;

        for (const char *s = text; *s;) {
                char secret[] = "AIzaSyUnit-?-0123456789-?", letter = *s++;

                secret[11] = secret[24] = letter | 0x20;
                assert_int_equal(secret_new(secret, strlen(secret), &wanted[n].secret), 0);
                wanted[n].disabled = letter < 'a';
                if (*s >= '0' && *s <= '9') {
                        projects[n][0] = *s++;
                        wanted[n].project = projects[n];
                }
                (void) snprintf(names[n], 16, "%c", letter | 0x20);
                if (*s == '=') {
                        size_t length = strcspn(s + 1, " ");

                        (void) snprintf(names[n], 16, "%.*s", (int) length, s + 1);
                        s += length + 1;
                }
                wanted[n].name = names[n];
                n++;
                s += *s == ' ';
        }
        assert_int_equal(pool_set_keys(w->pool, wanted, n, w->now, &change), 0);
        for (size_t i = 0; i < n; i++)
                (void) secret_unref(wanted[i].secret);
        (void) snprintf(got, sizeof(got), "+%zu -%zu =%zu", change.n_added, change.n_removed, change.n_kept);
        assert_string_equal(got, expected);
}

static World *world(const char *keys) {
        static const PoolObserver observer = {
                .health_changed = on_health,
                .exhausted = on_exhausted,
                .key_added = on_added,
                .key_removed = on_removed,
        };
        static World w;
        char expected[32];
        size_t n = 0;

        w = (World){ .now = NOON, .heard = BUF_INIT(1 << 20) };
        assert_int_equal(pool_new(zone, NOON, &w.pool), 0);
        for (const char *s = keys; *s; s++)
                n += (*s | 0x20) >= 'a' && (*s | 0x20) <= 'z';
        (void) snprintf(expected, sizeof(expected), "+%zu -0 =0", n);
        set_keys(&w, keys, expected);
        pool_set_observer(w.pool, &observer, &w);
        return &w;
}

static void world_done(World *w) {
        assert_true(list_is_empty(&w->pool->gone));
        buf_done(&w->heard);
        w->pool = pool_free(w->pool);
}

static void heard(World *w, const char *expected) {
        assert_string_equal(buf_cstr(&w->heard) ?: "", expected);
        buf_clear(&w->heard);
}

static PoolKey *key(World *w, const char *what) {
        PoolKey *k;

        assert_int_equal(pool_find_key(w->pool, what, &k), 0);
        return k;
}

static Lease take(World *w, const char *model, const char *expected) {
        PoolRefusal refusal;
        Lease lease = {};
        int r;

        r = pool_pick(w->pool, model, NULL, 0, w->now, &lease, &refusal);
        assert_int_equal(r, expected ? 0 : POOL_E_EXHAUSTED);
        if (expected)
                assert_string_equal(pool_key_id(lease.key), expected);
        return lease;
}

static void end(World *w, Lease lease, VerdictClass class, unsigned seconds) {
        Verdict v;

        verdict_init(&v, class, 0, NULL);
        v.retry_after = seconds * USEC_PER_SEC;
        pool_report(w->pool, &lease, &v, NULL, w->now);
}

static void ask(World *w, const char *model, const char *expected, VerdictClass class, unsigned seconds) {
        end(w, take(w, model, expected), class, seconds);
}

static void wait_for(World *w, unsigned seconds) {
        w->now += seconds * USEC_PER_SEC;
}

/* --- names --- */

static void add(Pool *p, const char *text, const char *name) {
        _cleanup_(secret_unrefp) Secret *s = NULL;

        assert_int_equal(secret_new(text, strlen(text), &s), 0);
        assert_int_equal(pool_add_key(p, s, name, NULL, false), 0);
}

static void test_ids(void **state) {
        static const struct {
                const char *text, *name, *id;
        } rows[] = {
                { "AIzaSy-first-1111-abcd", NULL, "35118059aa0a" },
                { "AIzaSy-second-111-abcd", "work", "work" },
                { "AIzaSy-third-1111-abcd", "work", NULL }, /* the configuration does not let this happen */
                { "AIzaSy-fourth-111-wxyz", "35118059aa0a", NULL },
                { "AIzaSy-fifth-1111-wxyz", "AIza****wxyz", "AIza****wxyz" },
        };
        static const struct {
                const char *what;
                int r;
                size_t i;
        } finds[] = {
                { "35118059aa0a", 0, 0 },
                { "work", 0, 1 }, /* an id comes before a name */
                { "AIza****abcd", -EEXIST, 0 },
                { "AIza****abcd#1", 0, 0 },
                { "AIza****abcd#3", 0, 2 },
                { "AIza****abcd#4", -ENXIO, 0 },
                { "AIza****wxyz", 0, 4 },
                { "AIza****wxyz#1", 0, 3 },
                { "AIzaSy-first-1111-abcd", -ENXIO, 0 }, /* the key itself is no name of it */
                { "", -ENXIO, 0 },
                { "nobody", -ENXIO, 0 },
        };
        _cleanup_(pool_freep) Pool *p = NULL;
        PoolKey *k;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                add(p, rows[i].text, rows[i].name);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *id = pool_key_id(pool_key(p, i));

                if (rows[i].id)
                        assert_string_equal(id, rows[i].id);
                else
                        assert_int_equal(strlen(id), 12);
                assert_int_equal(pool_find_key(p, id, &k), 0);
                assert_ptr_equal(k, pool_key(p, i));
        }
        for (size_t i = 0; i < ELEMENTSOF(finds); i++) {
                assert_int_equal(pool_find_key(p, finds[i].what, &k), finds[i].r);
                if (finds[i].r == 0)
                        assert_ptr_equal(k, pool_key(p, finds[i].i));
        }
        assert_int_equal(pool_reset(p, "35118059aa0a", NULL, NOON), 0);
}

/* If a digest's first twelve digits are another key's name, the id has one digit more. */
static void test_id_that_is_taken(void **state) {
        _cleanup_(pool_freep) Pool *p = NULL;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        add(p, "AIzaSy-fourth-111-wxyz", "35118059aa0a");
        add(p, "AIzaSy-first-1111-abcd", NULL);
        assert_string_equal(pool_key_id(pool_key(p, 0)), "35118059aa0a");
        assert_string_equal(pool_key_id(pool_key(p, 1)), "35118059aa0a3");
}

/* --- notifications --- */

static void test_words_of_quota(void **state) {
        World *w = world("a1 b1 c");

        ask(w, "m", "a", VERDICT_OK, 0);
        ask(w, "m", "b", VERDICT_OK, 0);
        heard(w, "");
        wait_for(w, 1);
        ask(w, "m", "c", VERDICT_OK, 0);
        ask(w, "m", "a", VERDICT_DAY, 300); /* both keys of the project */
        heard(w, "a/m usable-cooling day 300; b/m usable-cooling day 300; ");
        ask(w, "m", "c", VERDICT_MINUTE, 20);
        heard(w, "c/m usable-cooling minute 20; exhausted m 20; ");
        (void) take(w, "m", NULL);
        heard(w, "");

        /* Neither the passing of time nor a probe is notified, but the probe's result is. */
        wait_for(w, 20);
        ask(w, "m", "c", VERDICT_MINUTE, 20);
        heard(w, "c/m cooling-cooling minute 20; ");
        wait_for(w, 20);
        ask(w, "m", "c", VERDICT_CLIENT_GONE, 0);
        heard(w, "");
        ask(w, "m", "c", VERDICT_OK, 0);
        heard(w, "c/m cooling-usable probe now; ");
        wait_for(w, 260);
        ask(w, "m", "b", VERDICT_DAY, 38);
        heard(w, "a/m cooling-cooling day 60; b/m cooling-cooling day 60; ");
        ask(w, "m", "c", VERDICT_MINUTE, 9);
        heard(w, "c/m usable-cooling minute 9; exhausted m 9; ");

        assert_int_equal(pool_reset(w->pool, "a", "m", w->now), 1);
        heard(w, "a/m cooling-usable reset now; b/m cooling-usable reset now; ");
        world_done(w);
}

static void test_words_of_health(void **state) {
        World *w = world("a");
        Lease late;

        ask(w, "m", "a", VERDICT_KEY_REFUSED, 0);
        ask(w, "m", "a", VERDICT_KEY_REFUSED, 0);
        late = take(w, "m", "a");
        heard(w, "");
        ask(w, "m", "a", VERDICT_KEY_REFUSED, 0);
        heard(w, "a/m usable-unhealthy key_refused 30; exhausted m 30; ");
        end(w, late, VERDICT_OK, 0); /* health takes any success */
        heard(w, "a/m unhealthy-usable ok now; ");
        world_done(w);
}

/* The key as such has an empty model; then come those that it was asked for. */
static void test_words_of_death(void **state) {
        World *w = world("a1 b1 c");
        Lease lease;

        ask(w, "m", "a", VERDICT_OK, 0);
        ask(w, "n", "a", VERDICT_KEY_DEAD, 0);
        heard(w, "a/ usable-dead key_dead 3600; a/m usable-dead key_dead 3600; a/n usable-dead key_dead "
                 "3600; ");
        ask(w, "m", "b", VERDICT_BILLING, 0);
        heard(w, "b/ usable-billing billing 60; b/m usable-billing billing 60; ");
        ask(w, "m", "c", VERDICT_KEY_DEAD, 0);
        heard(w, "c/ usable-dead key_dead 3600; c/m usable-dead key_dead 3600; exhausted m 60; ");
        /* No request for n since: a pick notices that it is exhausted. */
        (void) take(w, "n", NULL);
        heard(w, "exhausted n 60; ");
        (void) take(w, "invented", NULL);
        heard(w, "");

        wait_for(w, 3600);
        lease = take(w, "m", "a");
        pool_answering(w->pool, &lease, w->now); /* one probe for the key and its project */
        heard(w, "a/ dead-usable probe now; a/m dead-usable probe now; a/n dead-usable probe now; "
                 "b/ billing-usable probe now; b/m billing-usable probe now; ");
        end(w, lease, VERDICT_OK, 0);
        heard(w, "");
        assert_int_equal(pool_reset(w->pool, NULL, NULL, w->now), 1);
        heard(w, "c/ dead-usable reset now; c/m dead-usable reset now; ");
        world_done(w);
}

static void test_words_of_disabling(void **state) {
        World *w = world("a b");

        ask(w, "m", "a", VERDICT_OK, 0);
        assert_int_equal(pool_set_disabled(w->pool, key(w, "a"), true, w->now), 1);
        assert_int_equal(pool_set_disabled(w->pool, key(w, "a"), true, w->now), 0);
        heard(w, "a/ usable-disabled disabled never; a/m usable-disabled disabled never; ");
        assert_int_equal(pool_usable_keys(w->pool, w->now), 1);
        ask(w, "m", "b", VERDICT_OK, 0);
        ask(w, "m", "b", VERDICT_OK, 0);
        assert_int_equal(pool_set_disabled(w->pool, key(w, "b"), true, w->now), 1);
        heard(w,
              "b/ usable-disabled disabled never; b/m usable-disabled disabled never; exhausted m never; ");
        (void) take(w, "m", NULL);
        assert_int_equal(pool_set_disabled(w->pool, key(w, "a"), false, w->now), 1);
        heard(w, "a/ disabled-usable enabled now; a/m disabled-usable enabled now; ");
        ask(w, "m", "a", VERDICT_OK, 0);
        world_done(w);
}

/* An administrator's change holds until the configuration changes. */
static void test_disabled_and_reloaded(void **state) {
        World *w = world("a B");

        assert_int_equal(pool_set_disabled(w->pool, key(w, "a"), true, w->now), 1);
        assert_int_equal(pool_set_disabled(w->pool, key(w, "b"), false, w->now), 1);
        set_keys(w, "a B c", "+1 -0 =2");
        ask(w, "m", "b", VERDICT_OK, 0);
        ask(w, "m", "c", VERDICT_OK, 0);
        set_keys(w, "A b c", "+0 -0 =3");
        set_keys(w, "a B c", "+0 -0 =3");
        ask(w, "m", "a", VERDICT_OK, 0);
        assert_int_equal(pool_enabled_keys(w->pool), 2);
        world_done(w);
}

/* --- reloads --- */

static void test_words_of_a_reload(void **state) {
        World *w = world("a b c");

        ask(w, "m", "a", VERDICT_DAY, 60);
        heard(w, "a/m usable-cooling day 60; ");
        set_keys(w, "d a=alpha C", "+1 -1 =2");
        heard(w, "-b; -a; +d; +alpha; c/ usable-disabled reload never; ");
        set_keys(w, "d a=alpha C", "+0 -0 =3");
        heard(w, "");
        set_keys(w, "", "+0 -3 =0");
        heard(w, "-d; -alpha; -c; exhausted m never; ");
        set_keys(w, "a", "+1 -0 =0"); /* forgiven: it was away */
        heard(w, "+a; ");
        ask(w, "m", "a", VERDICT_OK, 0);
        heard(w, "");
        world_done(w);
}

/* Among equal ranks the order of the configuration decides, whichever was tried before. */
static void test_order_is_the_new_one(void **state) {
        World *w = world("a b c");

        ask(w, "m", "a", VERDICT_OK, 0);
        set_keys(w, "c d b a", "+1 -0 =3");
        ask(w, "m", "c", VERDICT_OK, 0);
        ask(w, "m", "d", VERDICT_OK, 0);
        ask(w, "m", "b", VERDICT_OK, 0);
        ask(w, "m", "c", VERDICT_OK, 0);
        world_done(w);
}

/* A removed key lives on for its requests; what they find about the project holds for the keys that stay. */
static void test_requests_of_a_key_that_went(void **state) {
        World *w = world("a1 b1");
        Lease first = take(w, "m", "a"), second = take(w, "m", "b"), third = take(w, "n", "a");

        set_keys(w, "b1", "+0 -1 =1");
        heard(w, "-a; ");
        end(w, third, VERDICT_KEY_DEAD, 0); /* of the key alone: it concerns no other */
        heard(w, "");
        end(w, first, VERDICT_DAY, 30);
        heard(w, "b/m usable-cooling day 30; exhausted m 30; ");
        end(w, second, VERDICT_OK, 0);
        world_done(w);
}

static PoolState state_of(World *w, const char *name) {
        PoolStanding s;
        PoolKey *k = key(w, name);
        PoolModel *m = pool_model_find(w->pool, "m");

        LIST_FOREACH(i, &k->slots) {
                PoolSlot *slot = list_entry(i, PoolSlot, by_key);

                if (slot->bucket->model != m)
                        continue;
                pool_standing(w->pool, k, slot->bucket, slot, 0, &s);
                return s.state;
        }
        return POOL_USABLE;
}

/* The key with the probe is removed: another probe may be sent as soon as it has ended, and nothing waits
 * for ever. */
static void test_a_probe_of_a_key_that_went(void **state) {
        World *w = world("a1 b1");
        Lease probe;

        ask(w, "m", "a", VERDICT_DAY, 10);
        wait_for(w, 10);
        probe = take(w, "m", "b");
        set_keys(w, "a1", "+0 -1 =1");
        (void) take(w, "m", NULL);
        end(w, probe, VERDICT_CLIENT_GONE, 0);
        ask(w, "m", "a", VERDICT_OK, 0);

        /* It moves to another project: neither is kept waiting. */
        ask(w, "m", "a", VERDICT_DAY, 10);
        wait_for(w, 10);
        set_keys(w, "a1 c1", "+1 -0 =1");
        probe = take(w, "m", "c");
        assert_int_equal(state_of(w, "a"), POOL_PROBING);
        set_keys(w, "a1 c2", "+0 -0 =2");
        assert_int_equal(state_of(w, "a"), POOL_USABLE);
        ask(w, "m", "c", VERDICT_OK, 0);
        end(w, probe, VERDICT_DAY, 5);
        ask(w, "m", "a", VERDICT_OK, 0);
        world_done(w);
}

static void on_reason(const PoolReason *r, void *userdata) {
        World *w = userdata;
        char u[32];

        when(w, r->available_at, u);
        (void) buf_printf(&w->heard, "%s %d %s %s: %s\n", pool_key_id(r->key), r->usable,
                          pool_state_to_string(r->state), u, r->sentence);
}

/* Quota belongs to projects. Only a key that was its own project takes its quota along. */
static void test_projects_change(void **state) {
        World *w = world("a b c1 d1");

        ask(w, "m", "a", VERDICT_DAY, 60);
        ask(w, "m", "b", VERDICT_OK, 0);
        ask(w, "m", "c", VERDICT_DAY, 600);
        heard(w, "a/m usable-cooling day 60; c/m usable-cooling day 600; ");
        /* a and b turn out to be of one project; c is not d's, and what it had found goes with it. */
        set_keys(w, "a2 b2 c d1", "+0 -0 =4");
        heard(w, "b/m usable-cooling reload 60; exhausted m 60; ");
        assert_int_equal(state_of(w, "a"), POOL_COOLING);
        assert_int_equal(state_of(w, "b"), POOL_COOLING);
        assert_int_equal(state_of(w, "c"), POOL_COOLING);
        /* Another name of the project, and a leaves it: each was refused, whatever the name is. */
        set_keys(w, "a b3 c d1", "+0 -0 =4");
        heard(w, "");
        assert_int_equal(state_of(w, "a"), POOL_COOLING);
        assert_int_equal(state_of(w, "b"), POOL_COOLING);
        /* d has stayed, and what c had found. */
        assert_int_equal(pool_explain(w->pool, "m", w->now, on_reason, w), 0);
        assert_non_null(strstr(buf_cstr(&w->heard), "d 0 cooling 600: "));
        world_done(w);
}

static void test_masks_are_numbered_anew(void **state) {
        static const char *const texts[] = {
                "AIzaSy-first-1111-abcd",
                "AIzaSy-second-111-abcd",
                "AIzaSy-third-1111-abcd",
        };
        _cleanup_(pool_freep) Pool *p = NULL;
        PoolKeyWanted wanted[4] = {};
        PoolKeyView v;
        PoolChange change;
        PoolKey *k;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                add(p, texts[i], NULL);
                wanted[i].secret = pool_key_secret(pool_key(p, i));
        }
        assert_int_equal(pool_find_key(p, "AIza****abcd#2", &k), 0);
        /* The first is removed, the third is given twice. */
        wanted[0] = wanted[2];
        (void) secret_ref(wanted[1].secret);
        assert_int_equal(pool_set_keys(p, wanted, 3, NOON, &change), 0);
        assert_int_equal(change.n_removed, 1);
        assert_int_equal(change.n_kept, 2);
        pool_key_view(p, k, NOON, &v);
        assert_string_equal(v.mask, "AIza****abcd#2");
        pool_key_view(p, pool_key(p, 0), NOON, &v);
        assert_string_equal(v.mask, "AIza****abcd");
        assert_int_equal(pool_set_keys(p, wanted + 1, 1, NOON, &change), 0);
        pool_key_view(p, k, NOON, &v);
        assert_string_equal(v.mask, "AIza****abcd");
        assert_int_equal(pool_set_keys(p, wanted, KEYS_MAX + 1, NOON, &change), -E2BIG);
        assert_int_equal(pool_n_keys(p), 1);
        (void) secret_unref(wanted[1].secret);
}

/* Whichever allocation fails, all is as before, and nothing is lost. */
static void test_all_or_nothing(void **state) {
        bool done = false;

        for (size_t n = 1; !done; n++) {
                World *w = world("a b c1 d1");
                PoolKeyWanted wanted[4];
                PoolChange change;
                char text[] = "AIzaSyUnit-new-0123456789";
                Lease lease;
                int r;

                ask(w, "m", "a", VERDICT_DAY, 60);
                ask(w, "m", "b", VERDICT_OK, 0);
                ask(w, "m", "c", VERDICT_OK, 0);
                lease = take(w, "m", "d");
                buf_clear(&w->heard);
                wanted[0] = (PoolKeyWanted){ .name = "new", .project = "2" };
                assert_int_equal(secret_new(text, strlen(text), &wanted[0].secret), 0);
                wanted[1] = (PoolKeyWanted){ .secret = secret_ref(key(w, "a")->secret),
                                             .name = "a",
                                             .project = "2" };
                wanted[2] = (PoolKeyWanted){ .secret = secret_ref(key(w, "c")->secret), .name = "see" };
                wanted[3] = (PoolKeyWanted){ .secret = secret_ref(key(w, "b")->secret),
                                             .name = "b",
                                             .project = "1" };

                until_failure = n;
                r = pool_set_keys(w->pool, wanted, 4, w->now, &change);
                until_failure = 0;
                if (r < 0) {
                        assert_int_equal(r, -ENOMEM);
                        heard(w, "");
                        assert_int_equal(pool_n_keys(w->pool), 4);
                        assert_int_equal(state_of(w, "a"), POOL_COOLING);
                        wait_for(w, 1);
                        ask(w, "m", "b", VERDICT_OK, 0);
                        ask(w, "m", "c", VERDICT_OK, 0);
                        ask(w, "m", "d", VERDICT_OK, 0);
                        ask(w, "n", "a", VERDICT_OK, 0);
                        ask(w, "n", "b", VERDICT_OK, 0);
                        ask(w, "n", "c", VERDICT_OK, 0);
                } else {
                        heard(w, "-d; -c; +new; +see; ");
                        done = true;
                        print_message("           %zu allocations\n", n - 1);
                        assert_true(n > 12);
                }
                for (size_t i = 0; i < 4; i++)
                        (void) secret_unref(wanted[i].secret);
                end(w, lease, VERDICT_OK, 0);
                world_done(w);
        }
}

/* --- explain --- */

static void test_explain(void **state) {
        World *w = world("a b c d1 E f g");

        ask(w, "m", "a", VERDICT_DAY, 41);
        ask(w, "m", "b", VERDICT_OK, 0);
        ask(w, "m", "c", VERDICT_KEY_DEAD, 0);
        ask(w, "m", "d", VERDICT_BILLING, 0);
        ask(w, "m", "f", VERDICT_MODEL_FOR_PROJECT, 0);
        buf_clear(&w->heard);
        assert_int_equal(pool_explain(w->pool, "m", w->now, on_reason, w), 0);
        heard(w, "g 1 usable now: would be picked first: 0 attempts today\n"
                 "b 1 usable now: would be picked after 1 other: 1 attempt today\n"
                 "a 0 cooling 41: cooling: the quota of this model is spent; frees in 41 s\n"
                 "d 0 billing 60: billing: its project is out of credit or over its cap; is tried again in "
                 "1 min\n"
                 "c 0 dead 3600: dead: Google refuses this key for every model; is tried again in 1 h\n"
                 "f 0 closed 86400: closed: this model is not open to its project; is tried again in 1 d\n"
                 "e 0 disabled never: disabled: by the configuration or an administrator\n");

        /* A model without requests is explained, and not created. */
        assert_int_equal(pool_explain(w->pool, "never-asked", w->now, on_reason, w), 0);
        assert_int_equal(pool_n_models(w->pool), 1);
        assert_non_null(strstr(buf_cstr(&w->heard),
                               "f 1 usable now: would be picked after 2 others: 0 attempts today\n"));
        buf_clear(&w->heard);

        /* A probe comes after all that are well, whatever its rank. */
        wait_for(w, 41);
        ask(w, "m", "g", VERDICT_OK, 0);
        wait_for(w, 3600);
        assert_int_equal(pool_explain(w->pool, "m", w->now, on_reason, w), 0);
        assert_non_null(strstr(buf_cstr(&w->heard), "c 1 dead now: "));
        world_done(w);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_id_that_is_taken),
                cmocka_unit_test(test_words_of_quota),
                cmocka_unit_test(test_words_of_health),
                cmocka_unit_test(test_words_of_death),
                cmocka_unit_test(test_words_of_disabling),
                cmocka_unit_test(test_disabled_and_reloaded),
                cmocka_unit_test(test_words_of_a_reload),
                cmocka_unit_test(test_order_is_the_new_one),
                cmocka_unit_test(test_requests_of_a_key_that_went),
                cmocka_unit_test(test_a_probe_of_a_key_that_went),
                cmocka_unit_test(test_projects_change),
                cmocka_unit_test(test_masks_are_numbered_anew),
                cmocka_unit_test(test_all_or_nothing),
                cmocka_unit_test(test_explain),
        };

        return cmocka_run_group_tests_name("pool-admin", tests, setup, teardown);
}
