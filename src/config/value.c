/* SPDX-License-Identifier: MIT */

/* The types of settings with one value. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/zone.h"
#include "config/internal.h"
#include "core/model.h"

#define LETTERS_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" TEXT_DIGITS

static void *field_of(ConfigCheck *k, const Setting *s) {
        return (char *) k->config + s->field;
}

static int set_string(ConfigCheck *k, const Setting *s, const char *value) {
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        *(char **) field_of(k, s) = copy;
        return 0;
}

static int set_number(ConfigCheck *k, const Setting *s, const char *value, int r, uint64_t v) {
        if (r < 0 || v < s->min || v > s->max)
                config_fault(k, s, value, NULL);
        else
                *(uint64_t *) field_of(k, s) = v;
        return 0;
}

/* --- numbers --- */

static int parse_duration(ConfigCheck *k, const Setting *s, const char *value) {
        usec_t v = 0;
        int r = duration_parse(value, &v);

        return set_number(k, s, value, r, v);
}

static int parse_duration_or_off(ConfigCheck *k, const Setting *s, const char *value) {
        if (!strcaseeq(value, "off"))
                return parse_duration(k, s, value);
        *(usec_t *) field_of(k, s) = 0;
        return 0;
}

static int parse_open(ConfigCheck *k, const Setting *s, const char *value) {
        usec_t v;

        if (duration_parse(value, &v) >= 0 && v == 0)
                value = "off";
        return parse_duration_or_off(k, s, value);
}

static int parse_hedge(ConfigCheck *k, const Setting *s, const char *value) {
        if (!strcaseeq(value, "p95"))
                return parse_duration_or_off(k, s, value);
        *(usec_t *) field_of(k, s) = HEDGE_P95;
        return 0;
}

static int parse_size(ConfigCheck *k, const Setting *s, const char *value) {
        uint64_t v = 0;
        int r = text_parse_size(value, &v);

        return set_number(k, s, value, r, v);
}

static int parse_count(ConfigCheck *k, const Setting *s, const char *value) {
        uint64_t v = 0;
        int r = text_parse_u64(value, &v);

        return set_number(k, s, value, r, v);
}

/* 25%, or 25. `off` is a value that no share has: 0, or the largest number where 0 is a share. */
static int parse_percent_or_off(ConfigCheck *k, const Setting *s, const char *value) {
        _cleanup_free_ char *copy = NULL;
        uint64_t v = 0;
        size_t n;
        int r;

        if (strcaseeq(value, "off")) {
                *(uint64_t *) field_of(k, s) = s->min > 0 ? 0 : UINT64_MAX;
                return 0;
        }
        copy = strdup(value);
        if (!copy)
                return -ENOMEM;
        n = strlen(copy);
        if (n > 0 && copy[n - 1] == '%')
                copy[n - 1] = 0;
        r = text_parse_u64(text_strip(copy), &v);
        return set_number(k, s, value, r, v);
}

static void show_duration(uint64_t bound, Buf *out) {
        char text[DURATION_STRING_MAX];

        duration_format(bound, text);
        (void) buf_puts(out, text);
}

static void show_size(uint64_t bound, Buf *out) {
        static const char units[] = "KMG";
        unsigned unit = 0;

        for (; bound >= 1024 && bound % 1024 == 0 && units[unit]; unit++)
                bound /= 1024;
        (void) buf_printf(out, "%llu", (unsigned long long) bound);
        if (unit > 0)
                (void) buf_putc(out, units[unit - 1]);
}

static void show_count(uint64_t bound, Buf *out) {
        (void) buf_printf(out, "%llu", (unsigned long long) bound);
}

static void show_percent(uint64_t bound, Buf *out) {
        (void) buf_printf(out, "%llu%%", (unsigned long long) bound);
}

const SettingType setting_percent_or_off = { "off or a share", parse_percent_or_off, show_percent };
const SettingType setting_duration = { "a duration", parse_duration, show_duration };
const SettingType setting_duration_or_off = { "off or a duration", parse_duration_or_off, show_duration };
const SettingType setting_open = { "off, 0 or a duration", parse_open, show_duration };
const SettingType setting_hedge = { "off, p95 or a duration", parse_hedge, show_duration };
const SettingType setting_size = { "a size", parse_size, show_size };
const SettingType setting_count = { "a number", parse_count, show_count };

/* --- one of a few --- */

static int parse_bool(ConfigCheck *k, const Setting *s, const char *value) {
        if (text_parse_bool(value, field_of(k, s)) < 0)
                config_fault(k, s, value, NULL);
        return 0;
}

static int parse_log_level(ConfigCheck *k, const Setting *s, const char *value) {
        LogLevel level = log_level_from_string(value);

        if (level < 0)
                config_fault(k, s, value, NULL);
        else
                *(LogLevel *) field_of(k, s) = level;
        return 0;
}

static int parse_log_format(ConfigCheck *k, const Setting *s, const char *value) {
        static const char *const names[] = {
                [CONFIG_LOG_AUTO] = "auto",
                [CONFIG_LOG_JOURNAL] = "journal",
                [CONFIG_LOG_JSON] = "json",
                [CONFIG_LOG_TEXT] = "text",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcaseeq(value, names[i])) {
                        *(ConfigLogFormat *) field_of(k, s) = (ConfigLogFormat) i;
                        return 0;
                }
        config_fault(k, s, value, NULL);
        return 0;
}

static int parse_engine(ConfigCheck *k, const Setting *s, const char *value) {
        static const char *const names[] = {
                [CONFIG_ENGINE_API] = "api",
                [CONFIG_ENGINE_CLI] = "cli",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcaseeq(value, names[i])) {
                        *(ConfigEngine *) field_of(k, s) = (ConfigEngine) i;
                        return 0;
                }
        config_fault(k, s, value, NULL);
        return 0;
}

static int parse_store(ConfigCheck *k, const Setting *s, const char *value) {
        static const char *const names[] = {
                [GEMINI_STORE_OFF] = "off",
                [GEMINI_STORE_CLIENT] = "client",
                [GEMINI_STORE_PROJECT] = "project",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcaseeq(value, names[i])) {
                        *(GeminiStore *) field_of(k, s) = (GeminiStore) i;
                        k->config->route.store_is_told = !k->is_default;
                        return 0;
                }
        config_fault(k, s, value, NULL);
        return 0;
}

static int parse_responses(ConfigCheck *k, const Setting *s, const char *value) {
        static const char *const names[] = {
                [RESPONSE_KEEP_MEMORY] = "memory",
                [RESPONSE_KEEP_STATE] = "state",
                [RESPONSE_KEEP_OFF] = "off",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcaseeq(value, names[i])) {
                        *(ResponseKeep *) field_of(k, s) = (ResponseKeep) i;
                        return 0;
                }
        config_fault(k, s, value, NULL);
        return 0;
}

static int parse_images(ConfigCheck *k, const Setting *s, const char *value) {
        static const char *const names[] = {
                [CHAT_IMAGES_MEMBER] = "images",
                [CHAT_IMAGES_MARKDOWN] = "markdown",
                [CHAT_IMAGES_BOTH] = "both",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strcaseeq(value, names[i])) {
                        *(ChatImages *) field_of(k, s) = (ChatImages) i;
                        return 0;
                }
        config_fault(k, s, value, NULL);
        return 0;
}

static int parse_state(ConfigCheck *k, const Setting *s, const char *value) {
        const char *path = startswith(value, "sqlite:");

        if (streq(value, "auto") || streq(value, "memory:") ||
            (path && path[0] == '/' && path[strlen(path) - 1] != '/' && strlen(path) <= STATE_PATH_MAX))
                return set_string(k, s, value);
        config_fault(k, s, value, NULL);
        return 0;
}

const SettingType setting_bool = { "yes or no", parse_bool };
const SettingType setting_log_level = { "DEBUG, INFO, WARNING or ERROR", parse_log_level };
const SettingType setting_log_format = { "auto, journal, json or text", parse_log_format };
const SettingType setting_store = { "off, client or project", parse_store };
const SettingType setting_responses = { "memory, state or off", parse_responses };
const SettingType setting_images = { "images, markdown or both", parse_images };
const SettingType setting_engine = { "api or cli", parse_engine };
const SettingType setting_state = { "auto, memory: or sqlite:/PATH", parse_state };

/* --- names --- */

static int parse_zone(ConfigCheck *k, const Setting *s, const char *value) {
        /* daemon/config-load checks whether the zone is installed. */
        if (zone_name_is_valid(value))
                return set_string(k, s, value);
        config_fault(k, s, value, NULL);
        return 0;
}

static int parse_model(ConfigCheck *k, const Setting *s, const char *value) {
        char full[sizeof("cli/") + MODEL_NAME_MAX];
        ModelName name;

        if (model_name_parse(value, strlen(value), &name) < 0) {
                config_fault(k, s, value, NULL);
                return 0;
        }
        (void) snprintf(full, sizeof(full), "%s%s", name.cli ? "cli/" : "", name.name);
        return set_string(k, s, full);
}

/* The length that fits into a sockaddr_un. */
static int parse_socket_path(ConfigCheck *k, const Setting *s, const char *value) {
        if (value[0] == '/' && strlen(value) < sizeof(((struct sockaddr_un *) NULL)->sun_path))
                return set_string(k, s, value);
        config_fault(k, s, value, NULL);
        return 0;
}

static int parse_path(ConfigCheck *k, const Setting *s, const char *value) {
        if (value[0] == '/' && strlen(value) <= DIRECTORY_PATH_MAX)
                return set_string(k, s, value);
        config_fault(k, s, value, NULL);
        return 0;
}

/* A program's path, or a name to search for. */
static int parse_program(ConfigCheck *k, const Setting *s, const char *value) {
        if (text_in_charset(value, strlen(value), LETTERS_DIGITS "/._+@-") &&
            (value[0] == '/' || !strchr(value, '/')))
                return set_string(k, s, value);
        config_fault(k, s, value, NULL);
        return 0;
}

static int parse_runner(ConfigCheck *k, const Setting *s, const char *value) {
        const char *path = startswith(value, "unix:") ?: value;

        if (streq(value, "auto") ||
            (path[0] == '/' && strlen(path) < sizeof(((struct sockaddr_un *) NULL)->sun_path)))
                return set_string(k, s, value);
        config_fault(k, s, value, NULL);
        return 0;
}

const SettingType setting_program = { "a program's name or absolute path", parse_program };
const SettingType setting_runner = { "auto, unix:/PATH or a program's absolute path", parse_runner };
const SettingType setting_socket_path = { "an absolute path of at most 107 bytes", parse_socket_path };
const SettingType setting_directory = { "the absolute path of a directory", parse_path };
const SettingType setting_file = { "the absolute path of a file", parse_path };
const SettingType setting_zone = { "a time zone's name, such as America/Los_Angeles", parse_zone };
const SettingType setting_model = { "a model's name", parse_model };

/* --- the upstream URL --- */

static bool port_is_valid(const char *s, size_t n) {
        char digits[6] = "";
        unsigned port;

        if (n >= sizeof(digits))
                return false;
        memcpy(digits, s, n);
        return text_parse_uint(digits, &port) >= 0 && port > 0 && port <= UINT16_MAX;
}

/* HOST[:PORT], the host a name, an IPv4 address or an IPv6 address in brackets. */
static bool authority_is_valid(const char *s, size_t n, bool *ret_loopback) {
        char host[256];
        const char *colon;
        size_t n_host = n;
        Address a;

        if (n > 0 && *s == '[') {
                const char *bracket = memchr(s, ']', n);

                if (!bracket || (size_t) (bracket - s) > ADDRESS_STRING_MAX)
                        return false;
                n_host = (size_t) (bracket - s) - 1;
                memcpy(host, s + 1, n_host);
                host[n_host] = 0;
                if (!strchr(host, ':') || address_parse(host, &a) < 0)
                        return false;
                *ret_loopback = address_is_loopback(&a);
                s = bracket + 1;
                n -= n_host + 2;
                return n == 0 || (*s == ':' && port_is_valid(s + 1, n - 1));
        }

        colon = memchr(s, ':', n);
        if (colon) {
                n_host = (size_t) (colon - s);
                if (!port_is_valid(colon + 1, n - n_host - 1))
                        return false;
        }
        if (n_host >= sizeof(host) || !text_in_charset(s, n_host, LETTERS_DIGITS ".-"))
                return false;
        memcpy(host, s, n_host);
        host[n_host] = 0;
        *ret_loopback =
                strcaseeq(host, "localhost") || (address_parse(host, &a) >= 0 && address_is_loopback(&a));
        return true;
}

/* Most clients want the API's version in their base URL, so this is what people paste. gemgate adds the
 * version itself. */
static size_t length_without_version(const char *url, size_t start, size_t n) {
        static const char *const ends[] = { "/",          "/v1",        "/v1beta",
                                            "/v1alpha",   "/v1/openai", "/v1beta/openai",
                                            "/v1/models", "/v1alpha/openai", "/v1beta/models" };

        for (size_t i = 0; i < ELEMENTSOF(ends); i++) {
                size_t k = strlen(ends[i]);

                if (n >= start + k && strncasecmp(url + n - k, ends[i], k) == 0)
                        return length_without_version(url, start, n - k);
        }
        return n;
}

static int parse_url(ConfigCheck *k, const Setting *s, const char *value) {
        const char *rest, *path;
        bool plain = false, loopback;
        char *url;
        size_t n;

        if (strncasecmp(value, "https://", 8) == 0)
                rest = value + 8;
        else if (strncasecmp(value, "http://", 7) == 0) {
                rest = value + 7;
                plain = true;
        } else
                goto wrong;

        path = rest + strcspn(rest, "/?#");
        if (!authority_is_valid(rest, (size_t) (path - rest), &loopback))
                goto wrong;
        n = strlen(path);
        if (n > 0 && !text_in_charset(path, n, LETTERS_DIGITS "/._~%-"))
                goto wrong;
        if (plain && !loopback) {
                config_fault(k, s, value,
                             "must be https, because http shows the keys to the network between");
                return 0;
        }

        n = length_without_version(value, (size_t) (path - value), strlen(value));
        url = strndup(value, n);
        if (!url)
                return -ENOMEM;
        text_lower(url, (size_t) (path - value)); /* case counts in the path alone */
        if (value[n + strspn(value + n, "/")])
                config_note(k, s, value, "is taken as %.128s: gemgate adds the API's version itself", url);
        *(char **) field_of(k, s) = url;
        return 0;

wrong:
        /* A password before an @, or a key in a query, may be the fault, so the value is not shown. */
        config_fault(k, s, strpbrk(value, "@?#") ? "****" : value, NULL);
        return 0;
}

const SettingType setting_url = {
        "https://HOST[:PORT][/PATH] without user, query or fragment; http only to loopback",
        parse_url,
};
