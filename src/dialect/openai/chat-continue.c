/* SPDX-License-Identifier: MIT */

/*
 * Gemini 4 writes only so many tokens in one answer. If max_tokens allows more, the answer ends with the
 * finishReason CONTINUATION and a continuationToken, and the same request with that token gets the next
 * part. Such a part is a hop. The client sees one answer: hops are requests of DIALECT_E_MORE, and what they
 * have brought stays in the choice's buffers.
 *
 * A hop that fails is tried again, so reset() goes back to the end of the hop before it: these buffers only
 * grow, so their lengths are enough. What a hop replaces is taken out of the choice at the hop's end:
 * sources become annotations, and the signature is kept here.
 *
 * Gemini 4 has one candidate. An answer with others is not continued, nor one that has blocked its prompt or
 * has no token: it ends with `length`.
 */

#include <errno.h>
#include <stdlib.h>

#include "base/limits-continue.h"
#include "base/text.h"
#include "dialect/openai/answer.h"

static const size_t growing[OPENAI_HOPS_BUFS] = {
        offsetof(OpenaiChoice, text),        offsetof(OpenaiChoice, thoughts), offsetof(OpenaiChoice, calls),
        offsetof(OpenaiChoice, media),       offsetof(OpenaiChoice, logprobs), offsetof(OpenaiChoice, ids),
        offsetof(OpenaiChoice, annotations),
};

static Buf *growing_buf(OpenaiChoice *c, size_t i) {
        return (Buf *) (void *) ((char *) c + growing[i]);
}

static bool may_continue(const OpenaiChat *chat) {
        const Answer *a = &chat->answer;

        if (!streq(a->candidates[0].finish, "CONTINUATION") || a->is_blocked || chat->continuation.n == 0)
                return false;
        for (size_t i = 1; i < CANDIDATES_MAX; i++)
                if (a->candidates[i].is_seen)
                        return false;
        return !chat->hops || chat->hops->n < CONTINUATIONS_MAX;
}

/* The client's request must stay as it was. The token is its last member, so that the places of signatures
 * in it stay, too. */
static int write_request(OpenaiChat *chat) {
        Translation *t = &chat->t;
        size_t n = t->gemini.n - chat->hops->n_tail;
        Buf request = BUF_INIT(n + chat->continuation.n + 64);

        (void) buf_append(&request, buf_data(&t->gemini), n);
        (void) buf_puts(&request, ",\"continuationToken\":");
        (void) buf_append(&request, buf_data(&chat->continuation), chat->continuation.n);
        (void) buf_putc(&request, '}');
        if (request.error < 0)
                return request.error;
        chat->hops->n_tail = request.n - n;
        translation_change(t, &request);
        return 0;
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
        if (hops->n++ == 0)
                hops->prompt = chat->t.usage.prompt;
        usage_add(&hops->usage, &chat->t.usage);
        gemini_counts_add_kinds(&hops->counts, &chat->t.counts);
}

int openai_hops_continue(OpenaiChat *chat) {
        int r;

        if (!may_continue(chat))
                return 0;
        if (!chat->hops) {
                chat->hops = calloc(1, sizeof(OpenaiHops));
                if (!chat->hops)
                        return -ENOMEM;
                chat->hops->n_tail = 1; /* the object's end */
                chat->hops->signature = BUF_INIT(UPSTREAM_ANSWER_MAX);
        }
        r = write_request(chat);
        if (r < 0)
                return r;
        keep(chat);
        return DIALECT_E_MORE;
}

/* A buffer that has failed stays so: what was in it is lost. */
static void cut(Buf *b, size_t n) {
        if (b->error == 0)
                b->n = n;
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
