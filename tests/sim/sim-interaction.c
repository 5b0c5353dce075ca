/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "sim-interaction.h"
#include "sim-json.h"

static json_object *usage(void) {
        return json_tokener_parse("{\"total_input_tokens\":7,\"total_output_tokens\":5,"
                                  "\"total_cached_tokens\":2,\"total_thought_tokens\":3,"
                                  "\"total_tool_use_tokens\":1,\"total_tokens\":16}");
}

static json_object *steps(void) {
        return json_tokener_parse(
                "[{\"type\":\"model_output\",\"content\":[{\"type\":\"text\",\"text\":\"Hello\"}]}]");
}

static void write_event(Buf *body, const char *type, json_object *o) {
        json_add_text(o, "event_type", type);
        (void) buf_printf(body, "event: %s\ndata: ", type);
        json_write(o, body);
        (void) buf_puts(body, "\n\n");
        json_object_put(o);
}

static json_object *event_of(json_object *interaction, const char *status) {
        json_object *o = json_object_new_object(), *copy = NULL;

        (void) json_object_deep_copy(interaction, &copy, NULL);
        json_object_object_del(copy, "steps");
        json_add_text(copy, "status", status);
        json_object_object_add(o, "interaction", copy);
        return o;
}

void interaction_write_events(json_object *interaction, Buf *body) {
        write_event(body, "interaction.created", event_of(interaction, "in_progress"));
        write_event(body, "step.start",
                    json_tokener_parse("{\"index\":0,\"step\":{\"type\":\"model_output\",\"content\":[]}}"));
        write_event(body, "step.delta",
                    json_tokener_parse("{\"index\":0,\"delta\":{\"type\":\"text\",\"text\":\"Hello\"}}"));
        write_event(body, "step.stop", json_tokener_parse("{\"index\":0}"));
        write_event(body, "interaction.completed", event_of(interaction, "completed"));
        (void) buf_puts(body, "event: done\ndata: [DONE]\n\n");
}

unsigned interaction_create(SimThings *s, const char *owner, json_object *asked, Buf *body,
                            const char **ret_type) {
        json_object *o = json_object_new_object(), *stream, *store, *background;
        const char *previous = json_text(asked, "previous_interaction_id");
        bool runs = json_object_object_get_ex(asked, "background", &background) &&
                    json_object_get_boolean(background);
        Thing *t = thing_make(s, "interactions", NULL, owner, o);

        json_add_text(o, "object", "interaction");
        json_add_text(o, json_text(asked, "model") ? "model" : "agent",
            json_text(asked, "model") ?: strempty(json_text(asked, "agent")));
        if (previous)
                json_add_text(o, "previous_interaction_id", previous);
        json_add_text(o, "created", "2026-11-30T12:00:00Z");
        json_add_text(o, "updated", "2026-11-30T12:00:00Z");
        json_add_text(o, "status", runs ? "in_progress" : "completed");
        json_object_object_add(o, "steps", steps());
        json_object_object_add(o, "usage", usage());
        if (json_object_object_get_ex(asked, "stream", &stream) && json_object_get_boolean(stream)) {
                interaction_write_events(o, body);
                *ret_type = "text/event-stream";
        } else
                json_write(o, body);
        if (runs)
                json_add_text(o, "status", "completed"); /* when it is asked for */
        if (json_object_object_get_ex(asked, "store", &store) && !json_object_get_boolean(store))
                thing_free(t);
        return 200;
}
