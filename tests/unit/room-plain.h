/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The rules of ceilings and projects, as plainly as can be: every request is in a list of the quota that it
 * was taken from, and is counted by looking at all of the list. For test-pool-room.
 */

#include "test.h"

#include "base/zone.h"
#include "core/ceiling.h"
#include "core/verdict.h"

#define ROOM_KEYS   8U /* that there are in the world */
#define ROOM_LEASES 16U
#define ROOM_LIVES                                                                                          \
        (ROOM_KEYS + ROOM_LEASES + 1) /* of keys, those included that live on for their requests */
#define ROOM_TAKES 8192U

enum { ALIAS, TARGET, OTHER, ROOM_MODELS };
enum { RED, GREEN, LEARNED_0, LEARNED_1, ROOM_PROJECTS, NO_PROJECT = ROOM_PROJECTS };

extern const char *const room_models[ROOM_MODELS], *const room_projects[ROOM_PROJECTS];

typedef struct RoomTake {
        usec_t at, day; /* day 0: of one that the clock has left */
        uint64_t id, tokens;
        bool refused, in_minute;
} RoomTake;

typedef struct RoomQuota {
        usec_t until, since;
        uint64_t probe; /* the first one under way */
        usec_t passes;  /* it passes then; 0: only by an answer */
        bool slow, daily;
        unsigned strikes, n_probes, n;
        uint64_t learned[_CEILING_MAX];
        usec_t learned_at[_CEILING_MAX];
        RoomTake takes[ROOM_TAKES];
} RoomQuota;

/* A project, or a key that is its own. */
typedef struct RoomGroup {
        unsigned n_keys;
        bool fresh; /* it had no key before the change that is under way */
        RoomQuota quotas[ROOM_MODELS];
} RoomGroup;

typedef struct RoomKey {
        bool used, gone, disabled;
        unsigned which, index, n_out;
        unsigned placed, learned; /* projects, or NO_PROJECT */
        RoomGroup own, *group;
} RoomKey;

typedef struct RoomWanted {
        unsigned which, project;
        bool disabled;
} RoomWanted;

typedef struct RoomPlain {
        const Zone *zone;
        usec_t now;
        const CeilingRow *limits;
        size_t n_limits;
        bool merged; /* the alias is known for one */
        RoomKey lives[ROOM_LIVES];
        RoomKey *keys[ROOM_KEYS]; /* in the order of the configuration */
        unsigned n_keys;
        RoomGroup projects[ROOM_PROJECTS];
} RoomPlain;

void room_time(RoomPlain *w, usec_t now); /* a jump back is one of a minute or more */
RoomQuota *room_quota(RoomPlain *w, RoomKey *k, unsigned model);
bool room_is_open(const RoomPlain *w, const RoomQuota *q);
/* `whole_slots`: a request counts until its slot is so old; else the rolling minute itself. */
bool room_has(const RoomPlain *w, const RoomKey *k, const RoomQuota *q, unsigned model, uint64_t tokens,
              bool whole_slots);
void room_take(RoomPlain *w, RoomKey *k, unsigned model, uint64_t tokens, uint64_t id);
void room_report(RoomPlain *w, RoomKey *k, unsigned model, const Verdict *v, uint64_t prompt, uint64_t id);
void room_reset(RoomPlain *w); /* all of it */
void room_set_keys(RoomPlain *w, const RoomWanted *wanted, unsigned n);
