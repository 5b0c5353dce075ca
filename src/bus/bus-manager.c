/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "core/day-clock.h"
#include "bus/bus-key.h"
#include "bus/bus-manager.h"
#include "bus/bus-test.h"
#include "core/model.h"

/* --- properties --- */

/* The properties that change, and their place in the facts. */
static const struct {
        const char *name;
        char type;
        size_t offset;
} facts[] = {
        { "ReloadTimestamp", 't', offsetof(BusFacts, reloaded) },
        { "State", 's', offsetof(BusFacts, state) },
        { "LogLevel", 's', offsetof(BusFacts, log_level) },
        { "KeysTotal", 'u', offsetof(BusFacts, keys_total) },
        { "KeysEnabled", 'u', offsetof(BusFacts, keys_enabled) },
        { "KeysUsable", 'u', offsetof(BusFacts, keys_usable) },
        { "ModelsInUse", 'u', offsetof(BusFacts, models) },
        { "ActiveExchanges", 'u', offsetof(BusFacts, active) },
        { "RequestsTotal", 't', offsetof(BusFacts, requests_total) },
        { "RequestsToday", 't', offsetof(BusFacts, requests_today) },
        { "ClientRequestsTotal", 't', offsetof(BusFacts, client_requests_total) },
        { "ClientRequestsToday", 't', offsetof(BusFacts, client_requests_today) },
        { "LastReset", 't', offsetof(BusFacts, last_reset) },
        { "NextReset", 't', offsetof(BusFacts, next_reset) },
};

_Static_assert(ELEMENTSOF(facts) <= BUS_MANAGER_FACTS_MAX, "the caller's array must hold all names");

static const void *fact(const BusFacts *f, size_t i) {
        const char *p = (const char *) f + facts[i].offset;

        return facts[i].type == 's' ? *(const char *const *) (const void *) p : p;
}

static bool fact_equal(const void *a, const void *b, char type) {
        switch (type) {
        case 's':
                return streq(a, b);
        case 'u':
                return memcmp(a, b, sizeof(uint32_t)) == 0;
        default:
                return memcmp(a, b, sizeof(uint64_t)) == 0;
        }
}

size_t bus_manager_compare(const BusFacts *a, const BusFacts *b,
                           char *ret[static BUS_MANAGER_FACTS_MAX + 1]) {
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(facts); i++)
                if (!fact_equal(fact(a, i), fact(b, i), facts[i].type))
                        ret[n++] = (char *) facts[i].name;
        ret[n] = NULL;
        return n;
}

static int get_fact(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
                    const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *e _unused_) {
        const BusFacts *f = bus_facts(userdata);

        for (size_t i = 0; i < ELEMENTSOF(facts); i++)
                if (streq(facts[i].name, property))
                        return sd_bus_message_append_basic(reply, facts[i].type, fact(f, i));
        return -EINVAL;
}

static int get_version(sd_bus *bus _unused_, const char *path _unused_, const char *interface _unused_,
                       const char *property _unused_, sd_bus_message *reply, void *userdata _unused_,
                       sd_bus_error *e _unused_) {
        return sd_bus_message_append(reply, "s", GEMGATE_VERSION);
}

/* --- shared by methods --- */

int bus_read_model(Bus *b, const char *what, char ret[static BUS_MODEL_MAX], sd_bus_error *e) {
        ModelName name;

        if (!*what) {
                ret[0] = 0;
                return 0;
        }
        if (model_name_parse(what, strlen(what), &name) < 0 || name.cli)
                return sd_bus_error_set(e, BUS_ERROR("InvalidModel"),
                                        "A model's name must consist of letters, digits, '.', '_' and '-'.");
        what = config_alias(b->p.config(b->p.userdata), name.name);
        text_copy(ret, BUS_MODEL_MAX, startswith(what, "cli/") ?: what); /* it uses the same keys */
        return 0;
}

/* --- methods that change something --- */

static int reset_health(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        char model[BUS_MODEL_MAX];
        const char *key, *given;
        Bus *b = userdata;
        PoolKey *k;
        int r;

        r = sd_bus_message_read(m, "ss", &key, &given);
        if (r < 0)
                return r;
        r = bus_read_model(b, given, model, e);
        if (r < 0)
                return r;
        /* A mask means all keys that have it, so -EEXIST is no error here. The error does not repeat the
         * argument, because a caller may pass a whole key. */
        if (*key && pool_find_key(b->p.pool, key, &k) == -ENXIO)
                return sd_bus_error_set(e, BUS_ERROR("NoSuchKey"),
                                        "No key of the configuration has this id, name or mask.");
        return bus_reset(b, m, *key ? key : NULL, model, e);
}

static int refuse_reload(sd_bus_message *m, const char *why) {
        return sd_bus_reply_method_errorf(m, BUS_ERROR("InvalidConfiguration"), "%s", why);
}

static int reload(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        const char *refusal;
        Bus *b = userdata;
        uint64_t serial;
        int r;

        if (b->n_reloads >= BUS_RELOADS_MAX)
                return sd_bus_error_set(e, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Too many callers wait for the end of a reload: try again.");
        r = b->p.reload(&serial, &refusal, b->p.userdata);
        if (r < 0)
                return refuse_reload(m, refusal);
        b->reloads[b->n_reloads].call = sd_bus_message_ref(m);
        b->reloads[b->n_reloads++].serial = serial;
        return 1;
}

void bus_manager_reloaded(Bus *b, uint64_t serial, bool ok, const char *message) {
        size_t n = 0;

        for (size_t i = 0; i < b->n_reloads; i++) {
                sd_bus_message *call = b->reloads[i].call;

                if (b->reloads[i].serial > serial) {
                        b->reloads[n++] = b->reloads[i];
                        continue;
                }
                (void) (ok ? sd_bus_reply_method_return(call, NULL) : refuse_reload(call, message));
                sd_bus_message_unref(call);
        }
        b->n_reloads = n;
}

static int set_log_level(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        const char *given;
        LogLevel level;
        Bus *b = userdata;
        int r;

        r = sd_bus_message_read(m, "s", &given);
        if (r < 0)
                return r;
        level = log_level_from_string(given);
        if (level < 0)
                return sd_bus_error_set(e, BUS_ERROR("InvalidLogLevel"),
                                        "A log level must be DEBUG, INFO, WARNING or ERROR.");
        if (level != log_get_level()) {
                log_info("the log level is now %s", log_level_to_string(level));
                log_set_level(level);
        }
        b->facts_at = 0;
        bus_touch(b);
        return sd_bus_reply_method_return(m, NULL);
}

/* --- the object --- */

#define CONST   SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
/* bus-gate.c checks the caller: sd-bus would block on a question to the bus. */
#define GATED SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Version", "s", get_version, 0, CONST),
        SD_BUS_PROPERTY("StartTimestamp", "t", NULL, offsetof(Bus, started), CONST),
        SD_BUS_PROPERTY("StartTimestampMonotonic", "t", NULL, offsetof(Bus, started_monotonic), CONST),
        SD_BUS_PROPERTY("ReloadTimestamp", "t", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("State", "s", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("LogLevel", "s", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("KeysTotal", "u", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("KeysEnabled", "u", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("KeysUsable", "u", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("ModelsInUse", "u", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("ActiveExchanges", "u", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("RequestsTotal", "t", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("RequestsToday", "t", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("ClientRequestsTotal", "t", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("ClientRequestsToday", "t", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("LastReset", "t", get_fact, 0, CHANGES),
        SD_BUS_PROPERTY("NextReset", "t", get_fact, 0, CHANGES),

        SD_BUS_METHOD_WITH_ARGS("ListKeyHealth", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ossssusts)", rows),
                                bus_list_key_health, GATED),
        SD_BUS_METHOD_WITH_ARGS("GetStatistics", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", statistics),
                                bus_statistics, GATED),
        SD_BUS_METHOD_WITH_ARGS("ListDays", SD_BUS_ARGS("u", days), SD_BUS_RESULT("a(sstttt)", rows),
                                bus_list_days, GATED),
        SD_BUS_METHOD_WITH_ARGS("ListClientDays", SD_BUS_ARGS("u", days), SD_BUS_RESULT("a(st)", rows),
                                bus_list_client_days, GATED),
        SD_BUS_METHOD_WITH_ARGS("ListRequests", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("a(ssssstssut)", rows, "u", total), bus_list_requests, GATED),
        SD_BUS_METHOD_WITH_ARGS("ResetHealth", SD_BUS_ARGS("s", key, "s", model), SD_BUS_RESULT("u", count),
                                reset_health, GATED),
        SD_BUS_METHOD_WITH_ARGS("TestKeys", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ossssus)", rows, "u", total),
                                bus_test_keys, GATED),
        SD_BUS_METHOD_WITH_ARGS("ExplainPick", SD_BUS_ARGS("s", model), SD_BUS_RESULT("a(osbst)", rows),
                                bus_explain_pick, GATED),
        SD_BUS_METHOD_WITH_ARGS("ExplainModel", SD_BUS_ARGS("s", model), SD_BUS_RESULT("a{sv}", rules),
                                bus_explain_model, GATED),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, reload, GATED),
        SD_BUS_METHOD_WITH_ARGS("SetLogLevel", SD_BUS_ARGS("s", level), SD_BUS_NO_RESULT, set_log_level,
                                GATED),

        SD_BUS_SIGNAL_WITH_ARGS(
                "KeyHealthChanged",
                SD_BUS_ARGS("o", key, "s", model, "s", old, "s", new, "s", reason, "t", until), 0),
        SD_BUS_SIGNAL_WITH_ARGS("QuotaExhausted", SD_BUS_ARGS("s", model, "t", until), 0),
        SD_BUS_SIGNAL_WITH_ARGS("QuotaWarning",
                                SD_BUS_ARGS("o", key, "s", project, "s", model, "t", used, "t", limit), 0),
        SD_BUS_SIGNAL_WITH_ARGS("ProjectLearned", SD_BUS_ARGS("o", key, "s", project), 0),
        SD_BUS_SIGNAL_WITH_ARGS("Reloaded", SD_BUS_ARGS("b", ok, "s", message), 0),

        SD_BUS_VTABLE_END,
};

int bus_manager_add(Bus *b, sd_bus *bus) {
        return sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_MANAGER, vtable, b);
}
