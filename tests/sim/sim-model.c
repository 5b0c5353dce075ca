/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/json/write.h"
#include "base/text.h"
#include "sim-model.h"

typedef struct Model {
        char name[MODEL_NAME_MAX + 1];
        bool embeds;
        bool removed; /* keeps its place: a `sim-` name stays unknown */
} Model;

struct ModelList {
        Model *models;
        size_t n;
};

static const char *const listed[] = {
        "gemini-flash-latest",    "gemini-flash-lite-latest",
        "gemini-pro-latest",      "gemini-3.8-flash",
        "gemini-3.7-flash",       "gemini-3.6-flash",
        "gemini-3.5-flash",       "gemini-3.5-flash-lite",
        "gemini-3.1-flash-lite",  "gemini-3.1-pro-preview",
        "gemini-3-flash-preview", "gemini-3.1-flash-image",
        "gemini-3-pro-image",     "gemini-2.5-pro",
        "gemini-2.5-flash",       "gemini-2.5-flash-lite",
        "gemini-4-argon",         "gemini-4-carbon",
        "gemini-4-hydrogen",      "gemini-4-neon",
        "gemini-embedding-2",     "gemini-embedding-001",
        "gemini-3.8-flash-tts",   "gemini-3.5-transcribe",
        "gemini-3.8-live",
};

int model_list_new(ModelList **ret) {
        ModelList *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        l->models = calloc(MODEL_LIST_MAX, sizeof(*l->models));
        if (!l->models) {
                free(l);
                return -ENOMEM;
        }
        model_list_reset(l);
        *ret = l;
        return 0;
}

ModelList *model_list_free(ModelList *l) {
        if (!l)
                return NULL;
        free(l->models);
        free(l);
        return NULL;
}

static Model *find(const ModelList *l, const char *name) {
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->models[i].name, name))
                        return &l->models[i];
        return NULL;
}

void model_list_reset(ModelList *l) {
        l->n = 0;
        for (size_t i = 0; i < ELEMENTSOF(listed); i++)
                (void) model_list_add(l, listed[i]);
}

static Model *place(ModelList *l, const char *name) {
        Model *m = find(l, name);
        size_t n = strlen(name);

        if (m || l->n == MODEL_LIST_MAX || n == 0 || n > MODEL_NAME_MAX)
                return m;
        m = &l->models[l->n++];
        *m = (Model){ .embeds = strstr(name, "embedding") };
        memcpy(m->name, name, n + 1);
        return m;
}

int model_list_add(ModelList *l, const char *name) {
        Model *m = place(l, name);

        if (!m)
                return -E2BIG;
        m->removed = false;
        return 0;
}

void model_list_remove(ModelList *l, const char *name) {
        Model *m = place(l, name);

        if (m)
                m->removed = true;
}

bool model_list_knows(const ModelList *l, const char *name) {
        const Model *m = find(l, name);

        return m ? !m->removed : startswith(name, "sim-") != NULL;
}

bool model_list_embeds(const ModelList *l, const char *name) {
        const Model *m = find(l, name);

        return m ? m->embeds : strstr(name, "embedding") != NULL;
}

static void write_model(JWriter *w, const char *name, bool embeds) {
        _cleanup_buf_ Buf full = BUF_INIT(1024);

        (void) buf_printf(&full, "models/%s", name);
        jwrite_object(w, NULL);
        jwrite_string(w, "name", buf_cstr(&full));
        jwrite_string(w, "version", "001");
        jwrite_string(w, "displayName", name);
        jwrite_string(w, "description", "Simulated by gemini-sim");
        jwrite_uint(w, "inputTokenLimit", embeds ? 8192 : 1048576);
        jwrite_uint(w, "outputTokenLimit", embeds ? 1 : 65536);
        jwrite_array(w, "supportedGenerationMethods");
        jwrite_string(w, NULL, embeds ? "embedContent" : "generateContent");
        jwrite_string(w, NULL, embeds ? "countTextTokens" : "countTokens");
        jwrite_string(w, NULL, embeds ? "batchEmbedContents" : "createCachedContent");
        jwrite_end(w);
        if (!embeds) {
                jwrite_uint(w, "temperature", 1);
                jwrite_fixed(w, "topP", 0.95, 2);
                jwrite_uint(w, "topK", 64);
                jwrite_uint(w, "maxTemperature", 2);
                jwrite_bool(w, "thinking", true);
        }
        jwrite_end(w);
}

bool model_write(const ModelList *l, const char *name, Buf *out) {
        const Model *m = find(l, name);
        JWriter w = JWRITER_INIT(out);

        if (!model_list_knows(l, name))
                return false;
        write_model(&w, name, m && m->embeds);
        return true;
}

void model_list_write(const ModelList *l, size_t start, size_t size, Buf *out) {
        JWriter w = JWRITER_INIT(out);
        size_t at = 0, written = 0;

        jwrite_object(&w, NULL);
        jwrite_array(&w, "models");
        for (size_t i = 0; i < l->n; i++) {
                if (l->models[i].removed || at++ < start)
                        continue;
                if (written++ == size)
                        break;
                write_model(&w, l->models[i].name, l->models[i].embeds);
        }
        jwrite_end(&w);
        if (written > size) {
                _cleanup_buf_ Buf token = BUF_INIT(64);

                (void) buf_printf(&token, "page-%zu", start + size);
                jwrite_string(&w, "nextPageToken", buf_cstr(&token));
        }
        jwrite_end(&w);
}
