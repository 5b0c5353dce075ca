/* SPDX-License-Identifier: MIT */

/*
 * The table is a list of spans, each with one offset from an instant on; the first reaches back to the
 * beginning of time. libc is asked for the offset of each day; where it differs from the day before, the
 * instant of the change is found by bisection. That costs some eight thousand calls, once, and needs no
 * knowledge of tzdata's file format.
 *
 * A local day begins at the first instant whose local date is that day or a later one. So a day without a
 * 00:00 (the clock jumps from 23:59:59 to 01:00) begins at 01:00, a day with two begins at the first, and a
 * skipped day begins together with the next.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/text.h"
#include "base/zone.h"

#define DAY           86400
#define TZDIR_DEFAULT "/usr/share/zoneinfo"

typedef struct Span {
        int64_t from; /* Unix seconds */
        int offset;   /* seconds east of UTC */
} Span;

struct Zone {
        Span *spans;
        size_t n;
};

/* Zones that must work without tzdata, as in a minimal container: that of Google's quota day, and the zone
 * without rules. */
static const struct {
        const char *name;
        const char *posix;
} fallbacks[] = {
        { "America/Los_Angeles", "PST8PDT,M3.2.0,M11.1.0" },
        { "UTC", "UTC0" },
};

bool zone_name_is_valid(const char *name) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
        size_t n = strlen(name);

        return n <= ZONE_NAME_MAX && text_in_charset(name, n, allowed) && name[0] != '/' &&
               name[n - 1] != '/';
}

/* The value of TZ for this zone: the path of a file that really is tzdata (libc silently takes anything else
 * for UTC), or a POSIX rule. */
static int zone_rule(const char *name, char **ret) {
        const char *dir = getenv("TZDIR");
        _cleanup_close_ int fd = -1;
        char *rule, magic[4];

        if (asprintf(&rule, ":%s/%s", strnull(dir) ? TZDIR_DEFAULT : dir, name) < 0)
                return -ENOMEM;
        fd = open(rule + 1, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) && memcmp(magic, "TZif", 4) == 0) {
                *ret = rule;
                return 0;
        }
        free(rule);

        for (size_t i = 0; i < ELEMENTSOF(fallbacks); i++)
                if (streq(name, fallbacks[i].name)) {
                        rule = strdup(fallbacks[i].posix);
                        if (!rule)
                                return -ENOMEM;
                        *ret = rule;
                        return 0;
                }
        return -ENOENT;
}

static int offset_at(int64_t t) {
        time_t clock = (time_t) t;
        struct tm tm;

        return localtime_r(&clock, &tm) ? (int) tm.tm_gmtoff : 0;
}

static int zone_add(Zone *z, int64_t from, int offset) {
        Span *spans;

        spans = reallocarray(z->spans, z->n + 1, sizeof(Span));
        if (!spans)
                return -ENOMEM;
        z->spans = spans;
        z->spans[z->n++] = (Span){ from, offset };
        return 0;
}

/* Reads the zone that TZ names now. */
static int zone_walk(Zone *z, usec_t now) {
        int64_t t = (int64_t) (now / USEC_PER_SEC) - 366 * DAY,
                end = t + (int64_t) (ZONE_YEARS + 1) * 366 * DAY;
        int r;

        r = zone_add(z, INT64_MIN, offset_at(t));
        for (; r >= 0 && t < end; t += DAY) {
                int64_t before = t, after = t + DAY;

                if (offset_at(after) == z->spans[z->n - 1].offset)
                        continue;
                while (after - before > 1) {
                        int64_t middle = before + (after - before) / 2;

                        if (offset_at(middle) == z->spans[z->n - 1].offset)
                                before = middle;
                        else
                                after = middle;
                }
                r = zone_add(z, after, offset_at(after));
        }
        return r;
}

int zone_new(const char *name, usec_t now, Zone **ret) {
        _cleanup_free_ char *rule = NULL, *saved = NULL;
        _cleanup_(zone_freep) Zone *z = NULL;
        const char *tz;
        int r;

        if (!zone_name_is_valid(name))
                return -EINVAL;
        r = zone_rule(name, &rule);
        if (r < 0)
                return r;
        z = calloc(1, sizeof(Zone));
        if (!z)
                return -ENOMEM;

        tz = getenv("TZ");
        if (tz) {
                saved = strdup(tz);
                if (!saved)
                        return -ENOMEM;
        }
        if (setenv("TZ", rule, true) < 0)
                return -errno;
        tzset();
        r = zone_walk(z, now);
        if ((saved ? setenv("TZ", saved, true) : unsetenv("TZ")) < 0)
                r = -errno;
        tzset();
        if (r < 0)
                return r;

        *ret = TAKE_PTR(z);
        return 0;
}

int zone_new_local(usec_t now, Zone **ret) {
        _cleanup_(zone_freep) Zone *z = calloc(1, sizeof(Zone));
        int r;

        if (!z)
                return -ENOMEM;
        tzset();
        r = zone_walk(z, now);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(z);
        return 0;
}

Zone *zone_free(Zone *z) {
        if (!z)
                return NULL;
        free(z->spans);
        free(z);
        return NULL;
}

static int offset_of(const Zone *z, int64_t t) {
        size_t i = z->n - 1;

        while (t < z->spans[i].from)
                i--;
        return z->spans[i].offset;
}

/* The first instant whose local date is `day` (days since 1970) or later. */
static int64_t start_of(const Zone *z, int64_t day) {
        for (size_t i = 0;; i++) {
                int64_t midnight = MAX(day * DAY - z->spans[i].offset, z->spans[i].from);

                if (i + 1 == z->n || midnight < z->spans[i + 1].from)
                        return midnight;
        }
}

/* The day that holds t. */
static int64_t day_of(const Zone *z, int64_t t) {
        int64_t local = t + offset_of(z, t), day = local / DAY - (local % DAY < 0);

        /* The local date may be the day before, if the clock is put back over midnight. */
        while (start_of(z, day + 1) <= t)
                day++;
        return day;
}

int zone_offset(const Zone *z, usec_t t) {
        return offset_of(z, (int64_t) (t / USEC_PER_SEC));
}

usec_t zone_day_start(const Zone *z, usec_t t) {
        int64_t s = (int64_t) (t / USEC_PER_SEC);

        s = start_of(z, day_of(z, s));
        return (usec_t) MAX(s, 0) * USEC_PER_SEC; /* the day of the epoch may have begun before it */
}

usec_t zone_next_midnight(const Zone *z, usec_t t) {
        int64_t s = (int64_t) (t / USEC_PER_SEC);

        return (usec_t) start_of(z, day_of(z, s) + 1) * USEC_PER_SEC;
}

int64_t zone_day(const Zone *z, usec_t t) {
        return day_of(z, (int64_t) (t / USEC_PER_SEC));
}
