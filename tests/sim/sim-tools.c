/* SPDX-License-Identifier: MIT */
/* Several faults come in one message, a line each, as Google's validation of a request has them. */
#include <ctype.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "sim-json.h"
#include "sim-service.h"

#define NAME_MAX_BYTES   128U
#define DECLARATIONS_MAX 512U

#define BAD_NAME                                                                                            \
        "Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, "  \
        "0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128."

static bool is_name(const char *s) {
        size_t n = strlen(s);

        if (n == 0 || n > NAME_MAX_BYTES || !(isalpha((unsigned char) *s) || *s == '_'))
                return false;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) s[i]) && !strchr("_.:-", s[i]))
                        return false;
        return true;
}

static void fault(const ServiceCheck *c, const char *where, const char *what) {
        (void) buf_printf(c->message, "* GenerateContentRequest.%s: %s\n", where, what);
}

/* --- schemas of Google's own kind --- */

static bool is_type(json_object *schema, const char *name) {
        json_object *type = json_member(schema, "type", "type");

        return json_object_is_type(type, json_type_string) && strcaseeq(json_object_get_string(type), name);
}

static void check_required(const ServiceCheck *c, json_object *schema, json_object *properties, Buf *path) {
        json_object *required = json_member(schema, "required", "required");

        for (size_t i = 0; i < json_length(required); i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(required, i));

                if (properties && json_object_object_get(properties, name))
                        continue;
                (void) buf_printf(c->message,
                                  "* GenerateContentRequest.%s.required[%zu]: property is not defined\n",
                                  buf_cstr(path), i);
        }
}

static void check_schema(const ServiceCheck *c, json_object *schema, Buf *path, unsigned depth) {
        json_object *properties = json_member(schema, "properties", "properties"),
                    *items = json_member(schema, "items", "items"),
                    *any = json_member(schema, "anyOf", "any_of");
        size_t n = path->n;

        if (!json_object_is_type(schema, json_type_object) || depth > JSON_DEPTH_MAX)
                return;
        if (is_type(schema, "OBJECT") && properties && json_object_object_length(properties) == 0) {
                (void) buf_puts(path, ".properties");
                fault(c, buf_cstr(path), "should be non-empty for OBJECT type");
                path->n = n;
        }
        if (is_type(schema, "ARRAY") && !items) {
                (void) buf_puts(path, ".items");
                fault(c, buf_cstr(path), "missing field.");
                path->n = n;
        }
        check_required(c, schema, properties, path);

        if (json_object_is_type(properties, json_type_object)) {
                json_object_object_foreach(properties, key, value) {
                        (void) buf_printf(path, ".properties[%s]", key);
                        check_schema(c, value, path, depth + 1);
                        path->n = n;
                }
        }
        (void) buf_puts(path, ".items");
        check_schema(c, items, path, depth + 1);
        path->n = n;
        for (size_t i = 0; i < json_length(any); i++) {
                (void) buf_printf(path, ".any_of[%zu]", i);
                check_schema(c, json_object_array_get_idx(any, i), path, depth + 1);
                path->n = n;
        }
}

static void check_json_schema(const ServiceCheck *c, json_object *schema, const char *where) {
        json_object *type = json_member(schema, "type", "type");

        if (!schema)
                return;
        if (!json_object_is_type(schema, json_type_object) ||
            (type && !streq(json_object_get_string(type), "object")))
                fault(c, where, "parameters_json_schema must describe an object.");
}

/* --- declarations --- */

static void check_declaration(const ServiceCheck *c, json_object *o, const char *where) {
        json_object *name = json_member(o, "name", "name"),
                    *parameters = json_member(o, "parameters", "parameters"),
                    *json_schema = json_member(o, "parametersJsonSchema", "parameters_json_schema");
        _cleanup_buf_ Buf path = BUF_INIT(1U << 20);

        (void) buf_printf(&path, "%s.name", where);
        if (!name || !is_name(json_object_get_string(name)))
                fault(c, buf_cstr(&path), BAD_NAME);
        if (parameters && json_schema)
                fault(c, where, "parameters and parameters_json_schema are mutually exclusive.");
        buf_clear(&path);
        (void) buf_printf(&path, "%s.parameters", where);
        check_schema(c, parameters, &path, 0);
        check_json_schema(c, json_schema, where);
}

static json_object *declarations_of(json_object *tools, size_t i) {
        json_object *tool = json_object_array_get_idx(tools, i);

        return json_member(tool, "functionDeclarations", "function_declarations");
}

static const char *name_of(json_object *declaration) {
        return strempty(json_object_get_string(json_member(declaration, "name", "name")));
}

/* How many functions of this name are declared; of all, without a name. */
static unsigned count(json_object *tools, const char *name) {
        unsigned n = 0;

        for (size_t i = 0; i < json_length(tools); i++) {
                json_object *all = declarations_of(tools, i);

                for (size_t k = 0; k < json_length(all); k++)
                        n += !name || streq(name_of(json_object_array_get_idx(all, k)), name);
        }
        return n;
}

static void check_declarations(const ServiceCheck *c, json_object *tools) {
        char where[96];

        for (size_t i = 0; i < json_length(tools); i++) {
                json_object *all = declarations_of(tools, i);

                if (json_object_is_type(all, json_type_array) && json_length(all) == 0) {
                        (void) snprintf(where, sizeof(where), "tools[%zu].tool_type", i);
                        fault(c, where, "required one_of 'tool_type' must have one initialized field");
                }
                for (size_t k = 0; k < json_length(all); k++) {
                        (void) snprintf(where, sizeof(where), "tools[%zu].function_declarations[%zu]", i, k);
                        check_declaration(c, json_object_array_get_idx(all, k), where);
                }
        }
}

static bool check_twice(const ServiceCheck *c, json_object *tools) {
        for (size_t i = 0; i < json_length(tools); i++) {
                json_object *all = declarations_of(tools, i);

                for (size_t k = 0; k < json_length(all); k++) {
                        const char *name = name_of(json_object_array_get_idx(all, k));

                        if (count(tools, name) > 1) {
                                (void) buf_printf(c->message,
                                                  "Duplicate function declaration found: %s", name);
                                return false;
                        }
                }
        }
        return true;
}

/* --- the mode of calling --- */

static void check_allowed(const ServiceCheck *c, json_object *tools, json_object *names, const char *mode) {
        static const char where[] = "tool_config.function_calling_config.allowed_function_names";

        if (json_length(names) > 0 && !strcaseeq(mode, "ANY") && !strcaseeq(mode, "VALIDATED"))
                fault(c, where, "should only be set when the mode is ANY or VALIDATED.");
        for (size_t i = 0; i < json_length(names); i++)
                if (count(tools, json_object_get_string(json_object_array_get_idx(names, i))) == 0)
                        (void) buf_printf(c->message,
                                          "* GenerateContentRequest.%s[%zu]: function is not declared.\n",
                                          where, i);
}

bool service_check_tools(const ServiceCheck *c) {
        json_object *tools = json_member(c->request, "tools", "tools"),
                    *config = json_member(c->request, "toolConfig", "tool_config"),
                    *generation = json_member(c->request, "generationConfig", "generation_config"),
                    *calling = json_member(config, "functionCallingConfig", "function_calling_config"),
                    *mode = json_member(calling, "mode", "mode"),
                    *allowed =
                            json_member(calling, "allowedFunctionNames", "allowed_function_names");
        const char *m = mode ? json_object_get_string(mode) : "AUTO";
        _cleanup_buf_ Buf path = BUF_INIT(1U << 20);
        unsigned n = count(tools, NULL);

        if (tools)
                check_declarations(c, tools);
        (void) buf_puts(&path, "generation_config.response_schema");
        check_schema(c, json_member(generation, "responseSchema", "response_schema"), &path, 0);
        if (calling)
                check_allowed(c, tools, allowed, m);
        if (c->message->n > 0)
                return false;
        if (n > DECLARATIONS_MAX)
                (void) buf_puts(c->message, "Request contains an invalid argument.");
        else if (calling && n == 0 && strcaseeq(m, "ANY"))
                (void) buf_puts(c->message, "Function calling config is set without function_declarations.");
        else if (n > 1)
                return check_twice(c, tools);
        return c->message->n == 0;
}
