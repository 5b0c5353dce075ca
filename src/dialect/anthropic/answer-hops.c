/* SPDX-License-Identifier: MIT */

/* An answer in several hops (dialect/hops). What they have brought stays in the content. A hop that fails is
 * tried again, so reset() goes back to the end of the hop before it: its buffers only grow, but those of the
 * open block, which are kept. */

#include <errno.h>
#include <stdlib.h>

#include "dialect/anthropic/answer.h"

struct AnthropicHops {
        Hops sum;
        AnthropicContent kept; /* copies of the open block's buffers; of the others only the lengths */
        bool has_content, has_more;
};

static int copy_buf(const Buf *from, Buf *to) {
        buf_clear(to);
        to->max = from->max;
        return from->n > 0 ? buf_append(to, buf_data(from), from->n) : 0;
}

static int keep(AnthropicMessage *m) {
        AnthropicContent *c = &m->content, *kept = &m->hops->kept;
        Buf text = kept->text, signature = kept->signature;
        int r;

        *kept = *c;
        kept->text = text;
        kept->signature = signature;
        r = copy_buf(&c->text, &kept->text);
        if (r == 0)
                r = copy_buf(&c->signature, &kept->signature);
        m->hops->has_content = m->answer.candidates[0].has_content;
        m->hops->has_more = m->answer.candidates[0].has_more;
        return r;
}

int anthropic_hops_continue(AnthropicMessage *m) {
        int r;

        if (!hops_may_continue(m->hops ? &m->hops->sum : NULL, &m->answer, &m->continuation))
                return 0;
        if (!m->hops) {
                m->hops = calloc(1, sizeof(AnthropicHops));
                if (!m->hops)
                        return -ENOMEM;
        }
        r = hops_continue(&m->hops->sum, &m->t, &m->continuation);
        if (r == 0)
                r = keep(m);
        return r < 0 ? r : DIALECT_E_MORE;
}

/* A buffer that has failed stays so: what was in it is lost. */
static Buf cut(Buf b, size_t n) {
        if (b.error == 0)
                b.n = n;
        return b;
}

void anthropic_hops_restore(AnthropicMessage *m) {
        AnthropicContent *c = &m->content, now = *c;
        const AnthropicContent *kept = &m->hops->kept;

        *c = *kept;
        c->done = cut(now.done, kept->done.n);
        c->grounding = cut(now.grounding, kept->grounding.n);
        c->text = now.text;
        c->signature = now.signature;
        c->citations = now.citations;
        (void) copy_buf(&kept->text, &c->text);
        (void) copy_buf(&kept->signature, &c->signature);
        m->answer.candidates[0].has_content = m->hops->has_content;
        m->answer.candidates[0].has_more = m->hops->has_more;
}

AnthropicHops *anthropic_hops_free(AnthropicHops *hops) {
        if (hops) {
                buf_done(&hops->kept.text);
                buf_done(&hops->kept.signature);
        }
        free(hops);
        return NULL;
}

Usage anthropic_hops_usage(const AnthropicMessage *m) {
        Usage u = m->t.usage;

        if (m->hops)
                usage_add(&u, &m->hops->sum.usage);
        return u;
}
