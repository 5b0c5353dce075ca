/* SPDX-License-Identifier: MIT */

/* response_format, and text.format of the Responses API. */

#include <errno.h>

#include "base/text.h"
#include "dialect/openai/config.h"

/* `param`: of the schema. */
static int set_json(ChatRequest *q, JsonView schema, const char *param) {
        q->format.kind = FORMAT_JSON;
        if (format_read_schema(&q->format, schema) < 0)
                return chat_refuse(q, "must be a JSON Schema", "%s", param);
        return 0;
}

int chat_read_response_format(ChatRequest *q, JsonView v) {
        JsonView type = json_view_get(v, "type"), schema = json_view_get(v, "json_schema");
        int r;

        if (json_view_equals(type, "text"))
                return 0;
        if (json_view_equals(type, "json_schema")) {
                r = chat_check_type(q, schema, TYPE_OBJECT, "response_format.json_schema");
                if (r != 0)
                        return r;
                schema = json_view_get(schema, "schema");
        } else if (json_view_equals(type, "json_object"))
                schema = json_view_get(v, "schema"); /* an extension of several servers */
        else
                return chat_refuse(q, "must be text, json_object or json_schema", "response_format.type");
        return set_json(q, schema, "response_format.json_schema.schema");
}

/* The schema is beside the type. */
int chat_read_text(ChatRequest *q, JsonView v) {
        JsonView format = json_view_get(v, "format"), type, schema;
        int r;

        if (json_view_is_null(format))
                return 0;
        r = chat_check_type(q, format, TYPE_OBJECT, "text.format");
        if (r != 0)
                return r;
        type = json_view_get(format, "type");
        schema = json_view_get(format, "schema");
        if (json_view_equals(type, "text"))
                return 0;
        if (json_view_equals(type, "json_schema")) {
                if (json_view_is_null(schema))
                        return chat_refuse(q, "is required", "text.format.schema");
        } else if (!json_view_equals(type, "json_object"))
                return chat_refuse(q, "must be text, json_object or json_schema", "text.format.type");
        return set_json(q, schema, "text.format.schema");
}

int chat_settle_format(ChatRequest *q) {
        int r = format_settle(&q->format, &q->tools, &q->turns);

        q->chat->json_function = q->format.function;
        return r == -E2BIG ? dialect_refuse(q->error, "tools", "tools must not have more than %u entries",
                                            TOOLS_MAX)
                           : r;
}
