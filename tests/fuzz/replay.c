/* SPDX-License-Identifier: MIT */

/* Replaces libFuzzer in the ordinary build: feeds each file of the corpus to the fuzzer, once. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (4U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path) {
        FILE *f = fopen(path, "re");
        uint8_t *all, *data;
        size_t n;

        if (!f)
                return -1;
        all = malloc(INPUT_MAX);
        if (!all)
                return -1;
        n = fread(all, 1, INPUT_MAX, f);
        (void) fclose(f);

        /* In memory exactly as long as the input is, so that a sanitizer sees a reader beyond it. */
        data = malloc(n > 0 ? n : 1);
        if (!data)
                return -1;
        memcpy(data, all, n);
        free(all);
        (void) LLVMFuzzerTestOneInput(data, n);
        free(data);
        return 0;
}

int main(int argc, char *argv[]) {
        struct dirent **entries;
        unsigned passed = 0;
        int n;

        if (argc != 2)
                return 64;
        n = scandir(argv[1], &entries, NULL, alphasort);
        for (int i = 0; i < n; i++) {
                char path[4096];

                if (entries[i]->d_name[0] != '.') {
                        (void) snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
                        /* Before it runs: the last line names the one that it died of. */
                        (void) printf("%s\n", path);
                        (void) fflush(stdout);
                        if (replay(path) < 0) {
                                perror(path);
                                return 1;
                        }
                        passed++;
                }
                free(entries[i]);
        }
        if (n >= 0)
                free(entries);

        /* As cmocka closes, so that tests/run counts these with the others. */
        (void) printf("[  PASSED  ] %u test(s).\n", passed);
        return passed > 0 ? 0 : 1;
}
