/* SPDX-License-Identifier: MIT */
/* Written by gen-schema.py; do not edit. */
#include "sim-schema-table.h"

#define ROWS(fields) fields, ELEMENTSOF(fields)

static const char *const audio_response_format_delivery[] = {
        "DELIVERY_UNSPECIFIED", "INLINE", "URI", NULL,
};
static const char *const audio_response_format_mime_type[] = {
        "MIME_TYPE_UNSPECIFIED", "AUDIO_MP3", "AUDIO_OGG_OPUS", "AUDIO_L16", "AUDIO_WAV", "AUDIO_ALAW",
        "AUDIO_MULAW", NULL,
};
static const char *const audio_transcription_config_mode[] = {
        "MODE_UNSPECIFIED", "VERBATIM", "SMART", NULL,
};
static const char *const code_execution_result_outcome[] = {
        "OUTCOME_UNSPECIFIED", "OUTCOME_OK", "OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED", NULL,
};
static const char *const computer_use_disabled_safety_policies[] = {
        "SAFETY_POLICY_UNSPECIFIED", "FINANCIAL_TRANSACTIONS", "SENSITIVE_DATA_MODIFICATION",
        "COMMUNICATION_TOOL", "ACCOUNT_CREATION", "DATA_MODIFICATION", "USER_CONSENT_MANAGEMENT",
        "LEGAL_TERMS_AND_AGREEMENTS", NULL,
};
static const char *const computer_use_environment[] = {
        "ENVIRONMENT_UNSPECIFIED", "ENVIRONMENT_BROWSER", "ENVIRONMENT_MOBILE", "ENVIRONMENT_DESKTOP",
        NULL,
};
static const char *const dynamic_retrieval_config_mode[] = {
        "MODE_UNSPECIFIED", "MODE_DYNAMIC", NULL,
};
static const char *const embed_content_config_task_type[] = {
        "TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY",
        "CLASSIFICATION", "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION",
        "CODE_RETRIEVAL_QUERY", NULL,
};
static const char *const embed_content_request_task_type[] = {
        "TASK_TYPE_UNSPECIFIED", "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY",
        "CLASSIFICATION", "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION",
        "CODE_RETRIEVAL_QUERY", NULL,
};
static const char *const executable_code_language[] = {
        "LANGUAGE_UNSPECIFIED", "PYTHON", NULL,
};
static const char *const function_calling_config_mode[] = {
        "MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED", NULL,
};
static const char *const function_declaration_behavior[] = {
        "UNSPECIFIED", "BLOCKING", "NON_BLOCKING", NULL,
};
static const char *const function_response_scheduling[] = {
        "SCHEDULING_UNSPECIFIED", "SILENT", "WHEN_IDLE", "INTERRUPT", NULL,
};
static const char *const generate_content_request_service_tier[] = {
        "unspecified", "standard", "flex", "priority", NULL,
};
static const char *const generation_config_media_resolution[] = {
        "MEDIA_RESOLUTION_UNSPECIFIED", "MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM",
        "MEDIA_RESOLUTION_HIGH", NULL,
};
static const char *const generation_config_response_modalities[] = {
        "MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO", NULL,
};
static const char *const image_response_format_aspect_ratio[] = {
        "ASPECT_RATIO_UNSPECIFIED", "ASPECT_RATIO_ONE_BY_ONE", "ASPECT_RATIO_TWO_BY_THREE",
        "ASPECT_RATIO_THREE_BY_TWO", "ASPECT_RATIO_THREE_BY_FOUR", "ASPECT_RATIO_FOUR_BY_THREE",
        "ASPECT_RATIO_FOUR_BY_FIVE", "ASPECT_RATIO_FIVE_BY_FOUR", "ASPECT_RATIO_NINE_BY_SIXTEEN",
        "ASPECT_RATIO_SIXTEEN_BY_NINE", "ASPECT_RATIO_TWENTY_ONE_BY_NINE", "ASPECT_RATIO_ONE_BY_EIGHT",
        "ASPECT_RATIO_EIGHT_BY_ONE", "ASPECT_RATIO_ONE_BY_FOUR", "ASPECT_RATIO_FOUR_BY_ONE", NULL,
};
static const char *const image_response_format_delivery[] = {
        "DELIVERY_UNSPECIFIED", "INLINE", "URI", NULL,
};
static const char *const image_response_format_image_size[] = {
        "IMAGE_SIZE_UNSPECIFIED", "IMAGE_SIZE_FIVE_TWELVE", "IMAGE_SIZE_ONE_K", "IMAGE_SIZE_TWO_K",
        "IMAGE_SIZE_FOUR_K", NULL,
};
static const char *const image_response_format_mime_type[] = {
        "MIME_TYPE_UNSPECIFIED", "IMAGE_JPEG", NULL,
};
static const char *const part_media_processing[] = {
        "MEDIA_PROCESSING_UNSPECIFIED", "STATIC", "AGENTIC", NULL,
};
static const char *const safety_setting_category[] = {
        "HARM_CATEGORY_UNSPECIFIED", "HARM_CATEGORY_DEROGATORY", "HARM_CATEGORY_TOXICITY",
        "HARM_CATEGORY_VIOLENCE", "HARM_CATEGORY_SEXUAL", "HARM_CATEGORY_MEDICAL",
        "HARM_CATEGORY_DANGEROUS", "HARM_CATEGORY_HARASSMENT", "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT", "HARM_CATEGORY_DANGEROUS_CONTENT",
        "HARM_CATEGORY_CIVIC_INTEGRITY", "HARM_CATEGORY_JAILBREAK", NULL,
};
static const char *const safety_setting_threshold[] = {
        "HARM_BLOCK_THRESHOLD_UNSPECIFIED", "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE",
        "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF", NULL,
};
static const char *const schema_type[] = {
        "TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL", NULL,
};
static const char *const text_response_format_mime_type[] = {
        "MIME_TYPE_UNSPECIFIED", "APPLICATION_JSON", "TEXT_PLAIN", NULL,
};
static const char *const thinking_config_thinking_level[] = {
        "THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH", NULL,
};
static const char *const tool_call_tool_type[] = {
        "TOOL_TYPE_UNSPECIFIED", "GOOGLE_SEARCH_WEB", "GOOGLE_SEARCH_IMAGE", "URL_CONTEXT",
        "GOOGLE_MAPS", "FILE_SEARCH", "MEDIA_PROCESSING", NULL,
};
static const char *const tool_response_tool_type[] = {
        "TOOL_TYPE_UNSPECIFIED", "GOOGLE_SEARCH_WEB", "GOOGLE_SEARCH_IMAGE", "URL_CONTEXT",
        "GOOGLE_MAPS", "FILE_SEARCH", "MEDIA_PROCESSING", NULL,
};
static const char *const v1main_media_resolution_level[] = {
        "MEDIA_RESOLUTION_UNSPECIFIED", "MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_MEDIUM",
        "MEDIA_RESOLUTION_HIGH", "MEDIA_RESOLUTION_ULTRA_HIGH", NULL,
};

static const SchemaField audio_response_format_fields[] = {
        { "bitRate", "bit_rate", SCHEMA_INT },
        { "delivery", "delivery", SCHEMA_ENUM, .values = audio_response_format_delivery },
        { "mimeType", "mime_type", SCHEMA_ENUM, .values = audio_response_format_mime_type },
        { "sampleRate", "sample_rate", SCHEMA_INT },
};
static const SchemaField audio_transcription_config_fields[] = {
        { "adaptationPhrases", "adaptation_phrases", SCHEMA_STRING, .repeated = true },
        { "customVocabulary", "custom_vocabulary", SCHEMA_STRING, .repeated = true },
        { "diarization", "diarization", SCHEMA_BOOL },
        { "languageAuto", "language_auto", SCHEMA_MESSAGE, .message = 30 /* LanguageAuto */ },
        { "languageCodes", "language_codes", SCHEMA_STRING, .repeated = true },
        { "languageHints", "language_hints", SCHEMA_MESSAGE, .message = 31 /* LanguageHints */ },
        { "mode", "mode", SCHEMA_ENUM, .values = audio_transcription_config_mode },
        { "wordTimestamp", "word_timestamp", SCHEMA_BOOL },
};
static const SchemaField batch_embed_contents_request_fields[] = {
        { "requests", "requests", SCHEMA_MESSAGE,
          .repeated = true, .message = 11 /* EmbedContentRequest */ },
};
static const SchemaField blob_fields[] = {
        { "data", "data", SCHEMA_BYTES },
        { "mimeType", "mime_type", SCHEMA_STRING },
};
static const SchemaField code_execution_result_fields[] = {
        { "id", "id", SCHEMA_STRING },
        { "outcome", "outcome", SCHEMA_ENUM, .values = code_execution_result_outcome },
        { "output", "output", SCHEMA_STRING },
};
static const SchemaField computer_use_fields[] = {
        { "disabledSafetyPolicies", "disabled_safety_policies", SCHEMA_ENUM,
          .repeated = true, .values = computer_use_disabled_safety_policies },
        { "enablePromptInjectionDetection", "enable_prompt_injection_detection", SCHEMA_BOOL },
        { "environment", "environment", SCHEMA_ENUM, .values = computer_use_environment },
        { "excludedPredefinedFunctions", "excluded_predefined_functions", SCHEMA_STRING, .repeated = true },
};
static const SchemaField content_fields[] = {
        { "parts", "parts", SCHEMA_MESSAGE, .repeated = true, .message = 35 /* Part */ },
        { "role", "role", SCHEMA_STRING },
};
static const SchemaField count_tokens_request_fields[] = {
        { "contents", "contents", SCHEMA_MESSAGE, .repeated = true, .message = 7 /* Content */ },
        { "generateContentRequest", "generate_content_request", SCHEMA_MESSAGE,
          .message = 21 /* GenerateContentRequest */ },
};
static const SchemaField dynamic_retrieval_config_fields[] = {
        { "dynamicThreshold", "dynamic_threshold", SCHEMA_NUMBER },
        { "mode", "mode", SCHEMA_ENUM, .values = dynamic_retrieval_config_mode },
};
static const SchemaField embed_content_config_fields[] = {
        { "audioTrackExtraction", "audio_track_extraction", SCHEMA_BOOL },
        { "autoTruncate", "auto_truncate", SCHEMA_BOOL },
        { "documentOcr", "document_ocr", SCHEMA_BOOL },
        { "outputDimensionality", "output_dimensionality", SCHEMA_INT },
        { "taskType", "task_type", SCHEMA_ENUM, .values = embed_content_config_task_type },
        { "title", "title", SCHEMA_STRING },
};
static const SchemaField embed_content_request_fields[] = {
        { "content", "content", SCHEMA_MESSAGE, .message = 7 /* Content */ },
        { "embedContentConfig", "embed_content_config", SCHEMA_MESSAGE,
          .message = 10 /* EmbedContentConfig */ },
        { "model", "model", SCHEMA_STRING },
        { "outputDimensionality", "output_dimensionality", SCHEMA_INT },
        { "taskType", "task_type", SCHEMA_ENUM, .values = embed_content_request_task_type },
        { "title", "title", SCHEMA_STRING },
};
static const SchemaField executable_code_fields[] = {
        { "code", "code", SCHEMA_STRING },
        { "id", "id", SCHEMA_STRING },
        { "language", "language", SCHEMA_ENUM, .values = executable_code_language },
};
static const SchemaField file_data_fields[] = {
        { "fileUri", "file_uri", SCHEMA_STRING },
        { "mimeType", "mime_type", SCHEMA_STRING },
};
static const SchemaField file_search_fields[] = {
        { "fileSearchStoreNames", "file_search_store_names", SCHEMA_STRING, .repeated = true },
        { "metadataFilter", "metadata_filter", SCHEMA_STRING },
        { "topK", "top_k", SCHEMA_INT },
};
static const SchemaField function_call_fields[] = {
        { "args", "args", SCHEMA_STRUCT },
        { "id", "id", SCHEMA_STRING },
        { "name", "name", SCHEMA_STRING },
};
static const SchemaField function_calling_config_fields[] = {
        { "allowedFunctionNames", "allowed_function_names", SCHEMA_STRING, .repeated = true },
        { "mode", "mode", SCHEMA_ENUM, .values = function_calling_config_mode },
};
static const SchemaField function_declaration_fields[] = {
        { "behavior", "behavior", SCHEMA_ENUM, .values = function_declaration_behavior },
        { "description", "description", SCHEMA_STRING },
        { "name", "name", SCHEMA_STRING },
        { "parameters", "parameters", SCHEMA_MESSAGE, .message = 40 /* Schema */ },
        { "parametersJsonSchema", "parameters_json_schema", SCHEMA_ANY },
        { "response", "response", SCHEMA_MESSAGE, .message = 40 /* Schema */ },
        { "responseJsonSchema", "response_json_schema", SCHEMA_ANY },
};
static const SchemaField function_response_fields[] = {
        { "id", "id", SCHEMA_STRING },
        { "name", "name", SCHEMA_STRING },
        { "parts", "parts", SCHEMA_MESSAGE, .repeated = true, .message = 20 /* FunctionResponsePart */ },
        { "response", "response", SCHEMA_STRUCT },
        { "scheduling", "scheduling", SCHEMA_ENUM, .values = function_response_scheduling },
        { "willContinue", "will_continue", SCHEMA_BOOL },
};
static const SchemaField function_response_blob_fields[] = {
        { "data", "data", SCHEMA_BYTES },
        { "mimeType", "mime_type", SCHEMA_STRING },
};
static const SchemaField function_response_part_fields[] = {
        { "fileData", "file_data", SCHEMA_MESSAGE, .message = 13 /* FileData */ },
        { "inlineData", "inline_data", SCHEMA_MESSAGE, .message = 19 /* FunctionResponseBlob */ },
};
static const SchemaField generate_content_request_fields[] = {
        { "cachedContent", "cached_content", SCHEMA_STRING },
        { "contents", "contents", SCHEMA_MESSAGE, .repeated = true, .message = 7 /* Content */ },
        { "continuationToken", "continuation_token", SCHEMA_BYTES },
        { "generationConfig", "generation_config", SCHEMA_MESSAGE, .message = 22 /* GenerationConfig */ },
        { "labels", "labels", SCHEMA_STRING_MAP },
        { "model", "model", SCHEMA_STRING },
        { "safetySettings", "safety_settings", SCHEMA_MESSAGE,
          .repeated = true, .message = 39 /* SafetySetting */ },
        { "serviceTier", "service_tier", SCHEMA_ENUM, .values = generate_content_request_service_tier },
        { "store", "store", SCHEMA_BOOL },
        { "systemInstruction", "system_instruction", SCHEMA_MESSAGE, .message = 7 /* Content */ },
        { "toolConfig", "tool_config", SCHEMA_MESSAGE, .message = 49 /* ToolConfig */ },
        { "tools", "tools", SCHEMA_MESSAGE, .repeated = true, .message = 47 /* Tool */ },
};
static const SchemaField generation_config_fields[] = {
        { "audioTranscriptionConfig", "audio_transcription_config", SCHEMA_MESSAGE,
          .message = 1 /* AudioTranscriptionConfig */ },
        { "candidateCount", "candidate_count", SCHEMA_INT },
        { "enableAffectiveDialog", "enable_affective_dialog", SCHEMA_BOOL },
        { "enableEnhancedCivicAnswers", "enable_enhanced_civic_answers", SCHEMA_BOOL },
        { "frequencyPenalty", "frequency_penalty", SCHEMA_NUMBER },
        { "imageConfig", "image_config", SCHEMA_MESSAGE, .message = 26 /* ImageConfig */ },
        { "logprobs", "logprobs", SCHEMA_INT },
        { "maxOutputTokens", "max_output_tokens", SCHEMA_INT },
        { "mediaResolution", "media_resolution", SCHEMA_ENUM,
          .values = generation_config_media_resolution },
        { "presencePenalty", "presence_penalty", SCHEMA_NUMBER },
        { "responseFormat", "response_format", SCHEMA_MESSAGE, .message = 37 /* ResponseFormatConfig */ },
        { "responseJsonSchema", "response_json_schema", SCHEMA_ANY },
        { "responseLogprobs", "response_logprobs", SCHEMA_BOOL },
        { "responseMimeType", "response_mime_type", SCHEMA_STRING },
        { "responseModalities", "response_modalities", SCHEMA_ENUM,
          .repeated = true, .values = generation_config_response_modalities },
        { "responseSchema", "response_schema", SCHEMA_MESSAGE, .message = 40 /* Schema */ },
        { "seed", "seed", SCHEMA_INT },
        { "speechConfig", "speech_config", SCHEMA_MESSAGE, .message = 43 /* SpeechConfig */ },
        { "stopSequences", "stop_sequences", SCHEMA_STRING, .repeated = true },
        { "temperature", "temperature", SCHEMA_NUMBER },
        { "thinkingConfig", "thinking_config", SCHEMA_MESSAGE, .message = 46 /* ThinkingConfig */ },
        { "topK", "top_k", SCHEMA_INT },
        { "topP", "top_p", SCHEMA_NUMBER },
        { "translationConfig", "translation_config", SCHEMA_MESSAGE,
          .message = 51 /* TranslationConfig */ },
};
static const SchemaField google_maps_fields[] = {
        { "enableWidget", "enable_widget", SCHEMA_BOOL },
};
static const SchemaField google_search_fields[] = {
        { "searchTypes", "search_types", SCHEMA_MESSAGE, .message = 41 /* SearchTypes */ },
        { "timeRangeFilter", "time_range_filter", SCHEMA_MESSAGE, .message = 29 /* Interval */ },
};
static const SchemaField google_search_retrieval_fields[] = {
        { "dynamicRetrievalConfig", "dynamic_retrieval_config", SCHEMA_MESSAGE,
          .message = 9 /* DynamicRetrievalConfig */ },
};
static const SchemaField image_config_fields[] = {
        { "aspectRatio", "aspect_ratio", SCHEMA_STRING },
        { "imageSize", "image_size", SCHEMA_STRING },
};
static const SchemaField image_response_format_fields[] = {
        { "aspectRatio", "aspect_ratio", SCHEMA_ENUM, .values = image_response_format_aspect_ratio },
        { "delivery", "delivery", SCHEMA_ENUM, .values = image_response_format_delivery },
        { "imageSize", "image_size", SCHEMA_ENUM, .values = image_response_format_image_size },
        { "mimeType", "mime_type", SCHEMA_ENUM, .values = image_response_format_mime_type },
};
static const SchemaField interval_fields[] = {
        { "endTime", "end_time", SCHEMA_STRING },
        { "startTime", "start_time", SCHEMA_STRING },
};
static const SchemaField language_hints_fields[] = {
        { "languageCodes", "language_codes", SCHEMA_STRING, .repeated = true },
};
static const SchemaField lat_lng_fields[] = {
        { "latitude", "latitude", SCHEMA_NUMBER },
        { "longitude", "longitude", SCHEMA_NUMBER },
};
static const SchemaField mcp_server_fields[] = {
        { "name", "name", SCHEMA_STRING },
        { "streamableHttpTransport", "streamable_http_transport", SCHEMA_MESSAGE,
          .message = 44 /* StreamableHttpTransport */ },
};
static const SchemaField multi_speaker_voice_config_fields[] = {
        { "speakerVoiceConfigs", "speaker_voice_configs", SCHEMA_MESSAGE,
          .repeated = true, .message = 42 /* SpeakerVoiceConfig */ },
};
static const SchemaField part_fields[] = {
        { "audioMetadata", "audio_metadata", SCHEMA_ANY },
        { "audioTranscription", "audio_transcription", SCHEMA_ANY },
        { "codeExecutionResult", "code_execution_result", SCHEMA_MESSAGE,
          .in_union = true, .message = 5 /* CodeExecutionResult */ },
        { "documentMetadata", "document_metadata", SCHEMA_ANY },
        { "executableCode", "executable_code", SCHEMA_MESSAGE,
          .in_union = true, .message = 12 /* ExecutableCode */ },
        { "fileData", "file_data", SCHEMA_MESSAGE, .in_union = true, .message = 13 /* FileData */ },
        { "functionCall", "function_call", SCHEMA_MESSAGE,
          .in_union = true, .message = 15 /* FunctionCall */ },
        { "functionResponse", "function_response", SCHEMA_MESSAGE,
          .in_union = true, .message = 18 /* FunctionResponse */ },
        { "inlineData", "inline_data", SCHEMA_MESSAGE, .in_union = true, .message = 3 /* Blob */ },
        { "mediaProcessing", "media_processing", SCHEMA_ENUM, .values = part_media_processing },
        { "mediaResolution", "media_resolution", SCHEMA_MESSAGE,
          .message = 53 /* V1mainMediaResolution */ },
        { "partMetadata", "part_metadata", SCHEMA_STRUCT },
        { "speechMetadata", "speech_metadata", SCHEMA_ANY },
        { "spreadsheetMetadata", "spreadsheet_metadata", SCHEMA_ANY },
        { "text", "text", SCHEMA_STRING, .in_union = true },
        { "thought", "thought", SCHEMA_BOOL },
        { "thoughtSignature", "thought_signature", SCHEMA_BYTES },
        { "toolCall", "tool_call", SCHEMA_MESSAGE, .in_union = true, .message = 48 /* ToolCall */ },
        { "toolResponse", "tool_response", SCHEMA_MESSAGE,
          .in_union = true, .message = 50 /* ToolResponse */ },
        { "videoMetadata", "video_metadata", SCHEMA_MESSAGE, .message = 54 /* VideoMetadata */ },
};
static const SchemaField prebuilt_voice_config_fields[] = {
        { "voiceName", "voice_name", SCHEMA_STRING },
};
static const SchemaField response_format_config_fields[] = {
        { "audio", "audio", SCHEMA_MESSAGE, .message = 0 /* AudioResponseFormat */ },
        { "image", "image", SCHEMA_MESSAGE, .message = 27 /* ImageResponseFormat */ },
        { "text", "text", SCHEMA_MESSAGE, .message = 45 /* TextResponseFormat */ },
};
static const SchemaField retrieval_config_fields[] = {
        { "languageCode", "language_code", SCHEMA_STRING },
        { "latLng", "lat_lng", SCHEMA_MESSAGE, .message = 32 /* LatLng */ },
};
static const SchemaField safety_setting_fields[] = {
        { "category", "category", SCHEMA_ENUM, .values = safety_setting_category },
        { "threshold", "threshold", SCHEMA_ENUM, .values = safety_setting_threshold },
};
static const SchemaField schema_fields[] = {
        { "anyOf", "any_of", SCHEMA_MESSAGE, .repeated = true, .message = 40 /* Schema */ },
        { "default", "default", SCHEMA_ANY },
        { "description", "description", SCHEMA_STRING },
        { "enum", "enum", SCHEMA_STRING, .repeated = true },
        { "example", "example", SCHEMA_ANY },
        { "format", "format", SCHEMA_STRING },
        { "items", "items", SCHEMA_MESSAGE, .message = 40 /* Schema */ },
        { "maxItems", "max_items", SCHEMA_INT64 },
        { "maxLength", "max_length", SCHEMA_INT64 },
        { "maxProperties", "max_properties", SCHEMA_INT64 },
        { "maximum", "maximum", SCHEMA_NUMBER },
        { "minItems", "min_items", SCHEMA_INT64 },
        { "minLength", "min_length", SCHEMA_INT64 },
        { "minProperties", "min_properties", SCHEMA_INT64 },
        { "minimum", "minimum", SCHEMA_NUMBER },
        { "nullable", "nullable", SCHEMA_BOOL },
        { "pattern", "pattern", SCHEMA_STRING },
        { "properties", "properties", SCHEMA_MAP, .message = 40 /* Schema */ },
        { "propertyOrdering", "property_ordering", SCHEMA_STRING, .repeated = true },
        { "required", "required", SCHEMA_STRING, .repeated = true },
        { "title", "title", SCHEMA_STRING },
        { "type", "type", SCHEMA_ENUM, .values = schema_type },
};
static const SchemaField search_types_fields[] = {
        { "imageSearch", "image_search", SCHEMA_MESSAGE, .message = 28 /* ImageSearch */ },
        { "webSearch", "web_search", SCHEMA_MESSAGE, .message = 56 /* WebSearch */ },
};
static const SchemaField speaker_voice_config_fields[] = {
        { "speaker", "speaker", SCHEMA_STRING },
        { "voiceConfig", "voice_config", SCHEMA_MESSAGE, .message = 55 /* VoiceConfig */ },
};
static const SchemaField speech_config_fields[] = {
        { "languageCode", "language_code", SCHEMA_STRING },
        { "multiSpeakerVoiceConfig", "multi_speaker_voice_config", SCHEMA_MESSAGE,
          .message = 34 /* MultiSpeakerVoiceConfig */ },
        { "voiceConfig", "voice_config", SCHEMA_MESSAGE, .message = 55 /* VoiceConfig */ },
};
static const SchemaField streamable_http_transport_fields[] = {
        { "headers", "headers", SCHEMA_STRING_MAP },
        { "sseReadTimeout", "sse_read_timeout", SCHEMA_STRING },
        { "terminateOnClose", "terminate_on_close", SCHEMA_BOOL },
        { "timeout", "timeout", SCHEMA_STRING },
        { "url", "url", SCHEMA_STRING },
};
static const SchemaField text_response_format_fields[] = {
        { "mimeType", "mime_type", SCHEMA_ENUM, .values = text_response_format_mime_type },
        { "schema", "schema", SCHEMA_ANY },
};
static const SchemaField thinking_config_fields[] = {
        { "includeThoughts", "include_thoughts", SCHEMA_BOOL },
        { "thinkingBudget", "thinking_budget", SCHEMA_INT },
        { "thinkingLevel", "thinking_level", SCHEMA_ENUM, .values = thinking_config_thinking_level },
};
static const SchemaField tool_fields[] = {
        { "codeExecution", "code_execution", SCHEMA_MESSAGE, .message = 4 /* CodeExecution */ },
        { "computerUse", "computer_use", SCHEMA_MESSAGE, .message = 6 /* ComputerUse */ },
        { "fileSearch", "file_search", SCHEMA_MESSAGE, .message = 14 /* FileSearch */ },
        { "functionDeclarations", "function_declarations", SCHEMA_MESSAGE,
          .repeated = true, .message = 17 /* FunctionDeclaration */ },
        { "googleMaps", "google_maps", SCHEMA_MESSAGE, .message = 23 /* GoogleMaps */ },
        { "googleSearch", "google_search", SCHEMA_MESSAGE, .message = 24 /* GoogleSearch */ },
        { "googleSearchRetrieval", "google_search_retrieval", SCHEMA_MESSAGE,
          .message = 25 /* GoogleSearchRetrieval */ },
        { "mcpServers", "mcp_servers", SCHEMA_MESSAGE, .repeated = true, .message = 33 /* McpServer */ },
        { "urlContext", "url_context", SCHEMA_MESSAGE, .message = 52 /* UrlContext */ },
};
static const SchemaField tool_call_fields[] = {
        { "args", "args", SCHEMA_STRUCT },
        { "id", "id", SCHEMA_STRING },
        { "toolName", "tool_name", SCHEMA_STRING },
        { "toolType", "tool_type", SCHEMA_ENUM, .values = tool_call_tool_type },
};
static const SchemaField tool_config_fields[] = {
        { "functionCallingConfig", "function_calling_config", SCHEMA_MESSAGE,
          .message = 16 /* FunctionCallingConfig */ },
        { "includeServerSideToolInvocations", "include_server_side_tool_invocations", SCHEMA_BOOL },
        { "retrievalConfig", "retrieval_config", SCHEMA_MESSAGE, .message = 38 /* RetrievalConfig */ },
};
static const SchemaField tool_response_fields[] = {
        { "id", "id", SCHEMA_STRING },
        { "response", "response", SCHEMA_STRUCT },
        { "toolType", "tool_type", SCHEMA_ENUM, .values = tool_response_tool_type },
};
static const SchemaField translation_config_fields[] = {
        { "echoTargetLanguage", "echo_target_language", SCHEMA_BOOL },
        { "targetLanguageCode", "target_language_code", SCHEMA_STRING },
};
static const SchemaField v1main_media_resolution_fields[] = {
        { "level", "level", SCHEMA_ENUM, .values = v1main_media_resolution_level },
};
static const SchemaField video_metadata_fields[] = {
        { "endOffset", "end_offset", SCHEMA_STRING },
        { "fps", "fps", SCHEMA_NUMBER },
        { "startOffset", "start_offset", SCHEMA_STRING },
};
static const SchemaField voice_config_fields[] = {
        { "prebuiltVoiceConfig", "prebuilt_voice_config", SCHEMA_MESSAGE,
          .message = 36 /* PrebuiltVoiceConfig */ },
};

const SchemaMessage schema_messages[] = {
        { "AudioResponseFormat", ROWS(audio_response_format_fields) },
        { "AudioTranscriptionConfig", ROWS(audio_transcription_config_fields) },
        { "BatchEmbedContentsRequest", ROWS(batch_embed_contents_request_fields) },
        { "Blob", ROWS(blob_fields) },
        { "CodeExecution", NULL, 0 },
        { "CodeExecutionResult", ROWS(code_execution_result_fields) },
        { "ComputerUse", ROWS(computer_use_fields) },
        { "Content", ROWS(content_fields) },
        { "CountTokensRequest", ROWS(count_tokens_request_fields) },
        { "DynamicRetrievalConfig", ROWS(dynamic_retrieval_config_fields) },
        { "EmbedContentConfig", ROWS(embed_content_config_fields) },
        { "EmbedContentRequest", ROWS(embed_content_request_fields) },
        { "ExecutableCode", ROWS(executable_code_fields) },
        { "FileData", ROWS(file_data_fields) },
        { "FileSearch", ROWS(file_search_fields) },
        { "FunctionCall", ROWS(function_call_fields) },
        { "FunctionCallingConfig", ROWS(function_calling_config_fields) },
        { "FunctionDeclaration", ROWS(function_declaration_fields) },
        { "FunctionResponse", ROWS(function_response_fields) },
        { "FunctionResponseBlob", ROWS(function_response_blob_fields) },
        { "FunctionResponsePart", ROWS(function_response_part_fields) },
        { "GenerateContentRequest", ROWS(generate_content_request_fields) },
        { "GenerationConfig", ROWS(generation_config_fields) },
        { "GoogleMaps", ROWS(google_maps_fields) },
        { "GoogleSearch", ROWS(google_search_fields) },
        { "GoogleSearchRetrieval", ROWS(google_search_retrieval_fields) },
        { "ImageConfig", ROWS(image_config_fields) },
        { "ImageResponseFormat", ROWS(image_response_format_fields) },
        { "ImageSearch", NULL, 0 },
        { "Interval", ROWS(interval_fields) },
        { "LanguageAuto", NULL, 0 },
        { "LanguageHints", ROWS(language_hints_fields) },
        { "LatLng", ROWS(lat_lng_fields) },
        { "McpServer", ROWS(mcp_server_fields) },
        { "MultiSpeakerVoiceConfig", ROWS(multi_speaker_voice_config_fields) },
        { "Part", ROWS(part_fields) },
        { "PrebuiltVoiceConfig", ROWS(prebuilt_voice_config_fields) },
        { "ResponseFormatConfig", ROWS(response_format_config_fields) },
        { "RetrievalConfig", ROWS(retrieval_config_fields) },
        { "SafetySetting", ROWS(safety_setting_fields) },
        { "Schema", ROWS(schema_fields) },
        { "SearchTypes", ROWS(search_types_fields) },
        { "SpeakerVoiceConfig", ROWS(speaker_voice_config_fields) },
        { "SpeechConfig", ROWS(speech_config_fields) },
        { "StreamableHttpTransport", ROWS(streamable_http_transport_fields) },
        { "TextResponseFormat", ROWS(text_response_format_fields) },
        { "ThinkingConfig", ROWS(thinking_config_fields) },
        { "Tool", ROWS(tool_fields) },
        { "ToolCall", ROWS(tool_call_fields) },
        { "ToolConfig", ROWS(tool_config_fields) },
        { "ToolResponse", ROWS(tool_response_fields) },
        { "TranslationConfig", ROWS(translation_config_fields) },
        { "UrlContext", NULL, 0 },
        { "V1mainMediaResolution", ROWS(v1main_media_resolution_fields) },
        { "VideoMetadata", ROWS(video_metadata_fields) },
        { "VoiceConfig", ROWS(voice_config_fields) },
        { "WebSearch", NULL, 0 },
};
const size_t n_schema_messages = ELEMENTSOF(schema_messages);
