/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "dialect/gemini/model.h"

static const struct {
        const char *prefix;
        GeminiTraits traits;
} families[] = {
        { "gemini-2.5-", GEMINI_NO_PENALTIES },
        { "gemini-4-", GEMINI_NO_PENALTIES | GEMINI_NO_SAMPLING | GEMINI_ONE_CANDIDATE },
        { "gemma-", GEMINI_NO_SYSTEM },
};

GeminiTraits gemini_model_traits(const char *model) {
        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                if (startswith(model, families[i].prefix))
                        return families[i].traits;
        return 0;
}
