/* SPDX-License-Identifier: MIT */

/* Prints Google's paths as the daemon has them, one a line: METHOD PATH. test_google_paths.py has a case
 * for each. */

#include <stdio.h>

#include "dialect/gemini/path.h"

int main(void) {
        size_t n;
        const GeminiPath *rows = gemini_paths(&n);

        for (size_t i = 0; i < n; i++)
                printf("%s %s\n", rows[i].method, rows[i].path);
        return 0;
}
