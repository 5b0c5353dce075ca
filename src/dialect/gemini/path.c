/* SPDX-License-Identifier: MIT */

/*
 * Sources: Google's description of the API (August 2026), and what google-genai 3.6.1 asks for: interactions
 * and what came with them have arguments with an underscore, and a header, Api-Revision, that chooses the
 * form of the answers.
 *
 * What is below an object (the documents of a store, the executions of a trigger, the permissions of a tuned
 * model) belongs to whom the object belongs: its row has the object's kind, and its lists are Google's own.
 * An operation of a model has no such object; it has a kind.
 */

#include <string.h>

#include "base/text.h"
#include "dialect/gemini/path.h"

#define ID_CHARS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
#define MODEL_CHARS ID_CHARS "."

#define V          "/v1beta/"
#define PAGE       "pageSize pageToken"
#define PAGE_SNAKE "page_size page_token"
#define PARTIAL    "filter " PAGE " returnPartialSuccess"
#define REVISION   "Api-Revision"

#define EXCHANGE(method, pattern, ...) { method, V pattern, GEMINI_WAY_EXCHANGE, __VA_ARGS__ }
#define COUNTED(pattern, ...) EXCHANGE("POST", pattern, .counts = true, __VA_ARGS__)
#define QUERY(method, pattern, ...) { method, V pattern, GEMINI_WAY_QUERY, __VA_ARGS__ }
#define LIST_OF(pattern, of, page) { "GET", V pattern, GEMINI_WAY_LIST, of, .arguments = page }
#define REFUSED(method, pattern) { method, V pattern, GEMINI_WAY_REFUSED }

/* The permissions of an object. */
#define PERMISSIONS(of, kind)                                                                               \
        QUERY("POST", of "/permissions", kind), QUERY("GET", of "/permissions", kind, .arguments = PAGE),   \
                QUERY("GET", of "/permissions/{permission}", kind),                                         \
                QUERY("PATCH", of "/permissions/{permission}", kind, .arguments = "updateMask"),            \
                QUERY("DELETE", of "/permissions/{permission}", kind)

/* What a model does. Its long predictions are operations, which are bound, or not. */
#define METHODS(of, kind_of, made)                                                                          \
        COUNTED(of ":generateContent", .kind = kind_of),                                                    \
                COUNTED(of ":streamGenerateContent", .kind = kind_of, .arguments = "alt"),                  \
                EXCHANGE("POST", of ":countTokens", .kind = kind_of),                                       \
                COUNTED(of ":embedContent", .kind = kind_of),                                               \
                COUNTED(of ":batchEmbedContents", .kind = kind_of),                                         \
                COUNTED(of ":predict", .kind = kind_of),                                                    \
                COUNTED(of ":predictLongRunning", .kind = kind_of, .makes = made),                          \
                QUERY("POST", of ":batchGenerateContent", kind_of, BINDING_BATCHES),                        \
                QUERY("POST", of ":asyncBatchEmbedContent", kind_of, BINDING_BATCHES)

/* What interactions brought: made, listed, asked for and deleted by id. */
#define OBJECTS(name, of, more)                                                                             \
        QUERY("POST", name, .makes = of, .headers = REVISION),                                              \
                { "GET", V name, GEMINI_WAY_LIST, of, .arguments = PAGE_SNAKE more },                       \
                QUERY("GET", name "/{id}", of, .headers = REVISION),                                        \
                QUERY("DELETE", name "/{id}", of, .headers = REVISION)

static const GeminiPath rows[] = {
        { "GET", V "models", GEMINI_WAY_MODELS, .arguments = PAGE },
        { "GET", V "models/{model}", GEMINI_WAY_MODELS },
        METHODS("models/{model}", NULL, BINDING_OPERATIONS),
        LIST_OF("models/{model}/operations", BINDING_OPERATIONS, PARTIAL),
        QUERY("GET", "models/{model}/operations/{operation}", BINDING_OPERATIONS),

        QUERY("POST", "tunedModels", .makes = BINDING_TUNED, .arguments = "tunedModelId"),
        LIST_OF("tunedModels", BINDING_TUNED, PAGE " filter"),
        QUERY("GET", "tunedModels/{model}", BINDING_TUNED),
        QUERY("PATCH", "tunedModels/{model}", BINDING_TUNED, .arguments = "updateMask"),
        QUERY("DELETE", "tunedModels/{model}", BINDING_TUNED),
        METHODS("tunedModels/{model}", BINDING_TUNED, NULL),
        QUERY("POST", "tunedModels/{model}:transferOwnership", BINDING_TUNED),
        QUERY("GET", "tunedModels/{model}/operations", BINDING_TUNED, .arguments = PARTIAL),
        QUERY("GET", "tunedModels/{model}/operations/{operation}", BINDING_TUNED),
        PERMISSIONS("tunedModels/{model}", BINDING_TUNED),
        METHODS("dynamic/{id}", NULL, BINDING_OPERATIONS),
        QUERY("GET", "dynamic/{id}/operations/{operation}", BINDING_OPERATIONS),

        QUERY("POST", "cachedContents", .makes = BINDING_CACHES),
        LIST_OF("cachedContents", BINDING_CACHES, PAGE),
        QUERY("GET", "cachedContents/{id}", BINDING_CACHES),
        QUERY("PATCH", "cachedContents/{id}", BINDING_CACHES, .arguments = "updateMask"),
        QUERY("DELETE", "cachedContents/{id}", BINDING_CACHES),

        { "POST", "/upload" V "files", GEMINI_WAY_UPLOAD, .makes = BINDING_FILES },
        QUERY("POST", "files", .makes = BINDING_FILES),
        QUERY("POST", "files:register", .makes = BINDING_FILES),
        LIST_OF("files", BINDING_FILES, PAGE),
        QUERY("GET", "files/{id}", BINDING_FILES),
        QUERY("DELETE", "files/{id}", BINDING_FILES),
        { "GET", V "files/{id}:download", GEMINI_WAY_DOWNLOAD, BINDING_FILES, .arguments = "alt" },
        { "GET", "/download" V "files/{id}:download", GEMINI_WAY_DOWNLOAD, BINDING_FILES,
          .arguments = "alt" },
        LIST_OF("generatedFiles", BINDING_GENERATED, PAGE),
        QUERY("GET", "generatedFiles/{id}/operations/{operation}", BINDING_GENERATED),
        { "GET", V "generatedFiles/{id}:download", GEMINI_WAY_DOWNLOAD, BINDING_GENERATED,
          .arguments = "alt" },

        LIST_OF("batches", BINDING_BATCHES, PARTIAL),
        QUERY("GET", "batches/{id}", BINDING_BATCHES),
        QUERY("DELETE", "batches/{id}", BINDING_BATCHES),
        QUERY("POST", "batches/{id}:cancel", BINDING_BATCHES),
        QUERY("PATCH", "batches/{id}:updateGenerateContentBatch", BINDING_BATCHES,
              .arguments = "updateMask"),
        QUERY("PATCH", "batches/{id}:updateEmbedContentBatch", BINDING_BATCHES, .arguments = "updateMask"),

        QUERY("POST", "fileSearchStores", .makes = BINDING_STORES),
        LIST_OF("fileSearchStores", BINDING_STORES, PAGE),
        QUERY("GET", "fileSearchStores/{id}", BINDING_STORES),
        QUERY("DELETE", "fileSearchStores/{id}", BINDING_STORES, .arguments = "force"),
        QUERY("POST", "fileSearchStores/{id}:importFile", BINDING_STORES),
        { "POST", "/upload" V "fileSearchStores/{id}:uploadToFileSearchStore", GEMINI_WAY_UPLOAD,
          BINDING_STORES },
        QUERY("GET", "fileSearchStores/{id}/documents", BINDING_STORES, .arguments = PAGE),
        QUERY("GET", "fileSearchStores/{id}/documents/{document}", BINDING_STORES),
        QUERY("DELETE", "fileSearchStores/{id}/documents/{document}", BINDING_STORES, .arguments = "force"),
        { "GET", V "fileSearchStores/{id}/media/{media}", GEMINI_WAY_DOWNLOAD, BINDING_STORES,
          .arguments = "alt" },
        QUERY("GET", "fileSearchStores/{id}/operations/{operation}", BINDING_STORES),
        QUERY("GET", "fileSearchStores/{id}/upload/operations/{operation}", BINDING_STORES),

        QUERY("POST", "corpora", .makes = BINDING_CORPORA),
        LIST_OF("corpora", BINDING_CORPORA, PAGE),
        QUERY("GET", "corpora/{id}", BINDING_CORPORA),
        QUERY("DELETE", "corpora/{id}", BINDING_CORPORA, .arguments = "force"),
        QUERY("GET", "corpora/{id}/operations/{operation}", BINDING_CORPORA),
        PERMISSIONS("corpora/{id}", BINDING_CORPORA),

        COUNTED("interactions", .makes = BINDING_INTERACTIONS, .headers = REVISION),
        QUERY("GET", "interactions/{id}", BINDING_INTERACTIONS, .arguments = "include_input",
              .headers = REVISION),
        QUERY("DELETE", "interactions/{id}", BINDING_INTERACTIONS, .headers = REVISION),
        QUERY("POST", "interactions/{id}/cancel", BINDING_INTERACTIONS, .headers = REVISION),
        REFUSED("POST", "interactions/{id}/auth_tokens"),
        REFUSED("DELETE", "interactions/{id}/auth_tokens/{token}"),
        REFUSED("POST", "auth_tokens"),
        COUNTED("decisions", .headers = REVISION),

        OBJECTS("agents", BINDING_AGENTS, " parent"),
        OBJECTS("environments", BINDING_ENVIRONMENTS, " mode"),
        /* Of August. */
        QUERY("POST", "environments:create", .makes = BINDING_ENVIRONMENTS),
        LIST_OF("environments:list", BINDING_ENVIRONMENTS, PAGE " mode"),
        QUERY("GET", "environments/{id}:get", BINDING_ENVIRONMENTS),
        QUERY("DELETE", "environments/{id}:delete", BINDING_ENVIRONMENTS),
        QUERY("GET", "environments/{id}/files", BINDING_ENVIRONMENTS, .arguments = PAGE_SNAKE " recursive",
              .headers = REVISION),
        QUERY("GET", "environments/{id}/files/{path*}", BINDING_ENVIRONMENTS,
              .arguments = PAGE_SNAKE " recursive", .headers = REVISION),
        { "PUT", "/upload" V "environments/{id}/files/{path*}", GEMINI_WAY_UPLOAD, BINDING_ENVIRONMENTS,
          .arguments = "extract overwrite", .headers = REVISION },
        /* The pieces of one that a PUT has begun. */
        { "POST", "/upload" V "environments/{id}/files/{path*}", GEMINI_WAY_UPLOAD, BINDING_ENVIRONMENTS,
          .headers = REVISION },
        OBJECTS("triggers", BINDING_TRIGGERS, " filter"),
        QUERY("PATCH", "triggers/{id}", BINDING_TRIGGERS, .headers = REVISION),
        QUERY("GET", "triggers/{id}/executions", BINDING_TRIGGERS, .arguments = PAGE_SNAKE,
              .headers = REVISION),
        QUERY("POST", "triggers/{id}/executions", BINDING_TRIGGERS, .headers = REVISION),
        OBJECTS("voices", BINDING_VOICES,
                " accent context gender language_code persona pitch region_code search type"),
        OBJECTS("webhooks", BINDING_WEBHOOKS, ""),
        QUERY("PATCH", "webhooks/{id}", BINDING_WEBHOOKS, .arguments = "update_mask", .headers = REVISION),
        QUERY("POST", "webhooks/{id}:ping", BINDING_WEBHOOKS, .headers = REVISION),
        QUERY("POST", "webhooks/{id}:rotateSigningSecret", BINDING_WEBHOOKS, .headers = REVISION),
        OBJECTS("credentials", BINDING_CREDENTIALS, ""),
        QUERY("PATCH", "credentials/{id}", BINDING_CREDENTIALS, .arguments = "update_mask",
              .headers = REVISION),
};

static_assert(ELEMENTSOF(rows) <= GEMINI_PATHS_MAX, "all of them have to fit");

const GeminiPath *gemini_paths(size_t *ret_n) {
        *ret_n = ELEMENTSOF(rows);
        return rows;
}

/* What is before the version: nothing, "/upload", "/download". */
static size_t n_before(const GeminiPath *row) {
        return (size_t) (strstr(row->path, V) - row->path);
}

const char *gemini_path_pattern(const GeminiPath *row) {
        return row->path + n_before(row) + strlen(V);
}

const char *gemini_path_rest(const GeminiPath *row, const char *path) {
        static const char *const versions[] = { V, "/v1/", "/v1alpha/" };
        size_t n = n_before(row);

        if (strncmp(path, row->path, n) != 0)
                return NULL;
        for (size_t i = 0; i < ELEMENTSOF(versions); i++) {
                const char *rest = startswith(path + n, versions[i]);

                if (rest)
                        return rest;
        }
        return NULL;
}

/* An id, whatever characters it has, ends with its segment, or with a verb. */
static size_t id_length(const char *s) {
        return strcspn(s, "/:");
}

/* Walks pattern and path. `ret_id`: where the first id is; may be NULL. */
static bool fits(const char *pattern, const char *s, const char **ret_id, size_t *ret_n) {
        bool has_id = false;

        while (*pattern) {
                const char *close;
                size_t n;

                if (*pattern != '{') {
                        if (*pattern++ != *s++)
                                return false;
                        continue;
                }
                close = strchr(pattern, '}');
                n = close[-1] == '*' ? strlen(s) : id_length(s);
                if (n == 0)
                        return false;
                if (!has_id && ret_id) {
                        *ret_id = s;
                        *ret_n = n;
                }
                has_id = true;
                s += n;
                pattern = close + 1;
        }
        return !*s;
}

bool gemini_path_fits(const GeminiPath *row, const char *path) {
        const char *rest = gemini_path_rest(row, path);

        return rest && fits(gemini_path_pattern(row), rest, NULL, NULL);
}

static bool method_serves(const char *row, const char *method) {
        return streq(row, method) || (streq(row, "GET") && streq(method, "HEAD"));
}

const GeminiPath *gemini_path_find(const char *method, const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (method_serves(rows[i].method, method) && gemini_path_fits(&rows[i], path))
                        return &rows[i];
        return NULL;
}

static bool is_step(const char *s, size_t n) {
        return n <= 2 && strspn(s, ".") >= n;
}

/* The name of a file in an environment: any characters, which are escaped, but no way out of its folder. */
static bool is_below(const char *s) {
        for (;;) {
                size_t n = strcspn(s, "/");

                if (n == 0 || is_step(s, n))
                        return false;
                if (!s[n])
                        return true;
                s += n + 1;
        }
}

/* All ids are such as may go into a URL as they are. */
static bool ids_are_valid(const char *pattern, const char *s) {
        while (*pattern) {
                const char *close;
                size_t n;

                if (*pattern != '{') {
                        pattern++;
                        s++;
                        continue;
                }
                close = strchr(pattern, '}');
                if (close[-1] == '*')
                        return is_below(s);
                n = id_length(s);
                if (n > BINDING_ID_MAX || is_step(s, n) ||
                    !text_in_charset(s, n, startswith(pattern, "{model}") ? MODEL_CHARS : ID_CHARS))
                        return false;
                s += n;
                pattern = close + 1;
        }
        return true;
}

bool gemini_path_name(const GeminiPath *row, const char *path, char ret[static BINDING_NAME_MAX + 1]) {
        const char *pattern = gemini_path_pattern(row);
        const char *rest = gemini_path_rest(row, path), *id = NULL;
        size_t n = 0;

        ret[0] = 0;
        if (!rest || !fits(pattern, rest, &id, &n) || !ids_are_valid(pattern, rest))
                return false;
        if (!row->kind || !id)
                return true;
        if (streq(row->kind, BINDING_OPERATIONS)) { /* behind a model, which has many clients */
                const char *slash = strrchr(id, '/');

                if (!slash || !strchr(strchr(row->path, '}') + 1, '{'))
                        return true;
                id = slash + 1;
                n = strlen(id);
        }
        return binding_name_make(row->kind, id, n, ret);
}

bool gemini_path_lists(const char *list, const char *word) {
        size_t n = strlen(word);

        for (; list && *list; list += strspn(list, " ")) {
                size_t k = strcspn(list, " ");

                if (k == n && strncasecmp(list, word, n) == 0)
                        return true;
                list += k;
        }
        return false;
}
