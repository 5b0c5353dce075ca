/* SPDX-License-Identifier: MIT */

/*
 * The objects of the keys. No object is created: sd-bus calls find() for each path that a client uses, and
 * list() for GetManagedObjects and Introspect. So a key is an object as long as it is in the pool. The last
 * part of a path is the key's id, encoded by sd_bus_path_encode(); find() takes neither a mask nor any other
 * name that pool_find_key() takes.
 *
 * GetManagedObjects and Introspect list the first BUS_OBJECTS_MAX keys only, because sd-bus writes the
 * answer in one go and nothing is served meanwhile. The other keys are objects all the same.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "bus/bus-key.h"
#include "bus/bus-manager.h"
#include "bus/bus-test.h"

int bus_key_path(const PoolKey *k, char **ret) {
        return sd_bus_path_encode(BUS_KEY_PREFIX, pool_key_id(k), ret);
}

/* The key of a path; NULL: none. */
static PoolKey *key_at(Bus *b, const char *path) {
        _cleanup_free_ char *id = NULL;
        PoolKey *k;

        if (sd_bus_path_decode(path, BUS_KEY_PREFIX, &id) <= 0)
                return NULL;
        return pool_find_key(b->p.pool, id, &k) >= 0 && streq(pool_key_id(k), id) ? k : NULL;
}

static int find(sd_bus *bus _unused_, const char *path, const char *interface _unused_, void *userdata,
                void **ret_found, sd_bus_error *e _unused_) {
        if (!key_at(userdata, path))
                return 0;
        *ret_found = userdata;
        return 1;
}

static int list(sd_bus *bus _unused_, const char *prefix _unused_, void *userdata, char ***ret_nodes,
                sd_bus_error *e _unused_) {
        Bus *b = userdata;
        size_t n = MIN(pool_n_keys(b->p.pool), (size_t) BUS_OBJECTS_MAX);
        char **nodes;

        nodes = calloc(n + 1, sizeof(char *));
        if (!nodes)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (bus_key_path(pool_key(b->p.pool, i), &nodes[i]) < 0) {
                        while (i > 0)
                                free(nodes[--i]);
                        free(nodes);
                        return -ENOMEM;
                }
        *ret_nodes = nodes;
        return 0;
}

/* --- properties --- */

static int append_view(sd_bus_message *reply, const char *property, const PoolKeyView *v) {
        const struct {
                const char *name, *type;
                const char *string;
                uint64_t number;
        } rows[] = {
                { "Name", "s", strempty(v->name) },
                { "Mask", "s", v->mask },
                { "Project", "s", strempty(v->project) },
                { "State", "s", pool_state_to_string(v->state) },
                { "RequestsTotal", "t", NULL, v->counters.total },
                { "RequestsToday", "t", NULL, v->counters.today },
                { "LastUsed", "t", NULL, v->counters.last_used },
                { "LastError", "s", strempty(v->last_error) },
                { "LastErrorAt", "t", NULL, v->last_error_at },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(rows[i].name, property))
                        return rows[i].string ? sd_bus_message_append(reply, "s", rows[i].string)
                                              : sd_bus_message_append(reply, "t", rows[i].number);
        return -EINVAL;
}

static int get_view(sd_bus *bus _unused_, const char *path, const char *interface _unused_,
                    const char *property, sd_bus_message *reply, void *userdata, sd_bus_error *e _unused_) {
        Bus *b = userdata;
        PoolKeyView v;

        pool_key_view(b->p.pool, key_at(b, path), day_clock_now(), &v);
        return append_view(reply, property, &v);
}

static int get_enabled(sd_bus *bus _unused_, const char *path, const char *interface _unused_,
                       const char *property _unused_, sd_bus_message *reply, void *userdata,
                       sd_bus_error *e _unused_) {
        Bus *b = userdata;
        PoolKeyView v;

        pool_key_view(b->p.pool, key_at(b, path), day_clock_now(), &v);
        return sd_bus_message_append(reply, "b", v.state != POOL_DISABLED);
}

static int get_id(sd_bus *bus _unused_, const char *path, const char *interface _unused_,
                  const char *property _unused_, sd_bus_message *reply, void *userdata,
                  sd_bus_error *e _unused_) {
        return sd_bus_message_append(reply, "s", pool_key_id(key_at(userdata, path)));
}

typedef struct KeyModels {
        sd_bus_message *reply;
        int r;
} KeyModels;

static void append_model(const PoolSlotView *v, void *userdata) {
        KeyModels *a = userdata;

        if (a->r >= 0)
                a->r = sd_bus_message_append(a->reply, "(ssuttttts)", v->model,
                                             pool_state_to_string(v->state),
                                             (uint32_t) v->consecutive_errors, v->available_at,
                                             v->counters.total, v->counters.today, v->counters.errors,
                                             v->counters.last_used, strempty(v->last_error));
}

static int get_models(sd_bus *bus _unused_, const char *path, const char *interface _unused_,
                      const char *property _unused_, sd_bus_message *reply, void *userdata,
                      sd_bus_error *e _unused_) {
        Bus *b = userdata;
        KeyModels a = { .reply = reply };
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(ssuttttts)");
        if (r < 0)
                return r;
        pool_each_slot(b->p.pool, key_at(b, path), day_clock_now(), append_model, &a);
        if (a.r < 0)
                return a.r;
        return sd_bus_message_close_container(reply);
}

/* --- methods --- */

static int reset(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        char pattern[SECRET_MASK_MAX + sizeof("#100000#1")], model[BUS_MODEL_MAX];
        const char *given;
        Bus *b = userdata;
        PoolKeyView v;
        int r;

        r = sd_bus_message_read(m, "s", &given);
        if (r < 0)
                return r;
        r = bus_read_model(b, given, model, e);
        if (r < 0)
                return r;
        /* MASK#1 is the first key of a mask. So only this key is reset, even if others share its mask or
         * name. */
        pool_key_view(b->p.pool, key_at(b, sd_bus_message_get_path(m)), day_clock_now(), &v);
        (void) snprintf(pattern, sizeof(pattern), "%s%s", v.mask, strchr(v.mask, '#') ? "" : "#1");
        return bus_reset(b, m, pattern, model, e);
}

static int set_disabled(sd_bus_message *m, Bus *b, bool disabled) {
        int r;

        r = pool_set_disabled(b->p.pool, key_at(b, sd_bus_message_get_path(m)), disabled, day_clock_now());
        if (r < 0)
                return r;
        return sd_bus_reply_method_return(m, NULL);
}

static int enable(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_) {
        return set_disabled(m, userdata, false);
}

static int disable(sd_bus_message *m, void *userdata, sd_bus_error *e _unused_) {
        return set_disabled(m, userdata, true);
}

static int test(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        return bus_test_key(userdata, m, key_at(userdata, sd_bus_message_get_path(m)), e);
}

/* --- the object --- */

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
/* bus-gate.c checks the caller: sd-bus would block on a question to the bus. */
#define GATED SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),

        SD_BUS_PROPERTY("Id", "s", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Name", "s", get_view, 0, 0),
        SD_BUS_PROPERTY("Mask", "s", get_view, 0, 0),
        SD_BUS_PROPERTY("Project", "s", get_view, 0, 0),
        SD_BUS_PROPERTY("Enabled", "b", get_enabled, 0, CHANGES),
        SD_BUS_PROPERTY("State", "s", get_view, 0, CHANGES),
        SD_BUS_PROPERTY("RequestsTotal", "t", get_view, 0, 0),
        SD_BUS_PROPERTY("RequestsToday", "t", get_view, 0, 0),
        SD_BUS_PROPERTY("LastUsed", "t", get_view, 0, 0),
        SD_BUS_PROPERTY("LastError", "s", get_view, 0, 0),
        SD_BUS_PROPERTY("LastErrorAt", "t", get_view, 0, 0),
        SD_BUS_PROPERTY("Models", "a(ssuttttts)", get_models, 0, 0),

        SD_BUS_METHOD_WITH_ARGS("Reset", SD_BUS_ARGS("s", model), SD_BUS_RESULT("u", count), reset, GATED),
        SD_BUS_METHOD_WITH_ARGS("Enable", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, enable, GATED),
        SD_BUS_METHOD_WITH_ARGS("Disable", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, disable, GATED),
        SD_BUS_METHOD_WITH_ARGS("Test", SD_BUS_NO_ARGS,
                                SD_BUS_RESULT("s", verdict, "s", text, "u", milliseconds, "s", road), test,
                                GATED),

        SD_BUS_VTABLE_END,
};

int bus_key_add(Bus *b, sd_bus *bus) {
        int r;

        r = sd_bus_add_fallback_vtable(bus, NULL, BUS_KEY_PREFIX, BUS_KEY, vtable, find, b);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(bus, NULL, BUS_KEY_PREFIX, list, b);
}
