/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "pool-keys.h"
#include "noon.h"

/* 2026-11-22, Sunday, midnight in Los Angeles. Conversations begin at noon. */
#define MIDNIGHT (1795334400 * USEC_PER_SEC)

static void add_key(Pool *p, const char *secret, const char *name, const char *project, bool disabled) {
        _cleanup_(secret_unrefp) Secret *s = NULL;

        assert_int_equal(secret_new(secret, strlen(secret), &s), 0);
        assert_int_equal(pool_add_key(p, s, name, project, disabled), 0);
}

static VerdictClass class_of(const char *name) {
        for (VerdictClass c = 0; c < _VERDICT_CLASS_MAX; c++)
                if (streq(verdict_rule(c)->name, name))
                        return c;
        fail_msg("no class %s", name);
        return _VERDICT_CLASS_INVALID;
}

/*
 * Conversations with a pool, a line each:
 *
 *      but KEY                      the next pick excludes the key
 *      pick MODEL KEY               a request for the model gets this key
 *      pick MODEL none STATE=N WHEN HOW
 *                                   … or is refused: N keys have that state, the first frees at WHEN; HOW
 *                                   is `quota`, `daily` (all that wait for quota wait for the day) or `ill`
 *      begin KEY                    the oldest request of the key begins to answer
 *      done KEY CLASS [HINT]        the oldest request of the key ends with this class of verdict
 *      wait DURATION                time passes; with a minus, the clock is set back
 *      see KEY MODEL STATE WHEN     what /stats shows of the slot
 *      key KEY STATE                what /stats shows of the key
 *      count KEY MODEL TODAY/TOTAL/ERRORS/STRIKES
 *      reset PATTERN MODEL N        resets N blocks, or `none`: no such key; `*` is any pattern or model
 *      usable N                     N keys are usable
 *
 * WHEN is `now`, `never`, or the duration from now. KEYs are single letters.
 */
typedef struct Talk {
        Pool *pool;
        usec_t now;
        Lease leases[16];
        size_t n_leases;
        PoolKey *but[TRIES_MAX];
        size_t n_but;
        const char *line;
} Talk;

static usec_t span_of(const char *text) {
        usec_t u;

        if (duration_parse(text, &u) < 0)
                fail_msg("no duration: %s", text);
        return u;
}

static void expect_when(const Talk *t, usec_t at, const char *when) {
        usec_t expected = 0;

        if (streq(when, "never"))
                expected = USEC_INFINITY;
        else if (!streq(when, "now"))
                expected = t->now + span_of(when);

        if (at != expected)
                fail_msg("`%s`: available in %lld s", t->line,
                         at == USEC_INFINITY || at == 0 ? -1 : (long long) (at - t->now) / 1000000);
}

static const char *name_of(const Talk *t, const PoolKey *k) {
        PoolKeyView v;

        pool_key_view(t->pool, k, t->now, &v);
        return v.name;
}

static const PoolKey *key_of(const Talk *t, const char *name) {
        for (size_t i = 0; i < pool_n_keys(t->pool); i++)
                if (streq(name_of(t, pool_key(t->pool, i)), name))
                        return pool_key(t->pool, i);
        fail_msg("no key %s", name);
        return NULL;
}

static void talk_but(Talk *t, char w[][32]) {
        t->but[t->n_but++] = (PoolKey *) key_of(t, w[1]);
}

static void talk_pick(Talk *t, char w[][32]) {
        PoolRefusal refusal;
        Lease lease;
        int r;

        assert_true(t->n_leases < ELEMENTSOF(t->leases));
        r = pool_pick(t->pool, w[1], t->but, t->n_but, t->now, &lease, &refusal);
        t->n_but = 0;
        if (r == 0) {
                t->leases[t->n_leases++] = lease;
                if (!streq(name_of(t, lease.key), w[2]))
                        fail_msg("`%s`: got %s", t->line, name_of(t, lease.key));
                return;
        }

        assert_int_equal(r, POOL_E_EXHAUSTED);
        if (!streq(w[2], "none"))
                fail_msg("`%s`: refused", t->line);
        for (PoolState s = 0; s < _POOL_STATE_MAX; s++) {
                const char *n = startswith(w[3], pool_state_to_string(s));

                if (n && *n == '=' && refusal.n_keys[s] != (size_t) (n[1] - '0'))
                        fail_msg("`%s`: %zu are", t->line, refusal.n_keys[s]);
        }
        expect_when(t, refusal.available_at, w[4]);
        if (refusal.is_daily != streq(w[5], "daily") || refusal.is_quota != !streq(w[5], "ill"))
                fail_msg("`%s`: the other", t->line);
}

static void talk_done(Talk *t, char w[][32]) {
        static const Usage usage = { .prompt = 3, .completion = 5 };
        Verdict v;

        verdict_init(&v, class_of(w[2]), 0, "Google's message");
        if (*w[3])
                v.retry_after = span_of(w[3]);
        for (size_t i = 0; i < t->n_leases; i++)
                if (streq(name_of(t, t->leases[i].key), w[1])) {
                        pool_report(t->pool, &t->leases[i], &v, &usage, t->now);
                        assert_null(t->leases[i].key);
                        memmove(t->leases + i, t->leases + i + 1, (--t->n_leases - i) * sizeof(Lease));
                        return;
                }
        fail_msg("`%s`: no such request", t->line);
}

static void talk_begin(Talk *t, char w[][32]) {
        for (size_t i = 0; i < t->n_leases; i++)
                if (streq(name_of(t, t->leases[i].key), w[1])) {
                        pool_answering(t->pool, &t->leases[i], t->now);
                        return;
                }
        fail_msg("`%s`: no such request", t->line);
}

static void talk_wait(Talk *t, char w[][32]) {
        if (*w[1] == '-')
                t->now -= span_of(w[1] + 1);
        else
                t->now += span_of(w[1]);
}

typedef struct Sight {
        const char *model;
        PoolSlotView view;
        bool found;
} Sight;

static void see_slot(const PoolSlotView *v, void *userdata) {
        Sight *s = userdata;

        if (!streq(v->model, s->model))
                return;
        s->view = *v;
        s->found = true;
}

static PoolSlotView look(Talk *t, const char *key, const char *model) {
        Sight s = { .model = model };

        pool_each_slot(t->pool, key_of(t, key), t->now, see_slot, &s);
        if (!s.found)
                fail_msg("`%s`: not there", t->line);
        return s.view;
}

static void talk_see(Talk *t, char w[][32]) {
        PoolSlotView v = look(t, w[1], w[2]);

        if (!streq(pool_state_to_string(v.state), w[3]))
                fail_msg("`%s`: it is %s", t->line, pool_state_to_string(v.state));
        expect_when(t, v.available_at, w[4]);
}

static void talk_key(Talk *t, char w[][32]) {
        PoolKeyView v;

        pool_key_view(t->pool, key_of(t, w[1]), t->now, &v);
        if (!streq(pool_state_to_string(v.state), w[2]))
                fail_msg("`%s`: it is %s", t->line, pool_state_to_string(v.state));
}

static void talk_count(Talk *t, char w[][32]) {
        PoolSlotView v = look(t, w[1], w[2]);
        char s[64];

        (void) snprintf(s, sizeof(s), "%llu/%llu/%llu/%u", (unsigned long long) v.counters.today,
                        (unsigned long long) v.counters.total, (unsigned long long) v.counters.errors,
                        v.consecutive_errors);
        if (!streq(s, w[3]))
                fail_msg("`%s`: it is %s", t->line, s);
}

static void talk_reset(Talk *t, char w[][32]) {
        const char *pattern = streq(w[1], "*") ? NULL : w[1], *model = streq(w[2], "*") ? NULL : w[2];
        int n = pool_reset(t->pool, pattern, model, t->now);

        if (n != (streq(w[3], "none") ? -ENXIO : (int) strtol(w[3], NULL, 10)))
                fail_msg("`%s`: %d", t->line, n);
}

static void talk_usable(Talk *t, char w[][32]) {
        assert_int_equal(pool_usable_keys(t->pool, t->now), strtoul(w[1], NULL, 10));
}

static void talk(const char *title, const char *keys, const char *const *lines) {
        static const struct {
                const char *verb;
                void (*f)(Talk *t, char w[][32]);
        } verbs[] = {
                { "but", talk_but },   { "pick", talk_pick }, { "begin", talk_begin }, { "done", talk_done },
                { "wait", talk_wait }, { "see", talk_see },   { "key", talk_key },
                { "count", talk_count }, { "reset", talk_reset }, { "usable", talk_usable },
        };
        _cleanup_(pool_freep) Pool *p = NULL;
        Talk t = { .now = NOON };

        print_message("           %s\n", title);
        assert_int_equal(pool_new(zone, NOON, &p), 0);
        t.pool = p;

        /* Keys: letters; capitals are disabled, a digit behind is the project. */
        for (const char *c = keys; *c; c++) {
                char name[2] = { *c }, secret[] = "AIzaSyUnit-?-0123456789", project[2] = { c[1] };
                bool has_project = c[1] >= '0' && c[1] <= '9';

                secret[11] = *c;
                add_key(p, secret, name, has_project ? project : NULL, *c >= 'A' && *c <= 'Z');
                c += has_project;
        }

        for (size_t i = 0; lines[i]; i++) {
                char w[6][32] = {};

                t.line = lines[i];
                (void) sscanf(t.line, "%31s %31s %31s %31s %31s %31s", w[0], w[1], w[2], w[3], w[4], w[5]);
                for (size_t j = 0;; j++) {
                        if (j == ELEMENTSOF(verbs))
                                fail_msg("no verb: %s", lines[i]);
                        if (!streq(verbs[j].verb, w[0]))
                                continue;
                        verbs[j].f(&t, w);
                        break;
                }
        }
        assert_int_equal(t.n_leases, 0);
}

#define TALK(title, keys, ...) talk(title, keys, (const char *const[]) { __VA_ARGS__, NULL })

static void test_order(void **state) {
        TALK("least today, least in all, longest unused, then as configured", "abc",
             "pick m a", "pick m b", "pick m c", "done a ok", "done b ok", "done c ok",
             "wait 1s", "pick m a", "pick m b", "done a ok", "done b ok",
             "pick m c", "done c ok", /* least today */
             "wait 13h",              /* a new day: least in all is the same, so longest unused */
             "count a m 0/2/0/0",
             "pick m a", "done a ok", "pick m b", "done b ok", "wait 1s", "pick m c", "done c ok",
             "wait 24h", "pick m a", "done a ok", "count a m 1/4/0/0");
        TALK("a model's counts are its own", "ab",
             "pick m a", "pick n a", "done a ok", "done a ok",
             "pick n b", "pick m b", "done b ok", "done b ok");
        TALK("a key that was down has fewer requests today, and catches up", "ab",
             "pick m a", "done a minute 30s", "pick m b", "done b ok", "wait 1s", "pick m b", "done b ok",
             "wait 30s", "pick m a", "done a ok",
             "wait 1s", "pick m b", "done b ok", "pick m a", "done a ok");
        TALK("excluded keys are passed over, not moved", "abc",
             "but a", "pick m b", "done b ok", "pick m a", "done a ok", "pick m c", "done c ok",
             "wait 1s", "but a", "pick m b", "done b ok", "but c", "but b", "pick m a", "done a ok",
             "pick m c", "done c ok");
        TALK("disabled keys are never picked", "Aba1B1",
             "usable 2", "pick m b", "pick m a", "done b ok", "done a ok", "key A disabled",
             "reset A * 0", "key A disabled");
        TALK("no keys at all", "", "pick m none usable=0 never ill", "usable 0", "reset * * none");
        TALK("all excluded: nothing to wait for", "a",
             "but a", "pick m none usable=1 never ill", "pick m a", "done a ok");
        TALK("keys of one project keep the order of the configuration among the others", "a1bc1d",
             "pick m a", "pick m b", "pick m c", "pick m d",
             "done a ok", "done b ok", "done c ok", "done d ok");
}

static void test_quota(void **state) {
        TALK("a spent quota takes the project's other keys along, and no other model", "a1b1c",
             "pick m a", "done a day 38.9s", "see a m cooling 39s",
             "pick m c", "pick m c", "pick n a", "done a ok", "done c ok", "done c ok",
             "but c", "pick m none cooling=2 39s daily", "usable 3");
        TALK("contradictory hints: the short wait, one probe, then the ladder", "a",
             "pick m a", "done a day 38s", "wait 37s", "pick m none cooling=1 1s daily",
             "wait 1s", "pick m a", "pick m none probing=1 1s daily", "done a day 38s",
             "see a m cooling 60s", "wait 60s", "pick m a", "done a day 38s",
             "see a m cooling 5min", "wait 5min", "pick m a", "done a day 38s",
             "see a m cooling 15min", "wait 15min", "pick m a", "done a ok", "see a m usable now",
             "pick m a", "done a day 38s", "see a m cooling 38s"); /* a success clears */
        TALK("a key that is its own project: the reset ends its wait, and the ladder restarts", "a",
             "wait 11h", "pick m a", "done a day 1h", "see a m cooling 1h", /* 23:00 */
             "wait 59min", "see a m cooling 1min",
             "wait 1min", "see a m usable now", "pick m a", "done a day 1s", /* at the stroke of midnight */
             "see a m cooling 1s");
        TALK("never beyond the reset, and a second more", "a",
             "wait 11h", "pick m a", "done a day 10min", "wait 10min", "pick m a", "done a day 9h",
             "see a m cooling 3001s");
        TALK("ten that were under way together are one finding", "a",
             "pick m a", "pick m a", "pick m a", "pick m a",
             "done a minute 20s", "done a minute 30s", "wait 5s", "done a day 10s", "see a m cooling 25s",
             "done a ok", "see a m cooling 25s", /* sent before: proves nothing about now */
             "wait 25s", "pick m a", "done a minute 20s", "see a m cooling 20s");
        TALK("of refusals that were under way together the later end holds, and a day's is kept", "a",
             "pick m a", "pick m a", "pick m a", "pick m a",
             "done a minute 1s", "done a minute 60s", "see a m cooling 60s", "done a minute 2s",
             "see a m cooling 60s", "done a day 10s", "pick m none cooling=1 60s daily",
             /* that was one strike: the next refusal is the second */
             "wait 60s", "pick m a", "pick m none probing=1 1s daily", "done a day 1s",
             "see a m cooling 60s", "wait 60s", "pick m a", "done a day 1s", "see a m cooling 5min");
        TALK("a probe that is not refused within two seconds has passed, and a refusal after it is a repeat",
             "a1b1", "pick m a", "done a minute", "wait 60s", "pick m b", "pick m none probing=2 2s quota",
             "wait 1s", "pick m none probing=2 1s quota", "wait 1s", "pick m a", "see b m usable now",
             "done b minute 3s", "see a m cooling 3s", "wait 3s", "done a ok",
             "pick m b", "pick m none probing=2 2s quota", "wait 2s", "see a m usable now",
             "done b ok", "pick m a", "done a minute", "see b m cooling 60s");
        TALK("an unexplained throttle, and a model that was closed, pass so, too", "a",
             "pick m a", "done a rate_unknown", "wait 5s", "pick m a", "pick m none probing=1 2s quota",
             "wait 2s", "pick m a", "done a ok", "done a model_for_project", "wait 24h", "pick m a",
             "pick m none probing=1 2s ill", "wait 2s", "pick m a", "done a ok", "done a ok");
        TALK("only an answer is proof where the day, the money or the key is at fault", "ab1c",
             "pick m a", "done a day 10s", "pick m b", "done b billing", "pick m c", "done c key_dead",
             "wait 2h", "pick m a", "pick m b", "pick m c", "wait 1min",
             "pick m none probing=3 1s daily", "begin a", "pick m a", "begin b", "begin c", "usable 3",
             "done a ok", "done a ok", "done b ok", "done c ok");
        TALK("after a minute's throttle with a delay several probes go, twice as many each half second", "a",
             "pick m a", "done a minute 10s", "wait 10s", "pick m a", "pick m a", "pick m a", "pick m a",
             "pick m none probing=1 500ms quota", "wait 500ms", "pick m a", "pick m a", "pick m a",
             "pick m a", "pick m none probing=1 500ms quota", "wait 1500ms", "pick m a",
             "done a ok", "done a ok", "done a ok", "done a ok", "done a ok", "done a ok", "done a ok",
             "done a ok", "done a ok");
        TALK("one answer lets all go, one refusal stops them, and then it is one probe at a time", "a",
             "pick m a", "done a minute 10s", "wait 10s", "pick m a", "pick m a", "done a minute 10s",
             "pick m none cooling=1 10s quota", "done a minute 12s", "see a m cooling 12s", "wait 12s",
             "pick m a", "pick m none probing=1 2s quota", "done a ok", "pick m a", "pick m a", "done a ok",
             "done a minute 10s", "wait 10s", "pick m a", "pick m a", "begin a", "pick m a", "pick m a",
             "pick m a", "see a m usable now",
             "done a ok", "done a ok", "done a ok", "done a ok", "done a ok");
        TALK("probes that show nothing make room for others", "a",
             "pick m a", "done a minute 10s", "wait 10s", "pick m a", "pick m a", "pick m a", "pick m a",
             "done a client_gone", "pick m a", "pick m none probing=1 500ms quota", "done a overload",
             "pick m a", "done a client_gone", "done a client_gone", "done a client_gone",
             "done a overload", "see a m cooling 5s");
        TALK("one probe for the whole project", "a1b1",
             "pick m a", "pick m b", "done a day 10s", "done b ok", "wait 10s",
             "pick m a", "pick m none probing=2 1s daily", "done a ok",
             "pick m b", "done b ok", "pick m a", "done a ok");
        TALK("a probe that was cut short is none", "a",
             "pick m a", "done a day 10s", "wait 10s", "pick m a", "done a client_gone",
             "pick m a", "done a overload", "see a m cooling 5s", "wait 5s",
             "pick m a", "done a request", "pick m a", "done a day 10s", "see a m cooling 60s");
        TALK("a probe that streams lets the others go on", "a",
             "pick m a", "done a day 10s", "wait 10s", "pick m a", "pick m none probing=1 1s daily",
             "begin a", "pick m a", "done a cut", "done a ok", "see a m usable now");
        TALK("an unexplained throttle is the key's and the model's, and no illness", "a1b1",
             "pick m a", "done a rate_unknown", "see a m cooling 5s", "pick m b", "done b ok",
             "wait 5s", "pick m a", "done a rate_unknown", "see a m cooling 60s",
             "wait 60s", "but b", "pick m a", "done a rate_unknown", "see a m cooling 5min",
             "count a m 3/3/3/0", "but b", "pick m none cooling=1 5min quota");
        TALK("met by two keys of a project, with no answer between, it is the project's", "a1b1c1",
             "pick m a", "done a rate_unknown", "pick m b", "done b ok", "pick m c", "done c rate_unknown",
             "see b m usable now", "pick m b", "done b rate_unknown", "see a m cooling 5s",
             "pick m none cooling=3 5s quota", "wait 5s", "pick m a", "done a rate_unknown",
             "see c m cooling 60s", "pick m none cooling=3 60s quota", "wait 60s", "pick m c", "done c ok",
             "see b m usable now");
        TALK("money is a quota too; what is asked of a project that has none climbs a ladder", "a1",
             "pick m a", "done a billing", "see a m billing 60s", "wait 60s", "pick m a", "done a billing",
             "see a m billing 60s", "wait 60s", "pick m a", "done a billing", "see a m billing 5min",
             "wait 5min", "pick m a", "done a minute 5s", "key a usable", "wait 5s", "pick m a",
             "done a billing", "see a m billing 1h", "wait 1h", "pick m a", "done a ok",
             "pick m a", "done a billing", "see a m billing 60s");
        TALK("it is the day's quota if that is what all wait for who wait for quota", "abc",
             "pick m a", "pick m b", "pick m c", "done a day 50s", "done b key_dead", "done c day 40s",
             "pick m none cooling=2 40s daily",
             "wait 40s", "pick m c", "pick m none probing=1 1s daily", "done c minute 5s",
             "pick m none cooling=2 5s quota", "wait 5s", "pick m c", "done c day 9s",
             "pick m none cooling=2 5s daily");
        TALK("a model that is closed to the project is no quota", "a1b1",
             "pick m a", "done a model_for_project", "see a m closed 24h",
             "pick m none closed=2 24h ill", "pick n a", "done a ok", "usable 2");
        TALK("too large for this tier cools nothing", "ab",
             "pick m a", "done a too_large", "see a m usable now", "count a m 1/1/0/0");
}

static void test_health(void **state) {
        TALK("three in a row, for that model only", "ab",
             "but b", "pick m a", "done a key_refused", "but b", "pick m a", "done a key_refused",
             "count a m 2/2/2/2", "but b", "pick m a", "done a key_refused",
             "see a m unhealthy 30s", "count a m 3/3/3/3", "but b", "pick n a", "done a ok",
             "but b", "pick m none unhealthy=1 30s ill", "pick m b", "done b ok");
        TALK("a success between them forgives", "a",
             "pick m a", "done a key_refused", "pick m a", "done a key_refused", "pick m a", "done a ok",
             "count a m 3/3/2/0", "pick m a", "done a key_refused", "pick m a", "done a key_refused",
             "see a m usable now");
        TALK("what is not its own fault neither counts nor forgives", "a",
             "pick m a", "done a key_refused", "pick m a", "done a key_refused",
             "pick m a", "done a overload", "pick m a", "done a cut", "pick m a", "done a client_gone",
             "pick m a", "done a request", "pick m a", "done a timeout", "pick m a", "done a internal",
             "pick m a", "done a geo", "pick m a", "done a resource",
             "count a m 10/10/5/2", "see a m usable now",
             "pick m a", "done a key_refused", "see a m unhealthy 30s");
        TALK("it comes back by one probe after a growing wait", "a",
             "pick m a", "pick m a", "pick m a", "done a key_refused", "done a key_refused",
             "done a key_refused", "see a m unhealthy 30s", "wait 30s", "see a m unhealthy now",
             "pick m a", "see a m probing 2s", "pick m none probing=1 2s ill", "done a key_refused",
             "see a m unhealthy 1min", "wait 1min", "pick m a", "done a key_refused",
             "see a m unhealthy 2min", "wait 2min", "pick m a", "done a ok",
             "see a m usable now", "count a m 6/6/5/0");
        TALK("or by the success of one that began before", "a",
             "pick m a", "pick m a", "pick m a", "pick m a", "done a key_refused", "done a key_refused",
             "done a key_refused", "see a m unhealthy 30s", "done a ok", "see a m usable now");
        TALK("or by a reset", "ab",
             "but b", "pick m a", "but b", "pick m a", "but b", "pick m a", "done a key_refused",
             "done a key_refused", "done a key_refused", "reset b * 0", "see a m unhealthy 30s",
             "reset a n none", "reset a m 1", "see a m usable now", "reset a m 0", "reset x * none");
}

static void test_death(void **state) {
        TALK("a dead key is dead for all models, found once, looked at again hourly", "ab",
             "pick m a", "pick n a", "done a key_dead", "key a dead", "see a n dead 1h", "usable 1",
             "done a ok", "key a dead", /* began before */
             "pick n b", "pick o b", "done b ok", "done b ok", "wait 59min", "but b",
             "pick m none dead=1 1min ill", "wait 1min", "key a dead", "see a m dead now",
             "pick o a", "but b", "pick m none probing=1 1s ill", "done a key_dead", "see a m dead 1h",
             "wait 1h", "but b", "pick o a", "done a ok", "key a usable", "usable 2", "see a m usable now");
        TALK("one request is not spent on probes: a retry gets a key with nothing against it", "abcd",
             "pick m a", "pick m b", "pick m c", "done a key_dead", "done b day 1h", "wait 1s",
             "done c ok", "pick m d", "done d ok", "wait 2h",
             "pick m a", "done a key_dead", "but a", "pick m c", "done c request",
             "pick m b", "done b day 1s", "wait 2h",
             "but c", "but d", "pick m a", "done a ok"); /* where there is nothing else, it gets one */
        TALK("a probe may find the key alive and its quota spent", "a",
             "pick m a", "done a key_dead", "wait 1h", "pick m a", "done a day 9s",
             "key a usable", "see a m cooling 9s");
        TALK("a refusal without a reason is no resurrection", "a",
             "pick m a", "done a key_dead", "wait 1h", "pick m a", "done a key_refused",
             "key a dead", "see a m dead 1h");
        TALK("a project's death and debts are all its keys'", "a1b1c",
             "pick m a", "done a billing", "key b billing", "usable 1", "pick m c", "done c ok",
             "but c", "pick n none billing=2 1min ill", "wait 1min", "pick m b",
             "but c", "pick n none probing=2 1s ill", "done b project_dead", "key a dead",
             "wait 1h", "pick n a", "done a minute 5s", "usable 3", "key b usable", "see a n cooling 5s");
        TALK("a reset of the key or of all revives", "a1b1c",
             "pick m a", "done a key_dead", "pick m b", "done b billing", "pick m c", "done c key_dead",
             "usable 0", "reset a m 0", "key a dead", "reset a * 1", "key a usable", "usable 2",
             "reset * * 1", "usable 3", "pick m a", "done a ok");
        TALK("a reset forgets who was the probe", "a",
             "pick m a", "done a key_dead", "wait 1h", "pick m a", "reset * * 1", "pick m a",
             "done a client_gone", "done a client_gone", "key a usable", "usable 1");
        TALK("quota with death beside it is still worth waiting for", "ab",
             "pick m a", "done a key_dead", "pick m b", "done b minute 50s",
             "pick m none dead=1 50s quota", "pick m none cooling=1 50s quota");
}

static void test_time(void **state) {
        TALK("a day's counts end at midnight, even without a read in between", "a",
             "pick m a", "done a ok", "wait 43199s", "count a m 1/1/0/0", "wait 1s", "count a m 0/1/0/0",
             "pick m a", "done a ok", "count a m 1/2/0/0");
        TALK("small steps back are waited out", "a",
             "pick m a", "done a minute 30s", "wait -20s", "see a m cooling 50s", "wait 20s",
             "see a m cooling 30s", "wait 30s", "pick m a", "done a ok");
        TALK("after a jump each wait has as much left as before", "ab",
             "pick m a", "done a minute 30s", "pick m b", "done b key_dead", "wait -240h",
             "see a m cooling 30s", "see b m dead 1h", "wait 30s", "pick m a", "done a ok");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_quota),
                cmocka_unit_test(test_health),
                cmocka_unit_test(test_death),
                cmocka_unit_test(test_time),
        };

        return cmocka_run_group_tests_name("pool", tests, setup, teardown);
}
