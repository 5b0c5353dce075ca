/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/near.h"
#include "base/text.h"

bool near_try(Near *n, const char *name) {
        size_t a = strlen(n->typed), b = strlen(name);
        unsigned d;

        if ((a > b ? a - b : b - a) >= n->least) /* so many characters are missing at least */
                return false;
        d = text_distance(n->typed, name);
        if (d >= n->least)
                return false;
        n->least = d;
        n->name = name;
        return true;
}
