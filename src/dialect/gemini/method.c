/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "dialect/gemini/method.h"

/* NULL: the path has no model. */
static const char *const names[_GEMINI_METHOD_MAX] = {
        [GEMINI_GENERATE] = "generateContent",
        [GEMINI_STREAM] = "streamGenerateContent",
        [GEMINI_COUNT_TOKENS] = "countTokens",
        [GEMINI_EMBED] = "embedContent",
        [GEMINI_EMBED_BATCH] = "batchEmbedContents",
        [GEMINI_PREDICT] = "predict",
        [GEMINI_PREDICT_LONG] = "predictLongRunning",
};

const char *gemini_method_name(GeminiMethod m) {
        return names[m];
}

int gemini_method_of_path(const char *rest, size_t *ret_n_model, GeminiMethod *ret) {
        const char *colon = strrchr(rest, ':');

        for (size_t m = 0; colon && m < _GEMINI_METHOD_MAX; m++)
                if (streq_ptr(names[m], colon + 1)) {
                        *ret_n_model = (size_t) (colon - rest);
                        *ret = (GeminiMethod) m;
                        return 0;
                }
        return -EINVAL;
}
