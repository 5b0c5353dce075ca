/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "sim-error.h"
#include "sim-exchange.h"
#include "sim-interaction.h"
#include "sim-json.h"
#include "sim-store.h"

#define NOT_FOUND "Requested entity was not found."
#define VERB_MAX  64U
#define PAGE_SIZE 50U

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
static bool sees(const SimThings *s, const char *owner, const char *member, json_object *v) {
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
        return thing_find(s, name, owner);
}

static bool all_visible(const SimThings *s, const char *owner, json_object *o) {
        if (json_object_is_type(o, json_type_object)) {
                json_object_object_foreach(o, name, v) {
                        if (!sees(s, owner, name, v) || !all_visible(s, owner, v))
                                return false;
                        for (size_t i = 0; streq(name, "fileSearchStoreNames") && i < json_length(v); i++)
                                if (!thing_find(s, strempty(json_object_get_string(
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

static unsigned create_batch(SimThings *s, const char *owner, json_object *asked, Buf *body) {
        json_object *o = json_object_new_object(), *batch = json_member(asked, "batch", "batch");
        json_object *metadata = json_object_new_object(), *output = json_object_new_object();
        Thing *t = thing_make(s, "batches", NULL, owner, o);
        char file[64];

        (void) snprintf(file, sizeof(file), "files/batch-%s", strchr(t->name, '/') + 1);
        json_add_text(metadata, "state", "BATCH_STATE_SUCCEEDED");
        json_add_text(metadata, "displayName", strempty(json_text(batch, "displayName")));
        json_add_text(metadata, "createTime", "2026-11-30T12:00:00Z");
        json_add_text(output, "responsesFile", file);
        json_object_object_add(metadata, "output", output);
        json_object_object_add(o, "metadata", metadata);
        json_object_object_add(o, "done", json_object_new_boolean(true));
        json_write(o, body);
        return 200;
}

/* Some have an id that the client chooses. */
static unsigned create(SimThings *s, const char *parent, const char *owner, const Request *q,
                       json_object *asked, Buf *body) {
        const char *id = strchr(parent, '/') ? NULL : json_text(asked, "id");
        _cleanup_free_ char *argument = NULL;
        json_object *operation, *store;
        char name[256];
        Thing *t;

        if (streq(parent, "voices") && json_object_object_get_ex(asked, "store", &store) &&
            !json_object_get_boolean(store)) {
                (void) buf_puts(body, "{\"type\":\"prompted\",\"key\":\"voicekey_1\"}");
                return 200;
        }
        (void) request_param(q, "tunedModelId", &argument);
        id = id ?: argument;
        (void) snprintf(name, sizeof(name), "%s/%s", parent, strempty(id));
        if (id && thing_find(s, name, owner))
                return refuse(409, "Requested entity already exists", body);
        t = thing_make(s, parent, id, owner, json_object_get(asked));
        if (!streq(parent, "tunedModels")) {
                json_write(t->json, body);
                return 200;
        }
        operation = json_object_new_object();
        (void) snprintf(name, sizeof(name), "%s/operations/o", t->name);
        json_add_text(operation, "name", name);
        json_write(operation, body);
        json_object_put(operation);
        return 200;
}

/* --- what is asked for --- */

static uint64_t read_param(const Request *q, const char *camel, const char *snake) {
        const char *names[] = { camel, snake };
        uint64_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(names) && n == 0; i++) {
                _cleanup_free_ char *text = NULL;

                (void) request_param(q, names[i], &text);
                if (text && text_parse_u64(text, &n) < 0)
                        n = 0;
        }
        return n;
}

/* In pages: a token is the number of those before it. */
static unsigned list(const SimThings *s, const char *parent, const char *owner, const Request *q,
                     Buf *body) {
        json_object *o = json_object_new_object(), *page = json_object_new_array();
        uint64_t size = read_param(q, "pageSize", "page_size") ?: PAGE_SIZE, at = 0;
        uint64_t from = read_param(q, "pageToken", "page_token");
        const ThingKind *kind = thing_kind(parent);
        const char *below = strrchr(parent, '/');
        size_t n = strlen(parent);

        LIST_FOREACH(i, &s->all) {
                const Thing *t = list_entry(i, Thing, link);

                if (startswith(t->name, parent) && t->name[n] == '/' && !strchr(t->name + n + 1, '/') &&
                    streq(t->owner, owner) && at++ >= from && at <= from + size)
                        json_object_array_add(page, json_object_get(t->json));
        }
        if (below && streq(below, "/executions"))
                below = "/trigger_executions";
        json_object_object_add(o, below ? below + 1 : kind->list, page);
        if (at > from + size) {
                char token[24];

                (void) snprintf(token, sizeof(token), "%llu", (unsigned long long) (from + size));
                json_add_text(o, kind->by_id ? "next_page_token" : "nextPageToken", token);
        }
        json_write(o, body);
        json_object_put(o);
        return 200;
}

/* A verb of an object: most of them only answer. */
static unsigned perform(SimThings *s, Thing *t, const char *verb, json_object *asked, const char *owner,
                        Buf *body) {
        json_object *o = json_object_new_object();
        char name[512];

        if (streq(verb, "importFile")) {
                (void) snprintf(name, sizeof(name), "%s/documents", t->name);
                (void) thing_make(s, name, NULL, owner, json_object_get(asked));
                (void) snprintf(name, sizeof(name), "%s/operations/o%llu", t->name,
                                (unsigned long long) s->n_made);
                json_add_text(o, "name", name);
                json_object_object_add(o, "done", json_object_new_boolean(true));
        } else if (streq(verb, "cancel") && startswith(t->name, "interactions/")) {
                json_add_text(t->json, "status", "cancelled");
                json_object_put(o);
                o = json_object_get(t->json);
        } else if (streq(verb, "rotateSigningSecret"))
                json_add_text(o, "secret", "whsec_1");
        json_write(o, body);
        json_object_put(o);
        return 200;
}

static void merge(json_object *into, json_object *from) {
        json_object_object_foreach(from, name, v) {
                if (!streq(name, "name") && !streq(name, "id"))
                        json_object_object_add(into, name, json_object_get(v));
        }
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
        return count_slashes(name) % 2 == 0 && !strstr(name, "/upload/operations/") ? "list" : "get";
}

/* The methods of a model. Those that count or generate are here for models that are not Google's. */
static const char *model_verb(const char *rest, const ThingKind *kind) {
        static const struct {
                const char *method, *verb;
                bool is_any;
        } rows[] = {
                { ":batchGenerateContent", "batches.create", true },
                { ":asyncBatchEmbedContent", "batches.create", true },
                { ":predictLongRunning", "operations.create", true },
                { ":predict", "predict", true },
                { ":register", "files.register", true },
                { ":generateContent", "tuned", false },
                { ":streamGenerateContent", "tuned", false },
                { ":countTokens", "tuned.count", false },
                { ":embedContent", "tuned.embed", false },
                { ":batchEmbedContents", "tuned.embed-batch", false },
        };
        const char *colon = strchr(rest, ':');

        for (size_t i = 0; colon && i < ELEMENTSOF(rows); i++)
                if (streq(colon, rows[i].method) &&
                    (rows[i].is_any || kind || startswith(rest, "dynamic/")))
                        return rows[i].verb;
        return NULL;
}

const char *store_path(const Request *q, char **ret_name) {
        static char verb[VERB_MAX]; /* of the present request */
        const char *rest = startswith(q->path, "/v1beta/"), *found = NULL;
        const ThingKind *kind = rest ? thing_kind(rest) : NULL;

        if (!rest)
                return NULL;
        if (streq(q->method, "POST"))
                found = streq(rest, "files") ? "files.create" : model_verb(rest, kind);
        else if ((startswith(rest, "models/") || startswith(rest, "dynamic/")) &&
                 strstr(rest, "/operations/"))
                found = "operations.get";
        if (!found && kind) {
                (void) snprintf(verb, sizeof(verb), "%s.%s", kind->name, op_of(q->method, rest));
                found = verb;
        }
        if (found && !(*ret_name = strdup(rest)))
                abort();
        return found;
}

static unsigned answer_model(SimThings *s, const char *verb, const char *name, const char *owner,
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
                const char *file = "https://generativelanguage.googleapis.com/v1beta/files/"
                                   "video1:download?alt=media";
                char parent[256], id[32];
                Thing *t;

                (void) snprintf(parent, sizeof(parent), "%.*s/operations", (int) strcspn(name, ":"), name);
                (void) snprintf(id, sizeof(id), "op%llu", (unsigned long long) s->n_made + 1);
                t = thing_make(s, parent, id, owner, NULL);
                json_write(t->json, body);
                json_object_object_add(t->json, "done", json_object_new_boolean(true));
                json_object_object_add(t->json, "response", json_object_new_object());
                {
                        json_object *video = json_object_new_object(), *response;

                        json_add_text(video, "uri", file);
                        (void) json_object_object_get_ex(t->json, "response", &response);
                        json_object_object_add(response, "video", video);
                }
                return 200;
        }
        if (startswith(verb, "tuned.")) {
                (void) buf_puts(body, streq(verb, "tuned.count") ? "{\"totalTokens\":1}" :
                                      streq(verb, "tuned.embed") ? "{\"embedding\":{\"values\":[1]}}" :
                                                                   "{\"embeddings\":[{\"values\":[1]}]}");
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

static unsigned answer_of(SimThings *s, const char *verb, const char *name, const char *owner,
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
            !thing_find(s, top, owner))
                return refuse(404, NOT_FOUND, body);
        if (!op || startswith(verb, "tuned.") || startswith(verb, "files.") ||
            streq(verb, "operations.create") || streq(verb, "batches.create"))
                return answer_model(s, verb, name, owner, asked, body, ret_type);
        if (streq(verb, "interactions.create"))
                return interaction_create(s, owner, asked, body, ret_type);
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
                return streq(op, ".list") ? list(s, parent, owner, q, body)
                                          : create(s, parent, owner, q, asked, body);
        }
        t = thing_find(s, streq(op, ".verb") ? top : name, owner);
        if (!t && !startswith(name, "models/") && !startswith(name, "dynamic/") &&
            (strstr(name, "/operations/") || strstr(name, "/files/"))) { /* what it is of is there */
                json_object *o = json_object_new_object();

                json_add_text(o, "name", name);
                json_object_object_add(o, "done", json_object_new_boolean(true));
                json_write(o, body);
                json_object_put(o);
                return 200;
        }
        if (!t)
                return refuse(404, NOT_FOUND, body);
        if (does && (streq(does, "delete") || streq(does, "get")))
                op = streq(does, "get") ? ".get" : ".delete";
        if (streq(op, ".verb"))
                return perform(s, t, does, asked, owner, body);
        if (streq(op, ".delete")) {
                thing_delete(s, t);
                (void) buf_puts(body, "{}");
                return 200;
        }
        if (streq(op, ".patch"))
                merge(t->json, asked);
        (void) request_param(q, "stream", &stream);
        if (streq(verb, "interactions.get") && streq_ptr(stream, "true")) {
                interaction_write_events(t->json, body);
                *ret_type = "text/event-stream";
        } else
                json_write(t->json, body);
        return 200;
}

unsigned store_answer(SimThings *s, const char *verb, const char *name, const char *owner, const Request *q,
                      Buf *body, const char **ret_type) {
        json_object *asked = parse(q);
        unsigned status;

        *ret_type = JSON_TYPE;
        status = answer_of(s, verb, name, owner, q, asked, body, ret_type);
        json_object_put(asked);
        return status;
}
