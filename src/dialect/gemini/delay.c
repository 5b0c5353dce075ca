/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "dialect/gemini/delay.h"
#include "dialect/json.h"

static bool read_delay(const char *s, size_t n, usec_t *ret) {
        char text[64];

        if (n == 0 || n >= sizeof(text))
                return false;
        memcpy(text, s, n);
        text[n] = 0;
        return duration_parse(text, ret) >= 0;
}

/* "Please retry in 38.90923309s.", "… in 1h2m3s"; and "Your quota will reset after 39s." of relays */
bool gemini_delay_of_message(const char *message, usec_t *ret) {
        static const char *const phrases[] = { "retry in ", "reset after " };

        for (size_t i = 0; i < ELEMENTSOF(phrases); i++) {
                const char *s = strcasestr(message, phrases[i]);
                size_t n;

                if (!s)
                        continue;
                s += strlen(phrases[i]);
                n = strspn(s, TEXT_DIGITS ".hms");
                while (n > 0 && s[n - 1] == '.')
                        n--;
                if (read_delay(s, n, ret))
                        return true;
        }
        return false;
}

/* "38s"; and {"seconds": 38, "nanos": …}, as google.protobuf.Duration is in other encodings. */
bool gemini_delay_of_member(struct json_object *delay, usec_t *ret) {
        bool is_text = json_object_is_type(delay, json_type_string);
        const char *text = is_text ? json_object_get_string(delay) : NULL;
        struct json_object *seconds = json_get_typed(delay, "seconds", json_type_int);
        struct json_object *nanos = json_get_typed(delay, "nanos", json_type_int);
        int64_t s = seconds ? json_object_get_int64(seconds) : 0;
        int64_t n = nanos ? json_object_get_int64(nanos) : 0;

        if (text)
                return read_delay(text, strlen(text), ret);
        if ((!seconds && !nanos) || s < 0 || s > INT32_MAX || n < 0 || n >= 1000000000)
                return false;
        *ret = (usec_t) s * USEC_PER_SEC + (usec_t) n / 1000;
        return true;
}

/* A 429 of Google's that names no quota is a throttle if a time is named (as for RetryInfo in error.c). */
void gemini_delay_add_header(Verdict *v, usec_t delay) {
        bool is_asked = v->status == 429 || v->status == 503;

        if (delay == 0 || v->retry_after > 0 || !is_asked || delay > DELAY_HEADER_MAX)
                return;
        switch (v->class) {
        case VERDICT_RATE_UNKNOWN:
                v->class = VERDICT_MINUTE;
                break;
        case VERDICT_DAY:
        case VERDICT_MINUTE:
        case VERDICT_OVERLOAD:
        case VERDICT_FOREIGN:
                break;
        default:
                return; /* no time is known, or the time changes nothing */
        }
        v->retry_after = delay;
}
