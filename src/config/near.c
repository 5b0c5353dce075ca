/* SPDX-License-Identifier: MIT */

/* The setting that a mistyped name most likely means. */

#include <string.h>

#include "base/near.h"
#include "base/text.h"
#include "config/internal.h"

#define DISTANCE_MAX 2U

static_assert(SETTING_NAME_MAX <= TEXT_NEAR_MAX, "each name has a distance");

const Setting *config_setting_near(const char *name, size_t n) {
        char typed[SETTING_NAME_MAX + 1];
        Near near = { typed, DISTANCE_MAX + 1, NULL };
        const Setting *nearest = NULL;

        if (n > SETTING_NAME_MAX)
                return NULL;
        memcpy(typed, name, n);
        typed[n] = 0;
        for (size_t i = 0; i < config_n_settings; i++)
                if (near_try(&near, config_settings[i].name))
                        nearest = config_settings + i;
        return nearest;
}
