/* SPDX-License-Identifier: MIT */
#include "dialect/file-id.h"

#include "base/text.h"
#include "pool/binding.h"

static bool is_known_to_google(JsonView uri) {
        static const char *const hosts[] = {
                "https://generativelanguage.googleapis.com/", "https://www.youtube.com/",
                "https://m.youtube.com/",                     "https://youtube.com/",
                "https://youtu.be/",
        };
        char start[64];

        json_view_copy(uri, start, sizeof(start));
        for (size_t i = 0; i < ELEMENTSOF(hosts); i++)
                if (startswith(start, hosts[i]))
                        return true;
        return false;
}

const char *media_read_url(JsonView string, const char *fallback, Media *ret) {
        const char *fault = media_read(string, fallback, ret);

        if (!fault && ret->form == MEDIA_URI && is_known_to_google(ret->uri))
                ret->type[0] = 0;
        return fault;
}

const char *file_id_read(JsonView id, JsonView *ret_file, Media *ret) {
        static const char fault[] = "must be the name of a file that was uploaded through gemgate: files/…";
        char name[BINDING_NAME_MAX + sizeof(BINDING_FILES)];
        JsonView file = json_view_inside(id);

        *ret_file = (JsonView){};
        json_view_copy(id, name, BINDING_NAME_MAX + 1);
        if (!json_view_equals(id, name) || strchr(name, ':'))
                return media_read(id, NULL, ret) || ret->form != MEDIA_URI ? fault : NULL;
        if (!startswith(name, BINDING_FILES)) {
                memmove(name + strlen(BINDING_FILES), name, strlen(name) + 1);
                memcpy(name, BINDING_FILES, strlen(BINDING_FILES));
        } else
                file.p = (const char *) memrchr(file.p, '/', (size_t) (file.end - file.p)) + 1;
        if (!binding_name_is_valid(name, strlen(name)))
                return fault;
        *ret_file = file;
        return NULL;
}
