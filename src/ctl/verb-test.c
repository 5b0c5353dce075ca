/* SPDX-License-Identifier: MIT */

/* test: whether Google takes the keys, each by its own road. */

#include "base/text.h"
#include "ctl/link.h"
#include "ctl/rows.h"
#include "ctl/show.h"

/* A row of TestKeys; of Test with the names that are known already. */
typedef struct Tested {
        const char *path, *name, *mask, *verdict, *text, *road;
        uint32_t milliseconds;
} Tested;

typedef struct Screenful {
        Ctl *ctl;
        JWriter w;
        Table *table;
        int status; /* CTL_FAILED: a key does not work */
} Screenful;

static Style style_of(const char *verdict) {
        return streq(verdict, "works") ? STYLE_GOOD : streq(verdict, "unreachable") ? STYLE_WARN : STYLE_BAD;
}

static void add_json(Screenful *s, const Tested *t) {
        _cleanup_free_ char *id = link_key_id(t->path);

        jwrite_object(&s->w, NULL);
        jwrite_string(&s->w, "key", id);
        jwrite_string(&s->w, "name", show_null(t->name));
        jwrite_string(&s->w, "mask", t->mask);
        jwrite_string(&s->w, "verdict", t->verdict);
        jwrite_string(&s->w, "text", t->text);
        jwrite_uint(&s->w, "milliseconds", t->milliseconds);
        jwrite_string(&s->w, "road", t->road);
        jwrite_end(&s->w);
}

static void add_row(Screenful *s, const Tested *t) {
        _cleanup_free_ char *label = rows_label(&(KeyRow){ .path = t->path, .name = t->name });

        table_add(s->table, STYLE_STRONG, label);
        table_add(s->table, STYLE_PLAIN, t->mask);
        table_add(s->table, style_of(t->verdict), t->verdict);
        table_addf(s->table, STYLE_PLAIN, "%u ms", t->milliseconds);
        table_add(s->table, STYLE_PLAIN, t->road);
        table_add(s->table, STYLE_PLAIN, t->text);
}

static void add(Screenful *s, const Tested *t) {
        if (!streq(t->verdict, "works"))
                s->status = CTL_FAILED;
        if (s->ctl->json)
                add_json(s, t);
        else
                add_row(s, t);
}

static int test_one(Screenful *s, const char *what) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_rows_ KeyRows rows = {};
        Tested t = {};
        RowsOfKey k;
        int r;

        r = rows_get(s->ctl, &rows);
        if (r == 0)
                r = rows_find(s->ctl, &rows, what, &k);
        if (r == 0)
                r = link_call(s->ctl, &(LinkCall){ .path = k.rows->path, .interface = BUS_KEY,
                                                   .member = "Test", .about = what }, &m, NULL);
        if (r != 0)
                return r;
        t.path = k.rows->path;
        t.name = k.rows->name;
        t.mask = k.rows->mask;
        r = sd_bus_message_read(m, "ssus", &t.verdict, &t.text, &t.milliseconds, &t.road);
        if (r < 0)
                return link_garbled(s->ctl, r);
        add(s, &t);
        return 0;
}

static int add_all(Screenful *s, sd_bus_message *m, size_t *ret_n, uint32_t *ret_total) {
        Tested t;
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(ossssus)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(ossssus)", &t.path, &t.name, &t.mask, &t.verdict, &t.text,
                                        &t.milliseconds, &t.road)) > 0) {
                add(s, &t);
                n++;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_read(m, "u", ret_total);
        *ret_n = n;
        return r;
}

static int test_all(Screenful *s) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        uint32_t total;
        size_t n;
        int r;

        r = link_call(s->ctl, &(LinkCall){ .member = "TestKeys" }, &m, NULL);
        if (r != 0)
                return r;
        r = add_all(s, m, &n, &total);
        if (r < 0)
                return link_garbled(s->ctl, r);
        if (total == 0)
                return ctl_say(s->ctl, CTL_NOTHING, "there are no keys");
        if (n < total)
                s->status = ctl_say(s->ctl, CTL_FAILED,
                                    "only %zu of %u keys were tested; test the others one by one", n, total);
        return 0;
}

int verb_test(Ctl *c, unsigned n, char *args[]) {
        static const Column columns[] = {
                { "KEY" },
                { "MASK" },
                { "VERDICT" },
                { "TIME", .right = true },
                { "ROAD" },
                { "WHY", .wrap = true },
        };
        _cleanup_table_ Table t = TABLE_INIT(columns);
        Screenful s = { .ctl = c, .w = JWRITER_INIT(&c->out), .table = &t };
        int r;

        if (n > 0 && c->all)
                return ctl_say(c, CTL_USAGE, "--all means every key: it takes no KEY");
        if (n > 0 && strnull(args[0]))
                return ctl_say(c, CTL_USAGE, "KEY is empty; --all means every key");
        if (c->json) {
                jwrite_object(&s.w, NULL);
                jwrite_array(&s.w, "keys");
        }
        r = n > 0 ? test_one(&s, args[0]) : test_all(&s);
        if (r != 0) {
                buf_clear(&c->out); /* what was begun */
                return r;
        }
        if (c->json) {
                jwrite_end(&s.w);
                jwrite_end(&s.w);
        } else
                r = show_table(c, &t);
        return r != 0 ? r : s.status;
}
