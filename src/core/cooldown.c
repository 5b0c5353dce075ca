/* SPDX-License-Identifier: MIT */

/*
 * Google's quota errors contradict themselves: a violation per day comes with "retry in 38 s", a throttle of
 * a minute without any delay, a bare 429 with nothing at all. Two mistakes are dear: to lock a key until
 * midnight for a throttle of 38 seconds, and to ask a key that is spent again every minute. A probe is cheap
 * beside either. So:
 *
 *   1. The first finding is met by the shortest credible wait: what the answer asks for, else a minute (5 s
 *      if it says nothing). Credible is at least a second and at most an hour; nothing that is said once
 *      locks a key for longer.
 *   2. Then one probe goes. A success clears everything. A repeat climbs a ladder, 60 s, 5 min, 15 min, 1 h,
 *      2 h, 4 h, 8 h, or waits for what the answer asks, if that is more: said twice, nine hours are
 *      believed.
 *   3. A violation per minute may be found a few times in a row although it passes each minute, where others
 *      draw on the same project; its hint is kept to three times more before it meets the ladder.
 *   4. Nothing waits beyond the reset: there the ladder begins anew (the pool counts strikes since the
 *      reset). What is counted by the day waits a few seconds more, each quota its own, for clocks that
 *      differ and so that not all probes go at once.
 *   5. Money is a quota, too: a cap is lifted, credit is bought, a rate of spending passes in ten minutes,
 *      and none of it says when. It climbs the same ladder.
 *
 * Where hints are true the quota is used again within a second of its return; where they lie for a whole
 * day, the ladder comes to nine probes, twelve with the patience of rule 3.
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

/* What the quota is left alone for at first, and whether it is one that is counted by the day. */
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
