/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <wchar.h>

#include "base/text.h"
#include "ctl/words.h"

const char *words_span(usec_t u, char ret[static WORDS_TIME_MAX]) {
        span_format_short(u, ret);
        return ret;
}

const char *words_time(usec_t t, usec_t now, char ret[static WORDS_TIME_MAX]) {
        char s[SPAN_STRING_MAX];

        if (t == 0 || t == USEC_INFINITY)
                return "never";
        span_format_short(t > now ? t - now : now - t, s);
        if (streq(s, "0 s"))
                return "now";
        (void) snprintf(ret, WORDS_TIME_MAX, t > now ? "in %s" : "%s ago", s);
        return ret;
}

const char *words_free(usec_t t, usec_t now, char ret[static WORDS_TIME_MAX]) {
        return t <= now ? "now" : words_time(t, now, ret);
}

const char *words_frees(const char *state, usec_t t, usec_t now, char ret[static WORDS_TIME_MAX]) {
        return streq(state, "usable") || streq(state, "missing") ? NULL : words_free(t, now, ret);
}

const char *words_date(usec_t t, char ret[static WORDS_TIME_MAX]) {
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&seconds, &tm) ||
            strftime(ret, WORDS_TIME_MAX, "%a %Y-%m-%d %H:%M:%S %Z", &tm) == 0)
                ret[0] = '\0';
        return ret;
}

const char *words_counts(uint64_t requests, uint64_t attempts, char ret[static WORDS_COUNTS_MAX]) {
        int n = 0;

        if (requests != WORDS_NO_COUNT)
                n = snprintf(ret, WORDS_COUNTS_MAX, "%llu request%s, ", (unsigned long long) requests,
                             requests == 1 ? "" : "s");
        (void) snprintf(ret + n, WORDS_COUNTS_MAX - (size_t) n, "%llu attempt%s at Google",
                        (unsigned long long) attempts, attempts == 1 ? "" : "s");
        return ret;
}

static const struct {
        const char *name;
        Style style;
} states[] = {
        { "usable", STYLE_GOOD },   { "probing", STYLE_WARN },   { "cooling", STYLE_WARN },
        { "unhealthy", STYLE_BAD }, { "closed", STYLE_BAD },     { "billing", STYLE_BAD },
        { "dead", STYLE_BAD },      { "disabled", STYLE_FAINT },  { "missing", STYLE_BAD },
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

/* The number of bytes of s that fit into `max` columns, and how many columns these take. */
static size_t measure(const char *s, size_t max, size_t *ret_width) {
        size_t n = strlen(s), done = 0, width = 0;
        locale_t before = utf8() ? uselocale(utf8()) : (locale_t) 0;
        mbstate_t state = {};

        while (done < n) {
                wchar_t c;
                size_t k = before ? mbrtowc(&c, s + done, n - done, &state) : 0;
                int w = 1;

                if (k == 0 || k > n - done) { /* not UTF-8: one column for each byte */
                        k = 1;
                        state = (mbstate_t){};
                } else
                        w = wcwidth(c);
                if (width + (size_t) MAX(w, 0) > max)
                        break;
                width += (size_t) MAX(w, 0);
                done += k;
        }
        if (before)
                (void) uselocale(before);
        *ret_width = width;
        return done;
}

size_t words_width(const char *s) {
        size_t width;

        (void) measure(s, SIZE_MAX, &width);
        return width;
}

size_t words_prefix(const char *s, size_t width) {
        size_t ignored;

        return measure(s, width, &ignored);
}

size_t words_line(const char *s, size_t width, const char **ret_rest) {
        size_t n = words_prefix(s, width), k;

        if (n == 0 && *s) /* a character that is wider than the line */
                do
                        n++;
                while (((unsigned char) s[n] & 0xC0) == 0x80);
        if (s[n] && s[n] != ' ') {
                for (k = n; k > 0 && s[k - 1] != ' ';)
                        k--;
                if (k > 0) /* else one word fills the line */
                        n = k;
        }
        *ret_rest = s + n + strspn(s + n, " ");
        while (n > 0 && s[n - 1] == ' ')
                n--;
        return n;
}
