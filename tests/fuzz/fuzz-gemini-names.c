/* SPDX-License-Identifier: MIT */

/* Whatever the bytes are, each name found is valid in a path, and the walk stays within the bytes. Of a
 * value that holds "files/" and an id, a name is found, or the value is refused. */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/write.h"
#include "dialect/gemini/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool on_name(const char *name, void *userdata) {
        unsigned *n = userdata;

        if (!binding_name_is_valid(name, strlen(name)) || strchr(name, '.'))
                abort();
        return ++*n < 100;
}

static void look_for_file(const char *s, size_t n) {
        static const char before[] = "{\"fileData\":{\"fileUri\":", behind[] = "}}", kind[] = "files/";
        _cleanup_buf_ Buf json = BUF_INIT(1U << 20);
        const char *file = n > 0 ? memmem(s, n, kind, strlen(kind)) : NULL, *id;
        unsigned found = 0;

        if (!file || (file > s && file[-1] != '/'))
                return;
        id = file + strlen(kind);
        if (id == s + n || *id < 'a' || *id > 'z' || s + n - id > (ptrdiff_t) BINDING_ID_MAX)
                return;
        (void) buf_puts(&json, before);
        jwrite_quote(&json, s, n);
        (void) buf_puts(&json, behind);
        if (json.error == 0 && !gemini_names(buf_data(&json), json.n, false, on_name, &found) && found == 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *copy = malloc(size + (size == 0)); /* so that ASan sees each step beyond */
        unsigned n = 0;

        if (!copy)
                return 0;
        memcpy(copy, data, size);
        (void) gemini_names(copy, size, false, on_name, &n);
        (void) gemini_names(copy, size, true, on_name, &n);
        look_for_file(copy, size);
        free(copy);
        return 0;
}
