/* SPDX-License-Identifier: MIT */
#pragma once

/* All times are microseconds. The pure core reads no clock; its callers pass `now`. */

#include <time.h>

#include "base/macros.h"

typedef uint64_t usec_t;

#define USEC_PER_MSEC 1000ULL
#define USEC_PER_SEC 1000000ULL
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define USEC_INFINITY UINT64_MAX

usec_t clock_realtime(void);
usec_t clock_monotonic(void); /* CLOCK_MONOTONIC, for spans */
usec_t clock_boottime(void);  /* CLOCK_BOOTTIME: goes on while the machine is suspended */

static inline usec_t usec_add(usec_t a, usec_t b) {
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

static inline usec_t usec_sub(usec_t a, usec_t b) {
        return a > b ? a - b : 0;
}

/* Parses durations in systemd's form: `10s`, `500ms`, `2min`, `1h 30min`, `1.5s`; a plain number is seconds.
 * -EINVAL, -ERANGE. */
int duration_parse(const char *s, usec_t *ret);

/* The shortest of `10s`, `500ms`, `2min`…. */
#define DURATION_STRING_MAX 32U
void duration_format(usec_t u, char ret[static DURATION_STRING_MAX]);

/* `38 s`, `14 min`, `2 h 5 min`: rounded, for people. */
#define SPAN_STRING_MAX 48U
void span_format(usec_t span, char ret[static SPAN_STRING_MAX]);

/* `41 s`, `2 min`, `1 h 5 min`, `2 d 3 h`: for gemgatectl's screens and the sentences beside their columns.
 * The nearest second; of two units at most, what is smaller is cut off. */
void span_format_short(usec_t span, char ret[static SPAN_STRING_MAX]);

/* RFC 3339 to the second, at the given offset east of UTC in seconds: 2026-11-22T00:00:00-08:00 */
#define TIMESTAMP_STRING_MAX 48U
void timestamp_format(usec_t u, int offset, char ret[static TIMESTAMP_STRING_MAX]);
