# SPDX-License-Identifier: MIT
"""The rows of conformance.py about Anthropic's messages."""
from conformance_rows import ABSENT, CONFIG, DECLARED, MODE, MODEL, OLD, PART, PNG, STREAM, answered, gemini, ignored, refused, to

HI = {"role": "user", "content": "Hi"}
BASES = dict.fromkeys(("messages", "messages-answers"), {"model": MODEL, "max_tokens": 99, "messages": [HI]})
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
F = {"name": "f", "input_schema": SCHEMA}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"city": "Rome"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
ON = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
IMAGE = {"type": "base64", "media_type": "image/png", "data": PNG}
BLOCK, RESULT = "messages[].content[]", "contents.2.parts.0.functionResponse."


def user(*blocks):
    return {"messages": [{"role": "user", "content": list(blocks)}]}


def said(*blocks):
    return {"messages": [HI, {"role": "assistant", "content": list(blocks)}, HI]}


def result(content, **more):
    blocks = [{"type": "tool_result", "tool_use_id": "toolu_1", "content": content, **more}]
    return {"messages": [HI, {"role": "assistant", "content": [USE]}, {"role": "user", "content": blocks}]}


def text(t, **more):
    return {"type": "text", "text": t, **more}


def image(**source):
    return {"type": "image", "source": source}


def document(source, **more):
    return {"type": "document", "source": source, **more}


def level(value, **more):
    return {CONFIG + "thinkingConfig": {"thinkingLevel": value, **more}}


MESSAGES = [
    to("model", "the model of the path; `models/` and `google/` before it are dropped", {"model": "models/" + OLD}, {"(path)": f"/v1beta/models/{OLD}:generateContent"}),
    refused("model", {"model": "a b"}, "model must be the name of a model"),
    to("max_tokens", "the same", {"max_tokens": 9}, {CONFIG + "maxOutputTokens": 9}),
    refused("max_tokens", {"max_tokens": 0}, "max_tokens must be between 1 and 2147483647"),
    to("stream", "the method of the path", STREAM, {"(path)": f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"}),
    refused("stream", {"stream": "yes"}, "stream must be a boolean"),
    to("stop_sequences", "a list of at most five; the log has a `LOSS` for more", {"stop_sequences": list("abcdef")}, {CONFIG + "stopSequences": list("abcde")}),
    refused("stop_sequences", {"stop_sequences": "END"}, "stop_sequences must be an array"),
    *(to(m, "the same, for models that sample", {"model": OLD, m: v}, {CONFIG + g: v}) for m, g, v in (("temperature", "temperature", 0.5), ("top_p", "topP", 0.9), ("top_k", "topK", 5))),
    *(ignored(m, "the model ignores it or refuses it", {m: v}) for m, v in (("temperature", 0.5), ("top_p", 0.9), ("top_k", 5))),
    refused("temperature", {"temperature": 3}, "temperature must be between 0 and 2"),
    # --- thinking, output_config ---
    to("thinking", "thinkingConfig", ON, level("LOW", includeThoughts=True)),
    refused("thinking.type", {"thinking": {"type": "much"}}, "thinking.type must be enabled, adaptive, between_tools or disabled"),
    to("thinking.type", "`enabled`: thoughts are shown", {"thinking": {"type": "enabled"}}, {CONFIG + "thinkingConfig": {"includeThoughts": True}}),
    to("thinking.type", "`adaptive`, `between_tools`: Gemini's own amount", {"thinking": {"type": "adaptive"}}, {CONFIG + "thinkingConfig": {"includeThoughts": True}}),
    to("thinking.type", "`disabled`: as little as the model can", {"model": OLD, "thinking": {"type": "disabled"}}, {CONFIG + "thinkingConfig.thinkingBudget": 0}),
    to("thinking.budget_tokens", "a level", {"thinking": {"type": "enabled", "budget_tokens": 20000}}, level("HIGH", includeThoughts=True)),
    to("thinking.budget_tokens", "the same, for models before Gemini 3; -1: as many as the model likes", {"model": OLD, "thinking": {"type": "enabled", "budget_tokens": -1}}, {CONFIG + "thinkingConfig.thinkingBudget": -1}),
    refused("thinking.budget_tokens", {"thinking": {"type": "enabled", "budget_tokens": -2}}, "thinking.budget_tokens must be a number of tokens, or -1"),
    to("thinking.display", "`omitted`: without includeThoughts", {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "low"}}, level("LOW")),
    to("output_config", "see its members", {"output_config": {"effort": "low"}}, level("LOW")),
    to("output_config.effort", "a level", {"output_config": {"effort": "max"}}, level("HIGH")),
    refused("output_config.effort", {"output_config": {"effort": "much"}}, "output_config.effort must be low, medium, high, xhigh or max"),
    to("output_config.format", "responseJsonSchema", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}, {CONFIG + "responseMimeType": "application/json", CONFIG + "responseJsonSchema": SCHEMA}),
    refused("output_config.format", {"output_config": {"format": {"type": "xml"}}}, "output_config.format.type must be json_schema"),
    ignored("output_config.task_budget", "Gemini has no such budget", {"output_config": {"task_budget": {"type": "tokens", "total": 9}}}),
    to("output_format", "responseJsonSchema: the older name", {"output_format": {"type": "json_schema", "schema": SCHEMA}}, {CONFIG + "responseJsonSchema": SCHEMA}),
    # --- tools ---
    to("tools[]", "declarations of functions", {"tools": [F, {"name": "g"}]}, {DECLARED + "name": "f", "tools.0.functionDeclarations.1.name": "g"}),
    refused("tools[]", {"tools": [7]}, "tools[0] must be an object"),
    to("tools[].name", "the same, if Gemini takes it; else a name made of it, which the client never sees", {"tools": [{"name": "a/b"}]}, {DECLARED + "name": "(a name)"}),
    refused("tools[].name", {"tools": [{"name": ""}]}, "tools[0].name must not be empty"),
    to("tools[].description", "the same", {"tools": [F | {"description": "Weather."}]}, {DECLARED + "description": "Weather."}),
    to("tools[].input_schema", "parametersJsonSchema, in what Gemini has of JSON Schema", {"tools": [F]}, {DECLARED + "parametersJsonSchema": SCHEMA}),
    refused("tools[].input_schema", {"tools": [{"name": "f", "input_schema": {"type": "array"}}]}, "tools[0].input_schema must be a JSON Schema of an object"),
    to("tools[].strict", "the mode VALIDATED", {"tools": [F | {"strict": True}]}, {MODE + "mode": "VALIDATED"}),
    to("tools[].defer_loading", "declared all the same", {"tools": [F | {"defer_loading": True}]}, {DECLARED + "name": "f"}),
    *(
        ignored("tools[]." + m, why, {"tools": [F | {m: v}]}, {"tools": [F]})
        for m, v, why in (
            ("eager_input_streaming", True, "Gemini sends a call in one piece"), ("allowed_callers", ["direct"], "there are no other callers"),
            ("input_examples", [{"city": "Rome"}], "Gemini has no such member"), ("cache_control", {"type": "ephemeral"}, "Gemini caches by itself"),
        )
    ),
    to("tools[].type", "`custom`, or none: a function", {"tools": [F | {"type": "custom"}]}, {DECLARED + "name": "f"}),
    *(
        to("tools[].type", note, {"tools": [{"type": kind, "name": "x"}]}, {"tools.0": {google: {}}})
        for kind, google, note in (
            ("web_search_20250305", "googleSearch", "`web_search_…`: googleSearch; its limits are left out"), ("web_fetch_20250910", "urlContext", "`web_fetch_…`: urlContext"),
            ("code_execution_20250825", "codeExecution", "`code_execution_…`: codeExecution"),
        )
    ),
    *(
        to("tools[].type", f"`{kind.rsplit('_', 1)[0]}_…`: a function of the client", {"tools": [{"type": kind, "name": "x"}]}, {DECLARED + "name": "x", DECLARED + "parametersJsonSchema.type": "object"})
        for kind in ("bash_20250124", "text_editor_20250728", "memory_20250818", "computer_20251124")
    ),
    ignored("tools[].type", "`tool_search_tool_…`: all tools are declared", {"tools": [{"type": "tool_search_tool_regex_20251119", "name": "x"}]}),
    ignored("tools[].type", "any other that has no `input_schema`; the log has a `LOSS`", {"tools": [{"type": "advisor_20260301", "name": "x"}]}),
    to("tool_choice", "the mode", {"tools": [F], "tool_choice": {"type": "any"}}, {MODE + "mode": "ANY"}),
    to("tool_choice.type", "`none`", {"tools": [F], "tool_choice": {"type": "none"}}, {MODE + "mode": "NONE"}),
    refused("tool_choice.type", {"tool_choice": {"type": "some"}}, "tool_choice.type must be auto, any, tool or none"),
    to("tool_choice.name", "allowedFunctionNames", {"tools": [F], "tool_choice": {"type": "tool", "name": "f"}}, {MODE + "mode": "ANY", MODE + "allowedFunctionNames": ["f"]}),
    refused("tool_choice.name", {"tools": [F], "tool_choice": {"type": "tool", "name": "g"}}, "tool_choice.name must be the name of a tool of tools"),
    answered("tool_choice.disable_parallel_tool_use", "only the first call is passed on", 'call f {"city": "Rome"} call f {"city": "Oslo"}', {"content.0.name": "f", "content.1": ABSENT}, tools=[F], tool_choice={"type": "auto", "disable_parallel_tool_use": True}),
    # --- system, messages ---
    to("system", "the instructions", {"system": "Be brief."}, {"systemInstruction.parts": [{"text": "Be brief."}]}),
    to("system", "a part for each text; `x-anthropic-billing-header` is left out", {"system": [text("x-anthropic-billing-header: cch=1;"), text("One."), text("Two.")]}, {"systemInstruction.parts": [{"text": "One."}, {"text": "Two."}]}),
    refused("system", {"system": 1}, "system must be a string or an array"),
    to("messages[]", "contents", {}, {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}),
    refused("messages[]", {"messages": []}, "messages must not be empty"),
    to("messages[].role", "`user`, `assistant`", said(text("a")), {"contents.1": {"role": "model", "parts": [{"text": "a"}]}}),
    to("messages[].role", "`system`, at any place: the instructions", {"messages": [HI, {"role": "system", "content": "Now."}]}, {"systemInstruction.parts": [{"text": "Now."}]}),
    refused("messages[].role", {"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role must be user, assistant or system"),
    to("messages[].content", "a text, or blocks", user(text("a"), text("b")), {"contents.0.parts": [{"text": "a"}, {"text": "b"}]}),
    refused("messages[].content", {"messages": [{"role": "user", "content": 7}]}, "messages[0].content must be a string or an array"),
    to(BLOCK + ".text", "a text", user(text("a")), {PART + "text": "a"}),
    refused(BLOCK + ".text", user(text(1)), "messages[0].content[0].text must be a string"),
    ignored(BLOCK + ".text.citations", "Gemini takes none", said(text("a", citations=[])), said(text("a"))),
    ignored(BLOCK + ".cache_control", "Gemini caches by itself; so at any place", user(text("a", cache_control={"type": "ephemeral", "ttl": "1h"})), user(text("a"))),
    to(BLOCK + ".image", "inlineData", user(image(**IMAGE)), {PART + "inlineData": {"mimeType": "image/png", "data": PNG}}),
    refused(BLOCK + ".image", user({"type": "image"}), "messages[0].content[0].source must be an object"),
    to(BLOCK + ".image.source", "`url`: fileData, which Google reads", user(image(type="url", url="https://example.org/a.png")), {PART + "fileData": {"mimeType": "image/png", "fileUri": "https://example.org/a.png"}}),
    refused(BLOCK + ".image.source", user(image(type="url", url="ftp://a/b")), "messages[0].content[0].source.url must be a data: or https: URL"),
    refused(BLOCK + ".image.source", user(image(type="file", file_id="a b")), "(begins) messages[0].content[0].source.file_id must be the name of a file"),
    to(BLOCK + ".image.source", "`file`: fileData; a file of this client, or an `https:` URL", user(image(type="file", file_id="https://example.org/a.png")), {PART + "fileData.fileUri": "https://example.org/a.png"}),
    to(BLOCK + ".document", "inlineData", user(document({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"})), {PART + "inlineData.mimeType": "application/pdf"}),
    to(BLOCK + ".document.source", "`text`, `content`: texts; `url`, `file`: as of an image", user(document({"type": "text", "media_type": "text/plain", "data": "hello"})), {PART + "text": "hello"}),
    to(BLOCK + ".document.title", "a text before it", user(document({"type": "text", "data": "x"}, title="A")), {"contents.0.parts.1.text": "A"}),
    to(BLOCK + ".document.context", "a text before it", user(document({"type": "text", "data": "x"}, context="C")), {PART + "text": "C"}),
    ignored(BLOCK + ".document.citations", "Gemini cites its search alone", user(document({"type": "text", "data": "x"}, citations={"enabled": True})), user(document({"type": "text", "data": "x"}))),
    to(BLOCK + ".search_result", "its title, source and texts", user({"type": "search_result", "source": "https://example.org", "title": "A", "content": [text("found")]}), {"contents.0.parts.1.text": "A", "contents.0.parts.5.text": "found"}),
    to(BLOCK + ".tool_use", "a functionCall, with its signature or a sentinel", result("x"), {"contents.1.parts.0.functionCall": {"id": "toolu_1", "name": "f", "args": {"city": "Rome"}}}),
    refused(BLOCK + ".tool_use", user(USE), "messages[0].content[0].type must not be tool_use: only an assistant uses tools"),
    ignored(BLOCK + ".tool_use.caller", "there is one caller", said(USE | {"caller": {"type": "direct"}}), said(USE)),
    to(BLOCK + ".tool_result", "a functionResponse", result("sunny"), {RESULT + "name": "f", RESULT + "response": {"output": "sunny"}}),
    refused(BLOCK + ".tool_result", user({"type": "tool_result"}), "messages[0].content[0].tool_use_id must be a string"),
    to(BLOCK + ".tool_result.content", "texts, pictures, documents, search results", result([text("a"), image(**IMAGE)]), {RESULT + "response": {"output": "a"}, RESULT + "parts.0.inlineData.data": PNG}),
    to(BLOCK + ".tool_result.is_error", "`error`", result("no", is_error=True), {RESULT + "response": {"error": "no"}}),
    to(BLOCK + ".tool_reference", "the tool's name", result([{"type": "tool_reference", "tool_name": "f"}]), {RESULT + "response": {"output": "f"}}),
    to(BLOCK + ".thinking", "a thought", said(THOUGHT, text("a")), {"contents.1.parts.0": {"text": "hm", "thought": True}}),
    to(BLOCK + ".thinking.signature", "that of the next call, or else of the text", said(THOUGHT, text("a")), {"contents.1.parts.1": {"text": "a", "thoughtSignature": "c2ln"}}),
    to(BLOCK + ".server_tool_use", "code: a text; a search: left out", said({"type": "server_tool_use", "id": "s", "name": "code_execution", "input": {"code": "print(1)"}}), {"contents.1.parts.1.text": "print(1)"}),
    *(
        to(f"{BLOCK}.{kind}", "its output: a text", said({"type": kind, "tool_use_id": "s", "content": {"type": "x", "stdout": "1"}}), {"contents.1.parts.1.text": "1"})
        for kind in ("code_execution_tool_result", "bash_code_execution_tool_result")
    ),
    to(BLOCK + ".mcp_tool_use", "a functionCall", said(USE | {"type": "mcp_tool_use", "server_name": "s"}), {"contents.1.parts.0.functionCall.name": "f"}),
    to(BLOCK + ".mcp_tool_result", "its functionResponse", said(USE | {"type": "mcp_tool_use"}, {"type": "mcp_tool_result", "tool_use_id": "toolu_1", "content": [text("x")]}), {RESULT + "response": {"output": "x"}}),
    to(BLOCK + ".container_upload", "fileData", user({"type": "container_upload", "file_id": "https://example.org/a.png"}), {PART + "fileData.fileUri": "https://example.org/a.png"}),
    to(BLOCK + ".compaction", "its text", said({"type": "compaction", "content": "So far."}), {"contents.1.parts.0.text": "So far."}),
    *(
        ignored(f"{BLOCK}.{kind}", why, said({"type": kind}, text("a")), said(text("a")))
        for kind, why in (
            ("redacted_thinking", "encrypted"), ("web_search_tool_result", "encrypted; the text that follows has what was found"), ("web_fetch_tool_result", "the text that follows has what was found"),
            ("text_editor_code_execution_tool_result", "about Anthropic's container"), ("tool_search_tool_result", "all tools are declared"), ("advisor_tool_result", "encrypted"),
            ("mcp_tool_listing", "gemgate calls no such server"), ("tool_addition", "all tools are declared"), ("tool_removal", "all tools are declared"), ("fallback", "about Anthropic's models"),
            ("(any other)", "there are new ones with each beta; the log has a `LOSS`"),
        )
    ),
    # --- the rest ---
    refused("thread", {"thread": {"type": "create"}}, "thread is not served here: send the whole conversation in messages"),
    ignored("mcp_servers", "gemgate calls none; the log has a `LOSS`", {"mcp_servers": [{"type": "url", "url": "https://example.org", "name": "s"}]}),
    *(
        ignored(m, why, {m: v})
        for m, v, why in (
            ("metadata", {"user_id": "u"}, "Gemini takes no user"), ("container", "c", "Gemini's code runs in its own"), ("context_management", {"edits": []}, "the client's history is sent as it is"),
            ("cache_control", {"type": "ephemeral"}, "Gemini caches by itself"), ("service_tier", "auto", "an operator's matter"), ("speed", "fast", "Gemini has no such mode"),
            ("inference_geo", "eu", "Google chooses the place"), ("diagnostics", {}, "about Anthropic's servers"), ("fallbacks", [], "see FALLBACK_MODELS"), ("compaction", {}, "the client compacts"),
            ("billing_policy", {}, "about Anthropic's bills"), ("betas", ["x"], "clients send those that they know to every server"), ("(any other)", 1, "an open list"),
        )
    ),
]

SAID = gemini({"text": "Hello"})
CALL = {"functionCall": {"id": "c1", "name": "f", "args": {"city": "Rome"}}, "thoughtSignature": "c2ln"}
FOUND = {"webSearchQueries": ["x"], "groundingChunks": [{"web": {"uri": "https://example.org", "title": "E"}}], "groundingSupports": [{"segment": {"endIndex": 5, "text": "Hello"}, "groundingChunkIndices": [0]}]}
COUNTED = "text Hello usage=7/5/15 thoughts=3 cached=2"
CODE = [{"executableCode": {"language": "PYTHON", "code": "print(1)"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}]
RUNS = {"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]}
ENDS = (("STOP", "end_turn"), ("MAX_TOKENS", "max_tokens"), ("OTHER", "end_turn"), *((r, "refusal") for r in ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY")))
EVENTS = [
    answered("candidates[].content.parts[].text", "a `text`", SAID, {"content": [text("Hello")], "role": "assistant"}),
    answered("candidates[].content.parts[].thought", "a `thinking`, if it was asked for", gemini({"text": "Hm", "thought": True}, {"text": "Hello"}), {"content.0": {"type": "thinking", "thinking": "Hm", "signature": ""}}, **ON),
    answered("candidates[].content.parts[].thought", "nothing, if it was not", gemini({"text": "Hm", "thought": True}, {"text": "Hello"}), {"content": [text("Hello")]}),
    answered("candidates[].content.parts[].functionCall", "a `tool_use`", gemini(CALL), {"content.0.type": "tool_use", "content.0.id": "toolu_(and more)", "content.0.input": {"city": "Rome"}, "stop_reason": "tool_use"}, tools=[F]),
    answered("candidates[].content.parts[].thoughtSignature", "the `signature` of a `thinking` before it", gemini(CALL), {"content.0": {"type": "thinking", "thinking": "", "signature": "c2ln"}, "content.1.type": "tool_use"}, tools=[F], **ON),
    answered("candidates[].content.parts[].inlineData", "Markdown in a `text`", gemini({"inlineData": {"mimeType": "image/png", "data": PNG}}), {"content.0.text": "(holds) data:image/png;base64," + PNG}),
    answered("candidates[].content.parts[].executableCode", "a `server_tool_use`", gemini(*CODE), {"content.0.name": "code_execution", "content.0.input": {"code": "print(1)"}}, **RUNS),
    answered("candidates[].content.parts[].codeExecutionResult", "a `code_execution_tool_result`", gemini(*CODE), {"content.1.content.stdout": "1", "content.1.content.return_code": 0}, **RUNS),
    answered("candidates[].groundingMetadata", "`citations` of the text, a `server_tool_use` and a `web_search_tool_result`", gemini({"text": "Hello"}, groundingMetadata=FOUND), {"content.0.citations.0.url": "https://example.org", "content.1.input": {"query": "x"}, "content.2.content.0.title": "E"}, tools=[SEARCH]),
    *(answered(f"candidates[].finishReason {reason}", f"`{end}`", gemini({"text": "Hello"}, finish=reason), {"stop_reason": end, "stop_sequence": None}) for reason, end in ENDS),
    answered("candidates[].finishReason CONTINUATION", "the rest is requested with `continuationToken`, and joined", 'text "Hello" hops=2', {"content": [text("Hello")], "stop_reason": "end_turn"}, model="gemini-4-argon"),
    answered("candidates[].finishMessage", "`stop_details.explanation`", gemini({"text": "Hello"}, finish="SAFETY", finishMessage="Harm."), {"stop_details": {"type": "refusal", "category": "general_harms", "explanation": "SAFETY: Harm."}}),
    answered("promptFeedback.blockReason", "`refusal`, with no content", "blocked SAFETY", {"content": [], "stop_reason": "refusal", "stop_details.explanation": "SAFETY"}),
    answered("usageMetadata.promptTokenCount", "`usage.input_tokens`, without those that were cached", COUNTED, {"usage.input_tokens": 5}),
    answered("usageMetadata.cachedContentTokenCount", "`usage.cache_read_input_tokens`", COUNTED, {"usage.cache_read_input_tokens": 2, "usage.cache_creation_input_tokens": 0}),
    answered("usageMetadata.candidatesTokenCount", "`usage.output_tokens`, with the thoughts", COUNTED, {"usage.output_tokens": 8}),
    answered("usageMetadata.thoughtsTokenCount", "`usage.output_tokens_details`", COUNTED, {"usage.output_tokens_details.thinking_tokens": 3}),
    answered("responseId", "`id`, behind `msg_`", SAID, {"id": "msg_abc"}),
    answered("modelVersion", "not passed on: `model` is the name that was asked for", SAID, {"model": MODEL}),
    answered("message_start", "with the first content", "text Hello", {"0.type": "message_start", "0.message.content": [], "0.message.stop_reason": None}, **STREAM),
    answered("ping", "behind it, and while Gemini is silent", "text Hello", {"1": {"type": "ping"}}, **STREAM),
    answered("content_block_start", "a block without content", "text Hello", {"2": {"type": "content_block_start", "index": 0, "content_block": text("")}}, **STREAM),
    answered("content_block_delta text_delta", "a piece of text", "text Hello chunks=1", {"3.delta": {"type": "text_delta", "text": "Hello"}}, **STREAM),
    answered("content_block_delta thinking_delta", "a piece of a thought", 'thought="Hm" text Hello', {"3.delta": {"type": "thinking_delta", "thinking": "Hm"}}, **STREAM, **ON),
    answered("content_block_delta signature_delta", "at the end of the block", gemini(CALL).replace("json ", "sse ", 1), {"3.delta": {"type": "signature_delta", "signature": "c2ln"}}, **STREAM, **ON, tools=[F]),
    answered("content_block_delta input_json_delta", "the arguments, whole", 'call f {"city": "Rome"}', {"3.delta": {"type": "input_json_delta", "partial_json": '{"city":"Rome"}'}}, **STREAM, tools=[F]),
    answered("content_block_delta citations_delta", "at the end of the block", gemini({"text": "Hello"}, groundingMetadata=FOUND).replace("json ", "sse ", 1), {"4.delta.citation.url": "https://example.org"}, **STREAM, tools=[SEARCH]),
    answered("content_block_stop", "before the next block", "text Hello chunks=1", {"4": {"type": "content_block_stop", "index": 0}}, **STREAM),
    answered("message_delta", "`stop_reason` and `usage`", COUNTED, {"-2.delta.stop_reason": "end_turn", "-2.usage.input_tokens": 5, "-2.usage.output_tokens": 8}, **STREAM),
    answered("message_stop", "the end", "text Hello", {"-1": {"type": "message_stop"}}, **STREAM),
]
