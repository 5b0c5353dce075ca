/* SPDX-License-Identifier: MIT */
#include "base/bus-names.h"
#include "base/text.h"

static const struct {
        const char *interface, *member, *action;
} rules[] = {
        { BUS_MANAGER, "ListKeyHealth", BUS_ACTION_READ },
        { BUS_MANAGER, "GetStatistics", BUS_ACTION_READ },
        { BUS_MANAGER, "ListDays", BUS_ACTION_READ },
        { BUS_MANAGER, "ListClientDays", BUS_ACTION_READ },
        { BUS_MANAGER, "ListRequests", BUS_ACTION_READ },
        { BUS_MANAGER, "ExplainPick", BUS_ACTION_READ },
        { BUS_MANAGER, "ExplainModel", BUS_ACTION_READ },
        { BUS_MANAGER, "ResetHealth", BUS_ACTION_RESET },
        { BUS_MANAGER, "Reload", BUS_ACTION_MANAGE },
        { BUS_MANAGER, "SetLogLevel", BUS_ACTION_MANAGE },
        { BUS_MANAGER, "TestKeys", BUS_ACTION_MANAGE },
        { BUS_KEY, "Reset", BUS_ACTION_RESET },
        { BUS_KEY, "Enable", BUS_ACTION_MANAGE },
        { BUS_KEY, "Disable", BUS_ACTION_MANAGE },
        { BUS_KEY, "Test", BUS_ACTION_MANAGE },
        { "org.freedesktop.DBus.Introspectable", "Introspect", BUS_ACTION_READ },
};

const char *bus_action(const char *interface, const char *member) {
        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                if (streq_ptr(interface, rules[i].interface) && streq_ptr(member, rules[i].member))
                        return rules[i].action;
        return NULL;
}
