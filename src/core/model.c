/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "core/model.h"

/* Removes the prefix, if s has it. */
static bool cut_prefix(const char **s, size_t *n, const char *prefix) {
        size_t k = strlen(prefix);

        if (*n < k || memcmp(*s, prefix, k) != 0)
                return false;
        *s += k;
        *n -= k;
        return true;
}

int model_name_parse(const char *s, size_t n, ModelName *ret) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
        ModelName name = {};

        name.cli = cut_prefix(&s, &n, "cli/");
        (void) cut_prefix(&s, &n, "models/");

        if (n > MODEL_NAME_MAX || !text_in_charset(s, n, allowed))
                return -EINVAL;
        /* In a path these two are steps. */
        if (strspn(s, ".") >= n && n <= 2)
                return -EINVAL;

        memcpy(name.name, s, n);
        *ret = name;
        return 0;
}
