/* SPDX-License-Identifier: MIT */
#include "base/json/cursor.h"
#include "base/limits.h"
#include "dialect/dialect.h"

/* The number of candidates that the request asks for. */
static uint64_t count_asked(const Buf *gemini) {
        static const char *const names[][2] = { { "generationConfig", "candidateCount" },
                                                { "generation_config", "candidate_count" } };
        JsonView root = json_view(gemini->n > 0 ? buf_data(gemini) : "", gemini->n);
        uint64_t n = 1;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                JsonView config = json_view_get(root, names[i][0]);

                for (size_t j = 0; j < ELEMENTSOF(names); j++)
                        n = MAX(n, json_view_count(json_view_get(config, names[j][1])));
        }
        return MIN(n, (uint64_t) CANDIDATES_MAX);
}

void translation_count_asked(Translation *t) {
        t->n_asked = count_asked(&t->gemini);
}

/* A candidate that was asked for and not seen yet may still come. A small request is read only here, because
 * this is asked only when something went wrong. */
bool translation_is_settled(const Translation *t) {
        return t->settled > 0 && t->settled >= (t->n_asked ?: count_asked(&t->gemini));
}

void translation_change(Translation *t, Buf *request) {
        buf_done(&t->former);
        t->former = t->gemini;
        t->gemini = *request;
        *request = BUF_INIT(0);
}

int translation_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict) {
        int r;

        if (t->former.base)
                buf_done(&t->former);
        r = t->dialect->event(t, json, n, out, ret_verdict);
        return r == DIALECT_E_VERDICT && translation_is_settled(t) ? DIALECT_E_LATE : r;
}

int translation_end(Translation *t, Buf *out, Verdict *verdict) {
        if (verdict->class != VERDICT_OK && verdict->class != VERDICT_INTERNAL && translation_is_settled(t))
                verdict_init(verdict, VERDICT_OK, 200, NULL);
        return verdict->class == VERDICT_OK ? t->dialect->finish(t, out, verdict) : 0;
}
