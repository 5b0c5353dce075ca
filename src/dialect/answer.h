/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is known of Gemini's answer so far, judged once for all dialects: which candidates were seen, which
 * are finished, whether the answer is complete, and whether it is one at all. A dialect notes what it meets
 * and asks at the end.
 */

#include "base/limits.h"
#include "core/verdict.h"
#include "dialect/gemini/event.h"

typedef struct AnswerCandidate {
        bool is_seen;
        bool has_content;                   /* in the sense of the dialect, which sets it */
        char finish[FINISH_REASON_MAX + 1]; /* Gemini's finishReason, an open enum, cut; "" before the end */
} AnswerCandidate;

typedef struct Answer {
        AnswerCandidate candidates[CANDIDATES_MAX];
        bool is_blocked; /* promptFeedback.blockReason */
} Answer;

/* Forgets all: another attempt begins. */
void answer_reset(Answer *a);

void answer_note_event(Answer *a, const GeminiEvent *e);
/* NULL for an index that could not be asked for. */
AnswerCandidate *answer_note_candidate(Answer *a, const GeminiCandidate *c);

/* Every candidate is finished, or the prompt is blocked. An answer in one piece always is: proto3 leaves out
 * an enum's zero, so it may lack its finishReason. A stream without one was cut. */
bool answer_is_complete(const Answer *a, bool streams);

bool answer_has_candidate(const Answer *a);

/* Whether there is an answer; if not, the verdict tells why. It is one if a candidate has content, or
 * finished for a reason that `is_answer` takes for an answer by itself (NULL: any), or if the prompt was
 * blocked. `why`: Google's own words for a candidate that came to nothing, clean; or "". */
bool answer_judge(const Answer *a, bool streams, bool (*is_answer)(const char *finish), const char *why,
                  Verdict *ret_verdict);
