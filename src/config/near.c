/* SPDX-License-Identifier: MIT */

/* The setting that a mistyped name most likely means. */

#include <string.h>

#include "base/text.h"
#include "config/internal.h"

#define DISTANCE_MAX 2U

static_assert(SETTING_NAME_MAX <= TEXT_NEAR_MAX, "each name has a distance");

const Setting *config_setting_near(const char *name, size_t n) {
        const Setting *nearest = NULL;
        unsigned least = DISTANCE_MAX + 1;
        char typed[SETTING_NAME_MAX + 1];

        if (n > SETTING_NAME_MAX)
                return NULL;
        memcpy(typed, name, n);
        typed[n] = 0;
        for (size_t i = 0; i < config_n_settings; i++) {
                const Setting *s = config_settings + i;
                size_t m = strlen(s->name);
                unsigned d;

                assert(m <= SETTING_NAME_MAX);
                if (n > m + DISTANCE_MAX || m > n + DISTANCE_MAX)
                        continue;
                d = text_distance(typed, s->name);
                if (d < least) {
                        least = d;
                        nearest = s;
                }
        }
        return nearest;
}
