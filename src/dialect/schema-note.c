/* SPDX-License-Identifier: MIT */

/*
 * Notes: what Gemini does not know as a keyword, in a few words of the description, because the model reads
 * that. "the user's name (must match ^[a-z]+$; length at most 20)".
 */

#include "base/text.h"
#include "dialect/schema-internal.h"

#define NOTE_MAX 512U /* bytes of a value; a longer one is dropped */

typedef enum NoteForm {
        NOTE_RAW,   /* the value as JSON */
        NOTE_TEXT,  /* a string, without quotes */
        NOTE_COUNT, /* a number, except 0 */
        NOTE_TRUE,  /* true: the note alone */
        NOTE_ITEMS, /* what is in an array, as JSON */
} NoteForm;

static const struct {
        Keyword keyword;
        NoteForm form;
        const char *before;
} rows[] = {
        { KEYWORD_PATTERN, NOTE_TEXT, "must match " },
        { KEYWORD_MIN_LENGTH, NOTE_COUNT, "length at least " },
        { KEYWORD_MAX_LENGTH, NOTE_COUNT, "length at most " },
        { KEYWORD_MULTIPLE_OF, NOTE_COUNT, "a multiple of " },
        { KEYWORD_MIN_PROPERTIES, NOTE_COUNT, "number of properties at least " },
        { KEYWORD_MAX_PROPERTIES, NOTE_COUNT, "number of properties at most " },
        { KEYWORD_UNIQUE_ITEMS, NOTE_TRUE, "without duplicates" },
        { KEYWORD_CONTAINS, NOTE_RAW, "must contain " },
        { KEYWORD_NOT, NOTE_RAW, "must not match " },
        { KEYWORD_IF, NOTE_RAW, "if " },
        { KEYWORD_THEN, NOTE_RAW, "then " },
        { KEYWORD_ELSE, NOTE_RAW, "else " },
        { KEYWORD_DEPENDENT_REQUIRED, NOTE_RAW, "dependencies: " },
        { KEYWORD_DEPENDENT_SCHEMAS, NOTE_RAW, "dependencies: " },
        { KEYWORD_DEPENDENCIES, NOTE_RAW, "dependencies: " },
        { KEYWORD_CONTENT_ENCODING, NOTE_TEXT, "encoded as " },
        { KEYWORD_CONTENT_MEDIA_TYPE, NOTE_TEXT, "of the type " },
        { KEYWORD_DEPRECATED, NOTE_TRUE, "deprecated" },
        { KEYWORD_READ_ONLY, NOTE_TRUE, "read only" },
        { KEYWORD_DEFAULT, NOTE_RAW, "default " },
        { KEYWORD_EXAMPLE, NOTE_RAW, "for example " },
        { KEYWORD_EXAMPLES, NOTE_ITEMS, "for example " },
};

/* False: there are enough notes, or the value is too long for one. */
static bool begin(Schema *s, const char *before, size_t n) {
        if (n > NOTE_MAX || s->notes.n > SCHEMA_NOTES_MAX)
                return false;
        if (s->notes.n > 0)
                (void) buf_puts(&s->notes, "; ");
        (void) buf_puts(&s->notes, before);
        return true;
}

/* A string without quotes, anything else as JSON. */
void schema_note(Schema *s, const char *before, JsonView value, const char *after) {
        if (!begin(s, before, (size_t) (value.end - value.p)))
                return;
        if (json_view_is(value, '"'))
                (void) json_view_append(value, &s->notes);
        else if (value.p)
                (void) buf_append(&s->notes, value.p, (size_t) (value.end - value.p));
        (void) buf_puts(&s->notes, after);
}

static void note_raw(Schema *s, const char *before, const char *p, const char *end) {
        if (p < end && begin(s, before, (size_t) (end - p)))
                (void) buf_append(&s->notes, p, (size_t) (end - p));
}

static bool is_number(JsonView v) {
        return json_view_is(v, '-') || (v.p && *v.p >= '0' && *v.p <= '9');
}

static void note_keyword(Schema *s, NoteForm form, const char *before, JsonView v) {
        switch (form) {
        case NOTE_RAW:
                note_raw(s, before, v.p, v.end);
                break;
        case NOTE_TEXT:
                if (json_view_is(v, '"') && !json_view_is_empty(v))
                        schema_note(s, before, v, "");
                break;
        case NOTE_COUNT:
                if (is_number(v) && !(v.end - v.p == 1 && *v.p == '0'))
                        schema_note(s, before, v, "");
                break;
        case NOTE_TRUE:
                if (json_view_is(v, 't'))
                        (void) begin(s, before, 0);
                break;
        case NOTE_ITEMS:
                if (json_view_is(v, '['))
                        note_raw(s, before, v.p + 1, v.end - 1);
                break;
        }
}

/* The rule for the names of an object's properties, if it is one. */
static void note_names(Schema *s, JsonView names) {
        JsonView pattern = json_view_get(names, "pattern"), type = json_view_get(names, "type"), first;
        JsonCursor c = json_enter(names);
        size_t n = 0;

        while (json_next(&c, NULL, &first))
                n++;
        if (json_view_is(pattern, '"') && n <= 1U + (type.p != NULL))
                schema_note(s, "names must match ", pattern, "");
        else if (n > 1U || (n == 1 && !type.p))
                note_raw(s, "rule for names ", names.p, names.end);
}

/* The patterns for which properties are described, except those that match any name. */
static void note_patterns(Schema *s, JsonView patterns) {
        static const char *const all[] = { "", ".*", "^.*$", "^(.*)$", ".+", "^.+$" };
        JsonCursor c = json_enter(patterns);
        JsonView name, v;

        while (c.is_object && json_next(&c, &name, &v)) {
                bool any = false;

                for (size_t i = 0; i < ELEMENTSOF(all); i++)
                        any = any || json_view_equals(name, all[i]);
                if (!any)
                        schema_note(s, "names match ", name, "");
        }
}

static void note_value(Schema *s, Keyword keyword, JsonView v) {
        if (!v.p || (json_view_is(v, 'n') && keyword == KEYWORD_DEFAULT))
                return;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].keyword == keyword)
                        note_keyword(s, rows[i].form, rows[i].before, v);
}

void schema_note_keywords(Schema *s, const SchemaNode *node) {
        for (Keyword k = KEYWORD_ONE_OF + 1; k < _KEYWORD_MAX; k++)
                note_value(s, k, node->keywords[k]);
        for (unsigned i = 0; i < node->n_more; i++)
                note_value(s, node->more[i].keyword, node->more[i].value);
        if (json_view_is(node->keywords[KEYWORD_PROPERTY_NAMES], '{'))
                note_names(s, node->keywords[KEYWORD_PROPERTY_NAMES]);
        note_patterns(s, node->keywords[KEYWORD_PATTERN_PROPERTIES]);
        if (node->never)
                (void) begin(s, "must be absent", 0);
}

void schema_write_description(Schema *s, const SchemaNode *node) {
        JsonView text = node->keywords[KEYWORD_DESCRIPTION];
        bool has_text = json_view_is(text, '"') && !json_view_is_empty(text);
        Buf *b = s->w->buf;

        if (has_text || s->notes.n > 0) {
                jwrite_raw_n(s->w, "description", "\"", 1);
                json_copy_escaped(b, has_text ? text : (JsonView){});
                if (has_text && s->notes.n > 0)
                        (void) buf_puts(b, " (");
                if (s->notes.n > 0)
                        jwrite_escape(b, buf_data(&s->notes), s->notes.n);
                (void) buf_puts(b, has_text && s->notes.n > 0 ? ")\"" : "\"");
        }
        if (s->notes.error < 0)
                s->error = s->notes.error;
        buf_clear(&s->notes);
}
