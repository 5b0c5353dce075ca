/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dialect/answer.h"
#include "dialect/dialect.h"
#include "dialect/gemini/form.h"
#include "dialect/message.h"

/*
 * Reasons about the account behind the key, not about the answer: "PUP_LIMITED_DISABLED" (the account is
 * limited or disabled, because of the Prohibited Use Policy). The enum is open, so they are known by their
 * beginning. They come in a 200.
 */
bool answer_reason_is_about_account(const char *reason) {
        static const char *const beginnings[] = { "PUP_", "ACCOUNT_", "USER_ACCOUNT_", "PROJECT_",
                                                  "CONSUMER_" };

        if (!reason[0]) /* nearly always */
                return false;
        for (size_t i = 0; i < ELEMENTSOF(beginnings); i++)
                if (startswith(reason, beginnings[i]))
                        return true;
        return false;
}

AnswerEnd answer_end(const char *finish) {
        static const struct {
                const char *finish;
                AnswerEnd end;
        } rows[] = {
                { "STOP", ANSWER_END_STOP },
                { "MAX_TOKENS", ANSWER_END_LENGTH },
                { "CONTINUATION", ANSWER_END_LENGTH },
                { "SAFETY", ANSWER_END_FILTER },
                { "RECITATION", ANSWER_END_FILTER },
                { "LANGUAGE", ANSWER_END_FILTER },
                { "BLOCKLIST", ANSWER_END_FILTER },
                { "PROHIBITED_CONTENT", ANSWER_END_FILTER },
                { "SPII", ANSWER_END_FILTER },
                { "IMAGE_SAFETY", ANSWER_END_FILTER },
                { "IMAGE_PROHIBITED_CONTENT", ANSWER_END_FILTER },
                { "IMAGE_RECITATION", ANSWER_END_FILTER },
                { "IMAGE_OTHER", ANSWER_END_FILTER },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(finish, rows[i].finish))
                        return rows[i].end;
        return ANSWER_END_OTHER;
}

void answer_note_finish_message(const GeminiCandidate *c, const Secret *key,
                                char ret[static ANSWER_WHY_MAX + 1]) {
        _cleanup_buf_ Buf clean = BUF_INIT(UPSTREAM_ERROR_MAX);

        if (c->finish_reason[0] &&
            message_clean(c->finish_message, strlen(c->finish_message), key, &clean) >= 0)
                text_copy(ret, ANSWER_WHY_MAX + 1, buf_cstr(&clean));
}

void answer_reset(Answer *a) {
        *a = (Answer){};
}

void answer_note_event(Answer *a, GeminiEvent *e, const Secret *key) {
        if (e->block_reason[0]) {
                secret_scrub(e->block_reason, key);
                a->is_blocked = true;
                text_copy(a->block, sizeof(a->block), e->block_reason);
        }
        a->is_refused = a->is_refused || answer_reason_is_about_account(e->block_reason);
        a->is_foreign = a->is_foreign || e->is_foreign;
        a->is_known = a->is_known || !e->is_foreign;
        a->has_usage = a->has_usage || e->has_usage;
}

static void place(Answer *a, Translation *t, GeminiCandidate *c) {
        if (c->index == 0 || (a->lone == 0 && a->candidates[0].is_seen))
                return;
        if (t->n_asked == 0)
                translation_count_asked(t);
        if (t->n_asked > 1)
                return;
        if (a->lone == 0)
                a->lone = c->index;
        if (c->index == a->lone)
                c->index = 0;
}

AnswerCandidate *answer_note_candidate(Answer *a, const GeminiCandidate *c) {
        AnswerCandidate *mine;

        if (c->index >= CANDIDATES_MAX)
                return NULL;
        mine = &a->candidates[c->index];
        mine->is_seen = true;
        mine->was_finished = mine->finish[0];
        if (c->finish_reason[0])
                text_copy(mine->finish, sizeof(mine->finish), c->finish_reason);
        return mine;
}

AnswerCandidate *answer_take_candidate(Answer *a, Translation *t, GeminiCandidate *c) {
        if (c->finish_reason[0] && answer_end(c->finish_reason) == ANSWER_END_OTHER)
                secret_scrub(c->finish_reason, t->key);
        place(a, t, c);
        return answer_note_candidate(a, c);
}

void answer_note_content(Answer *a, AnswerCandidate *c) {
        c->has_content = true;
        a->is_reopened = a->is_reopened || c->was_finished;
}

const char *answer_native_finish(const Answer *a, size_t index) {
        const char *finish = a->candidates[index].finish;

        return finish[0] ? finish : a->block;
}

bool answer_has_candidate(const Answer *a) {
        for (size_t i = 0; i < CANDIDATES_MAX; i++)
                if (a->candidates[i].is_seen)
                        return true;
        return false;
}

static unsigned count(const Answer *a, bool finished) {
        unsigned n = 0;

        for (size_t i = 0; i < CANDIDATES_MAX; i++)
                n += a->candidates[i].is_seen && !!a->candidates[i].finish[0] == finished;
        return n;
}

unsigned answer_settled(const Answer *a) {
        if (a->is_reopened)
                return 0;
        if (a->is_blocked)
                return CANDIDATES_MAX;
        return count(a, false) > 0 ? 0 : count(a, true);
}

/* A finishReason is missing, and this is not just an upstream that sends none. */
static bool is_cut(const Answer *a) {
        unsigned n_open = count(a, false), n_finished = count(a, true);

        if (a->is_blocked || (n_open == 0 && n_finished > 0))
                return false;
        return (a->must_finish && n_open > 0) || !a->has_usage || n_finished > 0;
}

static bool candidate_is_answer(const AnswerCandidate *c, bool (*is_answer)(const char *finish)) {
        if (!c->is_seen)
                return false;
        if (!c->has_content && answer_reason_is_about_account(c->finish))
                return false;
        return c->has_content || (c->finish[0] && (!is_answer || is_answer(c->finish)));
}

/* The answer is that the account is refused. */
static void verdict_of_account(const char *reason, const char *why, Verdict *ret) {
        char message[512];

        (void) snprintf(message, sizeof(message), "%s: Google has limited or disabled the account%s%s",
                        reason, why[0] ? ", " : "", why);
        verdict_init(ret, VERDICT_PROJECT_DEAD, 200, message);
        text_copy(ret->reason, sizeof(ret->reason), reason);
}

bool answer_blames(const Answer *a, const char *why, Verdict *ret_verdict) {
        for (size_t i = 0; i < CANDIDATES_MAX; i++)
                if (answer_reason_is_about_account(a->candidates[i].finish)) {
                        verdict_of_account(a->candidates[i].finish, why, ret_verdict);
                        return true;
                }
        if (a->is_refused)
                verdict_of_account("blockReason", why, ret_verdict);
        return a->is_refused;
}

bool answer_is_foreign(const Answer *a, Verdict *ret_verdict) {
        char message[128];

        if (!a->is_foreign || a->is_known)
                return false;
        (void) snprintf(message, sizeof(message), "%s (200)", gemini_form_to_string(GEMINI_FORM_JSON));
        verdict_init(ret_verdict, VERDICT_FOREIGN, 200, message);
        return true;
}

bool answer_judge(const Answer *a, bool streams, bool (*is_answer)(const char *finish), const char *why,
                  Verdict *ret_verdict) {
        const char *finish = NULL;
        char message[512];

        if (answer_is_foreign(a, ret_verdict))
                return false;
        if (streams && is_cut(a)) {
                verdict_init(ret_verdict, VERDICT_CUT, 0, "the stream ended without a finishReason");
                return false;
        }
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                const AnswerCandidate *c = &a->candidates[i];

                if (candidate_is_answer(c, is_answer))
                        return true;
                if (c->is_seen && !strnull(c->finish))
                        finish = finish ?: c->finish;
        }
        if (finish && answer_reason_is_about_account(finish)) {
                verdict_of_account(finish, why, ret_verdict);
                return false;
        }
        if (!finish && a->is_refused) {
                verdict_of_account("blockReason", why, ret_verdict);
                return false;
        }
        if (!finish && a->is_blocked)
                return true;

        (void) snprintf(message, sizeof(message), "an answer without content%s%s%s%s",
                        finish ? ", " : "", strempty(finish), why[0] ? ", " : "", why);
        verdict_init(ret_verdict, VERDICT_OVERLOAD, 200, message);
        return false;
}
