/* SPDX-License-Identifier: MIT */

/*
 * The entries of a setting with several. A list is a JSON array, or entries separated by commas and lines.
 * In a value of several lines, or in the setting's own file, a # at the beginning of a line or after a blank
 * begins a comment. An entry with a comma must be written in JSON. In a list of keys or tokens an entry may
 * be a JSON object, also over several lines, or NAME = VALUE. An object's members are entries, too.
 */

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/json/check.h"
#include "base/text.h"
#include "config/internal.h"

#define JSON_FAULT_MAX 128U

#define CONFIG_JSON_DEPTH 5 /* MODEL_LIMITS: models, their limits, projects, their limits, numbers */

/* --- JSON --- */

static void wipe(struct json_object *o) {
        switch (json_object_get_type(o)) {
        case json_type_string:
                /* For a string json-c returns its own bytes, not a copy. */
                explicit_bzero((char *) (uintptr_t) json_object_get_string(o),
                               (size_t) json_object_get_string_len(o));
                break;
        case json_type_array:
                for (size_t i = 0; i < json_object_array_length(o); i++)
                        wipe(json_object_array_get_idx(o, i));
                break;
        case json_type_object: {
                json_object_object_foreach(o, key, member) {
                        (void) key;
                        wipe(member);
                }
                break;
        }
        default:
                break;
        }
}

void config_json_freep(struct json_object **o) {
        if (!*o)
                return;
        wipe(*o);
        (void) json_object_put(*o);
}

static size_t members_of(struct json_object *o) {
        size_t n = 0;

        if (json_object_is_type(o, json_type_array))
                for (size_t i = 0; i < json_object_array_length(o); i++)
                        n += members_of(json_object_array_get_idx(o, i));
        if (!json_object_is_type(o, json_type_object))
                return n;
        json_object_object_foreach(o, key, member) {
                (void) key;
                n += 1 + members_of(member);
        }
        return n;
}

/* Of a name that is in an object twice, json-c would take the last value, without a message: then the tree
 * has fewer members than the text. */
static int parse(const char *text, struct json_object **ret, bool *ret_repeats) {
        _cleanup_(config_json_freep) struct json_object *o = NULL;
        struct json_tokener *tokener;
        size_t n = strlen(text);
        JsonCounts counts;
        bool good;

        *ret_repeats = false;
        if (n > CONFIG_FILE_MAX || !text_is_utf8(text, n) || json_check_counts(text, n, &counts))
                return -EBADMSG;
        tokener = json_tokener_new_ex(CONFIG_JSON_DEPTH);
        if (!tokener)
                return -ENOMEM;
        /* With the NUL, so that the parser also finishes a number at the end. */
        o = json_tokener_parse_ex(tokener, text, (int) n + 1);
        good = o && json_tokener_get_error(tokener) == json_tokener_success;
        json_tokener_free(tokener);
        if (!good)
                return -EBADMSG;
        *ret_repeats = members_of(o) != counts.members;
        if (*ret_repeats)
                return -EBADMSG;
        *ret = TAKE_PTR(o);
        return 0;
}

int config_json(const char *text, struct json_object **ret) {
        bool repeats;

        return parse(text, ret, &repeats);
}

/* What is wrong with a text that should be JSON, and where: the text itself may be secret. */
static const char *json_fault(ConfigCheck *k, const char *text, char ret[static JSON_FAULT_MAX]) {
        size_t n = strlen(text), at, begin = 0;
        unsigned line = 1;
        const char *fault = json_check_at(text, n, &at);

        if (!fault) {
                _cleanup_(config_json_freep) struct json_object *o = NULL;
                bool repeats;

                (void) parse(text, &o, &repeats);
                (void) snprintf(ret, JSON_FAULT_MAX, "%s",
                                repeats ? "a name is there twice" :
                                text_is_utf8(text, n) ? "too many levels" : "not UTF-8");
                return ret;
        }
        for (size_t i = 0; i < at; i++)
                if (text[i] == '\n') {
                        line++;
                        begin = i + 1;
                }
        if (text[at] == '\'')
                fault = "a string is within double quotes";
        k->line = k->line > 0 ? k->line + line - 1 : line;
        (void) snprintf(ret, JSON_FAULT_MAX,
                        line > 1 ? "%s, at character %zu of line %u" : "%s, at character %zu", fault,
                        at - begin + 1, line);
        return ret;
}

/* --- entries --- */

static int each_of_array(ConfigCheck *k, const Setting *s, const char *value, ListFn fn) {
        _cleanup_(config_json_freep) struct json_object *array = NULL;
        char fault[JSON_FAULT_MAX];
        int r;

        r = config_json(value, &array);
        if (r == -EBADMSG || (r >= 0 && !json_object_is_type(array, json_type_array))) {
                config_fault(k, s, NULL,
                             "must be a JSON array ([\"…\", \"…\"]) or entries separated by commas%s%s",
                             r < 0 ? ": " : "", r < 0 ? json_fault(k, value, fault) : "");
                return 0;
        }
        if (r < 0)
                return r;

        k->line = 0;
        for (size_t i = 0; i < json_object_array_length(array); i++) {
                struct json_object *o = json_object_array_get_idx(array, i);
                ListEntry e = { .number = i + 1 };

                if (json_object_is_type(o, json_type_string)) {
                        e.text = json_object_get_string(o);
                        e.n = (size_t) json_object_get_string_len(o);
                } else if (s->secret && json_object_is_type(o, json_type_object))
                        e.object = o;
                else {
                        config_fault(k, s, NULL, "entry %zu: must be %s", e.number,
                                     s->secret ? "a string or an object" : "a string");
                        continue;
                }
                r = fn(k, s, &e);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What is left of a list that is not one JSON array. */
typedef struct ListReader {
        char *p;
        bool comments;
        unsigned line;
        size_t number; /* of the entry before */
} ListReader;

static bool is_blank(char c) {
        return c && strchr(TEXT_WHITESPACE, c);
}

/* Blanks, commas, line ends and comments. A comment begins at a line's beginning or after a blank. */
static void skip_between(ListReader *l) {
        bool at_blank = true; /* an entry ends before a # only if it is a comment */

        for (; *l->p; l->p++) {
                if (l->comments && at_blank && *l->p == '#')
                        l->p += strcspn(l->p, "\n");
                if (*l->p == '\n')
                        l->line++;
                else if (!*l->p || (*l->p != ',' && !strchr(TEXT_WHITESPACE, *l->p)))
                        return;
                at_blank = *l->p != ',';
        }
}

/* The end of the object that begins at `p`: the brace that closes it, or the text's end. */
static char *object_end(char *p) {
        unsigned depth = 0;
        bool string = false;

        for (; *p; p++)
                if (string && *p == '\\' && p[1])
                        p++;
                else if (*p == '"')
                        string = !string;
                else if (!string && *p == '{')
                        depth++;
                else if (!string && *p == '}' && --depth == 0)
                        return p + 1;
        return p;
}

static int read_object(ConfigCheck *k, const Setting *s, ListReader *l, ListFn fn) {
        _cleanup_(config_json_freep) struct json_object *o = NULL;
        ListEntry e = { .number = l->number };
        char *end = object_end(l->p), after = *end, fault[JSON_FAULT_MAX];
        unsigned lines = 0;
        size_t blanks;
        int r;

        for (const char *p = l->p; p < end; p++)
                lines += *p == '\n';
        *end = 0;
        r = config_json(l->p, &o);
        if (r == -EBADMSG)
                config_fault(k, s, NULL, "entry %zu: must be valid JSON: %s", l->number,
                             json_fault(k, l->p, fault));
        else if (r >= 0) {
                e.object = o;
                r = fn(k, s, &e);
        }
        *end = after;
        l->p = end;
        l->line += lines;
        blanks = strspn(end, " \t\r");
        if (end[blanks] && !strchr(",\n", end[blanks]) &&
            !(l->comments && blanks > 0 && end[blanks] == '#')) {
                k->line = l->line;
                config_fault(k, s, NULL, "entry %zu: must end with its line or a comma", l->number);
                l->p += strcspn(l->p, "\n");
        }
        return r == -EBADMSG ? 0 : r;
}

/* NAME = VALUE. There is a blank before or behind the `=`, since a key or token may hold one. */
static void split_label(ListEntry *e, char *text) {
        for (char *eq = text; (eq = strchr(eq, '=')); eq++)
                if (eq > text && (is_blank(eq[-1]) || is_blank(eq[1]))) {
                        *eq = 0;
                        e->label = text_strip(text);
                        e->text = text_strip(eq + 1);
                        e->n = strlen(e->text);
                        return;
                }
}

static bool is_quoted(const ListEntry *e) {
        return e->n > 0 && (strchr("[\"'", *e->text) || strchr("\"'", e->text[e->n - 1]));
}

static int read_text(ConfigCheck *k, const Setting *s, ListReader *l, ListFn fn) {
        char *end = l->p, after, *text = l->p;
        ListEntry e = { .number = l->number };
        int r;

        for (; *end && *end != ',' && *end != '\n'; end++)
                if (l->comments && *end == '#' && end > l->p && is_blank(end[-1]))
                        break;
        after = *end;
        *end = 0;
        e.text = text = text_strip(text);
        e.n = strlen(text);
        if (s->secret)
                split_label(&e, text);
        if (s->secret && is_quoted(&e)) {
                config_fault(k, s, NULL,
                             "entry %zu: must be without quotes and brackets, or be in a JSON array",
                             e.number);
                r = 0;
        } else
                r = fn(k, s, &e);
        *end = after;
        l->p = end;
        return r;
}

/* A value that begins like a JSON array must be one. */
static bool is_array(const Setting *s, const char *value) {
        if (s->type == &setting_listen && *value == '[' && strchr(TEXT_DIGITS "abcdefABCDEF:", value[1]))
                return false; /* [::]:8080 */
        return *value == '[' || *value == '"' || (*value == '{' && !s->secret);
}

static int each_entry(ConfigCheck *k, const Setting *s, char *copy, ListFn fn) {
        ListReader l = { .p = copy, .comments = k->lines || strchr(copy, '\n'), .line = 1 };
        int r;

        skip_between(&l);
        k->line = l.line;
        if (is_array(s, l.p))
                return each_of_array(k, s, l.p, fn);
        while (*l.p) {
                l.number++;
                k->line = l.line;
                r = *l.p == '{' && s->secret ? read_object(k, s, &l, fn) : read_text(k, s, &l, fn);
                if (r < 0)
                        return r;
                skip_between(&l);
        }
        k->line = 0;
        return 0;
}

int config_each_entry(ConfigCheck *k, const Setting *s, const char *value, ListFn fn) {
        _cleanup_free_ char *copy = strdup(value);
        int r;

        if (!copy)
                return -ENOMEM;
        r = each_entry(k, s, copy, fn);
        explicit_bzero(copy, strlen(value));
        return r;
}

/* --- JSON objects: each member is an entry --- */

int config_each_member(ConfigCheck *k, const Setting *s, const char *value, MemberFn fn) {
        _cleanup_(config_json_freep) struct json_object *o = NULL;
        const char *shown = k->path ?: s->secret ? NULL : value;
        char fault[JSON_FAULT_MAX];
        int r;

        r = config_json(value, &o);
        if (r == -EBADMSG && value[strspn(value, TEXT_WHITESPACE)] == '{') {
                config_fault(k, s, shown, "must be valid JSON: %s", json_fault(k, value, fault));
                return 0;
        }
        if (r == -EBADMSG || (r >= 0 && !json_object_is_type(o, json_type_object))) {
                config_fault(k, s, shown, NULL);
                return 0;
        }
        if (r < 0)
                return r;
        json_object_object_foreach(o, name, member) {
                r = fn(k, s, name, member);
                if (r < 0)
                        return r;
        }
        return 0;
}
