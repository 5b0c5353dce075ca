/* SPDX-License-Identifier: MIT */
#pragma once

/* Times, counts and states as text for people. */

#include "base/clock.h"
#include "base/json/write.h"
#include "ctl/screen.h"

/* `in 41 s`, `2 min ago`, `now`; `never` for USEC_INFINITY and, in the past, for 0. */
#define WORDS_TIME_MAX (SPAN_STRING_MAX + 8U) /* with words around it */
const char *words_time(usec_t t, usec_t now, char ret[static WORDS_TIME_MAX]);

/* When something becomes usable: as words_time(), but 0 and times in the past are `now`. */
const char *words_free(usec_t t, usec_t now, char ret[static WORDS_TIME_MAX]);

/* For a column FREES; NULL if nothing blocks it: `usable`, and `missing`, which no time changes. */
const char *words_frees(const char *state, usec_t t, usec_t now, char ret[static WORDS_TIME_MAX]);

/* A duration: `41 s`, `2 min`, `1 h 5 min`. */
const char *words_span(usec_t u, char ret[static WORDS_TIME_MAX]);

/* `9 requests, 13 attempts at Google`: the clients' requests, and what gemgate asked of Google for them. An
 * older daemon does not count requests: WORDS_NO_COUNT. */
#define WORDS_COUNTS_MAX 96U
#define WORDS_NO_COUNT   UINT64_MAX
const char *words_counts(uint64_t requests, uint64_t attempts, char ret[static WORDS_COUNTS_MAX]);

/* In the local time zone: `Sun 2026-11-22 22:57:03 UTC`. */
const char *words_date(usec_t t, char ret[static WORDS_TIME_MAX]);

/* The best state first: a key's state is that of its best model. An unknown one comes last. */
unsigned words_rank(const char *state);
Style words_style(const char *state);

/* RFC 3339 in UTC; null for 0 and USEC_INFINITY. */
void words_json_time(JWriter *w, const char *key, usec_t t);

/* The number of columns that the text takes on a terminal. */
size_t words_width(const char *s);

size_t words_prefix(const char *s, size_t width); /* how many bytes fit into that many columns */

/* How many bytes are the first line, if lines of that width break at blanks, or within a word that is longer
 * than a line. *ret_rest: what follows; at the end an empty text. */
size_t words_line(const char *s, size_t width, const char **ret_rest);
