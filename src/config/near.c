/* SPDX-License-Identifier: MIT */

/*
 * The setting that a mistyped name most likely means. The distance of two names is the number of letters to
 * insert, remove, replace or swap with their neighbour; case does not count.
 */

#include <ctype.h>
#include <string.h>

#include "config/internal.h"

#define DISTANCE_MAX 2U

static bool same(char a, char b) {
        return toupper((unsigned char) a) == toupper((unsigned char) b);
}

/* Three rows of the usual table are enough: a swap looks two rows back. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m) {
        unsigned rows[3][SETTING_NAME_MAX + 1];

        for (size_t j = 0; j <= m; j++)
                rows[0][j] = (unsigned) j;
        for (size_t i = 1; i <= n; i++) {
                const unsigned *above = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
                unsigned *row = rows[i % 3];

                row[0] = (unsigned) i;
                for (size_t j = 1; j <= m; j++) {
                        unsigned d = MIN(above[j], row[j - 1]) + 1;

                        d = MIN(d, above[j - 1] + !same(a[i - 1], b[j - 1]));
                        if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                                d = MIN(d, before[j - 2] + 1);
                        row[j] = d;
                }
        }
        return rows[n % 3][m];
}

const Setting *config_setting_near(const char *name, size_t n) {
        const Setting *nearest = NULL;
        unsigned least = DISTANCE_MAX + 1;

        if (n > SETTING_NAME_MAX)
                return NULL;
        for (size_t i = 0; i < config_n_settings; i++) {
                const Setting *s = config_settings + i;
                size_t m = strlen(s->name);
                unsigned d;

                assert(m <= SETTING_NAME_MAX);
                if (n > m + DISTANCE_MAX || m > n + DISTANCE_MAX)
                        continue;
                d = distance(name, n, s->name, m);
                if (d < least) {
                        least = d;
                        nearest = s;
                }
        }
        return nearest;
}
