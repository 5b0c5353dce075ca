/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "ctl/facts.h"

/* A number of any size; 0 if it is not one. */
static int read_number(sd_bus_message *m, char type, uint64_t *ret) {
        union {
                uint8_t y;
                int b;
                uint32_t u;
                uint64_t t;
        } v = {};
        int r;

        if (!strchr("ybut", type))
                return 0;
        r = sd_bus_message_read_basic(m, type, &v);
        if (r > 0)
                *ret = type == 't' ? v.t : type == 'u' ? v.u : type == 'b' ? (uint64_t) v.b : v.y;
        return r;
}

static int read_value(sd_bus_message *m, const Fact *f, void *ret) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (type != 'v' || strlen(contents) != 1)
                return sd_bus_message_skip(m, "v");
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r < 0)
                return r;
        if (f->string && *contents == 's')
                r = sd_bus_message_read_basic(m, 's', (char *) ret + f->offset);
        else
                r = f->string ? 0
                              : read_number(m, *contents, (uint64_t *) (void *) ((char *) ret + f->offset));
        if (r == 0)
                r = sd_bus_message_skip(m, contents);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int facts_read(sd_bus_message *m, const Fact *table, void *ret) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const Fact *f = table;
                const char *name;

                r = sd_bus_message_read_basic(m, 's', &name);
                if (r < 0)
                        return r;
                while (f->name && strcmp(f->name, name) != 0)
                        f++;
                r = f->name ? read_value(m, f, ret) : sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}
