/* SPDX-License-Identifier: MIT */

/*
 * The blocks of a message's content. Pictures and documents are inline, at a URL that Google reads itself,
 * or a file that was uploaded through gemgate. Members beside the content, such as cache_control and
 * citations, are ignored: Gemini caches by itself, and cites nothing but its search.
 *
 * What Anthropic's servers have run for the model (server_tool_use and the results) is in the history of
 * conversations that began there, and in our own answers. Gemini has no such calls of another server: code
 * and its output become text, a remote server's call becomes a function's. A search is left out: its results
 * are encrypted, and the text that follows has what was found. A block of an unknown kind is left out, too,
 * and the log has the loss: there are new kinds with each beta.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "dialect/anthropic/request.h"
#include "dialect/file-id.h"

/* --- places --- */

static void name_place(const AnthropicPlace *at, const char *member, char *ret, size_t size) {
        size_t n;

        if (at->is_system)
                n = (size_t) snprintf(ret, size, "system[%zu]", at->block);
        else
                n = (size_t) snprintf(ret, size, "messages[%zu].content[%zu]", at->message, at->block);
        if (at->is_inner)
                n += (size_t) snprintf(ret + n, size - n, ".content[%zu]", at->inner);
        if (member)
                (void) snprintf(ret + n, size - n, ".%s", member);
}

int anthropic_refuse_at(AnthropicRequest *q, const char *fault, const AnthropicPlace *at,
                        const char *member) {
        char name[160];

        name_place(at, member, name, sizeof(name));
        return check_refuse(q->error, fault, "%s", name);
}

int anthropic_check_at(AnthropicRequest *q, JsonView v, JsonTypes types, const AnthropicPlace *at,
                       const char *member) {
        char name[160];

        if (check_is_of_type(v, types))
                return 0;
        name_place(at, member, name, sizeof(name));
        return check_type(q->error, v, types, "%s", name);
}

/* --- texts --- */

static void add_text(AnthropicRequest *q, const AnthropicPlace *at, JsonView text) {
        turns_text(&q->turns, at->role, text);
        if (at->role == TURN_MODEL && !json_view_is_empty(text))
                q->has_text = true;
}

static void add_literal(AnthropicRequest *q, const AnthropicPlace *at, const char *json) {
        turns_text(&q->turns, at->role, json_view(json, strlen(json)));
}

static int read_text(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView text = json_view_get(block, "text");
        int r = anthropic_check_at(q, text, TYPE_STRING, at, "text");

        if (r == 0)
                add_text(q, at, text);
        return r;
}

/* Of a content that is text alone: a string, or a list of texts. */
static void add_texts(AnthropicRequest *q, const AnthropicPlace *at, JsonView content) {
        JsonCursor c = json_enter_array(content);
        JsonView block, text;

        if (json_view_is(content, '"'))
                add_text(q, at, content);
        while (json_next(&c, NULL, &block)) {
                text = json_view_get(block, "text");
                if (json_view_is(text, '"'))
                        add_text(q, at, text);
        }
}

/* The content of a result or a document: a text, or a list of blocks. */
static int read_inner(AnthropicRequest *q, JsonView content, const AnthropicPlace *at) {
        AnthropicPlace inner = *at;
        JsonCursor c = json_enter_array(content);
        JsonView block;
        int r = 0;

        if (json_view_is_null(content))
                return 0;
        if (json_view_is(content, '"') || json_view_is(content, '{')) { /* an object is not Anthropic's */
                turns_text(&q->turns, at->role, content);
                return 0;
        }
        r = anthropic_check_at(q, content, TYPE_STRING | TYPE_ARRAY, at, "content");
        inner.is_inner = true;
        for (inner.inner = 0; r == 0 && json_next(&c, NULL, &block); inner.inner++)
                r = anthropic_read_block(q, block, &inner);
        return r;
}

static int read_search_result(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView title, source, content;
        const JsonMember members[] = {
                JSON_MEMBER("title", &title),
                JSON_MEMBER("source", &source),
                JSON_MEMBER("content", &content),
        };

        json_view_members(block, members, ELEMENTSOF(members));
        add_literal(q, at, "\"Search result: \"");
        if (json_view_is(title, '"'))
                add_text(q, at, title);
        if (json_view_is(source, '"')) {
                add_literal(q, at, "\" \"");
                add_text(q, at, source);
        }
        add_literal(q, at, "\"\\n\"");
        add_texts(q, at, content);
        return 0;
}

/* Of a search for tools: they are declared, so their names are enough. */
static int read_tool_reference(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView name = json_view_get(block, "tool_name");
        int r = anthropic_check_at(q, name, TYPE_STRING, at, "tool_name");

        if (r == 0)
                add_text(q, at, name);
        return r;
}

/* A summary of what came before. */
static int read_compaction(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView content = json_view_get(block, "content");

        if (json_view_is(content, '"'))
                add_text(q, at, content);
        return 0;
}

/* --- pictures and documents --- */

typedef struct Source {
        JsonView type, media_type, data, url, file, content;
} Source;

static int add_media(AnthropicRequest *q, const char *fault, const Media *m, const AnthropicPlace *at,
                     const char *member) {
        if (fault)
                return anthropic_refuse_at(q, fault, at, member);
        turns_media(&q->turns, at->role, m);
        return 0;
}

static int read_data(AnthropicRequest *q, const Source *s, const char *fallback, const AnthropicPlace *at) {
        char type[MEDIA_TYPE_MAX + 1];
        const char *fault;
        Media m;
        int r;

        r = anthropic_check_at(q, s->data, TYPE_STRING, at, "source.data");
        if (r == 0 && !json_view_is_null(s->media_type))
                r = anthropic_check_at(q, s->media_type, TYPE_STRING, at, "source.media_type");
        if (r != 0)
                return r;
        json_view_copy(s->media_type, type, sizeof(type));
        fault = media_read_data(s->data, type[0] ? type : NULL, &m);
        if (!fault && !m.type[0])
                text_copy(m.type, sizeof(m.type), fallback);
        return add_media(q, fault, &m, at, "source.data");
}

static int read_url(AnthropicRequest *q, const Source *s, const char *fallback, const AnthropicPlace *at) {
        const char *fault;
        Media m;
        int r;

        r = anthropic_check_at(q, s->url, TYPE_STRING, at, "source.url");
        if (r != 0)
                return r;
        fault = media_read_url(s->url, fallback, &m);
        return add_media(q, fault, &m, at, "source.url");
}

static int read_file_id(AnthropicRequest *q, JsonView id, const AnthropicPlace *at, const char *member) {
        const char *fault;
        JsonView file;
        Media m;
        int r;

        r = anthropic_check_at(q, id, TYPE_STRING, at, member);
        if (r != 0)
                return r;
        fault = file_id_read(id, &file, &m);
        if (fault || !file.p)
                return add_media(q, fault, &m, at, member);
        turns_file(&q->turns, at->role, file);
        return 0;
}

static int read_file(AnthropicRequest *q, const Source *s, const char *fallback _unused_,
                     const AnthropicPlace *at) {
        return read_file_id(q, s->file, at, "source.file_id");
}

static int read_plain(AnthropicRequest *q, const Source *s, const char *fallback _unused_,
                      const AnthropicPlace *at) {
        int r = anthropic_check_at(q, s->data, TYPE_STRING, at, "source.data");

        if (r == 0)
                add_text(q, at, s->data);
        return r;
}

static int read_pieces(AnthropicRequest *q, const Source *s, const char *fallback _unused_,
                       const AnthropicPlace *at) {
        if (at->is_inner) {
                add_texts(q, at, s->content);
                return 0;
        }
        return read_inner(q, s->content, at);
}

static const struct {
        const char *type;
        int (*read)(AnthropicRequest *q, const Source *s, const char *fallback, const AnthropicPlace *at);
        bool of_document; /* not of an image */
} sources[] = {
        { "base64", read_data, false }, { "url", read_url, false },       { "file", read_file, false },
        { "text", read_plain, true },   { "content", read_pieces, true },
};

static int read_source(AnthropicRequest *q, JsonView v, bool is_document, const AnthropicPlace *at) {
        Source s;
        const JsonMember members[] = {
                JSON_MEMBER("type", &s.type), JSON_MEMBER("media_type", &s.media_type),
                JSON_MEMBER("data", &s.data), JSON_MEMBER("url", &s.url),
                JSON_MEMBER("file_id", &s.file), JSON_MEMBER("content", &s.content),
        };
        int r;

        r = anthropic_check_at(q, v, TYPE_OBJECT, at, "source");
        if (r != 0)
                return r;
        json_view_members(v, members, ELEMENTSOF(members));
        for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                if (json_view_equals(s.type, sources[i].type) && (is_document || !sources[i].of_document))
                        return sources[i].read(q, &s, is_document ? "application/pdf" : "image/jpeg", at);
        return anthropic_refuse_at(q,
                                   is_document ? "must be base64, text, url, file or content"
                                               : "must be base64, url or file",
                                   at, "source.type");
}

static int read_image(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        return read_source(q, json_view_get(block, "source"), false, at);
}

/* Its title and context come before it. */
static int read_document(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView source, title, context;
        const JsonMember members[] = {
                JSON_MEMBER("source", &source),
                JSON_MEMBER("title", &title),
                JSON_MEMBER("context", &context),
        };

        json_view_members(block, members, ELEMENTSOF(members));
        if (json_view_is(title, '"') && !json_view_is_empty(title)) {
                add_literal(q, at, "\"Document: \"");
                add_text(q, at, title);
                add_literal(q, at, "\"\\n\"");
        }
        if (json_view_is(context, '"') && !json_view_is_empty(context)) {
                add_text(q, at, context);
                add_literal(q, at, "\"\\n\"");
        }
        return read_source(q, source, true, at);
}

static int read_upload(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        return read_file_id(q, json_view_get(block, "file_id"), at, "file_id");
}

/* --- thoughts and calls --- */

static int read_thinking(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView thinking = json_view_get(block, "thinking"), signature = json_view_get(block, "signature");

        if (at->role != TURN_MODEL)
                return anthropic_refuse_at(q, "must not be thinking: only an assistant thinks", at, "type");
        if (q->has_text)
                turns_sign_text(&q->turns, q->signature);
        if (json_view_is(thinking, '"'))
                turns_thought(&q->turns, thinking);
        q->signature = signature;
        q->has_text = false;
        return 0;
}

static int read_tool_use(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView id, name, input;
        const JsonMember members[] = {
                JSON_MEMBER("id", &id),
                JSON_MEMBER("name", &name),
                JSON_MEMBER("input", &input),
        };
        int r;

        if (at->role != TURN_MODEL)
                return anthropic_refuse_at(q, "must not be tool_use: only an assistant uses tools", at,
                                           "type");
        json_view_members(block, members, ELEMENTSOF(members));
        r = anthropic_check_at(q, name, TYPE_STRING, at, "name");
        if (r == 0 && !json_view_is_null(id))
                r = anthropic_check_at(q, id, TYPE_STRING, at, "id");
        if (r != 0)
                return r;
        turns_call(&q->turns, id, name, input, q->signature);
        q->signature = (JsonView){};
        q->has_text = false;
        return 0;
}

static int read_tool_result(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        AnthropicPlace result = *at;
        JsonView id, content, is_error;
        const JsonMember members[] = {
                JSON_MEMBER("tool_use_id", &id),
                JSON_MEMBER("content", &content),
                JSON_MEMBER("is_error", &is_error),
        };
        int r;

        if (at->is_inner)
                return anthropic_refuse_at(q, "must not be tool_result within a result", at, "type");
        json_view_members(block, members, ELEMENTSOF(members));
        r = anthropic_check_at(q, id, TYPE_STRING, at, "tool_use_id");
        if (r == 0 && !json_view_is_null(is_error))
                r = anthropic_check_at(q, is_error, TYPE_BOOL, at, "is_error");
        if (r != 0)
                return r;
        result.role = TURN_RESULT;
        turns_result(&q->turns, id, (JsonView){}, json_view_is(is_error, 't'));
        return read_inner(q, content, &result);
}

/* --- what Anthropic's servers have run --- */

static void add_fenced(AnthropicRequest *q, const AnthropicPlace *at, JsonView text) {
        if (!json_view_is(text, '"') || json_view_is_empty(text))
                return;
        add_literal(q, at, "\"\\n```\\n\"");
        add_text(q, at, text);
        add_literal(q, at, "\"\\n```\\n\"");
}

static int read_server_tool_use(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView input = json_view_get(block, "input");

        add_fenced(q, at, json_view_get(input, "code"));
        add_fenced(q, at, json_view_get(input, "command"));
        return 0;
}

static int read_code_result(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView content = json_view_get(block, "content");

        add_fenced(q, at, json_view_get(content, "stdout"));
        add_fenced(q, at, json_view_get(content, "stderr"));
        return 0;
}

/* --- all of them --- */

static const struct {
        const char *type;
        int (*read)(AnthropicRequest *q, JsonView block, const AnthropicPlace *at); /* NULL: ignored */
} kinds[] = {
        { "text", read_text },
        { "tool_use", read_tool_use },
        { "tool_result", read_tool_result },
        { "thinking", read_thinking },
        { "image", read_image },
        { "document", read_document },
        { "search_result", read_search_result },
        { "tool_reference", read_tool_reference },
        { "container_upload", read_upload },
        { "compaction", read_compaction },
        { "server_tool_use", read_server_tool_use },
        { "code_execution_tool_result", read_code_result },
        { "bash_code_execution_tool_result", read_code_result },
        { "mcp_tool_use", read_tool_use },
        { "mcp_tool_result", read_tool_result },
        /* Encrypted, or about Anthropic's own servers. */
        { "redacted_thinking", NULL },
        { "web_search_tool_result", NULL },
        { "web_fetch_tool_result", NULL },
        { "text_editor_code_execution_tool_result", NULL },
        { "tool_search_tool_result", NULL },
        { "advisor_tool_result", NULL },
        { "mcp_tool_listing", NULL },
        { "tool_addition", NULL },
        { "tool_removal", NULL },
        { "fallback", NULL },
};

int anthropic_read_block(AnthropicRequest *q, JsonView block, const AnthropicPlace *at) {
        JsonView type;
        int r;

        r = anthropic_check_at(q, block, TYPE_OBJECT, at, NULL);
        if (r != 0)
                return r;
        type = json_view_get(block, "type");
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (json_view_equals(type, kinds[i].type))
                        return kinds[i].read ? kinds[i].read(q, block, at) : 0;
        r = anthropic_check_at(q, type, TYPE_STRING, at, "type");
        if (r == 0)
                q->message->t.loss = q->message->t.loss ?: "blocks of unknown kinds";
        return r;
}
