/* SPDX-License-Identifier: MIT */

/*
 * Google's quota errors contradict themselves: a violation per day comes with "retry in 38 s", a throttle of
 * a minute without any delay, a bare 429 with nothing at all. Two mistakes are costly: to lock a key until
 * midnight for a throttle of 38 seconds, and to try a spent key again every minute. A probe costs little
 * compared with either. So:
 *
 *   1. The first refusal leads to the shortest credible wait: what the answer asks for, else a minute (5 s
 *      for a bare 429). Credible is at least a second and at most an hour; a single answer never locks a key
 *      for longer.
 *   2. Then one probe is sent. A success clears everything. Each repeated refusal takes the next step of a
 *      ladder, 60 s, 5 min, 15 min, 1 h, 2 h, 4 h, 8 h, or the wait that the answer asks for, if that is
 *      longer: nine hours are believed the second time.
 *   3. A violation per minute may be met a few times in a row although it passes each minute, if others use
 *      the same project. Its own wait is used three times more before the ladder.
 *   4. No wait goes beyond the reset; there the ladder begins again (the pool counts strikes since the
 *      reset). Daily quotas wait a few seconds more, each quota differently, for clocks that differ and so
 *      that not all probes are sent at once.
 *   5. Money is a quota, too: a cap is lifted, credit is bought, a spending rate passes in ten minutes, and
 *      no answer names the time. It uses the same ladder.
 *
 * If the waits in the answers are true, the quota is used again within a second of its return. If they are
 * wrong for a whole day, the ladder costs nine probes, twelve with rule 3.
 */

#include "base/macros.h"
#include "core/cooldown.h"

#define HINT_MIN USEC_PER_SEC
#define HINT_FIRST_MAX USEC_PER_HOUR
#define PATIENCE 3U
#define SPREAD_SECONDS 9U

static const usec_t ladder[] = {
        60 * USEC_PER_SEC, 5 * USEC_PER_MINUTE, 15 * USEC_PER_MINUTE, USEC_PER_HOUR,
        2 * USEC_PER_HOUR, 4 * USEC_PER_HOUR,   8 * USEC_PER_HOUR,
};

/* The first wait of the class, and whether its quota is counted by the day. */
static const struct {
        usec_t first;
        unsigned patience;
        bool by_day;
} kinds[_VERDICT_CLASS_MAX] = {
        [VERDICT_LIMIT_ZERO]   = { 60 * USEC_PER_SEC, 0, true },
        [VERDICT_DAY]          = { 60 * USEC_PER_SEC, 0, true },
        [VERDICT_MINUTE]       = { 60 * USEC_PER_SEC, PATIENCE, false },
        [VERDICT_RATE_UNKNOWN] = { 5 * USEC_PER_SEC, 0, false },
        [VERDICT_BILLING]      = { 60 * USEC_PER_SEC, 0, true },
};

static usec_t round_up(usec_t u) {
        return usec_add(u, USEC_PER_SEC - 1) / USEC_PER_SEC * USEC_PER_SEC;
}

bool cooldown_has_class(VerdictClass class) {
        return kinds[class].first > 0;
}

usec_t cooldown_first(VerdictClass class) {
        return kinds[class].first;
}

usec_t cooldown_until(VerdictClass class, unsigned strikes, usec_t hint, usec_t now, usec_t reset,
                   unsigned spread) {
        unsigned patience = kinds[class].patience;
        usec_t wait;

        assert(kinds[class].first > 0);

        wait = hint > 0 ? MAX(round_up(hint), HINT_MIN) : kinds[class].first;
        if (strikes == 0)
                wait = MIN(wait, HINT_FIRST_MAX);
        else if (strikes > patience)
                wait = MAX(wait, ladder[MIN(strikes - patience - 1, ELEMENTSOF(ladder) - 1)]);

        if (kinds[class].by_day)
                reset = usec_add(reset, (1 + spread % SPREAD_SECONDS) * USEC_PER_SEC);
        return MAX(MIN(usec_add(now, wait), reset), usec_add(now, HINT_MIN));
}
