/* SPDX-License-Identifier: MIT */

/* The file that replaces a pipe, with memfd_create() and where that is refused. */
#include "test.h"

#include <poll.h>

#include "runner/tail.h"

int __real_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags);

static bool refused;

int __wrap_memfd_create(const char *name, unsigned flags) {
        if (!refused)
                return __real_memfd_create(name, flags);
        errno = EPERM;
        return -1;
}

static bool told(const Tail *t) {
        struct pollfd p = { .fd = t->notify, .events = POLLIN };

        assert_true(t->notify >= 0);
        return poll(&p, 1, 0) == 1;
}

static void assert_read(Tail *t, const char *wanted) {
        char p[4];
        size_t n;

        assert_int_equal(tail_read(t, p, sizeof(p), &n), 0);
        assert_int_equal(n, strlen(wanted));
        assert_memory_equal(p, wanted, n);
}

static void check(void) {
        _cleanup_(tail_done) Tail t = TAIL_INIT;
        _cleanup_close_ int writer = -1;

        assert_int_equal(tail_open(&t, &writer), 0);
        assert_false(told(&t));
        assert_read(&t, "");
        assert_int_equal(write(writer, "abcdef", 6), 6);
        assert_true(told(&t));
        assert_read(&t, "abcd");
        assert_false(told(&t));
        assert_read(&t, "ef");
        assert_read(&t, "");
        assert_int_equal(write(writer, "g", 1), 1);
        assert_true(told(&t));
        assert_read(&t, "g");
}

static void test_memory(void **state) {
        refused = false;
        check();
}

static void test_without_memfd(void **state) {
        refused = true;
        check();
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_memory),
                cmocka_unit_test(test_without_memfd),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
