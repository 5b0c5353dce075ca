/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#include "base/json/tree.h"
#include "base/limits.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

/* The sanitizer replaces the allocator, and limits of the address space. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* {"a":[VALUE,VALUE,…]} */
static void repeat(Buf *b, const char *value, size_t n) {
        (void) buf_puts(b, "{\"a\":[");
        for (size_t i = 0; i < n; i++) {
                (void) buf_puts(b, i > 0 ? "," : "");
                (void) buf_puts(b, value);
        }
        assert_int_equal(buf_puts(b, "]}"), 0);
}

static void drop(struct json_object **o) {
        (void) json_object_put(*o);
        *o = NULL;
}

#define MEMBERS_10 "\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0"
#define MEMBERS_12 MEMBERS_10 ",\"a\":0,\"b\":0"
#define MEMBERS_23 MEMBERS_12 ",\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"j\":0,\"k\":0" \
                              ",\"l\":0,\"m\":0"
#define TEXT_40    "0123456789012345678901234567890123456789"

static const char *const kinds[] = {
        "{}",
        "[]",
        "\"\"",
        "\"" TEXT_40 "\"",
        "\"" TEXT_40 TEXT_40 TEXT_40 TEXT_40 TEXT_40 "\"",
        "0",
        "18446744073709551615",
        "0.5",
        "0.12345678901234567890123456789",
        "true",
        "null",
        "[null]",
        "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]",
        "{\"a\":null}",
        "{\"" TEXT_40 "\":\"" TEXT_40 "\"}",
        "{\"role\":\"user\",\"content\":\"hi\"}",
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}",
        "{" MEMBERS_10 "}",
        "{" MEMBERS_12 "}",
        "{" MEMBERS_23 "}",
};

/* What is taken is never more than what is counted: json-c's structures may change with its version. */
static void test_cost(void **state) {
        if (SANITIZED)
                skip();
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_json_ struct json_object *o = NULL;
                _cleanup_buf_ Buf b = BUF_INIT(16U << 20);
                JsonCounts counts;
                JsonTreeCost cost;
                size_t before, taken;

                repeat(&b, kinds[i], 1000);
                assert_null(json_check_counts(buf_data(&b), b.n, &counts));
                cost = json_tree_cost(&counts, b.n);
                before = mallinfo2().uordblks + mallinfo2().hblkhd;
                assert_int_equal(json_parse(buf_data(&b), b.n, &o), 0);
                taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
                if (taken > cost.bytes || cost.bytes > 3 * taken)
                        print_message("%s: %zu taken, %zu counted\n", kinds[i], taken, (size_t) cost.bytes);
                assert_true(taken <= cost.bytes);
        }
}

/* Some values are allowed, 8 MiB of them are not, and the error has their number. */
static void test_ceiling(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                _cleanup_buf_ Buf few = BUF_INIT(64U << 20), many = BUF_INIT(64U << 20);
                char text[TEXT_GROUPED_MAX], expected[128];
                struct json_object *o = NULL;
                JsonCounts counts;
                JsonTreeCost cost;
                ApiError e;
                int r;

                repeat(&few, kinds[i], 100);
                r = json_parse_body(buf_data(&few), few.n, &o, &e);
                assert_int_equal(r, 0);
                drop(&o);

                repeat(&many, kinds[i], (8U << 20) / (strlen(kinds[i]) + 1));
                assert_null(json_check_counts(buf_data(&many), many.n, &counts));
                cost = json_tree_cost(&counts, many.n);
                r = json_parse(buf_data(&many), many.n, &o);
                assert_int_equal(r, cost.allowed ? 0 : -E2BIG);
                drop(&o);
                if (cost.allowed)
                        continue;
                assert_true(cost.bytes > JSON_TREE_BASE);
                r = json_parse_body(buf_data(&many), many.n, &o, &e);
                assert_int_equal(r, DIALECT_E_REFUSED);
                assert_int_equal(e.status, 413);
                (void) snprintf(expected, sizeof(expected), "The request body has %s JSON values; at most ",
                                text_grouped(cost.values, text));
                assert_non_null(startswith(e.message, expected));
                assert_true(cost.values_max < cost.values && cost.values_max > 16384);
        }
}

/* The most messages that chat takes, as short as they can be, are below the ceiling; so is a large
 * picture. */
static void test_room(void **state) {
        _cleanup_buf_ Buf messages = BUF_INIT(16U << 20), picture = BUF_INIT(64U << 20);
        struct json_object *o = NULL;
        ApiError e;

        repeat(&messages, "{\"role\":\"user\",\"content\":\"a\"}", MESSAGES_MAX);
        assert_int_equal(json_parse_body(buf_data(&messages), messages.n, &o, &e), 0);
        drop(&o);

        (void) buf_puts(&picture, "{\"url\":\"");
        while (picture.n < 32U << 20)
                (void) buf_puts(&picture, TEXT_40);
        (void) buf_puts(&picture, "\"}");
        assert_int_equal(json_parse_body(buf_data(&picture), picture.n, &o, &e), 0);
        assert_int_equal(strlen(json_get_string(o, "url")), picture.n - 10);
        drop(&o);
}

/* In a child: without memory a text is not taken for another one, whichever allocation fails. */
static void parse_in(size_t room, const Buf *b, size_t n_text) {
        struct json_object *o = NULL, *last;
        struct rlimit limit;
        unsigned long pages;
        ApiError e;
        FILE *f;
        int r;

        (void) malloc_trim(0);
        f = fopen("/proc/self/statm", "re");
        if (!f || fscanf(f, "%lu", &pages) != 1)
                _exit(2);
        (void) fclose(f);
        limit = (struct rlimit){ pages * 4096 + room, pages * 4096 + room };
        if (setrlimit(RLIMIT_AS, &limit) < 0)
                _exit(2);
        r = json_parse_body(buf_data(b), b->n, &o, &e);
        if (r == -ENOMEM)
                _exit(1);
        last = r == 0 ? json_object_array_get_idx(json_get(o, "a"), 9999) : NULL;
        if (!last || strlen(strempty(json_get_string(last, "t"))) != n_text)
                _exit(2);
        _exit(0);
}

static void test_no_memory(void **state) {
        static const size_t lengths[] = { 1, 3000000 };
        unsigned n[3] = {};

        if (SANITIZED)
                skip();
        for (size_t i = 0; i < ELEMENTSOF(lengths); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(16U << 20);

                (void) buf_puts(&b, "{\"a\":[");
                for (unsigned k = 0; k < 9999; k++)
                        (void) buf_puts(&b, "{},");
                (void) buf_puts(&b, "{\"t\":\"");
                for (size_t k = 0; k < lengths[i]; k++)
                        (void) buf_putc(&b, 'x');
                (void) buf_puts(&b, "\"}]}");
                /* The tree takes 8 MB, and the long text 9. */
                for (size_t room = 0; room < 32U << 20; room += 1111111) {
                        pid_t child = fork();
                        int status;

                        assert_true(child >= 0);
                        if (child == 0)
                                parse_in(room, &b, lengths[i]);
                        assert_int_equal(waitpid(child, &status, 0), child);
                        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
                        n[WEXITSTATUS(status)]++;
                }
        }
        assert_true(n[0] > 0 && n[1] > 0);
        print_message("%u built, %u without memory\n", n[0], n[1]);
}

static void test_fault(void **state) {
        static const struct {
                const char *body, *says;
        } rows[] = {
                { "", "is not JSON: empty" },
                { "{", "is not JSON: unexpected end of data" },
                { "\"\xff\"", "is not JSON: not UTF-8" },
                { "[]", "must be a JSON object" },
                { "null", "must be a JSON object" },
                { " null ", "must be a JSON object" },
                { "5", "must be a JSON object" },
                { "true", "must be a JSON object" },
                { "\"a\"", "must be a JSON object" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                struct json_object *o = NULL;
                ApiError e;

                assert_int_equal(json_parse_body(rows[i].body, strlen(rows[i].body), &o, &e),
                                 DIALECT_E_REFUSED);
                assert_int_equal(e.status, 400);
                assert_non_null(strstr(e.message, rows[i].says));
        }
}

/* As deep as the check accepts. */
static void test_depth(void **state) {
        struct json_object *o = NULL;
        char text[2 * JSON_CHECK_DEPTH_MAX + 1];

        for (unsigned depth = 1; depth <= JSON_CHECK_DEPTH_MAX; depth++) {
                memset(text, '[', depth);
                text[depth] = '0';
                memset(text + depth + 1, ']', depth);
                assert_int_equal(json_parse(text, 2 * depth + 1, &o), 0);
                drop(&o);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cost),      cmocka_unit_test(test_ceiling),
                cmocka_unit_test(test_room),      cmocka_unit_test(test_no_memory),
                cmocka_unit_test(test_fault),     cmocka_unit_test(test_depth),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
