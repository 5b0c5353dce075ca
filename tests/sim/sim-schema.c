/* SPDX-License-Identifier: MIT */
/*
 * Walks a request along the table. proto3 JSON takes each field's name in two spellings (generationConfig,
 * generation_config) and words its complaints with the second; several may come in one answer, each with its
 * place:
 *
 *   Invalid JSON payload received. Unknown name "x" at 'generation_config': Cannot find field.
 *   Invalid value at 'generation_config.temperature' (TYPE_FLOAT), "warm"
 *   Invalid value at 'contents[0].parts[0]' (oneof), oneof field 'data' is already set. Cannot set
 * 'inlineData'
 *
 * After that come the rules that Google's front end doesn't know but the service does, with a sentence each.
 */
#include <errno.h>
#include <stdio.h>

#include "base/json/write.h"
#include "base/limits.h"
#include "base/text.h"
#include "sim-base64.h"
#include "sim-json.h"
#include "sim-schema-table.h"
#include "sim-schema.h"

#define TYPE_URL        "type.googleapis.com/google.ai.generativelanguage.v1beta."
#define VALUE_SHOWN_MAX 200U

typedef struct Check {
        SchemaFaults *faults;
        Buf path;
        Buf violations;
        unsigned depth;
} Check;

static const char *const kind_names[] = {
        [SCHEMA_BOOL] = "TYPE_BOOL",
        [SCHEMA_STRING] = "TYPE_STRING",
        [SCHEMA_BYTES] = "TYPE_BYTES",
        [SCHEMA_NUMBER] = "TYPE_FLOAT",
        [SCHEMA_INT] = "TYPE_INT32",
        [SCHEMA_INT64] = "TYPE_INT64",
        [SCHEMA_STRING_MAP] = "TYPE_STRING",
        [SCHEMA_STRUCT] = "type.googleapis.com/google.protobuf.Struct",
};

void schema_faults_done(SchemaFaults *f) {
        buf_done(&f->message);
        buf_done(&f->details);
}

static const SchemaMessage *find_message(const char *name) {
        for (size_t i = 0; i < n_schema_messages; i++)
                if (streq(schema_messages[i].name, name))
                        return &schema_messages[i];
        return NULL;
}

static const SchemaField *find_field(const SchemaMessage *m, const char *name) {
        for (size_t i = 0; i < m->n_fields; i++)
                if (streq(m->fields[i].name, name) || streq(m->fields[i].snake, name))
                        return &m->fields[i];
        return NULL;
}

/* --- messages --- */

static void fault(Check *c, const char *text) {
        JWriter w = JWRITER_INIT(&c->violations);

        if (c->faults->n++ >= SCHEMA_FAULTS_MAX)
                return;
        if (c->faults->n > 1) {
                (void) buf_putc(&c->faults->message, '\n');
                (void) buf_putc(&c->violations, ',');
        }
        (void) buf_puts(&c->faults->message, text);
        jwrite_object(&w, NULL);
        if (c->path.n > 0)
                jwrite_string_n(&w, "field", buf_data(&c->path), c->path.n);
        jwrite_string(&w, "description", text);
        jwrite_end(&w);
}

static void fault_unknown(Check *c, const char *name) {
        _cleanup_buf_ Buf text = BUF_INIT(1U << 20);

        (void) buf_printf(&text, "Invalid JSON payload received. Unknown name \"%s\"", name);
        if (c->path.n > 0)
                (void) buf_printf(&text, " at '%s'", buf_cstr(&c->path));
        (void) buf_puts(&text, ": Cannot find field.");
        fault(c, strempty(buf_cstr(&text)));
}

static void fault_union(Check *c, const char *name) {
        _cleanup_buf_ Buf text = BUF_INIT(1U << 20);

        (void) buf_printf(
                &text, "Invalid value at '%s' (oneof), oneof field 'data' is already set. Cannot set '%s'",
                strempty(buf_cstr(&c->path)), name);
        fault(c, strempty(buf_cstr(&text)));
}

static void fault_value(Check *c, const char *type, json_object *v) {
        _cleanup_buf_ Buf text = BUF_INIT(1U << 20);
        const char *shown =
                json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

        (void) buf_printf(&text, "Invalid value at '%s' (%s), %.*s", strempty(buf_cstr(&c->path)), type,
                          (int) VALUE_SHOWN_MAX, shown);
        fault(c, strempty(buf_cstr(&text)));
}

static void fault_base64(Check *c, json_object *v) {
        _cleanup_buf_ Buf text = BUF_INIT(1U << 20);

        (void) buf_printf(&text, "Invalid value at '%s' (TYPE_BYTES), Base64 decoding failed for \"%.*s\"",
                          strempty(buf_cstr(&c->path)), (int) VALUE_SHOWN_MAX, json_object_get_string(v));
        fault(c, strempty(buf_cstr(&text)));
}

static void fault_list(Check *c, const char *name) {
        _cleanup_buf_ Buf text = BUF_INIT(1U << 20);

        (void) buf_printf(&text, "Invalid JSON payload received. Unknown name \"%s\"", name);
        if (c->path.n > 0)
                (void) buf_printf(&text, " at '%s'", buf_cstr(&c->path));
        (void) buf_puts(&text, ": Proto field is not repeating, cannot start list.");
        fault(c, strempty(buf_cstr(&text)));
}

/* --- the walk --- */

/* Appends to the path and returns the length it had. */
static size_t path_push(Check *c, const char *name) {
        size_t n = c->path.n;

        (void) buf_printf(&c->path, "%s%s", n > 0 ? "." : "", name);
        return n;
}

static void path_pop(Check *c, size_t n) {
        c->path.n = n;
}

static void check_message(Check *c, const SchemaMessage *m, json_object *o);

static bool enum_has(const char *const *values, const char *s) {
        for (; *values; values++)
                if (strcaseeq(*values, s))
                        return true;
        return false;
}

static bool is_number_text(const char *s) {
        char *end;

        errno = 0;
        (void) strtoll(s, &end, 10);
        return errno == 0 && end != s && !*end;
}

static bool is_base64(json_object *v) {
        return base64_valid(json_object_get_string(v), (size_t) json_object_get_string_len(v));
}

static bool scalar_fits(const SchemaField *f, json_object *v) {
        json_type t = json_object_get_type(v);

        switch (f->kind) {
        case SCHEMA_ANY:
                return true;
        case SCHEMA_BOOL:
                return t == json_type_boolean;
        case SCHEMA_STRING:
        case SCHEMA_BYTES:
                return t == json_type_string;
        case SCHEMA_NUMBER:
                return t == json_type_int || t == json_type_double;
        case SCHEMA_INT:
                return (t == json_type_int && json_object_get_int64(v) == json_object_get_int(v)) ||
                       (t == json_type_double && json_object_get_double(v) == json_object_get_int(v));
        case SCHEMA_INT64:
                return t == json_type_int ||
                       (t == json_type_string && is_number_text(json_object_get_string(v)));
        case SCHEMA_ENUM:
                return t == json_type_string && enum_has(f->values, json_object_get_string(v));
        case SCHEMA_STRUCT:
                return t == json_type_object;
        default:
                return false;
        }
}

static void check_one(Check *c, const SchemaField *f, json_object *v) {
        _cleanup_buf_ Buf type = BUF_INIT(4096);

        switch (f->kind) {
        case SCHEMA_MESSAGE:
                check_message(c, &schema_messages[f->message], v);
                return;
        case SCHEMA_MAP:
        case SCHEMA_STRING_MAP:
                if (json_object_is_type(v, json_type_object)) {
                        json_object_object_foreach(v, key, value) {
                                size_t n = c->path.n;

                                (void) buf_printf(&c->path, "[%s]", key);
                                if (f->kind == SCHEMA_MAP)
                                        check_message(c, &schema_messages[f->message], value);
                                else if (!json_object_is_type(value, json_type_string))
                                        fault_value(c, "TYPE_STRING", value);
                                path_pop(c, n);
                        }
                        return;
                }
                break;
        default:
                if (!scalar_fits(f, v))
                        break;
                if (f->kind == SCHEMA_BYTES && !is_base64(v))
                        fault_base64(c, v);
                return;
        }

        if (f->kind == SCHEMA_ENUM)
                (void) buf_printf(&type, TYPE_URL "%c%s", f->name[0] & ~32, f->name + 1);
        else
                (void) buf_puts(&type, kind_names[f->kind] ?: TYPE_URL "Entry");
        fault_value(c, strempty(buf_cstr(&type)), v);
}

static void check_field(Check *c, const SchemaField *f, json_object *v) {
        size_t n;

        if (!f->repeated && f->kind != SCHEMA_ANY && json_object_is_type(v, json_type_array)) {
                fault_list(c, f->name);
                return;
        }

        n = path_push(c, f->snake);
        if (!f->repeated)
                check_one(c, f, v);
        else if (!json_object_is_type(v, json_type_array))
                fault_value(c, "repeated", v);
        else
                for (size_t i = 0; i < json_object_array_length(v); i++) {
                        size_t k = c->path.n;

                        (void) buf_printf(&c->path, "[%zu]", i);
                        check_one(c, f, json_object_array_get_idx(v, i));
                        path_pop(c, k);
                }
        path_pop(c, n);
}

static void check_message(Check *c, const SchemaMessage *m, json_object *o) {
        _cleanup_buf_ Buf type = BUF_INIT(4096);
        bool in_union = false;

        if (!json_object_is_type(o, json_type_object)) {
                (void) buf_printf(&type, TYPE_URL "%s", m->name);
                fault_value(c, strempty(buf_cstr(&type)), o);
                return;
        }
        if (++c->depth <= JSON_DEPTH_MAX) {
                json_object_object_foreach(o, key, value) {
                        const SchemaField *f = find_field(m, key);

                        if (!f)
                                fault_unknown(c, key);
                        else if (f->in_union && in_union)
                                fault_union(c, f->name);
                        else {
                                in_union = in_union || f->in_union;
                                check_field(c, f, value);
                        }
                }
        }
        c->depth--;
}

/* --- rules of the service itself --- */

static void check_service_content(SchemaFaults *f, const char *message, size_t i, json_object *content) {
        json_object *parts = json_member(content, "parts", "parts"),
                    *role = json_member(content, "role", "role");
        const char *r = role ? json_object_get_string(role) : "user";

        if (json_length(parts) == 0)
                (void) buf_printf(&f->message,
                                  "* %s.contents[%zu].parts: contents.parts must not be empty.\n", message,
                                  i);
        for (size_t k = 0; k < json_length(parts); k++) {
                static const char *const data[][2] = {
                        { "text", "text" },
                        { "inlineData", "inline_data" },
                        { "fileData", "file_data" },
                        { "functionCall", "function_call" },
                        { "functionResponse", "function_response" },
                        { "executableCode", "executable_code" },
                        { "codeExecutionResult", "code_execution_result" },
                        { "toolCall", "tool_call" },
                        { "toolResponse", "tool_response" },
                };
                json_object *part = json_object_array_get_idx(parts, k);
                bool any = false;

                for (size_t d = 0; d < ELEMENTSOF(data) && !any; d++)
                        any = json_member(part, data[d][0], data[d][1]);
                if (!any)
                        (void) buf_printf(
                                &f->message,
                                "* %s.contents[%zu].parts[%zu].data: required oneof field 'data' must have "
                                "one initialized field\n",
                                message, i, k);
        }
        if (f->message.n == 0 && !streq(r, "user") && !streq(r, "model") && !streq(r, "function"))
                (void) buf_puts(&f->message, "Please use a valid role: user, model.");
}

/* CountTokensRequest has one of two forms; the second repeats the model. Google's reference requires both
 * rules; the text of the first refusal is ours. */
static void check_count(json_object *o, json_object *inner, SchemaFaults *f) {
        json_object *model = json_member(inner, "model", "model");

        if (json_member(o, "contents", "contents"))
                (void) buf_puts(&f->message, "* CountTokensRequest: contents and generate_content_request "
                                             "are mutually exclusive\n");
        if (!model || !startswith(json_object_get_string(model), "models/"))
                (void) buf_puts(&f->message,
                                "* GenerateContentRequest.model: unexpected model name format\n");
}

static void check_service(const char *message, json_object *o, SchemaFaults *f) {
        json_object *contents, *inner;

        inner = json_member(o, "generateContentRequest", "generate_content_request");
        if (inner) {
                check_count(o, inner, f);
                o = inner;
                message = "GenerateContentRequest";
        }

        contents = json_member(o, "contents", "contents");
        if (json_length(contents) == 0)
                (void) buf_printf(&f->message, "* %s.contents: contents is not specified\n", message);
        for (size_t i = 0; i < json_length(contents); i++)
                check_service_content(f, message, i, json_object_array_get_idx(contents, i));
}

int schema_check(const char *message, json_object *o, SchemaFaults *ret) {
        const SchemaMessage *m = find_message(message);
        Check c = { .faults = ret, .path = BUF_INIT(1U << 20), .violations = BUF_INIT(1U << 20) };

        *ret = (SchemaFaults){ .message = BUF_INIT(1U << 20), .details = BUF_INIT(1U << 20) };
        if (!m)
                return -ENOENT;

        check_message(&c, m, o);
        if (ret->n > 0 && c.violations.n > 0)
                (void) buf_printf(&ret->details,
                                  "[{\"@type\":\"type.googleapis.com/"
                                  "google.rpc.BadRequest\",\"fieldViolations\":[%s]}]",
                                  buf_cstr(&c.violations));
        buf_done(&c.path);
        buf_done(&c.violations);

        if (ret->n == 0 &&
            (streq(message, "GenerateContentRequest") || streq(message, "CountTokensRequest")))
                check_service(message, o, ret);
        return ret->n > 0 || ret->message.n > 0;
}
