/* SPDX-License-Identifier: MIT */

/*
 * An answer in several hops (dialect/hops). What they have brought stays in the choice's buffers.
 *
 * A hop that fails is tried again, so reset() goes back to the end of the hop before it: until a hop has
 * sent something, these buffers only grow, so their lengths are enough. What a hop replaces is taken out of
 * the choice at the hop's end: sources become annotations, and the signature is kept here. An answer that
 * cannot be continued ends with `length`.
 */

#include <errno.h>
#include <stdlib.h>

#include "dialect/openai/answer.h"

static const size_t growing[OPENAI_HOPS_BUFS] = {
        offsetof(OpenaiChoice, text),        offsetof(OpenaiChoice, thoughts), offsetof(OpenaiChoice, calls),
        offsetof(OpenaiChoice, media),       offsetof(OpenaiChoice, logprobs), offsetof(OpenaiChoice, ids),
        offsetof(OpenaiChoice, annotations),
};

static Buf *growing_buf(OpenaiChoice *c, size_t i) {
        return (Buf *) (void *) ((char *) c + growing[i]);
}

static void keep(OpenaiChat *chat) {
        OpenaiChoice *choice = &chat->choices[0];
        OpenaiHops *hops = chat->hops;

        openai_cite_end(chat, 0);
        if (choice->signature.n > 0) {
                Buf former = hops->signature;

                hops->signature = choice->signature;
                choice->signature = former;
                buf_clear(&choice->signature);
        }
        for (size_t i = 0; i < OPENAI_HOPS_BUFS; i++)
                hops->lengths[i] = growing_buf(choice, i)->n;
        hops->n_samples = chat->sound.samples.n;
        hops->n_calls = choice->n_calls;
        hops->n_images = choice->n_images;
        hops->n_sounds = choice->n_sounds;
        hops->n_annotations = choice->n_annotations;
        hops->has_begun = choice->has_begun;
        hops->has_content = chat->answer.candidates[0].has_content;
        hops->has_more = chat->answer.candidates[0].has_more;
}

int openai_hops_continue(OpenaiChat *chat) {
        int r;

        if (!hops_may_continue(chat->hops ? &chat->hops->sum : NULL, &chat->answer, &chat->continuation))
                return 0;
        if (!chat->hops) {
                chat->hops = calloc(1, sizeof(OpenaiHops));
                if (!chat->hops)
                        return -ENOMEM;
                chat->hops->signature = BUF_INIT(UPSTREAM_ANSWER_MAX);
        }
        r = hops_continue(&chat->hops->sum, &chat->t, &chat->continuation);
        if (r < 0)
                return r;
        keep(chat);
        return DIALECT_E_MORE;
}

/* A buffer that has failed stays so: what was in it is lost. In a stream some are emptied when they are
 * sent. */
static void cut(Buf *b, size_t n) {
        if (b->error == 0)
                b->n = MIN(b->n, n);
}

void openai_hops_restore(OpenaiChat *chat) {
        const OpenaiHops *hops = chat->hops;
        OpenaiChoice *choice = &chat->choices[0];

        for (size_t i = 0; i < OPENAI_HOPS_BUFS; i++)
                cut(growing_buf(choice, i), hops->lengths[i]);
        cut(&chat->sound.samples, hops->n_samples);
        buf_clear(&choice->grounding);
        buf_clear(&choice->citations);
        buf_clear(&choice->signature);
        buf_clear(&choice->parts);
        choice->n_parts = choice->last_part = 0;
        choice->n_calls = hops->n_calls;
        choice->n_images = hops->n_images;
        choice->n_sounds = hops->n_sounds;
        choice->n_annotations = hops->n_annotations;
        choice->has_begun = hops->has_begun;
        chat->answer.candidates[0].has_content = hops->has_content;
        chat->answer.candidates[0].has_more = hops->has_more;
}

OpenaiHops *openai_hops_free(OpenaiHops *hops) {
        if (hops)
                buf_done(&hops->signature);
        free(hops);
        return NULL;
}
