/* SPDX-License-Identifier: MIT */

/*
 * The minute is a rolling one. Google does not document whether its minute begins at :00, begins at the
 * first request, or rolls; a client that keeps to a rolling minute keeps to each of them.
 *
 * The minute is kept as thirteen slots of five seconds. A request counts until its slot is a whole minute
 * past, so for 60 to 65 seconds: never too short, and a request may take up to five seconds to reach Google
 * without harm. Sixty slots of a second would give back 6 % of a minute's requests at 400 bytes more for
 * each quota, of which there can be a million; a token bucket is smaller still, but lets two minutes' worth
 * through within one.
 *
 * A request counts when it is picked, with its tokens estimated from its bytes. When it ends, the estimate
 * is replaced: by what Gemini counted, or by nothing if the request was refused. A refused request stays
 * counted in its minute (Google may count it, and it passes anyway), but not in the day. If Google does
 * count it there, the price is one 429 at the end of the day; the other way round it would be a request that
 * is never made.
 *
 * A limit that Google names in a refusal is used for a day. So a project that moves to a higher tier is not
 * held to its old limit for longer, and a limit that still holds is learned again, at the price of one 429.
 *
 * A single request that is larger than the minute's tokens is sent when nothing else is in the minute: its
 * size is an estimate, and if it is right, Google refuses it (VERDICT_TOO_LARGE).
 */

#include "core/ceiling.h"

static const char *const sources[] = {
        [CEILING_UNKNOWN] = "unknown",
        [CEILING_GUESSED] = "guessed",
        [CEILING_LEARNED] = "learned",
        [CEILING_TOLD] = "told",
};

const char *ceiling_source_to_string(CeilingSource s) {
        assert(s < ELEMENTSOF(sources));
        return sources[s];
}

static void drop_slot(Ceiling *c, uint64_t slot) {
        size_t i = slot % CEILING_SLOTS;

        c->requests -= c->slot_requests[i];
        c->tokens -= c->slot_tokens[i];
        c->slot_requests[i] = c->slot_tokens[i] = 0;
}

void ceiling_roll(Ceiling *c, usec_t now, usec_t day) {
        uint64_t slot = now / CEILING_SLOT;

        if (c->kept.day != day) {
                c->kept.day = day;
                c->kept.today = 0;
        }
        if (slot <= c->slot)
                return;
        if (c->requests == 0 && c->tokens == 0)
                c->slot = slot;
        for (size_t i = 0; i < CEILING_SLOTS && c->slot < slot; i++)
                drop_slot(c, ++c->slot);
        c->slot = slot;
}

static usec_t believed_until(const Ceiling *c, CeilingKind kind) {
        return usec_add(c->kept.learned_at[kind], CEILING_LEARNED_LIFETIME);
}

static bool is_believed(const Ceiling *c, CeilingKind kind, usec_t now) {
        return c->kept.learned[kind] > 0 && now < believed_until(c, kind);
}

uint64_t ceiling_limit(const Ceiling *c, CeilingKind kind, usec_t now, CeilingSource *ret_source) {
        CeilingSource source = CEILING_UNKNOWN;
        uint64_t limit = 0;

        if (c->told[kind] > 0) {
                source = CEILING_TOLD;
                limit = c->told[kind];
        } else if (is_believed(c, kind, now)) {
                source = CEILING_LEARNED;
                limit = c->kept.learned[kind];
        } else if (c->kept.guessed[kind] > 0) {
                source = CEILING_GUESSED;
                limit = c->kept.guessed[kind];
        }
        *ret_source = source;
        return limit;
}

uint64_t ceiling_used(const Ceiling *c, CeilingKind kind) {
        switch (kind) {
        case CEILING_RPM:
                return c->requests;
        case CEILING_TPM:
                return c->tokens;
        default:
                return c->kept.today;
        }
}

/* The ceiling that binds the next request; UINT64_MAX if none does. */
static uint64_t rule_of(const Ceiling *c, CeilingKind kind, bool is_probe, usec_t now) {
        CeilingSource source;
        uint64_t limit = ceiling_limit(c, kind, now, &source);

        return source == CEILING_TOLD || (source == CEILING_LEARNED && !is_probe) ? limit : UINT64_MAX;
}

/* When there is room: slots leave the minute from the oldest on. */
static usec_t minute_free_at(const Ceiling *c, uint64_t tokens, uint64_t rpm, uint64_t tpm,
                             CeilingKind *ret_kind) {
        uint64_t n_requests = c->requests, n_tokens = c->tokens;
        usec_t at = 0;

        for (size_t i = 1; i <= CEILING_SLOTS; i++) {
                uint64_t slot = c->slot + i; /* replaces the oldest */
                bool requests_fit = n_requests < rpm;
                bool tokens_fit = n_tokens == 0 || (n_tokens < tpm && tokens <= tpm - n_tokens);

                if (requests_fit && tokens_fit)
                        break;
                *ret_kind = requests_fit ? CEILING_TPM : CEILING_RPM;
                n_requests -= c->slot_requests[slot % CEILING_SLOTS];
                n_tokens -= c->slot_tokens[slot % CEILING_SLOTS];
                at = slot * CEILING_SLOT;
        }
        return at;
}

/* A learned limit of the minute may expire before the minute has passed: one of them, or both. */
static usec_t minute_free_or_forgotten_at(const Ceiling *c, uint64_t tokens, uint64_t rpm, uint64_t tpm,
                                          CeilingKind *ret_kind) {
        usec_t at = minute_free_at(c, tokens, rpm, tpm, ret_kind);
        usec_t rpm_ends = c->told[CEILING_RPM] > 0 ? USEC_INFINITY : believed_until(c, CEILING_RPM);
        usec_t tpm_ends = c->told[CEILING_TPM] > 0 ? USEC_INFINITY : believed_until(c, CEILING_TPM);
        CeilingKind kind;

        if (rpm < UINT64_MAX && rpm_ends < at)
                at = MIN(at, MAX(rpm_ends, minute_free_at(c, tokens, UINT64_MAX, tpm, &kind)));
        if (tpm < UINT64_MAX && tpm_ends < at)
                at = MIN(at, MAX(tpm_ends, minute_free_at(c, tokens, rpm, UINT64_MAX, &kind)));
        if (rpm < UINT64_MAX && tpm < UINT64_MAX)
                at = MIN(at, MAX(rpm_ends, tpm_ends));
        return at;
}

usec_t ceiling_free_at(const Ceiling *c, uint64_t tokens, bool is_probe, usec_t now, usec_t midnight,
                       CeilingKind *ret_kind) {
        uint64_t rpm = rule_of(c, CEILING_RPM, is_probe, now), tpm = rule_of(c, CEILING_TPM, is_probe, now);
        uint64_t rpd = rule_of(c, CEILING_RPD, is_probe, now);
        CeilingKind kind = _CEILING_MAX;
        usec_t at = 0;

        if (c->requests >= rpm || c->tokens >= tpm || tokens > tpm - c->tokens)
                at = minute_free_or_forgotten_at(c, tokens, rpm, tpm, &kind);
        if (c->kept.today >= rpd) {
                usec_t free = midnight;

                if (c->told[CEILING_RPD] == 0)
                        free = MIN(free, believed_until(c, CEILING_RPD));
                kind = CEILING_RPD;
                at = MAX(at, free);
        }
        *ret_kind = kind;
        return at;
}

bool ceiling_is_known(const Ceiling *c) {
        for (size_t i = 0; i < _CEILING_MAX; i++)
                if (c->told[i] > 0 || c->kept.learned[i] > 0)
                        return true;
        return false;
}

static void add_tokens(Ceiling *c, size_t i, uint64_t n) {
        uint32_t room = UINT32_MAX - c->slot_tokens[i];

        n = MIN(n, (uint64_t) room);
        c->slot_tokens[i] += (uint32_t) n;
        c->tokens += n;
}

void ceiling_take(Ceiling *c, uint64_t tokens) {
        size_t i = c->slot % CEILING_SLOTS;

        if (c->slot_requests[i] < UINT32_MAX) {
                c->slot_requests[i]++;
                c->requests++;
        }
        add_tokens(c, i, tokens);
        c->kept.today++;
}

bool ceiling_settle(Ceiling *c, const CeilingTaken *taken, uint64_t tokens, bool refused) {
        uint64_t slot = taken->at / CEILING_SLOT;
        size_t i = slot % CEILING_SLOTS;
        bool more = false;

        if (refused && taken->day == c->kept.day && c->kept.today > 0) {
                c->kept.today--;
                more = true;
        }
        if (slot > c->slot || c->slot - slot >= CEILING_SLOTS)
                return more;
        if (tokens >= taken->tokens)
                add_tokens(c, i, tokens - taken->tokens);
        else {
                uint32_t n = (uint32_t) MIN(taken->tokens - tokens, (uint64_t) c->slot_tokens[i]);

                c->slot_tokens[i] -= n;
                c->tokens -= n;
                more = more || n > 0;
        }
        return more;
}

void ceiling_learn(Ceiling *c, const uint64_t values[static _CEILING_MAX], usec_t now) {
        for (size_t i = 0; i < _CEILING_MAX; i++)
                if (values[i] > 0) {
                        c->kept.learned[i] = values[i];
                        c->kept.learned_at[i] = now;
                        c->kept.guessed[i] = 0;
                }
}

void ceiling_guess(Ceiling *c, CeilingKind kind) {
        uint64_t used = ceiling_used(c, kind);

        /* `used` includes the refused request. */
        if (used > 1 && c->kept.learned[kind] == 0)
                c->kept.guessed[kind] = used - 1;
}

void ceiling_answered(Ceiling *c, usec_t taken_at) {
        usec_t learned_at = c->kept.learned_at[CEILING_RPD];

        if (c->kept.today > c->kept.learned[CEILING_RPD] ||
            (learned_at >= c->kept.day && taken_at > learned_at))
                c->kept.learned[CEILING_RPD] = 0;
        for (size_t i = 0; i < _CEILING_MAX; i++)
                if (ceiling_used(c, (CeilingKind) i) > c->kept.guessed[i])
                        c->kept.guessed[i] = 0;
}

static void restart_minute(Ceiling *c) {
        c->slot = c->requests = c->tokens = 0;
        for (size_t i = 0; i < CEILING_SLOTS; i++)
                c->slot_requests[i] = c->slot_tokens[i] = 0;
}

void ceiling_shift(Ceiling *c, usec_t now, usec_t back, usec_t day_before, usec_t day) {
        /* A day that the clock returns to begins again at zero, whether or not it was looked at
         * meanwhile. */
        ceiling_roll(c, now, day_before);
        restart_minute(c);
        ceiling_roll(c, usec_sub(now, back), day);
        /* Else a limit learned while the clock was wrong would be used for as long as the clock was
         * ahead. */
        for (size_t i = 0; i < _CEILING_MAX; i++)
                c->kept.learned_at[i] = usec_sub(c->kept.learned_at[i], back);
}

void ceiling_forget(Ceiling *c) {
        restart_minute(c);
        c->kept = (CeilingKept){ .day = c->kept.day, .warned = c->kept.warned };
}

void ceiling_restore(Ceiling *c, const CeilingKept *kept) {
        if (c->kept.day == kept->day)
                c->kept.today += kept->today;
        c->kept.warned = MAX(c->kept.warned, kept->warned);
        for (size_t i = 0; i < _CEILING_MAX; i++) {
                if (kept->learned_at[i] > c->kept.learned_at[i]) {
                        c->kept.learned[i] = kept->learned[i];
                        c->kept.learned_at[i] = kept->learned_at[i];
                }
                if (c->kept.guessed[i] == 0)
                        c->kept.guessed[i] = kept->guessed[i];
        }
}

void ceiling_merge(Ceiling *c, const Ceiling *other) {
        assert(c->slot == other->slot);
        for (size_t i = 0; i < CEILING_SLOTS; i++) {
                c->slot_requests[i] += other->slot_requests[i];
                c->requests += other->slot_requests[i];
                add_tokens(c, i, other->slot_tokens[i]);
        }
        ceiling_restore(c, &other->kept);
}
