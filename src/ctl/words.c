/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdio.h>
#include <wchar.h>

#include "base/text.h"
#include "ctl/words.h"

/* Two units at most, and below a minute only whole seconds. */
static void span(usec_t u, char *ret, size_t n) {
        unsigned long long s = (u + USEC_PER_SEC / 2) / USEC_PER_SEC;

        if (s < 60)
                (void) snprintf(ret, n, "%llu s", s);
        else if (s < 3600)
                (void) snprintf(ret, n, "%llu min", s / 60);
        else if (s < 86400)
                (void) snprintf(ret, n, s / 60 % 60 > 0 ? "%llu h %llu min" : "%llu h", s / 3600,
                                s / 60 % 60);
        else
                (void) snprintf(ret, n, s / 3600 % 24 > 0 ? "%llu d %llu h" : "%llu d", s / 86400,
                                s / 3600 % 24);
}

const char *words_span(usec_t u, char ret[static WORDS_TIME_MAX]) {
        span(u, ret, WORDS_TIME_MAX);
        return ret;
}

const char *words_time(usec_t t, usec_t now, char ret[static WORDS_TIME_MAX]) {
        char s[32];

        if (t == 0 || t == USEC_INFINITY)
                return "never";
        span(t > now ? t - now : now - t, s, sizeof(s));
        if (streq(s, "0 s"))
                return "now";
        (void) snprintf(ret, WORDS_TIME_MAX, t > now ? "in %s" : "%s ago", s);
        return ret;
}

const char *words_free(usec_t t, usec_t now, char ret[static WORDS_TIME_MAX]) {
        return t <= now ? "now" : words_time(t, now, ret);
}

const char *words_date(usec_t t, char ret[static WORDS_TIME_MAX]) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&seconds, &tm) ||
            strftime(ret, WORDS_TIME_MAX, "%a %Y-%m-%d %H:%M:%S %Z", &tm) == 0)
                ret[0] = '\0';
        return ret;
}

static const struct {
        const char *name;
        Style style;
} states[] = {
        { "usable", STYLE_GOOD },   { "probing", STYLE_WARN },   { "cooling", STYLE_WARN },
        { "unhealthy", STYLE_BAD }, { "closed", STYLE_BAD },     { "billing", STYLE_BAD },
        { "dead", STYLE_BAD },      { "disabled", STYLE_FAINT },
};

unsigned words_rank(const char *state) {
        unsigned i = 0;

        while (i < ELEMENTSOF(states) && !streq(states[i].name, state))
                i++;
        return i;
}

Style words_style(const char *state) {
        unsigned i = words_rank(state);

        return i < ELEMENTSOF(states) ? states[i].style : STYLE_PLAIN;
}

void words_json_time(JWriter *w, const char *key, usec_t t) {
        char s[TIMESTAMP_STRING_MAX];

        if (t == 0 || t == USEC_INFINITY)
                return jwrite_null(w, key);
        timestamp_format(t, 0, s);
        jwrite_string(w, key, s);
}

/* wcwidth() and mbrtowc() use the locale, which is C in a cron job or an image. So they get a UTF-8 locale,
 * made once and kept. */
static locale_t utf8(void) {
        static locale_t l;

        if (!l)
                l = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t) 0);
        return l;
}

size_t words_width(const char *s) {
        size_t n = strlen(s), width = 0;
        mbstate_t state = {};
        locale_t before;

        if (!utf8())
                return n;
        before = uselocale(utf8());
        while (n > 0) {
                wchar_t c;
                size_t k = mbrtowc(&c, s, n, &state);
                int w;

                if (k == 0 || k > n) /* not UTF-8: one column for each byte */
                        break;
                w = wcwidth(c);
                width += w > 0 ? (size_t) w : 0;
                s += k;
                n -= k;
        }
        (void) uselocale(before);
        return width + n;
}
