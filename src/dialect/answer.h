/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state of Gemini's answer, judged in one place for all dialects: which candidates were seen, which are
 * finished, whether the answer is complete, and whether it is an answer at all. A dialect notes each event's
 * facts here, and queries them at the end.
 *
 * Gemini's finishReasons decide how an answer ended, not the transfer's last bytes. Once every candidate
 * has finished, the answer is settled: nothing that follows makes it an error. The exception are models that
 * put a finishReason on each event. They are recognized by content after a finishReason, and from then on
 * only a transfer that ends cleanly is an answer.
 */

#include "base/limits.h"
#include "core/verdict.h"
#include "dialect/gemini/event.h"

#define ANSWER_WHY_MAX 255U /* bytes of a finishMessage that are kept, for an error */

typedef struct AnswerCandidate {
        bool is_seen;
        bool was_finished; /* before the present event */
        bool has_content;
        bool has_more; /* parts that the dialect does not show; thoughts and empty texts do not count */
        char finish[FINISH_REASON_MAX + 1]; /* Gemini's finishReason, an open enum, cut; "" before the end */
} AnswerCandidate;

typedef struct Translation Translation;

typedef struct Answer {
        AnswerCandidate candidates[CANDIDATES_MAX];
        char block[FINISH_REASON_MAX + 1]; /* promptFeedback.blockReason, cut; "": none */
        uint64_t lone; /* answer_take_candidate(): the index of the only candidate, if it is not 0 */
        bool is_blocked;                   /* it has one, also after a text */
        bool is_refused; /* the same, if the reason is about the account */
        bool is_foreign; /* an event had nothing of Gemini's */
        bool is_known; /* another one had */
        bool has_usage;
        bool is_reopened; /* content came after a finishReason */
        bool must_finish; /* for answer_judge(): also an upstream that sends no finishReason is not whole */
} Answer;

/* What a finishReason means in other protocols. */
typedef enum AnswerEnd {
        ANSWER_END_OTHER, /* it has no equivalent */
        ANSWER_END_STOP,
        ANSWER_END_LENGTH,
        ANSWER_END_FILTER, /* Google has cut it off for what it holds */
        _ANSWER_END_MAX,
} AnswerEnd;

AnswerEnd answer_end(const char *finish);

/* Keeps Google's message, clean, in case the candidate stays empty. Without a finishReason does nothing. */
void answer_note_finish_message(const GeminiCandidate *c, const Secret *key,
                                char ret[static ANSWER_WHY_MAX + 1]);

/* Clears everything: another attempt begins. */
void answer_reset(Answer *a);

/* A blockReason is passed on, and may be anything: covers a key in it. */
void answer_note_event(Answer *a, GeminiEvent *e, const Secret *key);
/* NULL for an index above the maximum. */
AnswerCandidate *answer_note_candidate(Answer *a, const GeminiCandidate *c);
/* The same for an answer that is translated. If one candidate is asked for, and the first that comes has
 * another index than 0, it is the one with 0. A finishReason that has no equivalent is passed on, and may be
 * anything: covers a key in it. */
AnswerCandidate *answer_take_candidate(Answer *a, Translation *t, GeminiCandidate *c);
/* The present event has content of the candidate, by the dialect's own definition. */
void answer_note_content(Answer *a, AnswerCandidate *c);

/* The number of candidates that have finished, CANDIDATES_MAX if the prompt was blocked; 0 as long as one
 * of them has not, or if the answer was reopened. */
unsigned answer_settled(const Answer *a);

/* True for a finishReason or blockReason that is about the account behind the key, not about the answer. */
bool answer_reason_is_about_account(const char *reason);

/* Of an answer with content: whether it ended because of the account. The verdict is what the pool gets. */
bool answer_blames(const Answer *a, const char *why, Verdict *ret_verdict);

/* Whether what came is JSON that is not Gemini's. */
bool answer_is_foreign(const Answer *a, Verdict *ret_verdict);

/* Why a candidate ended, as Gemini has it: its finishReason, else the blockReason, else "". */
const char *answer_native_finish(const Answer *a, size_t index);

bool answer_has_candidate(const Answer *a);

/* Whether there is an answer, when the transfer has ended well; if not, the verdict has the reason. There is
 * one if a candidate has content, or finished for a reason that `is_answer` accepts without content (NULL:
 * any), or if the prompt was blocked. A reason about the account behind the key is no answer:
 * VERDICT_PROJECT_DEAD.
 *
 * `streams`: a candidate of a stream without a finishReason was cut off, unless no candidate has one and the
 * tokens were counted. An answer in one piece may lack it, because proto3 leaves out an enum's zero. `why`:
 * Google's message about a candidate without content, cleaned; or "". */
bool answer_judge(const Answer *a, bool streams, bool (*is_answer)(const char *finish), const char *why,
                  Verdict *ret_verdict);
