/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "sim-error.h"
#include "sim-exchange.h"
#include "sim-json.h"
#include "sim-store.h"

#define NOT_FOUND "Requested entity was not found."
#define VERB_MAX  64U

typedef struct Thing {
        List link;
        char *name; /* its path behind the version: "batches/x", "fileSearchStores/x/documents/y" */
        char *owner;
        json_object *json;
} Thing;

/* Google has two styles: names, and bare ids with underscores. */
static const struct {
        const char *kind;
        bool by_id;
        const char *list;
} kinds[] = {
        { "batches", false, "operations" },
        { "tunedModels", false, "tunedModels" },
        { "fileSearchStores", false, "fileSearchStores" },
        { "corpora", false, "corpora" },
        { "generatedFiles", false, "generatedFiles" },
        { "interactions", true, "interactions" },
        { "agents", true, "agents" },
        { "environments", true, "environments" },
        { "triggers", true, "triggers" },
        { "voices", true, "voices" },
        { "webhooks", true, "webhooks" },
        { "credentials", true, "credentials" },
        { "decisions", true, "decisions" },
};

void store_init(SimStore *s) {
        *s = (SimStore){};
        list_init(&s->things);
}

static void thing_free(Thing *t) {
        list_unlink(&t->link);
        free(t->name);
        free(t->owner);
        json_object_put(t->json);
        free(t);
}

void store_clear(SimStore *s) {
        LIST_FOREACH(i, &s->things)
                thing_free(list_entry(i, Thing, link));
        s->n_made = 0;
}

static Thing *find(const SimStore *s, const char *name, const char *owner) {
        LIST_FOREACH(i, &s->things) {
                Thing *t = list_entry(i, Thing, link);

                if (streq(t->name, name) && streq(t->owner, owner))
                        return t;
        }
        return NULL;
}

static int kind_of(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                const char *rest = startswith(name, kinds[i].kind);

                if (rest && (!*rest || *rest == '/' || *rest == ':'))
                        return (int) i;
        }
        return -1;
}

static void add(json_object *o, const char *name, const char *value) {
        json_object_object_add(o, name, json_object_new_string(value));
}

static const char *text_of(json_object *o, const char *name) {
        json_object *v;

        return json_object_object_get_ex(o, name, &v) && json_object_is_type(v, json_type_string)
                       ? json_object_get_string(v)
                       : NULL;
}

/* Takes the JSON. Without an id one is made. */
static Thing *make(SimStore *s, const char *parent, const char *id, const char *owner, json_object *json) {
        Thing *t = calloc(1, sizeof(*t));
        char made[32];

        if (!t)
                abort();
        (void) snprintf(made, sizeof(made), "sim%09llu", (unsigned long long) ++s->n_made);
        if (asprintf(&t->name, "%s/%s", parent, id ?: made) < 0 || !(t->owner = strdup(owner)))
                abort();
        t->json = json ?: json_object_new_object();
        if (kinds[kind_of(parent)].by_id && !strchr(parent, '/'))
                add(t->json, "id", strchr(t->name, '/') + 1);
        else
                add(t->json, "name", t->name);
        list_init(&t->link);
        list_append(&s->things, &t->link);
        return t;
}

static void write_json(json_object *o, Buf *body) {
        (void) buf_puts(body, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
                                                                        JSON_C_TO_STRING_NOSLASHESCAPE));
}

static unsigned refuse(unsigned status, const char *message, Buf *body) {
        error_write_plain(status, message, NULL, false, body);
        return status;
}

static json_object *parse(const Request *q) {
        json_tokener *t = json_tokener_new();
        json_object *o = t && q->n_body > 0 ? json_tokener_parse_ex(t, q->body, (int) q->n_body) : NULL;

        json_tokener_free(t);
        if (json_object_is_type(o, json_type_object))
                return o;
        json_object_put(o);
        return json_object_new_object();
}

/* --- what is made --- */

/* What a body names has to be there, for the owner. */
static bool sees(const SimStore *s, const char *owner, const char *member, json_object *v) {
        const char *id = json_object_get_string(v);
        char name[256];

        if (streq(member, "previous_interaction_id"))
                (void) snprintf(name, sizeof(name), "interactions/%s", id);
        else if (streq(member, "environment_id"))
                (void) snprintf(name, sizeof(name), "environments/%s", id);
        else if (streq(member, "agent") && startswith(strempty(id), "my-"))
                (void) snprintf(name, sizeof(name), "agents/%s", id);
        else
                return true;
        return find(s, name, owner);
}

static bool all_visible(const SimStore *s, const char *owner, json_object *o) {
        if (json_object_is_type(o, json_type_object)) {
                json_object_object_foreach(o, name, v) {
                        if (!sees(s, owner, name, v) || !all_visible(s, owner, v))
                                return false;
                        for (size_t i = 0; streq(name, "fileSearchStoreNames") && i < json_length(v); i++)
                                if (!find(s, strempty(json_object_get_string(
                                                     json_object_array_get_idx(v, i))),
                                          owner))
                                        return false;
                }
        }
        for (size_t i = 0; i < json_length(o); i++)
                if (!all_visible(s, owner, json_object_array_get_idx(o, i)))
                        return false;
        return true;
}

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
        add(o, "event_type", type);
        (void) buf_printf(body, "event: %s\ndata: ", type);
        write_json(o, body);
        (void) buf_puts(body, "\n\n");
        json_object_put(o);
}

static json_object *event_of(json_object *interaction, const char *status) {
        json_object *o = json_object_new_object(), *copy = NULL;

        (void) json_object_deep_copy(interaction, &copy, NULL);
        json_object_object_del(copy, "steps");
        add(copy, "status", status);
        json_object_object_add(o, "interaction", copy);
        return o;
}

static void write_events(json_object *interaction, Buf *body) {
        write_event(body, "interaction.created", event_of(interaction, "in_progress"));
        write_event(body, "step.start",
                    json_tokener_parse("{\"index\":0,\"step\":{\"type\":\"model_output\",\"content\":[]}}"));
        write_event(body, "step.delta",
                    json_tokener_parse("{\"index\":0,\"delta\":{\"type\":\"text\",\"text\":\"Hello\"}}"));
        write_event(body, "step.stop", json_tokener_parse("{\"index\":0}"));
        write_event(body, "interaction.completed", event_of(interaction, "completed"));
        (void) buf_puts(body, "event: done\ndata: [DONE]\n\n");
}

static unsigned interact(SimStore *s, const char *owner, json_object *asked, Buf *body,
                         const char **ret_type) {
        json_object *o = json_object_new_object(), *stream, *store, *background;
        const char *previous = text_of(asked, "previous_interaction_id");
        bool runs = json_object_object_get_ex(asked, "background", &background) &&
                    json_object_get_boolean(background);
        Thing *t = make(s, "interactions", NULL, owner, o);

        add(o, "object", "interaction");
        add(o, text_of(asked, "model") ? "model" : "agent",
            text_of(asked, "model") ?: strempty(text_of(asked, "agent")));
        if (previous)
                add(o, "previous_interaction_id", previous);
        add(o, "created", "2026-11-30T12:00:00Z");
        add(o, "updated", "2026-11-30T12:00:00Z");
        add(o, "status", runs ? "in_progress" : "completed");
        json_object_object_add(o, "steps", steps());
        json_object_object_add(o, "usage", usage());
        if (json_object_object_get_ex(asked, "stream", &stream) && json_object_get_boolean(stream)) {
                write_events(o, body);
                *ret_type = "text/event-stream";
        } else
                write_json(o, body);
        if (runs)
                add(o, "status", "completed"); /* when it is asked for */
        if (json_object_object_get_ex(asked, "store", &store) && !json_object_get_boolean(store))
                thing_free(t);
        return 200;
}

static unsigned create_batch(SimStore *s, const char *owner, json_object *asked, Buf *body) {
        json_object *o = json_object_new_object(), *batch = json_member(asked, "batch", "batch");
        json_object *metadata = json_object_new_object(), *output = json_object_new_object();
        Thing *t = make(s, "batches", NULL, owner, o);
        char file[64];

        (void) snprintf(file, sizeof(file), "files/batch-%s", strchr(t->name, '/') + 1);
        add(metadata, "state", "BATCH_STATE_SUCCEEDED");
        add(metadata, "displayName", strempty(text_of(batch, "displayName")));
        add(metadata, "createTime", "2026-11-30T12:00:00Z");
        add(output, "responsesFile", file);
        json_object_object_add(metadata, "output", output);
        json_object_object_add(o, "metadata", metadata);
        json_object_object_add(o, "done", json_object_new_boolean(true));
        write_json(o, body);
        return 200;
}

/* Some have an id that the client chooses. */
static unsigned create(SimStore *s, const char *parent, const char *owner, const Request *q,
                       json_object *asked, Buf *body) {
        const char *id = strchr(parent, '/') ? NULL : text_of(asked, "id");
        _cleanup_free_ char *argument = NULL;
        json_object *operation;
        char name[256];
        Thing *t;

        (void) request_param(q, "tunedModelId", &argument);
        id = id ?: argument;
        (void) snprintf(name, sizeof(name), "%s/%s", parent, strempty(id));
        if (id && find(s, name, owner))
                return refuse(409, "Requested entity already exists", body);
        t = make(s, parent, id, owner, json_object_get(asked));
        if (!streq(parent, "tunedModels")) {
                write_json(t->json, body);
                return 200;
        }
        operation = json_object_new_object();
        (void) snprintf(name, sizeof(name), "%s/operations/o", t->name);
        add(operation, "name", name);
        write_json(operation, body);
        json_object_put(operation);
        return 200;
}

/* --- what is asked for --- */

static unsigned list(const SimStore *s, const char *parent, const char *owner, Buf *body) {
        json_object *o = json_object_new_object(), *all = json_object_new_array();
        const char *below = strrchr(parent, '/');
        size_t n = strlen(parent);

        LIST_FOREACH(i, &s->things) {
                const Thing *t = list_entry(i, Thing, link);

                if (startswith(t->name, parent) && t->name[n] == '/' && !strchr(t->name + n + 1, '/') &&
                    streq(t->owner, owner))
                        json_object_array_add(all, json_object_get(t->json));
        }
        if (below && streq(below, "/executions"))
                below = "/trigger_executions";
        json_object_object_add(o, below ? below + 1 : kinds[kind_of(parent)].list, all);
        write_json(o, body);
        json_object_put(o);
        return 200;
}

/* A verb of an object: most of them only answer. */
static unsigned perform(SimStore *s, Thing *t, const char *verb, json_object *asked, const char *owner,
                        Buf *body) {
        json_object *o = json_object_new_object();
        char name[512];

        if (streq(verb, "importFile")) {
                (void) snprintf(name, sizeof(name), "%s/documents", t->name);
                (void) make(s, name, NULL, owner, json_object_get(asked));
                (void) snprintf(name, sizeof(name), "%s/operations/o%llu", t->name,
                                (unsigned long long) s->n_made);
                add(o, "name", name);
                json_object_object_add(o, "done", json_object_new_boolean(true));
        } else if (streq(verb, "cancel") && startswith(t->name, "interactions/")) {
                add(t->json, "status", "cancelled");
                json_object_put(o);
                o = json_object_get(t->json);
        } else if (streq(verb, "rotateSigningSecret"))
                add(o, "secret", "whsec_1");
        write_json(o, body);
        json_object_put(o);
        return 200;
}

static void merge(json_object *into, json_object *from) {
        json_object_object_foreach(from, name, v) {
                if (!streq(name, "name") && !streq(name, "id"))
                        json_object_object_add(into, name, json_object_get(v));
        }
}

static unsigned delete(SimStore *s, Thing *t, Buf *body) {
        _cleanup_free_ char *name = strdup(t->name);

        if (!name)
                abort();
        LIST_FOREACH(i, &s->things) { /* with what is below it */
                Thing *other = list_entry(i, Thing, link);
                const char *rest = startswith(other->name, name);

                if (rest && (!*rest || *rest == '/'))
                        thing_free(other);
        }
        (void) buf_puts(body, "{}");
        return 200;
}

/* --- all of it --- */

/* "webhooks/x:ping" and "interactions/x/cancel" are verbs. */
static const char *verb_of(const char *method, const char *name) {
        const char *colon = strchr(name, ':'), *slash = strrchr(name, '/');

        if (colon)
                return colon + 1;
        return streq(method, "POST") && slash && streq(slash, "/cancel") ? slash + 1 : NULL;
}

static size_t count_slashes(const char *s) {
        size_t n = 0;

        for (; (s = strchr(s, '/')); s++)
                n++;
        return n;
}

static const char *op_of(const char *method, const char *name) {
        if (verb_of(method, name))
                return "verb";
        if (streq(method, "POST"))
                return "create";
        if (streq(method, "PATCH"))
                return "patch";
        if (streq(method, "DELETE"))
                return "delete";
        return count_slashes(name) % 2 == 0 ? "list" : "get";
}

const char *store_path(const Request *q, char **ret_name) {
        static char verb[VERB_MAX]; /* of the present request */
        const char *rest = startswith(q->path, "/v1beta/"), *colon = rest ? strchr(rest, ':') : NULL;
        bool generates = colon && (startswith(colon, ":generate") || startswith(colon, ":streamGenerate"));
        int kind = rest ? kind_of(rest) : -1;

        if (!rest)
                return NULL;
        if (kind < 0 || generates) {
                static const struct {
                        const char *end, *verb;
                } rows[] = {
                        { ":batchGenerateContent", "batches.create" },
                        { ":asyncBatchEmbedContent", "batches.create" },
                        { ":predictLongRunning", "operations.create" },
                        { ":predict", "predict" },
                        { ":register", "files.register" },
                        { ":generateContent", "tuned" },
                        { ":streamGenerateContent", "tuned" },
                };

                for (size_t i = 0; colon && streq(q->method, "POST") && i < ELEMENTSOF(rows); i++)
                        if (streq(colon, rows[i].end) &&
                            (i < 5 || kind >= 0 || startswith(rest, "dynamic/"))) {
                                *ret_name = strdup(rest);
                                return rows[i].verb;
                        }
                if (streq(rest, "files") && streq(q->method, "POST")) {
                        *ret_name = strdup(rest);
                        return "files.create";
                }
                if (startswith(rest, "models/") && strstr(rest, "/operations/")) {
                        *ret_name = strdup(rest);
                        return "operations.get";
                }
                return NULL;
        }
        if (colon && strstr(colon, "atchGenerateContent")) {
                *ret_name = strdup(rest);
                return "batches.create";
        }
        (void) snprintf(verb, sizeof(verb), "%s.%s", kinds[kind].kind, op_of(q->method, rest));
        *ret_name = strdup(rest);
        return verb;
}

static unsigned answer_model(SimStore *s, const char *verb, const char *name, const char *owner,
                             json_object *asked, Buf *body, const char **ret_type) {
        if (streq(verb, "batches.create"))
                return create_batch(s, owner, asked, body);
        if (streq(verb, "files.register")) {
                unsigned long long n = ++s->n_made;

                (void) buf_printf(body, "{\"files\":[{\"name\":\"files/regsim%llu\",\"uri\":\"https://"
                                        "generativelanguage.googleapis.com/v1beta/files/regsim%llu\"}]}",
                                  n, n);
                return 200;
        }
        if (streq(verb, "files.create")) {
                (void) buf_printf(body, "{\"file\":{\"name\":\"files/newsim%llu\"}}",
                                  (unsigned long long) ++s->n_made);
                return 200;
        }
        if (streq(verb, "predict")) {
                (void) buf_puts(body, "{\"predictions\":[{\"bytesBase64Encoded\":\"AAAA\"}]}");
                return 200;
        }
        if (streq(verb, "operations.create")) {
                Thing *t = calloc(1, sizeof(*t));
                const char *file = "https://generativelanguage.googleapis.com/v1beta/files/"
                                   "video1:download?alt=media";

                if (!t ||
                    asprintf(&t->name, "%.*s/operations/op%llu", (int) strcspn(name, ":"), name,
                             (unsigned long long) ++s->n_made) < 0 ||
                    !(t->owner = strdup(owner)))
                        abort();
                t->json = json_object_new_object();
                add(t->json, "name", t->name);
                write_json(t->json, body);
                json_object_object_add(t->json, "done", json_object_new_boolean(true));
                json_object_object_add(t->json, "response", json_object_new_object());
                {
                        json_object *video = json_object_new_object(), *response;

                        add(video, "uri", file);
                        (void) json_object_object_get_ex(t->json, "response", &response);
                        json_object_object_add(response, "video", video);
                }
                list_init(&t->link);
                list_append(&s->things, &t->link);
                return 200;
        }
        /* tuned */
        (void) buf_puts(body, strstr(name, ":stream") ? "data: " : "");
        (void) buf_puts(body, "{\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":["
                              "{\"text\":\"tuned\"}]},"
                              "\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":1,"
                              "\"candidatesTokenCount\":1,\"totalTokenCount\":2}}");
        if (strstr(name, ":stream")) {
                (void) buf_puts(body, "\r\n\r\n");
                *ret_type = "text/event-stream";
        }
        return 200;
}

static unsigned answer_of(SimStore *s, const char *verb, const char *name, const char *owner,
                          const Request *q, json_object *asked, Buf *body, const char **ret_type) {
        const char *op = strrchr(verb, '.'), *does = verb_of(q->method, name);
        _cleanup_free_ char *top = NULL, *stream = NULL;
        size_t n;
        Thing *t;

        if (!all_visible(s, owner, asked))
                return refuse(404, NOT_FOUND, body);
        /* What the path is below has to be there, too. */
        n = strcspn(name, "/:");
        if (name[n] == '/')
                n += 1 + strcspn(name + n + 1, "/:");
        top = strndup(name, n);
        if (!top)
                abort();
        if (strchr(top, '/') && !startswith(top, "models/") && !startswith(top, "dynamic/") &&
            !find(s, top, owner))
                return refuse(404, NOT_FOUND, body);
        if (!op || streq(verb, "operations.create") || streq(verb, "batches.create") ||
            startswith(verb, "files."))
                return answer_model(s, verb, name, owner, asked, body, ret_type);
        if (streq(verb, "interactions.create"))
                return interact(s, owner, asked, body, ret_type);
        if (streq(verb, "decisions.create")) {
                (void) buf_puts(body, "{\"answers\":{\"q\":{\"type\":\"noul\"}},\"usage\":"
                                      "{\"total_input_tokens\":7,\"total_tokens\":7}}");
                return 200;
        }
        if (streq(op, ".verb") && does && !strchr(name, '/')) /* environments:create, environments:list */
                op = streq(does, "create") ? ".create" : ".list";
        if (streq(op, ".create") || streq(op, ".list")) {
                _cleanup_free_ char *parent = strndup(name, strcspn(name, ":"));

                if (!parent)
                        abort();
                return streq(op, ".list") ? list(s, parent, owner, body)
                                          : create(s, parent, owner, q, asked, body);
        }
        t = find(s, streq(op, ".verb") ? top : name, owner);
        if (!t && !startswith(name, "models/") &&
            (strstr(name, "/operations/") || strstr(name, "/files/"))) { /* what it is of is there */
                json_object *o = json_object_new_object();

                add(o, "name", name);
                json_object_object_add(o, "done", json_object_new_boolean(true));
                write_json(o, body);
                json_object_put(o);
                return 200;
        }
        if (!t)
                return refuse(404, NOT_FOUND, body);
        if (does && (streq(does, "delete") || streq(does, "get")))
                op = streq(does, "get") ? ".get" : ".delete";
        if (streq(op, ".verb"))
                return perform(s, t, does, asked, owner, body);
        if (streq(op, ".delete"))
                return delete(s, t, body);
        if (streq(op, ".patch"))
                merge(t->json, asked);
        (void) request_param(q, "stream", &stream);
        if (streq(verb, "interactions.get") && streq_ptr(stream, "true")) {
                write_events(t->json, body);
                *ret_type = "text/event-stream";
        } else
                write_json(t->json, body);
        return 200;
}

unsigned store_answer(SimStore *s, const char *verb, const char *name, const char *owner, const Request *q,
                      Buf *body, const char **ret_type) {
        json_object *asked = parse(q);
        unsigned status;

        *ret_type = JSON_TYPE;
        status = answer_of(s, verb, name, owner, q, asked, body, ret_type);
        json_object_put(asked);
        return status;
}
