/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "ctl/explain-rules.h"
#include "ctl/link.h"
#include "ctl/show.h"

#define LIST_MAX 4096U

typedef struct Rules {
        const char *pattern, *source, *thinking, *usual;
        char lowest[32], highest[32]; /* a level, or a number of tokens */
        bool is_built_in, is_zero;
        Buf takes, lacks, prices; /* lists for people */
} Rules;

static void rules_done(Rules *r) {
        buf_done(&r->takes);
        buf_done(&r->lacks);
        buf_done(&r->prices);
}

static void add(Buf *list, const char *name) {
        (void) buf_printf(list, "%s%s", list->n > 0 ? ", " : "", name);
}

/* One member of a dictionary: its value is a string, a number, a flag, a price, or a dictionary. */
typedef struct Member {
        const char *name, *text;
        uint64_t number;
        int flag;
        double price;
        char type;
} Member;

static void take(Rules *r, const Member *v) {
        const struct {
                const char *name;
                const char **text;
        } texts[] = {
                { "pattern", &r->pattern },
                { "source", &r->source },
                { "thinking", &r->thinking },
                { "thinking_default", &r->usual },
        };
        char *bound = streq(v->name, "thinking_lowest")    ? r->lowest
                      : streq(v->name, "thinking_highest") ? r->highest
                                                           : NULL;

        if (bound && v->type == 's')
                text_copy(bound, sizeof(r->lowest), v->text);
        else if (bound && v->type == 't')
                (void) snprintf(bound, sizeof(r->lowest), "%llu", (unsigned long long) v->number);
        for (size_t i = 0; v->type == 's' && i < ELEMENTSOF(texts); i++)
                if (streq(v->name, texts[i].name))
                        *texts[i].text = v->text;
        if (v->type == 'b' && streq(v->name, "built_in"))
                r->is_built_in = v->flag;
        else if (v->type == 'b' && streq(v->name, "thinking_zero"))
                r->is_zero = v->flag;
}

static void take_flag(Rules *r, const Member *v) {
        if (v->type == 'b')
                add(v->flag ? &r->takes : &r->lacks, v->name);
}

static void take_price(Rules *r, const Member *v) {
        if (v->type == 'd')
                (void) buf_printf(&r->prices, "%s%s $%g", r->prices.n > 0 ? ", " : "", v->name, v->price);
}

static int read_members(sd_bus_message *m, Rules *r, void (*f)(Rules *r, const Member *v));

static int read_value(sd_bus_message *m, const char *contents, Rules *r, Member *v) {
        v->type = *contents;
        switch (v->type) {
        case 's':
                return sd_bus_message_read_basic(m, 's', &v->text);
        case 't':
                return sd_bus_message_read_basic(m, 't', &v->number);
        case 'b':
                return sd_bus_message_read_basic(m, 'b', &v->flag);
        case 'd':
                return sd_bus_message_read_basic(m, 'd', &v->price);
        }
        if (streq(contents, "a{sv}") && streq(v->name, "takes"))
                return read_members(m, r, take_flag);
        if (streq(contents, "a{sv}") && streq(v->name, "price"))
                return read_members(m, r, take_price);
        return sd_bus_message_skip(m, contents);
}

static int read_member(sd_bus_message *m, Rules *r, void (*f)(Rules *r, const Member *v)) {
        const char *contents;
        Member v = {};
        int e;

        e = sd_bus_message_read_basic(m, 's', &v.name);
        if (e >= 0)
                e = sd_bus_message_peek_type(m, NULL, &contents);
        if (e >= 0)
                e = sd_bus_message_enter_container(m, 'v', contents);
        if (e >= 0)
                e = read_value(m, contents, r, &v);
        if (e >= 0)
                e = sd_bus_message_exit_container(m);
        if (e >= 0)
                f(r, &v);
        return e;
}

static int read_members(sd_bus_message *m, Rules *r, void (*f)(Rules *r, const Member *v)) {
        int e;

        e = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (e >= 0 && (e = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                e = read_member(m, r, f);
                if (e >= 0)
                        e = sd_bus_message_exit_container(m);
        }
        return e < 0 ? e : sd_bus_message_exit_container(m);
}

static void show_list(Ctl *c, const char *name, Buf *list) {
        if (list->n > 0)
                show_fact(c, name, STYLE_PLAIN, "%s", strempty(buf_cstr(list)));
}

int explain_rules_show(Ctl *c, sd_bus_message *m) {
        _cleanup_(rules_done) Rules r = {
                .takes = BUF_INIT(LIST_MAX), .lacks = BUF_INIT(LIST_MAX), .prices = BUF_INIT(LIST_MAX),
        };
        const char *thinking;
        int e;

        e = read_members(m, &r, take);
        if (e < 0)
                return link_garbled(c, e);
        thinking = strempty(r.thinking);
        show_fact(c, "Rules", STYLE_STRONG, "%s", strempty(r.pattern));
        show_fact(c, "From", STYLE_PLAIN, "%s%s", r.is_built_in ? "built in: " : "", strempty(r.source));
        if (r.lowest[0])
                show_fact(c, "Thinking", STYLE_PLAIN, "%s from %s to %s%s%s%s", thinking, r.lowest,
                          r.highest, r.usual ? ", usually " : "", strempty(r.usual),
                          r.is_zero ? ", or none" : "");
        else
                show_fact(c, "Thinking", STYLE_PLAIN, "%s", thinking);
        show_list(c, "Takes", &r.takes);
        show_list(c, "Not", &r.lacks);
        if (r.prices.n > 0)
                show_fact(c, "Price", STYLE_PLAIN, "%s for a million tokens", buf_cstr(&r.prices));
        return CTL_OK;
}
