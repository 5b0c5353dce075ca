/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/limits.h"
#include "dialect/schema.h"
#include "schema-strict.h"

#define OUT_MAX (64U << 20)

/* Writes the schema into `out`, and returns a view of the result, by the index. */
static JsonView clean(const char *s, size_t n, SchemaUse use, Buf *out, JsonIndex *index) {
        _cleanup_(json_index_done) JsonIndex own = {};
        JWriter w = JWRITER_INIT(out);
        const char *fault = NULL;

        assert_int_equal(json_index_make(&own, s, n, &fault), 0);
        schema_write(json_view_indexed(&own, s, n), use, &w, NULL);
        assert_int_equal(out->error, 0);
        assert_int_equal(json_index_make(index, buf_data(out), out->n, &fault), 0);
        return json_view_indexed(index, buf_data(out), out->n);
}

static void check(const char *s, size_t n, SchemaUse use, const char *expected) {
        _cleanup_(json_index_done) JsonIndex index = {}, index_again = {};
        _cleanup_buf_ Buf out = BUF_INIT(OUT_MAX), again = BUF_INIT(OUT_MAX);
        JsonView in = json_view(s, n), cleaned, lost;
        bool is_object = use == SCHEMA_PARAMETERS && schema_root(in) != SCHEMA_OTHER;
        const char *fault;

        cleaned = clean(s, n, use, &out, &index);
        if (expected)
                assert_string_equal(buf_cstr(&out), expected);
        fault = schema_strict(cleaned, use == SCHEMA_PARAMETERS);
        if (fault)
                fail_msg("%s: %s", buf_cstr(&out), fault);
        lost = schema_lost_name(in, is_object, cleaned);
        if (lost.p)
                fail_msg("%.*s: lost %.*s", (int) n, s, (int) (lost.end - lost.p), lost.p);
        (void) clean(buf_data(&out), out.n, use, &again, &index_again);
        assert_string_equal(buf_cstr(&again), buf_cstr(&out));
}

static void test_table(void **state) {
        static char schema[65536], result[65536];
        FILE *f = fopen(TEST_DATA "/unit/schemas.txt", "re");
        unsigned n = 0;

        assert_non_null(f);
        while (fgets(schema, sizeof(schema), f)) {
                char *space = strchr(schema, ' ');
                SchemaUse use = *schema == 'p' ? SCHEMA_PARAMETERS : SCHEMA_RESPONSE;

                if (*schema == '#' || *schema == '\n')
                        continue;
                assert_non_null(fgets(result, sizeof(result), f));
                assert_int_equal(strncmp(result, "→ ", 4), 0);
                schema[strcspn(schema, "\n")] = result[strcspn(result, "\n")] = 0;
                check(space + 1, strlen(space + 1), use, result + 4);
                n++;
        }
        (void) fclose(f);
        assert_true(n >= 200);
}

static void test_root(void **state) {
        static const struct {
                const char *json;
                SchemaRoot root;
        } rows[] = {
                { "", SCHEMA_ABSENT },
                { "null", SCHEMA_ABSENT },
                { "true", SCHEMA_ABSENT },
                { "false", SCHEMA_ABSENT },
                { "{}", SCHEMA_ABSENT },
                { "{\"type\":\"object\"}", SCHEMA_ABSENT },
                { "{\"type\":\"OBJECT\",\"properties\":{}}", SCHEMA_ABSENT },
                { "{\"type\":\"object\",\"properties\":{},\"required\":[],\"additionalProperties\":false}",
                  SCHEMA_ABSENT },
                { "{\"$schema\":\"x\",\"title\":\"T\",\"description\":\"d\"}", SCHEMA_ABSENT },
                { "{\"$ref\":\"#/$defs/A\",\"$defs\":{\"A\":{\"type\":\"object\"}}}", SCHEMA_ABSENT },
                { "{\"$ref\":\"#/nope\"}", SCHEMA_ABSENT },
                { "{\"properties\":{\"a\":{}}}", SCHEMA_OBJECT },
                { "{\"type\":\"object\",\"additionalProperties\":true}", SCHEMA_OBJECT },
                { "{\"type\":\"object\",\"patternProperties\":{\"a\":{}}}", SCHEMA_OBJECT },
                { "{\"type\":[\"null\",\"object\"],\"properties\":{\"a\":{}}}", SCHEMA_OBJECT },
                { "{\"anyOf\":[{\"type\":\"object\"}]}", SCHEMA_OBJECT },
                { "{\"$ref\":\"#/$defs/A\",\"$defs\":{\"A\":{\"properties\":{\"a\":{}}}}}", SCHEMA_OBJECT },
                { "{\"$ref\":\"#\"}", SCHEMA_OBJECT },
                { "{\"type\":\"string\"}", SCHEMA_OTHER },
                { "{\"type\":[\"string\",\"null\"]}", SCHEMA_OTHER },
                { "{\"type\":\"array\",\"properties\":{\"a\":{}}}", SCHEMA_OTHER },
                { "{\"items\":{}}", SCHEMA_OTHER },
                { "{\"const\":1}", SCHEMA_OTHER },
                { "{\"$ref\":\"#/$defs/A\",\"$defs\":{\"A\":{\"type\":\"string\"}}}", SCHEMA_OTHER },
                { "3", SCHEMA_BROKEN },
                { "\"object\"", SCHEMA_BROKEN },
                { "[]", SCHEMA_BROKEN },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                JsonView v = json_view(rows[i].json, strlen(rows[i].json));

                if (schema_root(v) != rows[i].root)
                        fail_msg("%s: %d", rows[i].json, schema_root(v));
                assert_int_equal(schema_is_empty(v), rows[i].root == SCHEMA_ABSENT);
        }
}

/* As deep as a checked text can be: what does not fit is cut off, and the rest is right. */
static void test_deep(void **state) {
        static const struct {
                const char *open, *close;
                unsigned levels;
        } rows[] = {
                { "{\"properties\":{\"a\":", "}}", 2 },
                { "{\"items\":", "}", 1 },
                { "{\"anyOf\":[", "]}", 2 },
                { "{\"allOf\":[", "]}", 2 },
                { "{\"type\":[\"array\",\"string\"],\"items\":", "}", 1 },
                { "{\"patternProperties\":{\"a\":{},\"b\":", "}}", 2 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(OUT_MAX);
                unsigned n = (JSON_CHECK_DEPTH_MAX - 2) / rows[i].levels;

                for (unsigned k = 0; k < n; k++)
                        (void) buf_puts(&b, rows[i].open);
                (void) buf_puts(&b, "{\"type\":\"string\"}");
                for (unsigned k = 0; k < n; k++)
                        (void) buf_puts(&b, rows[i].close);
                check(buf_data(&b), b.n, SCHEMA_RESPONSE, NULL);
        }
}

static size_t clean_size(const Buf *schema) {
        _cleanup_(json_index_done) JsonIndex index = {};
        _cleanup_buf_ Buf out = BUF_INIT(OUT_MAX);

        (void) clean(buf_data(schema), schema->n, SCHEMA_PARAMETERS, &out, &index);
        return out.n;
}

static size_t ceiling_of(const Buf *schema) {
        return SCHEMA_GROWTH_MAX * schema->n + SCHEMA_GROWTH_BASE;
}

/* Each definition merges the next one twice: written out, they would double each time. */
static void test_doubling(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(OUT_MAX);

        (void) buf_puts(&b, "{\"allOf\":[{\"$ref\":\"#/$defs/A0\"},{\"required\":[]}],\"$defs\":{");
        for (unsigned i = 0; i < 60; i++)
                (void) buf_printf(&b,
                                  "\"A%u\":{\"properties\":{"
                                  "\"p\":{\"allOf\":[{\"$ref\":\"#/$defs/A%u\"},{\"minProperties\":1}]},"
                                  "\"q\":{\"allOf\":[{\"$ref\":\"#/$defs/A%u\"},{\"minProperties\":1}]}}},",
                                  i, i + 1, i + 1);
        (void) buf_puts(&b, "\"A60\":{}}}");
        assert_in_range(clean_size(&b), b.n, ceiling_of(&b) + 65536);
}

/* Many properties, many names in `required`, many references that are part of circles. */
static void test_wide(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(OUT_MAX);
        const unsigned n = 50000, n_defs = SCHEMA_TARGETS_MAX + 100;

        (void) buf_puts(&b, "{\"type\":\"object\",\"properties\":{");
        for (unsigned i = 0; i < n; i++)
                (void) buf_printf(&b, "%s\"p%u\":{\"$ref\":\"#/$defs/D%u\"}", i > 0 ? "," : "", i,
                                  i % n_defs);
        (void) buf_puts(&b, "},\"required\":[\"p0\"");
        for (unsigned i = 1; i < n; i++)
                (void) buf_printf(&b, ",\"p%u\"", i);
        (void) buf_puts(&b, "],\"$defs\":{");
        for (unsigned i = 0; i < n_defs; i++)
                (void) buf_printf(&b, "%s\"D%u\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/D%u\"}},"
                                  "\"required\":[\"a\"]}", i > 0 ? "," : "", i, (i + 1) % n_defs);
        (void) buf_puts(&b, "}}");
        assert_in_range(clean_size(&b), n * 20, ceiling_of(&b));
}

static void test_key(void **state) {
        static const char json[] = "{\"properties\":{\"a\":{\"$ref\":\"#\"}}}";
        _cleanup_buf_ Buf b = BUF_INIT(4096), small = BUF_INIT(8);
        JsonView in = json_view(json, strlen(json));
        JWriter w = JWRITER_INIT(&b);

        jwrite_object(&w, NULL);
        jwrite_bool(&w, "before", true);
        schema_write(in, SCHEMA_PARAMETERS, &w, "s");
        jwrite_bool(&w, "after", true);
        jwrite_end(&w);
        assert_string_equal(buf_cstr(&b),
                            "{\"before\":true,\"s\":{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":"
                            "\"#/$defs/root\"}},\"$defs\":{\"root\":{\"type\":\"object\",\"properties\":{"
                            "\"a\":{\"$ref\":\"#/$defs/root\"}}}}},\"after\":true}");

        w = JWRITER_INIT(&small);
        schema_write(in, SCHEMA_PARAMETERS, &w, NULL);
        assert_int_equal(small.error, -E2BIG);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table), cmocka_unit_test(test_root), cmocka_unit_test(test_deep),
                cmocka_unit_test(test_doubling), cmocka_unit_test(test_wide), cmocka_unit_test(test_key),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
