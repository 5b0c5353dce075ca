/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"

static usec_t clock_now(clockid_t id) {
        struct timespec ts;

        (void) clock_gettime(id, &ts);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / 1000U;
}

usec_t clock_realtime(void) {
        return clock_now(CLOCK_REALTIME);
}

usec_t clock_monotonic(void) {
        return clock_now(CLOCK_MONOTONIC);
}

usec_t clock_boottime(void) {
        return clock_now(CLOCK_BOOTTIME);
}

static const struct {
        const char *name;
        usec_t usec;
} units[] = {
        { "", USEC_PER_SEC },        { "us", 1 },                  { "usec", 1 },
        { "ms", USEC_PER_MSEC },     { "msec", USEC_PER_MSEC },    { "s", USEC_PER_SEC },
        { "sec", USEC_PER_SEC },     { "second", USEC_PER_SEC },   { "seconds", USEC_PER_SEC },
        { "m", USEC_PER_MINUTE },    { "min", USEC_PER_MINUTE },   { "minute", USEC_PER_MINUTE },
        { "minutes", USEC_PER_MINUTE }, { "h", USEC_PER_HOUR },    { "hr", USEC_PER_HOUR },
        { "hour", USEC_PER_HOUR },   { "hours", USEC_PER_HOUR },   { "d", USEC_PER_DAY },
        { "day", USEC_PER_DAY },     { "days", USEC_PER_DAY },     { "w", 7 * USEC_PER_DAY },
        { "week", 7 * USEC_PER_DAY }, { "weeks", 7 * USEC_PER_DAY },
};

int duration_parse(const char *s, usec_t *ret) {
        usec_t total = 0;
        bool any = false;

        for (;;) {
                uint64_t whole = 0, fraction = 0, scale = 1;
                size_t n, k;

                s += strspn(s, TEXT_WHITESPACE);
                if (!*s)
                        break;

                n = strspn(s, TEXT_DIGITS);
                if (n > 18)
                        return -ERANGE;
                for (size_t i = 0; i < n; i++)
                        whole = whole * 10 + (uint64_t) (s[i] - '0');
                s += n;
                if (*s == '.') {
                        k = strspn(++s, TEXT_DIGITS);
                        if (k == 0)
                                return -EINVAL;
                        for (size_t i = 0; i < k; i++)
                                if (scale < USEC_PER_SEC * 1000) { /* nine decimals; the rest is cut off */
                                        fraction = fraction * 10 + (uint64_t) (s[i] - '0');
                                        scale *= 10;
                                }
                        s += k;
                        n += k;
                }
                if (n == 0)
                        return -EINVAL;

                s += strspn(s, " \t");
                k = strcspn(s, TEXT_DIGITS TEXT_WHITESPACE ".");
                for (size_t i = 0;; i++) {
                        usec_t v;

                        if (i == ELEMENTSOF(units))
                                return -EINVAL;
                        if (strlen(units[i].name) != k || strncmp(units[i].name, s, k) != 0)
                                continue;
                        if (__builtin_mul_overflow(whole, units[i].usec, &v))
                                return -ERANGE;
                        v = usec_add(v, (usec_t) ((__uint128_t) fraction * units[i].usec / scale));
                        total = usec_add(total, v);
                        if (total == USEC_INFINITY)
                                return -ERANGE;
                        break;
                }
                s += k;
                any = true;
        }
        if (!any)
                return -EINVAL;
        *ret = total;
        return 0;
}

void duration_format(usec_t u, char ret[static DURATION_STRING_MAX]) {
        static const struct {
                const char *name;
                usec_t usec;
        } steps[] = {
                { "d", USEC_PER_DAY }, { "h", USEC_PER_HOUR },    { "min", USEC_PER_MINUTE },
                { "s", USEC_PER_SEC }, { "ms", USEC_PER_MSEC },
        };

        for (size_t i = 0; i < ELEMENTSOF(steps); i++)
                if (u > 0 && u % steps[i].usec == 0) {
                        (void) snprintf(ret, DURATION_STRING_MAX, "%llu%s",
                                        (unsigned long long) (u / steps[i].usec), steps[i].name);
                        return;
                }
        if (u == 0)
                (void) snprintf(ret, DURATION_STRING_MAX, "0");
        else
                (void) snprintf(ret, DURATION_STRING_MAX, "%lluus", (unsigned long long) u);
}

void span_format(usec_t span, char ret[static SPAN_STRING_MAX]) {
        unsigned long long minutes = span / USEC_PER_MINUTE;

        if (span < 2 * USEC_PER_MINUTE)
                (void) snprintf(ret, SPAN_STRING_MAX, "%llu s",
                                (unsigned long long) ((span + USEC_PER_SEC - 1) / USEC_PER_SEC));
        else if (minutes < 120)
                (void) snprintf(ret, SPAN_STRING_MAX, "%llu min", minutes);
        else
                (void) snprintf(ret, SPAN_STRING_MAX, "%llu h %llu min", minutes / 60, minutes % 60);
}

void span_format_short(usec_t span, char ret[static SPAN_STRING_MAX]) {
        unsigned long long s = (span + USEC_PER_SEC / 2) / USEC_PER_SEC;

        if (s < 60)
                (void) snprintf(ret, SPAN_STRING_MAX, "%llu s", s);
        else if (s < 3600)
                (void) snprintf(ret, SPAN_STRING_MAX, "%llu min", s / 60);
        else if (s < 86400)
                (void) snprintf(ret, SPAN_STRING_MAX, s / 60 % 60 > 0 ? "%llu h %llu min" : "%llu h",
                                s / 3600, s / 60 % 60);
        else
                (void) snprintf(ret, SPAN_STRING_MAX, s / 3600 % 24 > 0 ? "%llu d %llu h" : "%llu d",
                                s / 86400, s / 3600 % 24);
}

void timestamp_format(usec_t u, int offset, char ret[static TIMESTAMP_STRING_MAX]) {
        time_t t = (time_t) (u / USEC_PER_SEC) + offset;
        unsigned a = (unsigned) (offset < 0 ? -offset : offset);
        struct tm tm;

        (void) gmtime_r(&t, &tm);
        (void) snprintf(ret, TIMESTAMP_STRING_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%c%02u:%02u",
                        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                        offset < 0 ? '-' : '+', a / 3600, a / 60 % 60);
}
