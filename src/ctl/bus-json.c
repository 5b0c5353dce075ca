/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "ctl/bus-json.h"
#include "ctl/words.h"

typedef union Basic {
        uint8_t y;
        int b;
        int16_t n;
        uint16_t q;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        double d;
        const char *s;
} Basic;

/* Members that are times or prices by their names, and members that are null when empty. */
static const char *const times[] = {
        "available_at", "last_used", "last_reset_time", "next_reset_time", "current_time",
};
static const char *const prices[] = { "input", "cached", "output" };
static const char *const optional[] = { "name", "project", "last_error" };

static bool among(const char *key, const char *const *names, size_t n) {
        for (size_t i = 0; key && i < n; i++)
                if (streq(names[i], key))
                        return true;
        return false;
}

static void write_basic(JWriter *w, const char *key, char type, const Basic *v) {
        switch (type) {
        case 'y':
                return jwrite_uint(w, key, v->y);
        case 'b':
                return jwrite_bool(w, key, v->b);
        case 'n':
                return jwrite_int(w, key, v->n);
        case 'q':
                return jwrite_uint(w, key, v->q);
        case 'i':
                return jwrite_int(w, key, v->i);
        case 'u':
                return jwrite_uint(w, key, v->u);
        case 'x':
                return jwrite_int(w, key, v->x);
        case 't':
                if (among(key, times, ELEMENTSOF(times)))
                        return words_json_time(w, key, v->t);
                return jwrite_uint(w, key, v->t);
        case 'd':
                if (among(key, prices, ELEMENTSOF(prices)))
                        return jwrite_short(w, key, v->d);
                return jwrite_fixed(w, key, v->d, 2);
        case 's':
        case 'o':
        case 'g':
                if (!*v->s && among(key, optional, ELEMENTSOF(optional)))
                        return jwrite_null(w, key);
                return jwrite_string(w, key, v->s);
        }
}

/* The keys of the daemon's dictionaries are names. */
static int dict_entry(sd_bus_message *m, JWriter *w, const char *contents) {
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_DICT_ENTRY, contents);
        if (r <= 0)
                return r;
        r = sd_bus_message_read(m, "s", &name);
        if (r >= 0)
                r = bus_json(m, w, name);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : 1;
}

static int array(sd_bus_message *m, JWriter *w, const char *key, const char *contents) {
        bool dict = *contents == '{';
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_ARRAY, contents);
        if (r < 0)
                return r;
        if (dict)
                jwrite_object(w, key);
        else
                jwrite_array(w, key);
        for (;;) {
                char type;
                const char *inner;

                r = sd_bus_message_peek_type(m, &type, &inner);
                if (r > 0)
                        r = dict ? dict_entry(m, w, inner) : bus_json(m, w, NULL);
                if (r < 0)
                        return r;
                if (r == 0)
                        break;
        }
        jwrite_end(w);
        return sd_bus_message_exit_container(m);
}

static int structure(sd_bus_message *m, JWriter *w, const char *key, const char *contents) {
        int r;

        r = sd_bus_message_enter_container(m, SD_BUS_TYPE_STRUCT, contents);
        if (r < 0)
                return r;
        jwrite_array(w, key);
        do
                r = bus_json(m, w, NULL);
        while (r > 0);
        if (r < 0)
                return r;
        jwrite_end(w);
        return sd_bus_message_exit_container(m);
}

int bus_json(sd_bus_message *m, JWriter *w, const char *key) {
        const char *contents;
        Basic v = {};
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r <= 0)
                return r;
        switch (type) {
        case SD_BUS_TYPE_ARRAY:
                r = array(m, w, key, contents);
                break;
        case SD_BUS_TYPE_STRUCT:
                r = structure(m, w, key, contents);
                break;
        case SD_BUS_TYPE_VARIANT:
                r = sd_bus_message_enter_container(m, SD_BUS_TYPE_VARIANT, contents);
                if (r >= 0)
                        r = bus_json(m, w, key);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                break;
        default:
                r = sd_bus_message_read_basic(m, type, &v);
                if (r >= 0)
                        write_basic(w, key, type, &v);
        }
        return r < 0 ? r : 1;
}
