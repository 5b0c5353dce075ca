/* SPDX-License-Identifier: MIT */

/*
 * The sources of an answer, as url_citation. Gemini has two forms: groundingMetadata of its search, where
 * supports lead from a piece of the text to some of the sources, and citationMetadata, of what a text
 * repeats. Gemini counts bytes of UTF-8, OpenAI counts characters. Any event may bring more of them, or all
 * of them again, so they are kept as they are and read at the end of each answer of Gemini, when all of its
 * text is known.
 *
 * A citation's bytes are counted from the beginning of that answer, which may be one of several
 * (chat-continue.c); a support's from the beginning of one of its parts. In a stream a text that goes on in
 * the next event is one part.
 */

#include <errno.h>

#include "base/hash.h"
#include "dialect/grounding.h"
#include "dialect/json.h"
#include "dialect/openai/answer.h"

#define CITATIONS_MAX   1024U /* annotations of a candidate */
#define CITED_PARTS_MAX 4096U /* of an answer; offsets in a part behind these are as in the first */
#define MARK_EVERY      1024U /* bytes of the text between two counts of its characters */

/* How many characters are before a byte of the text. */
typedef struct CharMap {
        const char *text;
        size_t n;
        uint32_t *marks; /* at each MARK_EVERY bytes */
} CharMap;

static size_t count_characters(const char *s, size_t n) {
        size_t k = 0;

        for (size_t i = 0; i < n; i++)
                k += ((unsigned char) s[i] & 0xC0) != 0x80;
        return k;
}

static int char_map_init(CharMap *m, const Buf *text) {
        size_t n_marks = text->n / MARK_EVERY + 1, k = 0;

        *m = (CharMap){ .text = text->n > 0 ? buf_data(text) : "", .n = text->n };
        m->marks = calloc(n_marks, sizeof(*m->marks));
        if (!m->marks)
                return -ENOMEM;
        for (size_t i = 0; i < n_marks; i++) {
                m->marks[i] = (uint32_t) k;
                k += count_characters(m->text + i * MARK_EVERY, MIN(MARK_EVERY, m->n - i * MARK_EVERY));
        }
        return 0;
}

static void char_map_done(CharMap *m) {
        free(m->marks);
}

static uint64_t char_map_find(const CharMap *m, uint64_t byte) {
        size_t at = (size_t) MIN(byte, m->n), mark = at / MARK_EVERY;

        return m->marks[mark] + count_characters(m->text + mark * MARK_EVERY, at - mark * MARK_EVERY);
}

void openai_cite_add(OpenaiChat *chat, const GeminiCandidate *c) {
        grounding_keep(&chat->choices[c->index].grounding, c->grounding);
        grounding_keep(&chat->choices[c->index].citations, c->citations);
}

void openai_cite_part(OpenaiChat *chat, size_t index, const GeminiPart *p, bool is_first_of_event) {
        OpenaiChoice *choice = &chat->choices[index];
        unsigned kind = 2 * p->kind + p->is_thought + 1;
        bool goes_on = is_first_of_event && choice->last_part == kind && p->kind == GEMINI_PART_TEXT;
        uint32_t start;

        choice->last_part = kind;
        if (goes_on || choice->n_parts++ == 0 || choice->n_parts > CITED_PARTS_MAX)
                return;
        start = (uint32_t) (choice->text.n + chat->text.n);
        (void) buf_append(&choice->parts, &start, sizeof(start));
}

typedef struct List {
        JWriter *w;
        bool is_flat; /* an annotation of /v1/responses: its members are beside its type */
        const CharMap *map;
        size_t from; /* where the bytes are counted from */
        const Buf *parts;
        unsigned n_before, n; /* n_before: of the answers before */
        uint64_t seen[2 * CITATIONS_MAX]; /* digests of the elements: a hash table; 0 is a free place */
} List;

static uint64_t position(const List *l, uint64_t byte) {
        return char_map_find(l->map, l->from + MIN(byte, l->map->n));
}

static bool is_full(const List *l) {
        return l->n >= CITATIONS_MAX || l->w->buf->n > GROUNDING_KEPT_MAX;
}

/* Half of the table stays free. */
static bool is_repeated(List *l, const GroundingSource *s, uint64_t start, uint64_t end) {
        uint64_t h = hash_mix(s->digest + hash_mix(start + hash_mix(end))) ?: 1;
        size_t i = h % ELEMENTSOF(l->seen);

        for (; l->seen[i] != 0; i = (i + 1) % ELEMENTSOF(l->seen))
                if (l->seen[i] == h)
                        return true;
        l->seen[i] = h;
        return false;
}

/* Where a part begins, from the beginning of the answer. */
static uint64_t start_of_part(const List *l, uint64_t part) {
        uint32_t start;

        if (part == 0 || part > l->parts->n / sizeof(start))
                return 0;
        memcpy(&start, buf_data(l->parts) + (part - 1) * sizeof(start), sizeof(start));
        return start - MIN((size_t) start, l->from);
}

/* `start`, `end`: bytes of the text */
static void write_source(List *l, const GroundingSource *s, uint64_t start, uint64_t end) {
        if (!s->url.p || is_full(l) || is_repeated(l, s, start, end))
                return;
        if (l->n == l->n_before && l->n > 0)
                (void) buf_putc(l->w->buf, ',');
        l->n++;
        jwrite_object(l->w, NULL);
        jwrite_string(l->w, "type", "url_citation");
        if (!l->is_flat)
                jwrite_object(l->w, "url_citation");
        json_copy_value(l->w, "url", s->url);
        if (s->title.p)
                json_copy_value(l->w, "title", s->title);
        else
                jwrite_string(l->w, "title", "");
        jwrite_uint(l->w, "start_index", position(l, start));
        jwrite_uint(l->w, "end_index", position(l, end));
        if (!l->is_flat)
                jwrite_end(l->w);
        jwrite_end(l->w);
}

static void write_support(List *l, JsonView support, const GroundingSources *s) {
        JsonView segment = json_view_get(support, "segment"), v;
        JsonCursor indices = json_enter_array(json_view_get(support, "groundingChunkIndices"));
        uint64_t part = start_of_part(l, json_view_count(json_view_get(segment, "partIndex")));
        uint64_t start = MIN(json_view_count(json_view_get(segment, "startIndex")), l->map->n);
        uint64_t end = MIN(json_view_count(json_view_get(segment, "endIndex")), l->map->n);

        while (!is_full(l) && json_next(&indices, NULL, &v)) {
                uint64_t i = json_view_count(v);

                if (i < s->n)
                        write_source(l, &s->all[i], part + start, part + end);
        }
}

/* Without supports the sources are those of all of the text. */
static void write_grounding(List *l, JsonView events) {
        JsonCursor c = json_enter(events), supports;
        JsonView grounding, v;
        GroundingSources s;

        grounding_collect(events, &s);
        while (s.n > 0 && json_next(&c, NULL, &grounding)) {
                supports = json_enter_array(json_view_get(grounding, "groundingSupports"));
                while (!is_full(l) && json_next(&supports, NULL, &v))
                        write_support(l, v, &s);
        }
        for (size_t i = 0, none = l->n == l->n_before; none && i < s.n; i++)
                write_source(l, &s.all[i], 0, l->map->n);
}

static void write_citations(List *l, JsonView events) {
        JsonCursor c = json_enter(events), sources;
        JsonView citations, list, v;
        GroundingSource s;

        while (json_next(&c, NULL, &citations)) {
                list = json_view_get(citations, "citationSources");
                sources = json_enter_array(list.p ? list : json_view_get(citations, "citations"));
                while (!is_full(l) && json_next(&sources, NULL, &v)) {
                        s = grounding_source_make(json_view_get(v, "uri"), json_view_get(v, "title"));
                        write_source(l, &s, json_view_count(json_view_get(v, "startIndex")),
                                     json_view_count(json_view_get(v, "endIndex")));
                }
        }
}

static void write_kept(List *l, const Buf *kept, void (*write)(List *l, JsonView v)) {
        JsonIndex index = {};
        JsonView root;

        if (kept->n > 0 && json_index(buf_data(kept), kept->n, &index, &root) == 0)
                write(l, root);
        json_index_done(&index);
}

static void end_with_sources(OpenaiChat *chat, size_t index) {
        OpenaiChoice *choice = &chat->choices[index];
        _cleanup_(char_map_done) CharMap map = {};
        JWriter w = JWRITER_INIT(&choice->annotations);
        List l = {};

        if (char_map_init(&map, &choice->text) < 0)
                return;
        l.w = &w;
        l.is_flat = chat->is_response;
        l.map = &map;
        l.parts = &choice->parts;
        l.from = openai_hops_text(chat, index);
        l.n_before = l.n = choice->n_annotations;
        write_kept(&l, &choice->grounding, write_grounding);
        write_kept(&l, &choice->citations, write_citations);
        choice->n_annotations = l.n;
        buf_clear(&choice->grounding);
        buf_clear(&choice->citations);
}

/* Most answers have no sources: they do not pay for the list. */
void openai_cite_end(OpenaiChat *chat, size_t index) {
        if (chat->choices[index].grounding.n > 0 || chat->choices[index].citations.n > 0)
                end_with_sources(chat, index);
}

void openai_cite_write(const OpenaiChat *chat, size_t index, JWriter *w) {
        const Buf *annotations = &chat->choices[index].annotations;

        if (annotations->n == 0)
                return;
        jwrite_array(w, "annotations");
        (void) buf_append(w->buf, buf_data(annotations), annotations->n);
        jwrite_end(w);
}
