/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "core/traceparent.h"
#include "test.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"

static const struct {
        const char *value;
        const char *trace_id; /* NULL: the value is ignored */
} rows[] = {
        { "00-" ID "-00f067aa0ba902b7-01", ID },
        { "00-" ID "-00f067aa0ba902b7-00", ID },
        { "cc-" ID "-00f067aa0ba902b7-ff", ID }, /* a version to come, in the form that is known */
        { NULL, NULL },
        { "", NULL },
        { ID, NULL },
        { "ff-" ID "-00f067aa0ba902b7-01", NULL },
        { "00-00000000000000000000000000000000-00f067aa0ba902b7-01", NULL },
        { "00-" ID "-0000000000000000-01", NULL },
        { "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", NULL },
        { "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", NULL },
        { "00-" ID "-00f067aa0ba902b7-1", NULL },
        { "00-" ID "-00f067aa0ba902b7-011", NULL },
        { "00-" ID "-00f067aa0ba902b7-01-what", NULL },
        { "00_" ID "-00f067aa0ba902b7-01", NULL },
        { "00-" ID "_00f067aa0ba902b7-01", NULL },
        { "00-" ID "-00f067aa0ba902b7_01", NULL },
        { "0x-" ID "-00f067aa0ba902b7-01", NULL },
        { "00-" ID "-00f067aa0ba902b7-\n1", NULL },
};

static void test_forms(void **state _unused_) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char trace_id[TRACE_ID_LENGTH + 1] = "untouched";

                assert_int_equal(traceparent_parse(rows[i].value, trace_id), rows[i].trace_id != NULL);
                assert_string_equal(trace_id, rows[i].trace_id ?: "untouched");
        }
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_forms) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
