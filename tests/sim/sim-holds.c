/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sim-holds.h"
#include "sim-json.h"

/* Whether this value itself, apart from what is in it, is what a line asks for. */
typedef bool (*Test)(json_object *v, const char *line);

int holds_add(char **lines, const char *line) {
        char *joined;

        if (asprintf(&joined, "%s%s%s", strempty(*lines), *lines ? "\n" : "", line) < 0)
                return -ENOMEM;
        free(*lines);
        *lines = joined;
        return 0;
}

void holds_done(Holds *h) {
        free(h->results);
        free(h->digests);
        free(h->properties);
}

static bool is_text(json_object *v, const char *line) {
        return json_object_is_type(v, json_type_string) && strstr(json_object_get_string(v), line);
}

static bool has_property(json_object *v, const char *line) {
        json_object *properties = json_member(v, "properties", "properties");

        return json_object_is_type(properties, json_type_object) &&
               json_object_object_get_ex(properties, line, NULL);
}

/* Of base64 in either alphabet, with or without padding. */
static bool digest_is(const char *data, size_t n, const char *line) {
        _cleanup_free_ unsigned char *bytes = malloc(n + 4);
        _cleanup_free_ char *text = malloc(n + 4);
        unsigned char md[EVP_MAX_MD_SIZE];
        char hex[2 * EVP_MAX_MD_SIZE + 1];
        unsigned n_md = 0, n_padding = 0;
        int size;

        if (!bytes || !text)
                return false;
        memcpy(text, data, n);
        while (n > 0 && text[n - 1] == '=')
                n--;
        for (size_t i = 0; i < n; i++)
                text[i] = (char) (text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
        while (n % 4 != 0) {
                text[n++] = '=';
                n_padding++;
        }
        size = EVP_DecodeBlock(bytes, (const unsigned char *) text, (int) n);
        if (size < (int) n_padding ||
            !EVP_Digest(bytes, (size_t) size - n_padding, md, &n_md, EVP_sha256(), NULL))
                return false;
        text_hex(md, n_md, hex);
        return streq(hex, line);
}

static bool has_data(json_object *v, const char *line) {
        json_object *data = json_member(json_member(v, "inlineData", "inline_data"), "data", "data");

        return json_object_is_type(data, json_type_string) &&
               digest_is(json_object_get_string(data), (size_t) json_object_get_string_len(data), line);
}

/* The parser of the request bounds its depth. */
static bool find(json_object *v, Test test, const char *line) {
        if (test(v, line))
                return true;
        if (json_object_is_type(v, json_type_object)) {
                json_object_object_foreach(v, name, member) {
                        (void) name;
                        if (find(member, test, line))
                                return true;
                }
        }
        for (size_t i = 0; i < json_length(v); i++)
                if (find(json_object_array_get_idx(v, i), test, line))
                        return true;
        return false;
}

static bool find_result(json_object *contents, const char *line) {
        for (size_t i = 0; i < json_length(contents); i++) {
                json_object *parts = json_member(json_object_array_get_idx(contents, i), "parts", "parts");

                for (size_t k = 0; k < json_length(parts); k++) {
                        json_object *result = json_member(json_object_array_get_idx(parts, k),
                                                          "functionResponse", "function_response");

                        if (result && find(json_member(result, "response", "response"), is_text, line))
                                return true;
                }
        }
        return false;
}

static bool fits(json_object *request, const char *lines, Test test) {
        _cleanup_free_ char *copy = lines ? strdup(lines) : NULL;
        char *next = copy, *line;

        while ((line = strsep(&next, "\n"))) {
                json_object *tools = json_member(request, "tools", "tools"),
                            *config = json_member(request, "generationConfig", "generation_config"),
                            *contents = json_member(request, "contents", "contents");
                bool found = test == is_text        ? find_result(contents, line)
                             : test == has_property ? find(tools, test, line) || find(config, test, line)
                                                    : find(contents, test, line);

                if (!found)
                        return false;
        }
        return true;
}

bool holds_fits(const Holds *h, json_object *request) {
        if (!h->results && !h->digests && !h->properties)
                return true;
        return json_object_is_type(request, json_type_object) && fits(request, h->results, is_text) &&
               fits(request, h->digests, has_data) && fits(request, h->properties, has_property);
}
