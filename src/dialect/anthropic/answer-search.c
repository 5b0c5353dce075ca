/* SPDX-License-Identifier: MIT */

/*
 * Google's search, in the form of Anthropic's web_search. Gemini names queries and sources at the end of its
 * answer, and from which of them a piece of the text comes. So the sources become citations of the last
 * text, and the search a use of web_search with its result behind the text. What is encrypted at Anthropic's
 * is empty.
 */

#include "base/text.h"
#include "dialect/anthropic/answer.h"
#include "dialect/call.h"
#include "dialect/grounding.h"
#include "dialect/json.h"

#define CITATIONS_MAX 256U /* of an answer */

/* Some clients want a title of each. */
static void write_title(const GroundingSource *source, JWriter *w) {
        json_copy_value(w, "title", source->title.p ? source->title : source->url);
}

/* Returns its size in bytes. */
static size_t cite(AnthropicMessage *m, const GroundingSource *source, JsonView text, Buf *out) {
        _cleanup_buf_ Buf citation = BUF_INIT(GROUNDING_KEPT_MAX);
        JWriter w = JWRITER_INIT(&citation);
        size_t n;

        jwrite_object(&w, NULL);
        jwrite_string(&w, "type", "web_search_result_location");
        if (json_view_is(text, '"'))
                json_copy_value(&w, "cited_text", text);
        else
                jwrite_string(&w, "cited_text", "");
        json_copy_value(&w, "url", source->url);
        write_title(source, &w);
        jwrite_string(&w, "encrypted_index", "");
        jwrite_end(&w);
        n = citation.n;
        if (citation.error == 0)
                anthropic_text_cite(m, &citation, out);
        return n;
}

static void cite_all(AnthropicMessage *m, JsonView events, const GroundingSources *s, Buf *out) {
        JsonCursor c = json_enter(events), supports, indices;
        JsonView grounding, support, v;
        unsigned n = 0;
        size_t size = 0;

        while (json_next(&c, NULL, &grounding)) {
                supports = json_enter_array(json_view_get(grounding, "groundingSupports"));
                while (json_next(&supports, NULL, &support)) {
                        indices = json_enter_array(json_view_get(support, "groundingChunkIndices"));
                        while (n < CITATIONS_MAX && size < GROUNDING_KEPT_MAX &&
                               json_next(&indices, NULL, &v)) {
                                uint64_t i = json_view_count(v);

                                if (i >= s->n || !s->all[i].url.p)
                                        continue;
                                size += cite(m, &s->all[i],
                                             json_view_get(json_view_get(support, "segment"), "text"), out);
                                n++;
                        }
                }
        }
}

static void write_results(const char *id, const GroundingSources *s, JWriter *w) {
        jwrite_object(w, NULL);
        jwrite_string(w, "type", "web_search_tool_result");
        jwrite_string(w, "tool_use_id", id);
        jwrite_array(w, "content");
        for (size_t i = 0; i < s->n; i++) {
                const GroundingSource *source = &s->all[i];

                if (!source->url.p)
                        continue;
                jwrite_object(w, NULL);
                jwrite_string(w, "type", "web_search_result");
                json_copy_value(w, "url", source->url);
                write_title(source, w);
                jwrite_string(w, "encrypted_content", "");
                jwrite_null(w, "page_age");
                jwrite_end(w);
        }
        jwrite_end(w);
        jwrite_end(w);
}

static void add_search(AnthropicMessage *m, JsonView query, const GroundingSources *s, Buf *out) {
        static const char name[] = "\"web_search\"";
        _cleanup_buf_ Buf input = BUF_INIT(GROUNDING_KEPT_MAX), results = BUF_INIT(2 * GROUNDING_KEPT_MAX);
        JWriter w = JWRITER_INIT(&input), results_writer = JWRITER_INIT(&results);
        char id[CALL_ID_MAX + 1];

        call_make_id("srvtoolu_", call_answer_digest(m->id, m->request_id, m->created), 1,
                     m->content.n_searches++, id);
        jwrite_object(&w, NULL);
        json_copy_value(&w, "query", query);
        jwrite_end(&w);
        write_results(id, s, &results_writer);
        if (input.error < 0 || results.error < 0)
                return;
        anthropic_use_add(m, "server_tool_use", id, json_view(name, strlen(name)),
                          json_view(buf_data(&input), input.n), out);
        anthropic_block_add(m, &results, out);
}

/* The query of the last event that has one; a search without a query is none. */
static JsonView find_query(JsonView events) {
        JsonCursor c = json_enter(events), queries;
        JsonView grounding, v, found = {};

        while (json_next(&c, NULL, &grounding)) {
                queries = json_enter_array(json_view_get(grounding, "webSearchQueries"));
                if (json_next(&queries, NULL, &v) && json_view_is(v, '"'))
                        found = v;
        }
        return found;
}

void anthropic_search_end(AnthropicMessage *m, Buf *out) {
        const Buf *kept = &m->content.grounding;
        _cleanup_(json_index_done) JsonIndex index = {};
        GroundingSources s;
        JsonView events, query;

        if (!m->has_search || kept->n == 0 || json_index(buf_data(kept), kept->n, &index, &events) != 0)
                return;
        grounding_collect(events, &s);
        if (s.n == 0)
                return;
        cite_all(m, events, &s, out);
        query = find_query(events);
        add_search(m, query.p ? query : json_view("\"\"", 2), &s, out);
}
