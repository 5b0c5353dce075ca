/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <sys/types.h>

#include "base/bus-names.h"
#include "base/text.h"
#include "bus/bus-gate.h"

#define ADMINS 900U
#define STRANGER 12345U

static void test_admins(void **state _unused_) {
        static const struct {
                uid_t uid;
                gid_t gids[3];
                size_t n;
                gid_t admins;
                bool admin;
        } rows[] = {
                { 0, {}, 0, BUS_NO_GROUP, true },
                { STRANGER, {}, 0, ADMINS, false },
                { STRANGER, { ADMINS }, 1, ADMINS, true },
                { STRANGER, { 1, 2, ADMINS }, 3, ADMINS, true },
                { STRANGER, { 1, 2, ADMINS }, 2, ADMINS, false },
                { STRANGER, { 0 }, 1, ADMINS, false },
                /* If the group does not exist, no caller is in it, not even one whose group has
                 * the number for "none". */
                { STRANGER, { BUS_NO_GROUP }, 1, BUS_NO_GROUP, false },
                { (uid_t) -1, {}, 0, ADMINS, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(bus_gate_is_admin(rows[i].uid, rows[i].gids, rows[i].n, rows[i].admins),
                                 rows[i].admin);
        assert_true(bus_gate_is_admin(geteuid(), NULL, 0, BUS_NO_GROUP));
}

static void test_actions(void **state _unused_) {
        static const struct {
                const char *interface, *member, *action;
        } rows[] = {
                { "org.gemgate1.Manager", "ListKeyHealth", "org.gemgate1.read" },
                { "org.gemgate1.Manager", "ResetHealth", "org.gemgate1.reset" },
                { "org.gemgate1.Manager", "Reload", "org.gemgate1.manage" },
                { "org.gemgate1.Key", "Reset", "org.gemgate1.reset" },
                { "org.gemgate1.Key", "Disable", "org.gemgate1.manage" },
                { "org.freedesktop.DBus.Introspectable", "Introspect", "org.gemgate1.read" },
                /* What is not named is for administrators. */
                { "org.gemgate1.Key", "ListKeyHealth", NULL },
                { "org.gemgate1.Key", "Reload", NULL },
                { "org.gemgate1.Manager", "reload", NULL },
                { "org.gemgate1.Manager", "", NULL },
                { "org.freedesktop.DBus.Properties", "Get", NULL },
                { "org.freedesktop.DBus.Properties", "Set", NULL },
                { "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", NULL },
                { NULL, "Reload", NULL }, /* a call need not name its interface */
                { "org.gemgate1.Manager", NULL, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *action = bus_action(rows[i].interface, rows[i].member);

                assert_true(streq_ptr(action, rows[i].action));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_admins),
                cmocka_unit_test(test_actions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
