/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "sim-error.h"
#include "sim-files.h"
#include "sim-json.h"

#define FILE_LIFE  (48 * 3600)
#define CACHE_LIFE 3600
#define GOOGLE     "https://generativelanguage.googleapis.com"
#define NO_FILE    "You do not have permission to access the File %s or it may not exist."
#define NO_CACHE   "CachedContent not found (or permission denied)"

typedef struct Thing {
        List link;
        char *name; /* "files/x", "cachedContents/x", "uploads/x" */
        char *owner;
        json_object *json; /* as in the answer; of an upload: the client's metadata of the file */
        uint64_t received;
        Hash *hash; /* of an upload */
} Thing;

void files_init(SimFiles *f) {
        *f = (SimFiles){};
        list_init(&f->things);
}

static void thing_free(Thing *t) {
        list_unlink(&t->link);
        free(t->name);
        free(t->owner);
        json_object_put(t->json);
        hash_free(t->hash);
        free(t);
}

void files_clear(SimFiles *f) {
        LIST_FOREACH(i, &f->things)
                thing_free(list_entry(i, Thing, link));
        f->n_made = 0;
}

static Thing *find(const SimFiles *f, const char *name, const char *owner) {
        LIST_FOREACH(i, &f->things) {
                Thing *t = list_entry(i, Thing, link);

                if (streq(t->name, name) && streq(t->owner, owner))
                        return t;
        }
        return NULL;
}

static Thing *make(SimFiles *f, const char *kind, const char *id, const char *owner, json_object *json) {
        Thing *t = calloc(1, sizeof(*t));
        char made[32];

        if (!t)
                abort();
        (void) snprintf(made, sizeof(made), "sim%09llu", (unsigned long long) ++f->n_made);
        if (asprintf(&t->name, "%s/%s", kind, id ?: made) < 0 || !(t->owner = strdup(owner)))
                abort();
        t->json = json;
        list_init(&t->link);
        list_append(&f->things, &t->link);
        return t;
}

static void add_time(json_object *o, const char *name, time_t after) {
        time_t t = time(NULL) + after;
        char text[64];
        struct tm tm;

        (void) strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.123456Z", gmtime_r(&t, &tm));
        json_object_object_add(o, name, json_object_new_string(text));
}

static void write_json(json_object *o, Buf *body) {
        (void) buf_puts(body, json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
                                                                        JSON_C_TO_STRING_NOSLASHESCAPE));
}

static unsigned refuse(unsigned status, const char *message, Buf *body) {
        error_write_plain(status, message, NULL, false, body);
        return status;
}

static unsigned refuse_name(const char *name, Buf *body) {
        const char *id = startswith(name, "files/");
        char message[512];

        (void) snprintf(message, sizeof(message), id ? NO_FILE : NO_CACHE, id);
        return refuse(403, message, body);
}

static json_object *parse_bytes(const char *s, size_t n) {
        json_tokener *t = json_tokener_new();
        json_object *o = t && n > 0 ? json_tokener_parse_ex(t, s, (int) n) : NULL;

        json_tokener_free(t);
        if (json_object_is_type(o, json_type_object))
                return o;
        json_object_put(o);
        return NULL;
}

static json_object *parse(const Request *q) {
        return parse_bytes(q->body, q->n_body);
}

static const char *text_of(json_object *o, const char *name) {
        json_object *v;

        return json_object_object_get_ex(o, name, &v) ? json_object_get_string(v) : NULL;
}

/* --- files --- */

static Thing *make_file(SimFiles *f, json_object *said, const char *owner, const char *type, uint64_t size,
                        const Hash *hash) {
        const char *name = text_of(said, "name");
        const char *display = text_of(said, "displayName") ?: text_of(said, "display_name");
        json_object *o = json_object_new_object();
        char text[64];
        Thing *t;

        t = make(f, "files", name ? startswith(name, "files/") ?: name : NULL, owner, o);
        json_object_object_add(o, "name", json_object_new_string(t->name));
        if (display)
                json_object_object_add(o, "displayName", json_object_new_string(display));
        json_object_object_add(o, "mimeType", json_object_new_string(type ?: "application/octet-stream"));
        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) size);
        json_object_object_add(o, "sizeBytes", json_object_new_string(text));
        add_time(o, "createTime", 0);
        add_time(o, "updateTime", 0);
        add_time(o, "expirationTime", FILE_LIFE);
        {
                char uri[512];

                (void) snprintf(uri, sizeof(uri), GOOGLE "/v1beta/%s", t->name);
                json_object_object_add(o, "uri", json_object_new_string(uri));
        }
        if (hash) {
                _cleanup_buf_ Buf digest = BUF_INIT(1024);

                hash_text(hash, &digest);
                json_object_object_add(o, "sha256Hash", json_object_new_string(buf_cstr(&digest)));
        }
        json_object_object_add(o, "state", json_object_new_string("ACTIVE"));
        json_object_object_add(o, "source", json_object_new_string("UPLOADED"));
        return t;
}

/* A document of a store: the operation that has read it. The file was only on its way there. */
static void answer_document(Thing *t, const char *store, size_t n, Buf *body) {
        json_object *o = json_object_new_object(), *response = json_object_get(t->json);
        char name[256];

        (void) snprintf(name, sizeof(name), "%.*s/upload/operations/%s", (int) n, store,
                        strchr(t->name, '/') + 1);
        json_object_object_add(o, "name", json_object_new_string(name));
        json_object_object_add(o, "done", json_object_new_boolean(true));
        (void) snprintf(name, sizeof(name), "%.*s/documents/%s", (int) n, store, strchr(t->name, '/') + 1);
        json_object_object_add(response, "documentName", json_object_new_string(name));
        json_object_object_add(o, "response", response);
        write_json(o, body);
        json_object_put(o);
        thing_free(t);
}

static void answer_file(Thing *t, const Request *q, Buf *body) {
        const char *store = startswith(q->path, "/upload/v1beta/");
        json_object *o;

        if (startswith(store, "fileSearchStores/")) {
                answer_document(t, store, strcspn(store, ":"), body);
                return;
        }
        if (startswith(store, "environments/")) { /* where it is downloaded from */
                free(t->name);
                t->name = strdup(store);
                if (!t->name)
                        abort();
        }
        o = json_object_new_object();
        json_object_object_add(o, "file", json_object_get(t->json));
        write_json(o, body);
        json_object_put(o);
}

static unsigned start_upload(SimFiles *f, const char *owner, const Request *q, Buf *body,
                             char **ret_header) {
        json_object *o = parse(q), *file = NULL;
        const char *type = request_header(q, "x-goog-upload-header-content-type");
        Thing *t;

        if (q->n_body > 0 && !o)
                return refuse(400, "Invalid JSON payload received.", body);
        if (o)
                (void) json_object_object_get_ex(o, "file", &file);
        file = file ? json_object_get(file) : json_object_new_object();
        json_object_put(o);
        if (type)
                json_object_object_add(file, "mimeType", json_object_new_string(type));
        t = make(f, "uploads", NULL, owner, file);
        t->hash = hash_new();
        if (asprintf(ret_header,
                     "X-Goog-Upload-Status: active\r\nX-Goog-Upload-Chunk-Granularity: 8388608\r\n"
                     "X-Goog-Upload-URL: " GOOGLE "%s?upload_id=%s&upload_protocol=resumable",
                     q->path, strchr(t->name, '/') + 1) < 0)
                abort();
        return 200;
}

static unsigned go_on(SimFiles *f, const char *id, const char *owner, const Request *q, Buf *body,
                      char **ret_header) {
        const char *command = strempty(request_header(q, "x-goog-upload-command"));
        const char *offset = request_header(q, "x-goog-upload-offset"), *status = "active";
        char name[256];
        uint64_t at = 0;
        Thing *t;

        (void) snprintf(name, sizeof(name), "uploads/%s", id);
        t = find(f, name, owner);
        if (!t)
                return refuse(404, "Requested entity was not found.", body);
        if (strstr(command, "upload")) {
                if (q->incoming ? q->incoming->is_bad
                                : !offset || text_parse_u64(offset, &at) < 0 || at != t->received)
                        return refuse(400, "The offset is not where the upload is.", body);
                t->received += q->n_body;
                hash_add(t->hash, q->body, q->n_body);
        }
        if (strstr(command, "finalize")) {
                answer_file(make_file(f, t->json, owner, text_of(t->json, "mimeType"), t->received,
                                      t->hash),
                            q, body);
                status = "final";
        } else if (strstr(command, "cancel"))
                status = "cancelled";
        if (asprintf(ret_header, "X-Goog-Upload-Status: %s\r\nX-Goog-Upload-Size-Received: %llu", status,
                     (unsigned long long) t->received) < 0)
                abort();
        if (!streq(status, "active"))
                thing_free(t);
        return 200;
}

void files_receive(SimFiles *f, const Request *q, const char *p, size_t n) {
        const char *offset = request_header(q, "x-goog-upload-offset");
        SimIncoming *in = q->incoming;
        char name[256], *id = NULL;
        Thing *t = NULL;
        uint64_t at;

        (void) request_param(q, "upload_id", &id);
        if (id) {
                (void) snprintf(name, sizeof(name), "uploads/%s", id);
                LIST_FOREACH(i, &f->things)
                        if (streq(list_entry(i, Thing, link)->name, name))
                                t = list_entry(i, Thing, link);
                if (in->n == 0)
                        in->is_bad = !t || !offset || text_parse_u64(offset, &at) < 0 || at != t->received;
        }
        incoming_add(in, p, n);
        if (t && !in->is_bad) {
                hash_add(t->hash, p, n);
                t->received += n;
        }
        free(id);
}

bool files_content(const SimFiles *f, const char *name, const char *owner, uint64_t *ret_size,
                   const char **ret_type) {
        const char *base = strrchr(name, '/'), *size = base ? startswith(base, "/gen-") : NULL;
        const Thing *t = find(f, name, owner);

        *ret_type = t ? text_of(t->json, "mimeType") : "video/mp4";
        return text_parse_u64(t ? text_of(t->json, "sizeBytes") : size, ret_size) >= 0;
}

static unsigned upload_raw(SimFiles *f, const char *owner, const Request *q, Buf *body) {
        const char *type = request_header(q, "x-goog-upload-header-content-type")
                                   ?: request_header(q, "content-type");
        SimIncoming *in = q->incoming ?: incoming_new();
        json_object *file = json_object_new_object();

        if (!q->incoming)
                incoming_add(in, q->body, q->n_body);
        answer_file(make_file(f, file, owner, type, in->n, in->hash), q, body);
        json_object_put(file);
        if (!q->incoming)
                incoming_free(in);
        return 200;
}

/* The size and digest of one that was passed on are those of the whole body. */
static unsigned upload_once(SimFiles *f, const char *owner, const Request *q, Buf *body) {
        const SimIncoming *in = q->incoming;
        const char *text = in ? buf_data(&in->head) : q->body;
        size_t n = in ? in->head.n : q->n_body;
        const char *end = memmem(text, n, "\r\n\r\n{", 5);
        const char *stop = end ? memmem(end + 4, (size_t) (text + n - end - 4), "\r\n--", 4) : NULL;
        json_object *o, *file = NULL;

        if (!stop || !startswith(strempty(request_header(q, "content-type")), "multipart/related"))
                return refuse(400, "Bad multipart body.", body);
        o = parse_bytes(end + 4, (size_t) (stop - end - 4));
        (void) json_object_object_get_ex(o, "file", &file);
        answer_file(make_file(f, file, owner, text_of(file, "mimeType"), in ? in->n : 0,
                              in ? in->hash : NULL),
                    q, body);
        json_object_put(o);
        return 200;
}

static unsigned upload(SimFiles *f, const char *owner, const Request *q, Buf *body, char **ret_header) {
        const char *protocol = strempty(request_header(q, "x-goog-upload-protocol"));
        char *id = NULL;
        unsigned status;

        (void) request_param(q, "upload_id", &id);
        if (id)
                status = go_on(f, id, owner, q, body, ret_header);
        else if (streq(protocol, "resumable"))
                status = start_upload(f, owner, q, body, ret_header);
        else if (streq(protocol, "raw") || streq(q->method, "PUT"))
                status = upload_raw(f, owner, q, body);
        else if (streq(protocol, "multipart"))
                status = upload_once(f, owner, q, body);
        else
                status = refuse(400, "Upload protocol is not known.", body);
        free(id);
        return status;
}

/* --- cached contents --- */

static time_t ttl_of(json_object *o) {
        const char *ttl = text_of(o, "ttl");
        usec_t span;

        return ttl && duration_parse(ttl, &span) >= 0 ? (time_t) (span / USEC_PER_SEC) : CACHE_LIFE;
}

static unsigned create_cache(SimFiles *f, const char *owner, const Request *q, Buf *body) {
        json_object *said = parse(q), *o;
        const char *model = text_of(said, "model"), *display = text_of(said, "displayName"), *error;
        unsigned status;
        Thing *t;

        if (!model) {
                json_object_put(said);
                return refuse(400, "* CreateCachedContentRequest.cached_content.model: required", body);
        }
        if (!files_visible(f, owner, said, &error, &status)) {
                json_object_put(said);
                return refuse(status, error, body);
        }
        o = json_object_new_object();
        t = make(f, "cachedContents", NULL, owner, o);
        json_object_object_add(o, "name", json_object_new_string(t->name));
        json_object_object_add(o, "model", json_object_new_string(model));
        if (display)
                json_object_object_add(o, "displayName", json_object_new_string(display));
        add_time(o, "createTime", 0);
        add_time(o, "updateTime", 0);
        add_time(o, "expireTime", ttl_of(said));
        json_object_put(said);
        write_json(o, body);
        return 200;
}

static unsigned list(const SimFiles *f, const char *kind, const char *owner, Buf *body) {
        json_object *o = json_object_new_object(), *all = json_object_new_array();

        LIST_FOREACH(i, &f->things) {
                const Thing *t = list_entry(i, Thing, link);

                if (startswith(t->name, kind) && streq(t->owner, owner))
                        json_object_array_add(all, json_object_get(t->json));
        }
        json_object_object_add(o, kind, all);
        write_json(o, body);
        json_object_put(o);
        return 200;
}

/* --- all of it --- */

/* Content: of a file ("files/x:download"), and of what is below another ("fileSearchStores/x/media/y"). */
static bool content_name(const Request *q, char **ret_name) {
        static const char verb[] = ":download";
        const char *path = startswith(q->path, "/download") ?: q->path, *id = startswith(path, "/v1beta/");
        size_t n = id ? strlen(id) : 0, k = strlen(verb);
        _cleanup_free_ char *alt = NULL;

        (void) request_param(q, "alt", &alt);
        if (n > k && streq(id + n - k, verb))
                n -= k;
        else if (!id || !streq_ptr(alt, "media"))
                return false;
        if (asprintf(ret_name, "%.*s", (int) n, id) < 0)
                abort();
        return true;
}

const char *files_path(const Request *q, char **ret_name) {
        static const struct {
                const char *path, *kind, *method, *verb;
                bool named;
        } rows[] = {
                { "/upload/v1beta/files", "", "POST", "upload", false },
                { "/v1beta/files", "files", "GET", "files.list", false },
                { "/v1beta/files/", "files", "GET", "files.get", true },
                { "/v1beta/files/", "files", "DELETE", "files.delete", true },
                { "/v1beta/cachedContents", "cachedContents", "POST", "caches.create", false },
                { "/v1beta/cachedContents", "cachedContents", "GET", "caches.list", false },
                { "/v1beta/cachedContents/", "cachedContents", "GET", "caches.get", true },
                { "/v1beta/cachedContents/", "cachedContents", "PATCH", "caches.patch", true },
                { "/v1beta/cachedContents/", "cachedContents", "DELETE", "caches.delete", true },
        };

        if ((streq(q->method, "GET") || streq(q->method, "HEAD")) && content_name(q, ret_name))
                return "files.download";
        if (startswith(q->path, "/upload/v1beta/fileSearchStores/") ||
            startswith(q->path, "/upload/v1beta/environments/")) {
                *ret_name = strdup("");
                return *ret_name ? "upload" : NULL;
        }
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *rest = startswith(q->path, rows[i].path);

                if (!rest || !streq(rows[i].method, q->method) || (rows[i].named ? !*rest : *rest))
                        continue;
                if (asprintf(ret_name, "%s%s%s", rows[i].named ? rows[i].kind : "", rows[i].named ? "/" : "",
                             rest) < 0)
                        abort();
                return rows[i].verb;
        }
        return NULL;
}

unsigned files_answer(SimFiles *f, const char *verb, const char *name, const char *owner, const Request *q,
                      Buf *body, char **ret_header) {
        json_object *o;
        Thing *t;

        if (streq(verb, "upload"))
                return upload(f, owner, q, body, ret_header);
        if (streq(verb, "caches.create"))
                return create_cache(f, owner, q, body);
        if (streq(verb, "files.list"))
                return list(f, "files", owner, body);
        if (streq(verb, "caches.list"))
                return list(f, "cachedContents", owner, body);

        t = find(f, name, owner);
        if (!t)
                return refuse_name(name, body);
        if (strstr(verb, ".delete")) {
                thing_free(t);
                (void) buf_puts(body, "{}\n");
                return 200;
        }
        if (strstr(verb, ".patch")) {
                o = parse(q);
                if (!o)
                        return refuse(400, "Invalid JSON payload received.", body);
                add_time(t->json, "expireTime", ttl_of(o));
                json_object_put(o);
        }
        write_json(t->json, body);
        return 200;
}

static bool sees(const SimFiles *f, const char *owner, const char *member, json_object *v,
                 const char **ret_error) {
        const char *s = json_object_get_string(v), *file = strstr(strempty(s), "/v1beta/files/");

        if (streq(member, "fileUri") && file && !find(f, file + strlen("/v1beta/"), owner))
                *ret_error = "You do not have permission to access the File xxxx or it may not exist.";
        else if (streq(member, "cachedContent") && !find(f, strempty(s), owner))
                *ret_error = NO_CACHE;
        else
                return true;
        return false;
}

bool files_visible(const SimFiles *f, const char *owner, json_object *o, const char **ret_error,
                   unsigned *ret_status) {
        *ret_status = 403;
        if (json_object_is_type(o, json_type_object)) {
                json_object_object_foreach(
                        o, name, v) if (!sees(f, owner, name, v, ret_error) ||
                                        !files_visible(f, owner, v, ret_error, ret_status)) return false;
        }
        for (size_t i = 0; i < json_length(o); i++)
                if (!files_visible(f, owner, json_object_array_get_idx(o, i), ret_error, ret_status))
                        return false;
        return true;
}
