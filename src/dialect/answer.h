/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The state of Gemini's answer, judged in one place for all dialects: which candidates were seen, which are
 * finished, whether the answer is complete, and whether it is an answer at all. A dialect notes each event's
 * facts here, and queries them at the end.
 */

#include "base/limits.h"
#include "core/verdict.h"
#include "dialect/gemini/event.h"

typedef struct AnswerCandidate {
        bool is_seen;
        bool has_content;                   /* set by the dialect, by its own definition */
        char finish[FINISH_REASON_MAX + 1]; /* Gemini's finishReason, an open enum, cut; "" before the end */
} AnswerCandidate;

typedef struct Answer {
        AnswerCandidate candidates[CANDIDATES_MAX];
        bool is_blocked; /* promptFeedback.blockReason */
        bool is_refused; /* the same, if the reason is about the account */
} Answer;

/* Clears everything: another attempt begins. */
void answer_reset(Answer *a);

void answer_note_event(Answer *a, const GeminiEvent *e);
/* NULL for an index above the maximum. */
AnswerCandidate *answer_note_candidate(Answer *a, const GeminiCandidate *c);

/* Every candidate is finished, or the prompt is blocked. An answer in one piece is always complete: proto3
 * leaves out an enum's zero, so its finishReason may be missing. A stream without a finishReason was cut
 * off. */
bool answer_is_complete(const Answer *a, bool streams);

bool answer_has_candidate(const Answer *a);

/* Whether there is an answer; if not, the verdict has the reason. There is one if a candidate has content,
 * or finished for a reason that `is_answer` accepts without content (NULL: any), or if the prompt was
 * blocked. A reason about the account behind the key is no answer: VERDICT_PROJECT_DEAD. `why`: Google's
 * message about a candidate without content, cleaned; or "". */
bool answer_judge(const Answer *a, bool streams, bool (*is_answer)(const char *finish), const char *why,
                  Verdict *ret_verdict);
