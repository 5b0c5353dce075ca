/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How much Google lets a quota have, and how much of that is used: requests and input tokens of the last
 * minute, requests of the day. What is used is counted when a request is picked, so a quota is passed over
 * before Google says 429. See ceiling.c for how the minute is kept. Pure, and without memory of its own.
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
        CEILING_GUESSED, /* from how much was used when Google refused: shown, never a rule */
        CEILING_LEARNED, /* Google said it with a refusal, within the last CEILING_LEARNED_LIFETIME */
        CEILING_TOLD,    /* MODEL_LIMITS: wins */
} CeilingSource;

const char *ceiling_source_to_string(CeilingSource s); /* "told", … */

/* What MODEL_LIMITS says of a model, or of a model in one project. */
typedef struct CeilingRow {
        char *model, *project;        /* project NULL: in each */
        uint64_t value[_CEILING_MAX]; /* 0: nothing; CEILING_NONE: none, whatever the model's own row says */
} CeilingRow;

#define CEILING_NONE             UINT64_MAX
#define CEILING_SLOT             (5 * USEC_PER_SEC)
#define CEILING_SLOTS            13U /* twelve make a minute; the one under way is the thirteenth */
#define CEILING_LEARNED_LIFETIME USEC_PER_DAY

/* What must survive a restart. Plain: it can be written and read member by member. */
typedef struct CeilingKept {
        uint64_t learned[_CEILING_MAX]; /* 0: nothing */
        usec_t learned_at[_CEILING_MAX];
        uint64_t guessed[_CEILING_MAX]; /* 0: nothing */
        usec_t day;                     /* the beginning of the day that `today` belongs to */
        uint64_t today;
        usec_t warned; /* the day in which QUOTA_WARN_AT was last told */
} CeilingKept;

typedef struct Ceiling {
        CeilingKept kept;
        uint64_t told[_CEILING_MAX]; /* 0: nothing */
        uint64_t slot;               /* the number of the slot under way, from the epoch */
        uint64_t requests, tokens;   /* of all slots */
        uint32_t slot_requests[CEILING_SLOTS], slot_tokens[CEILING_SLOTS];
} Ceiling;

/* To be called first by whoever has a new `now`. */
void ceiling_roll(Ceiling *c, usec_t now, usec_t day);

/* The ceiling and how it is known; 0 if it isn't. */
uint64_t ceiling_limit(const Ceiling *c, CeilingKind kind, usec_t now, CeilingSource *ret_source);
uint64_t ceiling_used(const Ceiling *c, CeilingKind kind);

/* When a request of so many tokens fits, 0: now. For a probe what was learned is no bound: it goes to see
 * whether that still holds. *ret_kind is what it waits for. */
usec_t ceiling_free_at(const Ceiling *c, uint64_t tokens, bool is_probe, usec_t now, usec_t midnight,
                       CeilingKind *ret_kind);

bool ceiling_is_known(const Ceiling *c); /* at least one, be it told or learned once */

void ceiling_take(Ceiling *c, uint64_t tokens);

/* What became of a request that was taken: so many tokens in truth, and if it was refused it is not one of
 * the day. True if the quota has more left than before. */
typedef struct CeilingTaken {
        usec_t at, day;
        uint64_t tokens;
} CeilingTaken;

bool ceiling_settle(Ceiling *c, const CeilingTaken *taken, uint64_t tokens, bool refused);

/* Google named these (0: not). */
void ceiling_learn(Ceiling *c, const uint64_t values[static _CEILING_MAX], usec_t now);
/* Google refused without a number. */
void ceiling_guess(Ceiling *c, CeilingKind kind);
/* An answer has come to a request that went out at `taken_at`: what was learned of the day is disproved if
 * more was had, or if the day had been called spent before. */
void ceiling_answered(Ceiling *c, usec_t taken_at);

void ceiling_forget(Ceiling *c); /* all but what was told */
/* The clock has jumped back from `now` by so much, and perhaps into another day: it is as it was, only
 * earlier. The minute and another day's requests are forgotten. */
void ceiling_shift(Ceiling *c, usec_t now, usec_t back, usec_t day_before, usec_t day);
void ceiling_merge(Ceiling *c, const Ceiling *other);      /* two quotas were one all along; both rolled */
void ceiling_restore(Ceiling *c, const CeilingKept *kept); /* what was known before is added; rolled */
