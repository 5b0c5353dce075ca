/* SPDX-License-Identifier: MIT */
#include "dialect/grounding.h"

#include <string.h>

#include "base/hash.h"

/* Adds an element to the array, unless it is empty. */
void grounding_keep(Buf *b, JsonView v) {
        size_t n = (size_t) (v.end - v.p);
        JsonCursor c = json_enter(v);
        JsonView first;

        if (n > GROUNDING_KEPT_MAX || !json_view_is(v, '{') || !json_next(&c, NULL, &first))
                return;
        if (b->n + n > GROUNDING_KEPT_MAX)
                buf_clear(b);
        if (b->n > 0)
                b->n--; /* the bracket */
        (void) buf_putc(b, b->n > 0 ? ',' : '[');
        (void) buf_append(b, v.p, n);
        (void) buf_putc(b, ']');
}

static size_t length(JsonView v) {
        return (size_t) (v.end - v.p);
}

GroundingSource grounding_source_make(JsonView url, JsonView title) {
        GroundingSource s = {};

        if (!json_view_is(url, '"') || json_view_is_empty(url) || length(url) > GROUNDING_URL_MAX)
                return s;
        s.url = url;
        s.digest = hash_stable(url.p, length(url));
        if (json_view_is(title, '"') && length(title) <= GROUNDING_URL_MAX)
                s.title = title;
        return s;
}

/* The object that has `uri` and `title`, of any kind of source. */
static GroundingSource read_source(JsonView chunk) {
        static const char *const names[] = { "web", "retrievedContext", "maps", "image" };
        JsonView source = {}, url;

        for (size_t i = 0; i < ELEMENTSOF(names) && !json_view_is(source, '{'); i++)
                source = json_view_get(chunk, names[i]);
        if (!json_view_is(source, '{'))
                return (GroundingSource){};
        url = json_view_get(source, "uri");
        if (!json_view_is(url, '"'))
                url = json_view_get(source, "sourceUri");
        return grounding_source_make(url, json_view_get(source, "title"));
}

static bool is_same(JsonView a, JsonView b) {
        return length(a) == length(b) && memcmp(a.p, b.p, length(a)) == 0;
}

/* An event's sources go on where those of the former end, unless it begins again with the first one. */
static void add_sources(GroundingSources *s, JsonView chunks) {
        JsonCursor c = json_enter_array(chunks);
        size_t at = s->n;
        JsonView v;

        for (bool is_first = true; json_next(&c, NULL, &v); is_first = false) {
                if (is_first && s->n > 0 && is_same(v, s->first))
                        at = 0;
                if (at == GROUNDING_SOURCES_MAX)
                        return;
                if (at == 0)
                        s->first = v;
                s->all[at++] = read_source(v);
                s->n = MAX(s->n, at);
        }
}

void grounding_collect(JsonView events, GroundingSources *ret) {
        JsonCursor c = json_enter(events);
        JsonView grounding;

        ret->n = 0;
        while (json_next(&c, NULL, &grounding))
                add_sources(ret, json_view_get(grounding, "groundingChunks"));
}
