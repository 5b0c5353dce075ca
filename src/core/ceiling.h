/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How much Google allows a quota, and how much of that is used: requests and input tokens of the last
 * minute, requests of the day. A request counts as soon as its key is picked, so a full quota is skipped
 * before Google answers with a 429. ceiling.c explains how the minute is kept. Pure; allocates nothing.
 */

#include "base/clock.h"

typedef enum CeilingKind {
        CEILING_RPM, /* requests a minute */
        CEILING_TPM, /* input tokens a minute */
        CEILING_RPD, /* requests a day */
        _CEILING_MAX,
} CeilingKind;

typedef enum CeilingSource {
        CEILING_UNKNOWN,
        CEILING_GUESSED, /* what was used when Google refused: shown, never enforced */
        CEILING_LEARNED, /* named by Google in a refusal, within the last CEILING_LEARNED_LIFETIME */
        CEILING_TOLD,    /* MODEL_LIMITS: overrides the others */
} CeilingSource;

const char *ceiling_source_to_string(CeilingSource s); /* "told", … */

/* MODEL_LIMITS of a model, or of a model in one project. */
typedef struct CeilingRow {
        char *model, *project;        /* project NULL: in all */
        uint64_t value[_CEILING_MAX]; /* 0: not set; CEILING_NONE: no limit, even if the row for all
                                       * projects has one */
} CeilingRow;

#define CEILING_NONE             UINT64_MAX
#define CEILING_SLOT             (5 * USEC_PER_SEC)
#define CEILING_SLOTS            13U /* twelve make a minute; the current one is the thirteenth */
#define CEILING_LEARNED_LIFETIME USEC_PER_DAY

/* What must survive a restart. Plain data: can be written and read member by member. */
typedef struct CeilingKept {
        uint64_t learned[_CEILING_MAX]; /* 0: unknown */
        usec_t learned_at[_CEILING_MAX];
        uint64_t guessed[_CEILING_MAX]; /* 0: unknown */
        usec_t day;                     /* the beginning of the day that `today` belongs to */
        uint64_t today;
        usec_t warned; /* the day in which QUOTA_WARN_AT was last reported */
} CeilingKept;

typedef struct Ceiling {
        CeilingKept kept;
        uint64_t told[_CEILING_MAX]; /* 0: not set */
        uint64_t slot;               /* the number of the current slot, from the epoch */
        uint64_t requests, tokens;   /* of all slots */
        uint32_t slot_requests[CEILING_SLOTS], slot_tokens[CEILING_SLOTS];
} Ceiling;

/* Must be called before all functions below whenever `now` has changed. */
void ceiling_roll(Ceiling *c, usec_t now, usec_t day);

/* The ceiling and its source; 0 if it is unknown. */
uint64_t ceiling_limit(const Ceiling *c, CeilingKind kind, usec_t now, CeilingSource *ret_source);
uint64_t ceiling_used(const Ceiling *c, CeilingKind kind);

/* When a request of so many tokens fits; 0: now. A probe ignores learned limits: it tests whether they still
 * hold. *ret_kind is the ceiling that it waits for. */
usec_t ceiling_free_at(const Ceiling *c, uint64_t tokens, bool is_probe, usec_t now, usec_t midnight,
                       CeilingKind *ret_kind);

bool ceiling_is_known(const Ceiling *c); /* at least one limit is configured, or was ever learned */

void ceiling_take(Ceiling *c, uint64_t tokens);

/* What a counted request has taken, and when. */
typedef struct CeilingTaken {
        usec_t at, day;
        uint64_t tokens;
} CeilingTaken;

/* To be called when a counted request has ended, with its true number of tokens. A request that Google
 * refused no longer counts in the day. True if the quota has more room than before. */
bool ceiling_settle(Ceiling *c, const CeilingTaken *taken, uint64_t tokens, bool refused);

/* Google named these limits (0: not named). */
void ceiling_learn(Ceiling *c, const uint64_t values[static _CEILING_MAX], usec_t now);
/* Google refused without naming a limit. */
void ceiling_guess(Ceiling *c, CeilingKind kind);
/* A request that was sent at `taken_at` was answered. This disproves a learned limit of the day if more
 * than the limit was used, or if Google named the limit on the same day, before the request was sent. */
void ceiling_answered(Ceiling *c, usec_t taken_at);

void ceiling_forget(Ceiling *c); /* all but MODEL_LIMITS */
/* The clock was set back from `now` by `back`, perhaps into another day. The state is as before, only
 * earlier; the minute and another day's requests are forgotten. */
void ceiling_shift(Ceiling *c, usec_t now, usec_t back, usec_t day_before, usec_t day);
/* Adds what the other quota has used and learned: Google counts both as one. ceiling_roll() must have been
 * called for both, and also before ceiling_restore(). */
void ceiling_merge(Ceiling *c, const Ceiling *other);
void ceiling_restore(Ceiling *c, const CeilingKept *kept); /* adds what was stored */
