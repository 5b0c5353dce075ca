/* SPDX-License-Identifier: MIT */

/*
 * The entries of a setting with several. A list is a JSON array, or entries separated by commas and lines.
 * In a value of several lines, or in the setting's own file, a line that begins with # is a comment. An
 * entry with a comma must be written in JSON. An object's members are entries, too.
 */

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "base/json/check.h"
#include "base/text.h"
#include "config/internal.h"

#define CONFIG_JSON_DEPTH 5 /* MODEL_LIMITS: models, their limits, projects, their limits, numbers */

/* --- JSON --- */

int config_json(const char *text, struct json_object **ret) {
        struct json_tokener *tokener;
        struct json_object *o;
        size_t n = strlen(text);
        bool good;

        if (n > CONFIG_FILE_MAX || !text_is_utf8(text, n) || json_check(text, n))
                return -EBADMSG;
        tokener = json_tokener_new_ex(CONFIG_JSON_DEPTH);
        if (!tokener)
                return -ENOMEM;
        /* With the NUL, so that the parser also finishes a number at the end. */
        o = json_tokener_parse_ex(tokener, text, (int) n + 1);
        good = o && json_tokener_get_error(tokener) == json_tokener_success;
        json_tokener_free(tokener);
        if (!good) {
                config_json_freep(&o);
                return -EBADMSG;
        }
        *ret = o;
        return 0;
}

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

/* --- entries --- */

static int each_of_array(ConfigCheck *k, const Setting *s, const char *value, ListFn fn) {
        _cleanup_(config_json_freep) struct json_object *array = NULL;
        int r;

        r = config_json(value, &array);
        if (r == -EBADMSG || (r >= 0 && !json_object_is_type(array, json_type_array))) {
                config_fault(k, s, NULL,
                             "must be a JSON array ([\"…\", \"…\"]) or entries separated by commas");
                return 0;
        }
        if (r < 0)
                return r;

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

static int each_of_lines(ConfigCheck *k, const Setting *s, char *text, ListFn fn) {
        bool comments = k->lines || strchr(text, '\n');
        ListEntry e = {};
        char *line, *entry;
        int r;

        while ((line = strsep(&text, "\n"))) {
                line = text_strip(line);
                if (comments && *line == '#')
                        continue;
                while ((entry = strsep(&line, ","))) {
                        entry = text_strip(entry);
                        if (!*entry) /* an extra comma, or a blank line */
                                continue;
                        e = (ListEntry){ .number = e.number + 1, .text = entry, .n = strlen(entry) };
                        r = fn(k, s, &e);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* A value that begins like JSON must be JSON: no key begins with a brace. */
static bool is_json(const Setting *s, const char *value) {
        value += strspn(value, TEXT_WHITESPACE);
        if (s->type == &setting_listen && *value == '[' && strchr(TEXT_DIGITS "abcdefABCDEF:", value[1]))
                return false; /* [::]:8080 */
        return *value == '[' || *value == '{' || *value == '"';
}

int config_each_entry(ConfigCheck *k, const Setting *s, const char *value, ListFn fn) {
        _cleanup_free_ char *copy = NULL;
        size_t n = strlen(value);
        int r;

        if (is_json(s, value))
                return each_of_array(k, s, value, fn);

        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        r = each_of_lines(k, s, copy, fn);
        explicit_bzero(copy, n);
        return r;
}

/* --- JSON objects: each member is an entry --- */

int config_each_member(ConfigCheck *k, const Setting *s, const char *value, MemberFn fn) {
        _cleanup_(config_json_freep) struct json_object *o = NULL;
        const char *fault = NULL, *shown = k->path ?: value;
        int r;

        r = config_json(value, &o);
        if (r == -EBADMSG && value[strspn(value, " \t\r\n")] == '{')
                fault = json_check(value, strlen(value));
        if (fault) {
                config_fault(k, s, shown, "must be valid JSON: %s", fault);
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
