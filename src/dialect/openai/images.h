/* SPDX-License-Identifier: MIT */
#pragma once

#include "dialect/openai/single.h"

typedef struct Images {
        OpenaiSingle single;
        bool as_url;     /* response_format: data: URLs */
        uint64_t n;      /* asked for */
        Buf data;        /* the answer, up to the images so far */
        JWriter writer;  /* of the answer, in its array */
        char type[32];   /* MIME, of the last one */
        uint64_t n_found;
        /* When the present request began: reset() goes back to it. */
        size_t n_data;
        uint64_t n_before;
        Usage usage; /* of the requests before */
        GeminiKinds prompt, answer;
} Images;

int images_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict);
int images_finish(Translation *t, Buf *out, Verdict *ret_verdict);
void images_reset(Translation *t);
