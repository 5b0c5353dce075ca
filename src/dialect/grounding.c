/* SPDX-License-Identifier: MIT */
#include "dialect/grounding.h"

#include <string.h>

/* Adds an element to the array, unless it is empty. */
void grounding_keep(Buf *b, JsonView v) {
        size_t n = (size_t) (v.end - v.p);
        JsonCursor c = json_enter(v);
        JsonView first;

        if (!json_view_is(v, '{') || !json_next(&c, NULL, &first))
                return;
        if (b->n + n > GROUNDING_KEPT_MAX)
                buf_clear(b);
        if (b->n > 0)
                b->n--; /* the bracket */
        (void) buf_putc(b, b->n > 0 ? ',' : '[');
        (void) buf_append(b, v.p, n);
        (void) buf_putc(b, ']');
}

JsonView grounding_source(JsonView chunk) {
        static const char *const names[] = { "web", "retrievedContext", "maps", "image" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                JsonView v = json_view_get(chunk, names[i]);

                if (json_view_is(v, '{'))
                        return v;
        }
        return (JsonView){};
}

JsonView grounding_url(JsonView source) {
        JsonView v = json_view_get(source, "uri");

        return json_view_is(v, '"') ? v : json_view_get(source, "sourceUri");
}

static bool is_same(JsonView a, JsonView b) {
        size_t n = (size_t) (a.end - a.p);

        return n == (size_t) (b.end - b.p) && memcmp(a.p, b.p, n) == 0;
}

/* An event's sources go on where those of the former end, unless it begins again with the first one. */
static void add_sources(GroundingSources *s, JsonView chunks) {
        JsonCursor c = json_enter_array(chunks);
        size_t at = s->n;
        JsonView v;

        for (bool is_first = true; json_next(&c, NULL, &v); is_first = false) {
                if (is_first && s->n > 0 && is_same(v, s->all[0]))
                        at = 0;
                if (at == GROUNDING_SOURCES_MAX)
                        return;
                s->all[at++] = v;
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
