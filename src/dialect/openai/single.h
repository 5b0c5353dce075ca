/* SPDX-License-Identifier: MIT */
#pragma once

/* What the dialects of images, speech and transcriptions have in common: one text goes upstream, and what
 * comes back is one thing, not streamed, of one candidate. */

#include "base/json/write.h"
#include "dialect/answer.h"
#include "dialect/dialect.h"
#include "dialect/part.h"

typedef struct OpenaiSingle {
        Translation t;
        uint64_t created;
        Answer answer;
        char why[ANSWER_WHY_MAX + 1]; /* the last finishMessage, clean */
} OpenaiSingle;

void single_init(OpenaiSingle *s, const DialectContext *c, const Dialect *d);

/* The model of the request, which must be able to do this; `what` is the fault of others: "makes no
 * images". */
int single_read_model(OpenaiSingle *s, const DialectContext *c, JsonView model, ModelCan needs,
                      const char *what, ApiError *ret_error);

/* 0, or a refusal. Null is a missing string. */
int single_check_string(JsonView v, const char *name, bool is_required, ApiError *ret_error);

/* "contents": one text of the user's. */
void single_write_prompt(JsonView text, JWriter *w);

/* Reads an event. `take` gets each part that is not a thought; true: it is content. */
int single_event(OpenaiSingle *s, const char *json, size_t n,
                 bool (*take)(OpenaiSingle *s, const GeminiPart *p), Verdict *ret_verdict);

/* 0: there is content. DIALECT_E_VERDICT: there is none, and the request is at fault if Google has blocked
 * it, or what it made. */
int single_judge(const OpenaiSingle *s, Verdict *ret_verdict);

/* Forgets the answer; the next one may follow. */
void single_reset(OpenaiSingle *s);
