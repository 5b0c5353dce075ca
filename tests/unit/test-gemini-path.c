/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "dialect/gemini/argument.h"
#include "dialect/gemini/kind.h"
#include "dialect/gemini/path.h"

/* Google's paths: each row of the table has a path here, and what is beside it has none. */

#define N  NULL
#define X  GEMINI_WAY_EXCHANGE
#define M  GEMINI_WAY_MODELS
#define Q  GEMINI_WAY_QUERY
#define L  GEMINI_WAY_LIST
#define UP GEMINI_WAY_UPLOAD
#define DN GEMINI_WAY_DOWNLOAD
#define NO GEMINI_WAY_REFUSED

static const struct {
        const char *method, *path;
        GeminiWay way;
        const char *name; /* of what the path is; "": of nothing */
        const char *makes;
} rows[] = {
        { "GET", "/v1beta/models", M, "", N },
        { "GET", "/v1beta/models/gemini-3.8-flash", M, "", N },
        { "POST", "/v1beta/models/m.1:generateContent", X, "", N },
        { "POST", "/v1/models/m:streamGenerateContent", X, "", N },
        { "POST", "/v1alpha/models/m:countTokens", X, "", N },
        { "POST", "/v1beta/models/m:embedContent", X, "", N },
        { "POST", "/v1beta/models/m:batchEmbedContents", X, "", N },
        { "POST", "/v1beta/models/m:predict", X, "", N },
        { "POST", "/v1beta/models/veo-3.1:predictLongRunning", X, "", "operations/" },
        { "POST", "/v1beta/models/m:batchGenerateContent", Q, "", "batches/" },
        { "POST", "/v1beta/models/m:asyncBatchEmbedContent", Q, "", "batches/" },
        { "GET", "/v1beta/models/m/operations", L, "", N },
        { "GET", "/v1beta/models/veo-3.1/operations/abc", Q, "operations/abc", N },
        { "POST", "/v1beta/tunedModels", Q, "", "tunedModels/" },
        { "GET", "/v1beta/tunedModels", L, "", N },
        { "GET", "/v1beta/tunedModels/t", Q, "tunedModels/t", N },
        { "PATCH", "/v1beta/tunedModels/t", Q, "tunedModels/t", N },
        { "DELETE", "/v1beta/tunedModels/t", Q, "tunedModels/t", N },
        { "POST", "/v1beta/tunedModels/t:generateContent", X, "tunedModels/t", N },
        { "POST", "/v1beta/tunedModels/t:streamGenerateContent", X, "tunedModels/t", N },
        { "POST", "/v1beta/tunedModels/t:countTokens", X, "tunedModels/t", N },
        { "POST", "/v1beta/tunedModels/t:embedContent", X, "tunedModels/t", N },
        { "POST", "/v1beta/tunedModels/t:batchEmbedContents", X, "tunedModels/t", N },
        { "POST", "/v1beta/tunedModels/t:predict", X, "tunedModels/t", N },
        { "POST", "/v1beta/tunedModels/t:predictLongRunning", X, "tunedModels/t", N },
        { "POST", "/v1beta/tunedModels/t:batchGenerateContent", Q, "tunedModels/t", "batches/" },
        { "POST", "/v1beta/tunedModels/t:asyncBatchEmbedContent", Q, "tunedModels/t", "batches/" },
        { "POST", "/v1beta/tunedModels/t:transferOwnership", Q, "tunedModels/t", N },
        { "GET", "/v1beta/tunedModels/t/operations", Q, "tunedModels/t", N },
        { "GET", "/v1beta/tunedModels/t/operations/o", Q, "tunedModels/t", N },
        { "POST", "/v1beta/tunedModels/t/permissions", Q, "tunedModels/t", N },
        { "GET", "/v1beta/tunedModels/t/permissions", Q, "tunedModels/t", N },
        { "GET", "/v1beta/tunedModels/t/permissions/p", Q, "tunedModels/t", N },
        { "PATCH", "/v1beta/tunedModels/t/permissions/p", Q, "tunedModels/t", N },
        { "DELETE", "/v1beta/tunedModels/t/permissions/p", Q, "tunedModels/t", N },
        { "POST", "/v1beta/dynamic/d:generateContent", X, "", N },
        { "POST", "/v1beta/dynamic/d:streamGenerateContent", X, "", N },
        { "POST", "/v1beta/dynamic/d:countTokens", X, "", N },
        { "POST", "/v1beta/dynamic/d:embedContent", X, "", N },
        { "POST", "/v1beta/dynamic/d:batchEmbedContents", X, "", N },
        { "POST", "/v1beta/dynamic/d:predict", X, "", N },
        { "POST", "/v1beta/dynamic/d:predictLongRunning", X, "", "operations/" },
        { "POST", "/v1beta/dynamic/d:batchGenerateContent", Q, "", "batches/" },
        { "POST", "/v1beta/dynamic/d:asyncBatchEmbedContent", Q, "", "batches/" },
        { "GET", "/v1beta/dynamic/d/operations/o", Q, "operations/o", N },
        { "POST", "/v1beta/cachedContents", Q, "", "cachedContents/" },
        { "GET", "/v1beta/cachedContents", L, "", N },
        { "GET", "/v1beta/cachedContents/c", Q, "cachedContents/c", N },
        { "HEAD", "/v1beta/cachedContents/c", Q, "cachedContents/c", N },
        { "PATCH", "/v1/cachedContents/c", Q, "cachedContents/c", N },
        { "DELETE", "/v1alpha/cachedContents/c", Q, "cachedContents/c", N },
        { "POST", "/upload/v1beta/files", UP, "", "files/" },
        { "POST", "/v1beta/files", Q, "", "files/" },
        { "POST", "/v1beta/files:register", Q, "", "files/" },
        { "GET", "/v1beta/files", L, "", N },
        { "GET", "/v1beta/files/f", Q, "files/f", N },
        { "DELETE", "/v1beta/files/f", Q, "files/f", N },
        { "GET", "/v1beta/files/f:download", DN, "files/f", N },
        { "GET", "/download/v1beta/files/f:download", DN, "files/f", N },
        { "GET", "/v1beta/generatedFiles", L, "", N },
        { "GET", "/v1beta/generatedFiles/g/operations/o", Q, "generatedFiles/g", N },
        { "GET", "/v1beta/generatedFiles/g:download", DN, "generatedFiles/g", N },
        { "GET", "/v1beta/batches", L, "", N },
        { "GET", "/v1beta/batches/b", Q, "batches/b", N },
        { "DELETE", "/v1beta/batches/b", Q, "batches/b", N },
        { "POST", "/v1beta/batches/b:cancel", Q, "batches/b", N },
        { "PATCH", "/v1beta/batches/b:updateGenerateContentBatch", Q, "batches/b", N },
        { "PATCH", "/v1beta/batches/b:updateEmbedContentBatch", Q, "batches/b", N },
        { "POST", "/v1beta/fileSearchStores", Q, "", "fileSearchStores/" },
        { "GET", "/v1beta/fileSearchStores", L, "", N },
        { "GET", "/v1beta/fileSearchStores/s", Q, "fileSearchStores/s", N },
        { "DELETE", "/v1beta/fileSearchStores/s", Q, "fileSearchStores/s", N },
        { "POST", "/v1beta/fileSearchStores/s:importFile", Q, "fileSearchStores/s", N },
        { "POST", "/upload/v1beta/fileSearchStores/s:uploadToFileSearchStore", UP, "fileSearchStores/s", N },
        { "GET", "/v1beta/fileSearchStores/s/documents", Q, "fileSearchStores/s", N },
        { "GET", "/v1beta/fileSearchStores/s/documents/d", Q, "fileSearchStores/s", N },
        { "DELETE", "/v1beta/fileSearchStores/s/documents/d", Q, "fileSearchStores/s", N },
        { "GET", "/v1beta/fileSearchStores/s/media/m", DN, "fileSearchStores/s", N },
        { "GET", "/v1beta/fileSearchStores/s/operations/o", Q, "fileSearchStores/s", N },
        { "GET", "/v1beta/fileSearchStores/s/upload/operations/o", Q, "fileSearchStores/s", N },
        { "POST", "/v1beta/corpora", Q, "", "corpora/" },
        { "GET", "/v1beta/corpora", L, "", N },
        { "GET", "/v1beta/corpora/c", Q, "corpora/c", N },
        { "DELETE", "/v1beta/corpora/c", Q, "corpora/c", N },
        { "GET", "/v1beta/corpora/c/operations/o", Q, "corpora/c", N },
        { "POST", "/v1beta/corpora/c/permissions", Q, "corpora/c", N },
        { "GET", "/v1beta/corpora/c/permissions", Q, "corpora/c", N },
        { "GET", "/v1beta/corpora/c/permissions/p", Q, "corpora/c", N },
        { "PATCH", "/v1beta/corpora/c/permissions/p", Q, "corpora/c", N },
        { "DELETE", "/v1beta/corpora/c/permissions/p", Q, "corpora/c", N },
        { "POST", "/v1beta/interactions", X, "", "interactions/" },
        { "GET", "/v1beta/interactions/i", Q, "interactions/i", N },
        { "DELETE", "/v1beta/interactions/i", Q, "interactions/i", N },
        { "POST", "/v1beta/interactions/i/cancel", Q, "interactions/i", N },
        { "POST", "/v1beta/interactions/i/auth_tokens", NO, "", N },
        { "DELETE", "/v1beta/interactions/i/auth_tokens/t", NO, "", N },
        { "POST", "/v1beta/auth_tokens", NO, "", N },
        { "POST", "/v1beta/decisions", X, "", N },
        { "POST", "/v1beta/agents", Q, "", "agents/" },
        { "GET", "/v1beta/agents", L, "", N },
        { "GET", "/v1beta/agents/a", Q, "agents/a", N },
        { "DELETE", "/v1beta/agents/a", Q, "agents/a", N },
        { "POST", "/v1beta/environments", Q, "", "environments/" },
        { "GET", "/v1beta/environments", L, "", N },
        { "GET", "/v1beta/environments/e", Q, "environments/e", N },
        { "DELETE", "/v1beta/environments/e", Q, "environments/e", N },
        { "POST", "/v1beta/environments:create", Q, "", "environments/" },
        { "GET", "/v1beta/environments:list", L, "", N },
        { "GET", "/v1beta/environments/e:get", Q, "environments/e", N },
        { "DELETE", "/v1beta/environments/e:delete", Q, "environments/e", N },
        { "GET", "/v1beta/environments/e/files", Q, "environments/e", N },
        { "GET", "/v1beta/environments/e/files/a b/c.txt", Q, "environments/e", N },
        { "PUT", "/upload/v1beta/environments/e/files/a/c.txt", UP, "environments/e", N },
        { "POST", "/upload/v1beta/environments/e/files/a/c.txt", UP, "environments/e", N },
        { "POST", "/v1beta/triggers", Q, "", "triggers/" },
        { "GET", "/v1beta/triggers", L, "", N },
        { "GET", "/v1beta/triggers/t", Q, "triggers/t", N },
        { "PATCH", "/v1beta/triggers/t", Q, "triggers/t", N },
        { "DELETE", "/v1beta/triggers/t", Q, "triggers/t", N },
        { "GET", "/v1beta/triggers/t/executions", Q, "triggers/t", N },
        { "POST", "/v1beta/triggers/t/executions", Q, "triggers/t", N },
        { "POST", "/v1beta/voices", Q, "", "voices/" },
        { "GET", "/v1beta/voices", L, "", N },
        { "GET", "/v1beta/voices/v", Q, "voices/v", N },
        { "DELETE", "/v1beta/voices/v", Q, "voices/v", N },
        { "POST", "/v1beta/webhooks", Q, "", "webhooks/" },
        { "GET", "/v1beta/webhooks", L, "", N },
        { "GET", "/v1beta/webhooks/w", Q, "webhooks/w", N },
        { "PATCH", "/v1beta/webhooks/w", Q, "webhooks/w", N },
        { "DELETE", "/v1beta/webhooks/w", Q, "webhooks/w", N },
        { "POST", "/v1beta/webhooks/w:ping", Q, "webhooks/w", N },
        { "POST", "/v1beta/webhooks/w:rotateSigningSecret", Q, "webhooks/w", N },
        { "POST", "/v1beta/credentials", Q, "", "credentials/" },
        { "GET", "/v1beta/credentials", L, "", N },
        { "GET", "/v1beta/credentials/c", Q, "credentials/c", N },
        { "PATCH", "/v1beta/credentials/c", Q, "credentials/c", N },
        { "DELETE", "/v1beta/credentials/c", Q, "credentials/c", N },
};

static void test_rows(void **state) {
        bool seen[256] = {};
        const GeminiPath *all;
        size_t n;

        all = gemini_paths(&n);
        assert_true(n <= ELEMENTSOF(seen));
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const GeminiPath *row = gemini_path_find(rows[i].method, rows[i].path);
                char name[BINDING_NAME_MAX + 1];

                if (!row)
                        fail_msg("%s %s", rows[i].method, rows[i].path);
                seen[row - all] = true;
                assert_int_equal(row->way, rows[i].way);
                assert_true(streq_ptr(row->makes, rows[i].makes));
                assert_true(gemini_path_name(row, rows[i].path, name));
                if (rows[i].way != NO)
                        assert_string_equal(name, rows[i].name);
        }
        for (size_t i = 0; i < n; i++) {
                if (!seen[i])
                        fail_msg("no path for %s %s", all[i].method, all[i].path);
                assert_true(!all[i].kind || gemini_kind(all[i].kind));
                assert_true(!all[i].makes || gemini_kind(all[i].makes));
                assert_true(all[i].way != L || all[i].kind);
                /* What counts on a model is an exchange. */
                assert_true(!all[i].counts || all[i].way == X);
                /* Nothing is passed that could hold a key or choose another form. */
                assert_false(gemini_path_lists(all[i].arguments, "key"));
                assert_false(gemini_path_lists(all[i].headers, "Authorization"));
                assert_false(gemini_path_lists(all[i].headers, "x-goog-api-key"));
                assert_false(gemini_path_lists(all[i].headers, "Cookie"));
        }
}

static void test_near_misses(void **state) {
        static const struct {
                const char *method, *path;
        } none[] = {
                { "GET", "/v1beta" },
                { "GET", "/v1beta/" },
                { "GET", "/v2/files" },
                { "GET", "/v1beta1/files" },
                { "GET", "/files" },
                { "GET", "//v1beta/files" },
                { "GET", "/v1beta//files" },
                { "GET", "/V1beta/files" },
                { "GET", "/v1beta/Files" },
                { "GET", "/v1beta/file" },
                { "GET", "/v1beta/filesx" },
                { "GET", "/v1beta/files/" },
                { "GET", "/v1beta/files/a/b" },
                { "GET", "/v1beta/files/a:b" },
                { "GET", "/v1beta/files/a:download:download" },
                { "POST", "/v1beta/files/a" },
                { "PATCH", "/v1beta/files/a" },
                { "PUT", "/v1beta/files/a" },
                { "POST", "/v1beta/files/a:download" },
                { "GET", "/download/files/a:download" },
                { "GET", "/download/v1beta/files/a" },
                { "GET", "/download/v1beta/batches/a" },
                { "POST", "/upload/v1beta/cachedContents" },
                { "POST", "/upload/v1beta/fileSearchStores" },
                { "POST", "/v1beta/fileSearchStores/s:uploadToFileSearchStore" },
                { "POST", "/v1beta/fileSearchStores/s/documents" },
                { "POST", "/v1beta/fileSearchStores/s/t:importFile" },
                { "POST", "/v1beta/batches" },
                { "POST", "/v1beta/batches/b" },
                { "GET", "/v1beta/batches/b:cancel/x" },
                { "POST", "/v1beta/batches/b:Cancel" },
                { "POST", "/v1beta/batches/:cancel" },
                { "POST", "/v1beta/models/m:tuneModel" },
                { "POST", "/v1beta/models/a/b:predict" },
                { "DELETE", "/v1beta/models/m" },
                { "GET", "/v1beta/interactions" },
                { "GET", "/v1beta/interactions/i/steps" },
                { "POST", "/v1beta/interactions/i:cancel" },
                { "GET", "/v1beta/auth_tokens" },
                { "PATCH", "/v1beta/agents/a" },
                { "POST", "/v1beta/webhooks/w:delete" },
                { "POST", "/v1beta/triggers/t/executions/e" },
                { "GET", "/v1beta/projects/p" },
                { "GET", "/v1beta/tuningJobs" },
                { "POST", "/v1beta/openai/chat/completions" },
                { "GET", "/v1beta/../v1beta/files" },
                { "OPTIONS", "/v1beta/files" },
                { "BREW", "/v1beta/files" },
        };
        /* They have a row, and no id. */
        static const char *const wrong[] = {
                "/v1beta/files/..",      "/v1beta/files/a.b",          "/v1beta/files/a b",
                "/v1beta/files/a%2fb",   "/v1beta/files/a?x=1",        "/v1beta/files/a#b",
                "/v1beta/batches/\xc3\xa4", "/v1beta/files/a\n",
                "/v1beta/interactions/.", "/v1beta/corpora/c/permissions/..",
                "/v1beta/models/../operations/x", "/v1beta/models/m/operations/a.b",
                "/v1beta/fileSearchStores/../documents/d", "/v1beta/environments/../files/x",
                "/v1beta/environments/e/files/..", "/v1beta/environments/e/files/../../../files/f",
                "/v1beta/environments/e/files/a/../b", "/v1beta/environments/e/files/./b",
                "/v1beta/environments/e/files//b", "/v1beta/environments/e/files/a/",
        };
        char name[BINDING_NAME_MAX + 1], longest[BINDING_ID_MAX + 32] = "/v1beta/files/";

        for (size_t i = 0; i < ELEMENTSOF(none); i++)
                if (gemini_path_find(none[i].method, none[i].path))
                        fail_msg("%s %s", none[i].method, none[i].path);
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                const GeminiPath *row = gemini_path_find("GET", wrong[i]);

                if (!row || gemini_path_name(row, wrong[i], name))
                        fail_msg("%s", wrong[i]);
        }
        memset(longest + strlen(longest), 'a', BINDING_ID_MAX);
        assert_true(gemini_path_name(gemini_path_find("GET", longest), longest, name));
        longest[strlen(longest)] = 'a';
        assert_false(gemini_path_name(gemini_path_find("GET", longest), longest, name));
}

static void test_lists(void **state) {
        assert_true(gemini_path_lists("pageSize pageToken", "pageToken"));
        assert_true(gemini_path_lists("Api-Revision", "api-revision"));
        assert_false(gemini_path_lists("pageSize pageToken", "page"));
        assert_false(gemini_path_lists("pageSize", "pageSizes"));
        assert_false(gemini_path_lists("pageSize", ""));
        assert_false(gemini_path_lists(NULL, "pageSize"));
}

/* Both spellings, and nothing else. */
static void test_arguments(void **state) {
        static const struct {
                const char *path, *name;
                GeminiArgument is;
        } cases[] = {
                { "/v1beta/batches", "pageSize", GEMINI_ARGUMENT_OWN },
                { "/v1beta/batches", "page_size", GEMINI_ARGUMENT_OWN },
                { "/v1beta/batches", "return_partialSuccess", GEMINI_ARGUMENT_OWN },
                { "/v1beta/agents", "pageSize", GEMINI_ARGUMENT_OWN },
                { "/v1beta/agents", "parent", GEMINI_ARGUMENT_OWN },
                { "/v1beta/batches", "parent", GEMINI_ARGUMENT_UNKNOWN },
                { "/v1beta/batches", "pagesize", GEMINI_ARGUMENT_UNKNOWN },
                { "/v1beta/batches", "page_Size", GEMINI_ARGUMENT_OWN },
                { "/v1beta/batches", "page__size", GEMINI_ARGUMENT_UNKNOWN },
                { "/v1beta/batches", "pageSize_", GEMINI_ARGUMENT_UNKNOWN },
                { "/v1beta/batches", "page", GEMINI_ARGUMENT_UNKNOWN },
                { "/v1beta/batches", "pageSizes", GEMINI_ARGUMENT_UNKNOWN },
                { "/v1beta/batches", "_", GEMINI_ARGUMENT_UNKNOWN },
                { "/v1beta/batches", "orderBy", GEMINI_ARGUMENT_UNKNOWN },
                { "/v1beta/batches", "key", GEMINI_ARGUMENT_SYSTEM },
                { "/v1beta/batches", "$alt", GEMINI_ARGUMENT_SYSTEM },
                { "/v1beta/batches", "pretty_print", GEMINI_ARGUMENT_SYSTEM },
                { "/v1beta/batches", "", GEMINI_ARGUMENT_SYSTEM },
                { "/v1beta/batches/b", "pageSize", GEMINI_ARGUMENT_UNKNOWN },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const GeminiPath *row = gemini_path_find("GET", cases[i].path);

                assert_non_null(row);
                if (gemini_argument(row, cases[i].name) != cases[i].is)
                        fail_msg("%s %s", cases[i].path, cases[i].name);
        }
        assert_true(gemini_path_is_list(gemini_path_find("GET", "/v1beta/agents")));
        assert_true(gemini_path_is_list(gemini_path_find("GET", "/v1beta/fileSearchStores/s/documents")));
        assert_false(gemini_path_is_list(gemini_path_find("POST", "/v1beta/agents")));
        assert_false(gemini_path_is_list(gemini_path_find("GET", "/v1beta/agents/a")));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_near_misses),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_arguments),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
